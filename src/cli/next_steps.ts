/**
 * What to do after a failure, in terms of this run: the flag, variable or profile that a wrong setting came from, and a
 * command that keeps what the next attempt needs. Loaded only when something failed.
 */

import { isPersonal } from "../acquire.ts";
import { aadstsEntries, nextStepCommand, type TypedCommand } from "../entra/aadsts.ts";
import { resolveAuthority } from "../entra/authority.ts";
import { EntraToolError } from "../errors.ts";
import type { Host } from "../host.ts";
import type { TokenRequest } from "../token_request.ts";
import type { Vault } from "../vault/vault.ts";
import { commandLine } from "./print_token.ts";
import type { Origin, Setting, Settings } from "./settings.ts";
import type { TokenFlags } from "./token_flags.ts";

/** A request that failed. */
export interface FailedRequest {
  readonly request: TokenRequest;
  readonly settings: Settings;
  readonly flags: TokenFlags;
  readonly vault: Vault;
  readonly host: Pick<Host, "env">;
}

/** The error as it was, or with a message and a hint that fit to where the settings came from. */
export function withOwnHint(error: unknown, failed: FailedRequest): unknown {
  if (!(error instanceof EntraToolError)) return error;
  const better = betterWords(error, failed);
  if (better === undefined) return error;
  const { message = error.message, hint } = better;
  return new EntraToolError(error.failure, error.code, message, { ...error.detail, hint });
}

interface Words {
  readonly message?: string;
  readonly hint: string;
}

function betterWords(error: EntraToolError, failed: FailedRequest): Words | undefined {
  switch (error.code) {
    case "interaction_required":
      return nobodySignedIn(failed);
    case "credential_missing":
      return { hint: credentialHint(failed) };
    case "secret_missing":
      return secretMissing(failed);
  }
  const [, number] = /^AADSTS(\d+)$/.exec(error.code) ?? [];
  const known = number === undefined ? undefined : aadstsEntries[Number(number)];
  // the server's fault is not mended here, and a sign-in that is missing has its command already
  const isDone = error.failure === "network" || error.detail.isHintExact ||
    error.message.startsWith("A person must sign in");
  if (isDone || known?.next === undefined) return undefined;
  const { request } = failed;
  const next = nextStepCommand(known.next, {
    profile: request.profile,
    clientId: request.clientId,
    authorityUrl: resolveAuthority(request).url,
    typed: typedCommand(failed),
  });
  return { hint: `${known.remedy}\n${next}` };
}

function typedCommand({ request, settings, flags }: FailedRequest): TypedCommand {
  const { profile, credential } = settings;
  const given: Readonly<Record<string, Setting<unknown> | undefined>> = {
    secret: credential,
    certificate: credential,
    client: settings.clientId,
    tenant: settings.tenant,
    cloud: settings.authority ?? settings.cloud,
  };
  return {
    get: (without = []) => commandLine(request, settings, flags, { without }),
    givenBy: (setting) => named(given[setting]?.origin),
    isSecretOfProfile: profile?.credential?.kind === "client-secret",
    isPublicFlow: request.flow === "InteractiveBrowser" || request.flow === "DeviceCode",
  };
}

function named(origin: Origin | undefined) {
  return origin?.kind === "flag" || origin?.kind === "environment" ? origin : undefined;
}

/** A sign-in is the default when no credential is there: then that is most often what is wrong. */
function nobodySignedIn(failed: FailedRequest): Words | undefined {
  const { settings, request, flags } = failed;
  const isChosen = settings.flow.origin.kind !== "default" || !isPersonal(request);
  if (isChosen || settings.credential !== undefined) return undefined;
  return {
    message: "A person must sign in, as no client secret or certificate is configured",
    hint: [
      "Run this in a terminal:",
      commandLine(request, settings, flags, { flow: "InteractiveBrowser" }),
      "Or for a token of the app itself:",
      credentialHint(failed),
    ].join("\n"),
  };
}

function credentialHint({ request, settings, flags, host }: FailedRequest): string {
  const { profile } = request;
  const empty = ["AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH"]
    .filter((name) => host.env(name) === "");
  const add = profile === undefined
    ? commandLine(request, settings, flags, { without: ["credential", "flow"] })
    : `entratool config edit -p ${profile}`;
  return [
    ...empty.map((name) => `${name} is set and empty, which counts as not set`),
    `${add} --client-secret-file PATH`,
  ].join("\n");
}

function secretMissing({ request, vault }: FailedRequest): Words {
  const isSecret = request.credential?.kind === "client-secret";
  const what = isSecret ? "client secret" : "certificate password";
  return vault.storesAnything
    ? {
      message: `The vault does not hold the ${what} of profile "${request.profile}"`,
      hint: `Store it again: entratool config edit -p ${request.profile} ${
        isSecret ? "--client-secret-file" : "--certificate-password-file"
      } PATH`,
    }
    : {
      message: `The ${what} of profile "${request.profile}" is in the vault, and no vault is open`,
      hint:
        "Set ENTRATOOL_VAULT_KEY or ENTRATOOL_VAULT_PASSPHRASE to the one that it was made with",
    };
}
