/** The part of getting a token that a cached one never needs: authority, credential, certificates, flow. */

import { usesCredential } from "./accounts.ts";
import type { ClientCredential } from "./credentials/credential.ts";
import { isGuid, resolveAuthority } from "./entra/authority.ts";
import { EntraToolError } from "./errors.ts";
import type { FlowInput } from "./flows/flow.ts";
import { refreshToken as refreshByToken } from "./flows/refresh_token.ts";
import { loadFlow } from "./flows/registry.ts";
import type { Deadline, Host } from "./host.ts";
import { lazily } from "./lazy_module.ts";
import type { Trace } from "./entra/transport.ts";
import type { Person } from "./person.ts";
import type { Redactor } from "./output/redact.ts";
import { isAccount } from "./token/account.ts";
import type { TokenSet } from "./token/token_set.ts";
import type { CredentialSource, SecretSource, TokenRequest } from "./token_request.ts";
import type { Vault } from "./vault/vault.ts";

export { afterRefusedRefresh } from "./flows/refresh_token.ts";

/** Files with secrets and certificates are never larger. */
const maxFileBytes = 1024 * 1024;

export interface ObtainOptions {
  readonly vault: Vault;
  readonly host: Host;
  readonly redactor: Redactor;
  readonly trace: Trace;
  readonly person: Person | undefined;
  readonly deadline: Deadline;
}

/** Asks Entra by the request's flow. @throws EntraToolError of every kind */
export async function obtainToken(
  request: TokenRequest,
  options: ObtainOptions,
): Promise<TokenSet> {
  const flow = await loadFlow(request.flow);
  return checked(await flow.run(await flowInput(request, options), options.host), request, options);
}

/**
 * Asks Entra by a refresh token.
 *
 * @throws EntraToolError of every kind; what to do then says {@link afterRefusedRefresh}
 */
export async function obtainByRefreshToken(
  refreshToken: string,
  request: TokenRequest,
  options: ObtainOptions,
): Promise<TokenSet> {
  const input = await flowInput(request, options);
  return checked(await refreshByToken(refreshToken, input, options.host), request, options);
}

/** What a flow works with. @throws EntraToolError usage when a setting can't be right */
async function flowInput(request: TokenRequest, options: ObtainOptions): Promise<FlowInput> {
  if (!isGuid(request.clientId)) {
    throw new EntraToolError(
      "usage",
      "client_id_invalid",
      `The client id "${request.clientId}" is not a GUID`,
      { hint: "Copy the Application (client) id from the app registration's Overview" },
    );
  }
  const { credential } = request;
  const isNeeded = request.flow === "ClientCredentials" || usesCredential(request);
  return {
    flow: request.flow,
    authority: resolveAuthority(request),
    clientId: request.clientId,
    scopes: request.scopes,
    credential: isNeeded && credential !== undefined
      ? await loadCredential(credential, request, options)
      : undefined,
    caCertificates: request.caFile === undefined ? [] : [await readCaFile(request.caFile)],
    deadline: options.deadline,
    trace: options.trace,
    profile: request.profile,
    claims: request.claims,
    signIn: request.signIn,
    person: options.person,
  };
}

/**
 * Tells the redactor of the tokens, and refuses those of another tenant or account than was meant.
 *
 * @throws EntraToolError refused, naming both
 */
function checked(token: TokenSet, request: TokenRequest, { redactor }: ObtainOptions): TokenSet {
  for (const secret of [token.accessToken, token.refreshToken, token.idToken]) {
    if (secret !== undefined) redactor.add(secret);
  }
  const { pins } = request;
  if (pins.tenant !== undefined && token.tenantId.toLowerCase() !== pins.tenant.toLowerCase()) {
    throw new EntraToolError(
      "refused",
      "token_tenant_mismatch",
      `The token is of tenant "${token.tenantId}", but the profile accepts only tenant "${pins.tenant}"`,
      { hint: "Sign in with an account of that tenant, or name the tenant with --tenant" },
    );
  }
  for (
    const [wanted, whose] of [[pins.account, "the profile accepts only"], [
      request.account,
      "it was to be of",
    ]]
  ) {
    if (wanted === undefined || token.account === undefined || isAccount(token.account, wanted)) {
      continue;
    }
    throw new EntraToolError(
      "refused",
      "token_account_mismatch",
      `The token is of account "${token.account.username}", but ${whose} "${wanted}"`,
      { hint: "Sign in again and choose that account" },
    );
  }
  return token;
}

