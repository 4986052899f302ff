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
/** The time for a person to sign in when none is set: longer than Entra's device codes live, which is a quarter of an hour. */
const signInTimeout = 1_200_000;

export interface AcquireOptions {
  /** `use`: read and write. `renew`: write only. `off`: neither. */
  readonly cache: "use" | "renew" | "off";
  readonly vault: Vault;
  readonly host: Host;
  readonly redactor: Redactor;
  readonly trace: Trace;
  /** Who can sign in; undefined when nobody may be asked to. */
  readonly person: (() => Promise<Person>) | undefined;
  /** What to type to sign in, for the error when nobody may be asked. */
  readonly signInCommand: () => string;
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
  // read while the lock is waited for; what goes wrong with it shows where it is used
  loadObtain().then(({ prepare }) => prepare(request)).catch(() => {});
  const acquisition = new Acquisition(request, options, early);
  if (options.cache === "off") return await acquisition.byFlow();
  const lock = isPersonal(request)
    ? accountsEntryName(request)
    : tokenEntryName(request, undefined);
  try {
    return await options.vault.withLock(
      lock,
      acquisition.deadline,
      (unlocked) => acquisition.renew(unlocked),
    );
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
  // it was kept before the profile was pinned
  const { tenant } = request.pins;
  if (tenant !== undefined && token.tenantId.toLowerCase() !== tenant.toLowerCase()) {
    return { person, cached: undefined };
  }
  // it is kept with the account, and shown to who asks for it
  const { refreshToken } = person ?? {};
  const whole = refreshToken === undefined ? token : { ...token, refreshToken };
  return { person, cached: { token: whole, freshness: freshness(token, host.now()) } };
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

  /**
   * With the lock held: another process may have been faster.
   *
   * @param unlocked why there is no lock, if so
   */
  async renew(unlocked: EntraToolError | undefined): Promise<AcquiredToken> {
    this.latest = await lookUp(this.request, this.options);
    const { person, cached } = this.latest;
    if (cached?.freshness === "fresh") return { token: cached.token, fromCache: true };
    if (unlocked !== undefined) {
      this.options.warn(`Other processes may ask for the same token now: ${unlocked.message}`);
    }
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
      const token = await obtainByRefreshToken(person, request, { ...options, deadline });
      return await this.keep(token, "refreshed");
    } catch (error) {
      if (!(error instanceof EntraToolError)) throw error;
      const next = await afterRefusedRefresh(error, request);
      if (next === undefined) throw error;
      const entry = accountsEntryName(request);
      if (next.forget) {
        await this.store(
          () => forgetRefreshToken(entry, person, request, options.vault),
          "A refresh token that is of no more use could not be removed",
        );
      }
      if (!next.signIn) throw withHint(error, next.remedy);
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
    const token = await obtainToken(await signInRequest(request, person, again), {
      ...options,
      deadline: this.deadline,
    });
    return options.cache === "off"
      ? { token, fromCache: false }
      : await this.keep(token, "signed_in");
  }

  /**
   * Keeps what was obtained: the refresh token first, as it can't be had a second time. A disk that refuses takes nothing away
   * from the token.
   */
  private async keep(token: TokenSet, how: "signed_in" | "refreshed"): Promise<AcquiredToken> {
    const { request, options: { vault } } = this;
    const { refreshToken, ...rest } = token;
    const person = token.account && {
      account: token.account,
      ...(refreshToken === undefined ? {} : { refreshToken }),
    };
    if (person !== undefined) {
      await this.store(
        () => rememberPerson(accountsEntryName(request), person, request, vault, how),
        this.latest.person?.refreshToken === undefined
          ? "THE SIGN-IN IS LOST when this token ends, as it could not be stored"
          : "THE NEW REFRESH TOKEN IS LOST, as it could not be stored; the next renewal may need a sign-in",
      );
    }
    const value: CachedToken = {
      profile: request.profile ?? null,
      clientId: request.clientId,
      token: rest,
    };
    await this.store(
      () => vault.write(tokenEntryName(request, person), value),
      "The token could not be cached, so the next command asks for a new one",
    );
    return { token, fromCache: false };
  }

  /** Writes to the vault; a storage failure is a warning that says what it means. */
  private async store(write: () => Promise<void>, consequence: string): Promise<void> {
    try {
      await write();
    } catch (error) {
      if (!(error instanceof EntraToolError) || error.failure !== "storage") throw error;
      this.options.warn(`${consequence}: ${error.message}`);
    }
  }

  private mustSignIn(why: EntraToolError | undefined): EntraToolError {
    const because = why === undefined ? "" : `: ${why.message}`;
    return new EntraToolError(
      "interaction",
      why?.code ?? "interaction_required",
      `A person must sign in${because}`,
      { ...why?.detail, hint: `Run this in a terminal:\n${this.options.signInCommand()}` },
    );
  }
}

/** Why a person has to sign in again, and what the sign-in has to ask for. */
interface SignInAgain {
  readonly why: EntraToolError;
  readonly prompt?: "consent" | "login";
}

/** The request with all that is known of who should sign in and what was demanded of them. */
async function signInRequest(
  request: TokenRequest,
  person: SignedIn | undefined,
  again: SignInAgain | undefined,
): Promise<TokenRequest> {
  if (!isPersonal(request)) return request;
  const loginHint = request.signIn.loginHint ?? person?.account.username ??
    [request.account, request.pins.account].find((name) =>
      // of a home account id the sign-in page knows nothing
      name !== undefined && !homeAccountId.test(name)
    );
  const prompt = request.signIn.prompt ?? again?.prompt;
  return {
    ...request,
    claims: await bothClaims(request.claims, again?.why.detail.oauth?.claims),
    signIn: {
      ...request.signIn,
      ...(loginHint === undefined ? {} : { loginHint }),
      ...(prompt === undefined ? {} : { prompt }),
    },
  };
}

const homeAccountId = /^[0-9a-f-]{36}\.[0-9a-f-]{36}$/i;

/** What the API demanded and what Entra demanded, in one claims request. */
async function bothClaims(
  given: string | undefined,
  demanded: string | undefined,
): Promise<string | undefined> {
  if (given === undefined || demanded === undefined) return given ?? demanded;
  const { mergeClaims } = await lazily<typeof import("./entra/claims_challenge.ts")>(
    import.meta.resolve("./entra/claims_challenge.ts"),
  );
  return mergeClaims(given, demanded);
}

/** The same error with this hint, if there is one and it has none. */
function withHint(error: EntraToolError, hint: string | undefined): EntraToolError {
  if (hint === undefined || error.detail.hint !== undefined) return error;
  return new EntraToolError(error.failure, error.code, error.message, { ...error.detail, hint });
}

function loadObtain() {
  return lazily<typeof import("./obtain.ts")>(import.meta.resolve("./obtain.ts"));
}
