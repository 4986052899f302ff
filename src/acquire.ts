/**
 * The use case: a token from the cache when it is fresh, else by refresh token, else by the flow; from Entra once however many
 * processes ask.
 */

import {
  accountsEntryName,
  choosePerson,
  forgetRefreshToken,
  readAccounts,
  rememberPerson,
  type SignedIn,
} from "./accounts.ts";
import { EntraToolError } from "./errors.ts";
import type { Deadline, Host } from "./host.ts";
import { lazily } from "./lazy_module.ts";
import type { Person } from "./person.ts";
import type { Redactor } from "./output/redact.ts";
import { freshness } from "./token/freshness.ts";
import type { TokenSet } from "./token/token_set.ts";
import type { TokenRequest } from "./token_request.ts";
import type { Vault } from "./vault/vault.ts";
import type { Trace } from "./entra/transport.ts";

/** The time for requests when none is set, in milliseconds. */
const usualTimeout = 60_000;
/** The time for a person to sign in when none is set: as long as Entra's device codes live. */
const signInTimeout = 900_000;

export interface AcquireOptions {
  /** `use`: read and write. `renew`: write only. `off`: neither. */
  readonly cache: "use" | "renew" | "off";
  readonly vault: Vault;
  readonly host: Host;
  readonly redactor: Redactor;
  readonly trace: Trace;
  /** Who can sign in; undefined when nobody may be asked to. */
  readonly person: Person | undefined;
  /** What to type to sign in, for the error when nobody may be asked. */
  readonly signInCommand: string;
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
  /** Without its refresh token, which is kept with the account. */
  readonly token: TokenSet;
}

export const tokenEntryPrefix = "token:";

/**
 * The name of a request's vault entry: equal for equal requests. A person's tokens are the same whichever flow they signed in
 * by.
 *
 * @param person whose token it is; undefined for an app's own
 */