async function loadCredential(
  source: CredentialSource,
  request: TokenRequest,
  options: ObtainOptions,
): Promise<ClientCredential> {
  if (source.kind === "client-secret") {
    const { clientSecretCredential } = await import("./credentials/client_secret.ts");
    return clientSecretCredential(await readSecret(source.secret, "client secret", options));
  }
  const { certificateCredential } = await lazily<typeof import("./credentials/certificate.ts")>(
    import.meta.resolve("./credentials/certificate.ts"),
  );
  return certificateCredential({
    clientId: request.clientId,
    file: await readInput(source.path, "certificate", options),
    password: source.password && await readSecret(source.password, "certificate password", options),
    label: source.path,
    algorithm: source.algorithm,
    x5c: source.sendX5c,
  });
}

/**
 * Reads a secret and tells the redactor.
 *
 * One line break at the end of a file or of standard input is not part of it: editors and `echo` put it there.
 *
 * @throws EntraToolError usage when it can't be read or is empty; storage when the vault does not have it
 */
export async function readSecret(
  source: SecretSource,
  what: string,
  options: Pick<ObtainOptions, "vault" | "host" | "redactor">,
): Promise<string> {
  const secret = await readRawSecret(source, what, options);
  if (secret === "") {
    throw new EntraToolError("usage", "secret_empty", `The ${what} is empty`, {
      hint: source.from === "file"
        ? `Look at ${source.path === "-" ? "standard input" : source.path}`
        : "Set it",
    });
  }
  options.redactor.add(secret);
  return secret;
}

async function readRawSecret(
  source: SecretSource,
  what: string,
  options: Pick<ObtainOptions, "vault" | "host">,
): Promise<string> {
  if (source.from === "value") return source.value;
  if (source.from === "file") {
    const bytes = await readInput(source.path, what, options);
    try {
      const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
      return text.replace(/\r?\n$/, "");
    } catch {
      throw new EntraToolError(
        "usage",
        "secret_not_text",
        `The ${what} in ${source.path} is not UTF-8 text`,
        {
          hint: "Save the file as UTF-8",
        },
      );
    }
  }
  const value = await options.vault.read(source.entry);
  if (typeof value === "string") return value;
  throw new EntraToolError(
    "storage",
    "secret_missing",
    `The vault does not hold the ${what} of this profile`,
    {
      hint: options.vault.storesAnything
        ? "Store it again: entratool config edit -p NAME --client-secret-file PATH"
        : "Unlock the vault that it was stored in: set ENTRATOOL_VAULT_KEY or ENTRATOOL_VAULT_PASSPHRASE",
    },
  );
}

/** Reads a file, or standard input for `-`. @throws EntraToolError usage when it can't be read or is too large */
export async function readInput(
  path: string,
  what: string,
  { host }: Pick<ObtainOptions, "host">,
): Promise<Uint8Array> {
  if (path === "-") return await host.stdin.readAll(maxFileBytes);
  return await readBoundedFile(path, what);
}

async function readCaFile(path: string): Promise<string> {
  const text = new TextDecoder().decode(await readBoundedFile(path, "CA file"));
  if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
  throw new EntraToolError(
    "usage",
    "ca_file_invalid",
    `The CA file ${path} holds no PEM certificate`,
    {
      hint: "Convert it: openssl x509 -inform der -in FILE -out ca.pem",
    },
  );
}

async function readBoundedFile(path: string, what: string): Promise<Uint8Array> {
  const problem = (why: string, cause?: unknown) =>
    new EntraToolError(
      "usage",
      "file_unreadable",
      `The ${what} can not be read from ${path}: ${why}`,
      {
        hint: "Check the path and the file's mode",
        cause,
      },
    );
  try {
    const { size } = await Deno.stat(path);
    if (size > maxFileBytes) throw problem(`it is larger than ${maxFileBytes} bytes`);
    return await Deno.readFile(path);
  } catch (cause) {
    if (cause instanceof EntraToolError) throw cause;
    const why = cause instanceof Deno.errors.NotFound
      ? "there is no such file"
      : cause instanceof Deno.errors.PermissionDenied
      ? "permission denied"
      : cause instanceof Deno.errors.IsADirectory
      ? "it is a folder"
      : "it is no ordinary file";
    throw problem(why, cause);
  }
}
