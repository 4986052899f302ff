/** The use case: a token from the cache when it is fresh, else from Entra, once however many processes ask. */

import { EntraToolError } from "./errors.ts";
import type { Host } from "./host.ts";
import { lazily } from "./lazy_module.ts";
import type { Redactor } from "./output/redact.ts";
import { freshness } from "./token/freshness.ts";
import type { TokenSet } from "./token/token_set.ts";
import type { TokenRequest } from "./token_request.ts";
import type { Vault } from "./vault/vault.ts";
import type { Trace } from "./entra/transport.ts";

export interface AcquireOptions {
  /** `use`: read and write. `renew`: write only. `off`: neither. */
  readonly cache: "use" | "renew" | "off";
  readonly vault: Vault;
  readonly host: Host;
  readonly redactor: Redactor;
  readonly trace: Trace;
  warn(text: string): void;
}

export interface AcquiredToken {
  readonly token: TokenSet;
  readonly fromCache: boolean;
}

/** What the vault keeps of a token; the names of entries begin with {@link tokenEntryPrefix}. */
export interface CachedToken {
  readonly profile: string | null;
  readonly clientId: string;
  readonly token: TokenSet;
}

export const tokenEntryPrefix = "token:";

/** The name of a request's vault entry: equal for equal requests. */
export function tokenEntryName(request: TokenRequest): string {
  const { profile, authority, cloud, tenant, clientId, flow, scopes } = request;
  const fold = (text: string | undefined) => text?.toLowerCase() ?? null;
  return tokenEntryPrefix +
    JSON.stringify([
      fold(profile),
      authority ?? cloud ?? "public",
      fold(tenant),
      fold(clientId),
      flow,
      // scopes are case-sensitive and their order means nothing (RFC 6749 §3.3)
      [...scopes].sort(),
    ]);
}

/** Reads a vault entry; undefined when it is not of the form that this version writes. */
export function readCachedToken(value: unknown): CachedToken | undefined {
  const entry = value as CachedToken | null | undefined;
  const token = entry?.token;
  const complete = typeof token?.accessToken === "string" && typeof token.tokenType === "string" &&
    typeof token.expiresAt === "number" && typeof token.obtainedAt === "number" &&
    typeof token.tenantId === "string" && Array.isArray(token.scopes);
  return complete ? entry as CachedToken : undefined;
}

/**
 * Gets a token.
 *
 * Of many processes that want the same one, one asks Entra; the others wait for its answer in the vault. A token that
 * should be renewed but still lives is handed out when the network fails.
 *
 * @throws EntraToolError of every kind
 */
export async function acquireToken(
  request: TokenRequest,
  options: AcquireOptions,
): Promise<AcquiredToken> {
  const { vault, host, redactor } = options;
  const entry = tokenEntryName(request);
  const cached = async () => {
    if (options.cache !== "use") return undefined;
    const token = readCachedToken(await vault.read(entry))?.token;
    if (token === undefined) return undefined;
    redactor.add(token.accessToken);
    return token;
  };
  const early = await cached();
  if (early !== undefined && freshness(early, host.now()) === "fresh") {
    return { token: early, fromCache: true };
  }

  const deadline = host.deadline(request.timeout);
  const obtain = async () => {
    const { obtainToken } = await lazily<typeof import("./obtain.ts")>(
      import.meta.resolve("./obtain.ts"),
    );
    return { token: await obtainToken(request, { ...options, deadline }), fromCache: false };
  };
  if (options.cache === "off") return await obtain();
  let latest = early;
  try {
    return await vault.withLock(entry, deadline, async () => {
      latest = await cached();
      if (latest !== undefined && freshness(latest, host.now()) === "fresh") {
        return { token: latest, fromCache: true };
      }
      const acquired = await obtain();
      const value: CachedToken = {
        profile: request.profile ?? null,
        clientId: request.clientId,
        token: acquired.token,
      };
      await vault.write(entry, value);
      return acquired;
    });
  } catch (error) {
    // it may also be the wait for another process that ended
    const isNetwork = error instanceof EntraToolError && error.failure === "network";
    if (!isNetwork || latest === undefined || freshness(latest, host.now()) === "expired") {
      throw error;
    }
    options.warn(`The token should be renewed, but that failed: ${error.message}`);
    return { token: latest, fromCache: true };
  }
}