export function tokenEntryName(request: TokenRequest, person: SignedIn | undefined): string {
  const { profile, authority, cloud, tenant, clientId, scopes } = request;
  const fold = (text: string | undefined) => text?.toLowerCase() ?? null;
  return tokenEntryPrefix +
    JSON.stringify([
      fold(profile),
      authority ?? cloud ?? "public",
      fold(tenant),
      fold(clientId),
      person?.account.homeAccountId ?? "app",
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
 * @throws EntraToolError of every kind; interaction when a person must sign in and nobody may be asked
 */
export async function acquireToken(
  request: TokenRequest,
  options: AcquireOptions,
): Promise<AcquiredToken> {
  const early = await lookUp(request, options);
  if (early.cached?.freshness === "fresh") return { token: early.cached.token, fromCache: true };
  const acquisition = new Acquisition(request, options, early);
  if (options.cache === "off") return await acquisition.byFlow();
  const lock = isPersonal(request)
    ? accountsEntryName(request)
    : tokenEntryName(request, undefined);
  try {
    return await options.vault.withLock(lock, acquisition.deadline, () => acquisition.renew());
  } catch (error) {
    return acquisition.insteadOfRenewal(error);
  }
}

/** Whether the token is a person's, not the app's own. */
export function isPersonal({ flow }: Pick<TokenRequest, "flow">): boolean {
  return flow !== "ClientCredentials";
}

interface Found {
  readonly person: SignedIn | undefined;
  readonly cached:
    | { readonly token: TokenSet; readonly freshness: ReturnType<typeof freshness> }
    | undefined;
}

/** What the vault has for the request now. */
async function lookUp(request: TokenRequest, options: AcquireOptions): Promise<Found> {
  const { vault, host, redactor } = options;
  if (options.cache === "off") return { person: undefined, cached: undefined };
  const person = isPersonal(request)
    ? choosePerson(await readAccounts(accountsEntryName(request), vault), request)
    : undefined;
  if (person?.refreshToken !== undefined) redactor.add(person.refreshToken);
  const isNobody = isPersonal(request) && person === undefined;
  if (options.cache === "renew" || isNobody) return { person, cached: undefined };
  const token = readCachedToken(await vault.read(tokenEntryName(request, person)))?.token;
  if (token === undefined) return { person, cached: undefined };
  redactor.add(token.accessToken);
  return { person, cached: { token, freshness: freshness(token, host.now()) } };
}

/** The way to a new token, from the refresh token to the sign-in. */
class Acquisition {
  /** Ends the wait for other processes, and the flow. */
  readonly deadline: Deadline;

  constructor(
    private readonly request: TokenRequest,
    private readonly options: AcquireOptions,
    private latest: Found,
  ) {
    const mayTakeTime = isPersonal(request) && options.person !== undefined;
    this.deadline = options.host.deadline(
      request.timeout ?? (mayTakeTime ? signInTimeout : usualTimeout),
    );
  }

  /** With the lock held: another process may have been faster. */
  async renew(): Promise<AcquiredToken> {
    this.latest = await lookUp(this.request, this.options);
    const { person, cached } = this.latest;
    if (cached?.freshness === "fresh") return { token: cached.token, fromCache: true };
    return person?.refreshToken === undefined
      ? await this.byFlow(person)
      : await this.byRefresh(person);
  }

  /** The cached token while it lives, when only the network, or the wait for another process, kept it from being renewed. */
  insteadOfRenewal(error: unknown): AcquiredToken {
    const isNetwork = error instanceof EntraToolError && error.failure === "network";
    const token = this.latest.cached?.token;
    if (
      !isNetwork || token === undefined || freshness(token, this.options.host.now()) === "expired"
    ) throw error;
    this.options.warn(`The token should be renewed, but that failed: ${error.message}`);
    return { token, fromCache: true };
  }

  private async byRefresh(person: SignedIn): Promise<AcquiredToken> {
    const { request, options } = this;
    // a request, not a sign-in: it gets the time of one
    const deadline = options.host.deadline(request.timeout ?? usualTimeout);
    const { obtainByRefreshToken, afterRefusedRefresh } = await loadObtain();
    try {
      const token = await obtainByRefreshToken(person.refreshToken ?? "", request, {
        ...options,
        deadline,
      });
      return await this.keep(token);
    } catch (error) {
      const next = error instanceof EntraToolError ? afterRefusedRefresh(error) : undefined;
      if (next === undefined || !(error instanceof EntraToolError)) throw error;
      const entry = accountsEntryName(request);
      if (next.forget) await forgetRefreshToken(entry, person, request, options.vault);
      if (!next.signIn) throw error;
      return await this.byFlow(person, {
        why: error,
        ...(next.prompt === undefined ? {} : { prompt: next.prompt }),
      });
    }
  }

  /** By the flow itself; for a person's token somebody has to sign in. */
  async byFlow(person?: SignedIn, again?: SignInAgain): Promise<AcquiredToken> {
    const { request, options } = this;
    if (isPersonal(request) && options.person === undefined) throw this.mustSignIn(again?.why);
    const { obtainToken } = await loadObtain();
    const token = await obtainToken(signInRequest(request, person, again), {
      ...options,
      deadline: this.deadline,
    });
    return options.cache === "off" ? { token, fromCache: false } : await this.keep(token);
  }

  /** Keeps what was obtained: the refresh token first, as it can't be had a second time. */
  private async keep(token: TokenSet): Promise<AcquiredToken> {
    const { request, options: { vault } } = this;
    const { refreshToken, ...rest } = token;
    const person = token.account && {
      account: token.account,
      ...(refreshToken === undefined ? {} : { refreshToken }),
    };
    if (person !== undefined) {
      await rememberPerson(accountsEntryName(request), person, request, vault);
    }
    const value: CachedToken = {
      profile: request.profile ?? null,
      clientId: request.clientId,
      token: rest,
    };
    await vault.write(tokenEntryName(request, person), value);
    return { token, fromCache: false };
  }

  private mustSignIn(why: EntraToolError | undefined): EntraToolError {
    const because = why === undefined ? "" : `: ${why.message}`;
    return new EntraToolError(
      "interaction",
      why?.code ?? "interaction_required",
      `A person must sign in${because}`,
      { ...why?.detail, hint: `Run this in a terminal:\n${this.options.signInCommand}` },
    );
  }
}

/** Why a person has to sign in again, and what the sign-in has to ask for. */
interface SignInAgain {
  readonly why: EntraToolError;
  readonly prompt?: "consent" | "login";
}

/** The request with all that is known of who should sign in and what was demanded of them. */
function signInRequest(
  request: TokenRequest,
  person: SignedIn | undefined,
  again: SignInAgain | undefined,
): TokenRequest {
  if (!isPersonal(request)) return request;
  const loginHint = request.signIn.loginHint ?? request.account ?? request.pins.account ??
    person?.account.username;
  const prompt = request.signIn.prompt ?? again?.prompt;
  return {
    ...request,
    claims: request.claims ?? again?.why.detail.oauth?.claims,
    signIn: {
      ...request.signIn,
      ...(loginHint === undefined ? {} : { loginHint }),
      ...(prompt === undefined ? {} : { prompt }),
    },
  };
}

function loadObtain() {
  return lazily<typeof import("./obtain.ts")>(import.meta.resolve("./obtain.ts"));
}
