/** What `config create` and `config edit` share: from flags to a checked profile, and its secrets to the vault. */

import { readInput, readSecret } from "../../credentials/secret_source.ts";
import {
  checkClientId,
  isGuid,
  requireOneTenant,
  resolveAuthority,
} from "../../entra/authority.ts";
import { checkScopes, clientCredentialsScope } from "../../entra/scope.ts";
import { EntraToolError } from "../../errors.ts";
import { formatUtc } from "../../output/duration.ts";
import { type Profile, type ProfileCredential, secretEntryName } from "../../profiles/profile.ts";
import { parseScopeList } from "../../token/scope_list.ts";
import type { CredentialSource, SecretSource } from "../../token_request.ts";
import type { Vault } from "../../vault/vault.ts";
import type { AppContext } from "../context.ts";
import type { ProfileFieldFlags } from "./config.ts";

/** A secret on its way into the vault. */
export interface StoredSecret {
  readonly entry: string;
  readonly value: string;
}

/** The name that a command is about. @throws EntraToolError usage when it is missing */
export function requiredName({ profile }: { readonly profile?: string | undefined }): string {
  if (profile !== undefined) return profile;
  throw new EntraToolError("usage", "name_missing", "The profile's name is missing", {
    hint: "Give it with -p NAME",
  });
}

/**
 * Checks everything that can be checked without asking Entra.
 *
 * @throws EntraToolError usage
 */
export function checkProfile(profile: Profile): void {
  const authority = resolveAuthority({
    tenant: profile.tenantId,
    cloud: profile.cloud,
    authority: profile.authority,
  });
  checkClientId(profile.clientId);
  if (profile.pinnedTenant !== undefined && !isGuid(profile.pinnedTenant)) {
    throw new EntraToolError(
      "usage",
      "pin_invalid",
      `The pinned tenant "${profile.pinnedTenant}" is not a GUID`,
      {
        hint: "Tokens name their tenant by its GUID: entratool inspect shows it as tid",
      },
    );
  }
  const scopes = profile.scopes ?? [];
  checkScopes(scopes);
  const flow = profile.defaultFlow ?? (profile.credential && "ClientCredentials");
  if (flow === "ClientCredentials") {
    requireOneTenant(authority);
    clientCredentialsScope(scopes, authority.cloud);
  }
}

/** The fields that the flags give, for a profile that may have others already. */
export function fieldsOf(flags: ProfileFieldFlags): Partial<Profile> {
  return {
    ...(flags.tenant === undefined ? {} : { tenantId: flags.tenant }),
    ...(flags.clientId === undefined ? {} : { clientId: flags.clientId }),
    ...(flags.cloud === undefined ? {} : { cloud: flags.cloud }),
    ...(flags.authority === undefined ? {} : { authority: flags.authority }),
    ...(flags.scope?.length ? { scopes: parseScopeList(flags.scope) } : {}),
    ...(flags.flow === undefined ? {} : { defaultFlow: flags.flow }),
    ...(flags.redirectUri === undefined ? {} : { redirectUri: flags.redirectUri }),
    ...(flags.pinTenant === undefined ? {} : { pinnedTenant: flags.pinTenant }),
    ...(flags.pinAccount === undefined ? {} : { pinnedAccount: flags.pinAccount }),
  };
}

/**
 * Reads and checks a credential: what the profile says of it, and what goes into the vault.
 *
 * @throws EntraToolError usage when it can't be used; storage when a secret would have no place to go
 */
export async function takeCredential(
  name: string,
  source: CredentialSource,
  vault: Vault,
  context: AppContext,
): Promise<{ readonly credential: ProfileCredential; readonly secret: StoredSecret | undefined }> {
  const read = (secret: SecretSource, what: string) => {
    requireVault(what, vault);
    return readSecret(secret, what, { ...context, vault });
  };
  if (source.kind === "client-secret") {
    const value = await read(source.secret, "client secret");
    return {
      credential: { kind: "client-secret" },
      secret: { entry: secretEntryName(name, "client-secret"), value },
    };
  }
  if (source.path === "-") {
    throw new EntraToolError(
      "usage",
      "certificate_not_stored",
      "A profile holds the path of a certificate file, and standard input has none",
      { hint: "Save the certificate in a file: --certificate PATH" },
    );
  }
  const password = source.password && await read(source.password, "certificate password");
  const { openCertificate } = await import("../../credentials/certificate.ts");
  const file = await readInput(source.path, "certificate", context);
  const certificate = await openCertificate(file, password, context.host.now(), source.path);
  context.messages.lines([
    `Certificate of ${certificate.subject}, valid until ${formatUtc(certificate.notAfter / 1000)}`,
    `  thumbprint ${certificate.thumbprints.sha1} (SHA-1, as the portal shows it)`,
    `  thumbprint ${certificate.thumbprints.sha256} (SHA-256, as AADSTS700027 shows it)`,
  ]);
  return {
    credential: {
      kind: "certificate",
      path: await Deno.realPath(source.path),
      passwordInVault: password !== undefined,
      algorithm: source.algorithm,
      sendX5c: source.sendX5c,
    },
    secret: password === undefined
      ? undefined
      : { entry: secretEntryName(name, "certificate-password"), value: password },
  };
}

function requireVault(what: string, vault: Vault): void {
  if (vault.storesAnything) return;
  throw new EntraToolError(
    "storage",
    "vault_missing",
    `A ${what} is kept in the vault and nowhere else, and there is no vault`,
    {
      hint: [
        "Make one with a random key, and keep the key:  export ENTRATOOL_VAULT_KEY=$(openssl rand -base64 32)",
        "or with a passphrase:  export ENTRATOOL_VAULT_PASSPHRASE=…",
        "or leave the secret out of the profile, and set AZURE_CLIENT_SECRET when you ask for a token",
      ].join("\n"),
    },
  );
}
