/** The people who are signed in, with their refresh tokens, as the vault keeps them: one entry for each app of a profile. */

import type { Account } from "./token/account.ts";
import { isAccount } from "./token/account.ts";
import type { TokenRequest } from "./token_request.ts";
import type { Vault } from "./vault/vault.ts";

/** One person who signed in. */
export interface SignedIn {
  readonly account: Account;
  /** Undefined when the server gave none, or it is of no more use. */
  readonly refreshToken?: string;
}

/** What the vault keeps; the names of entries begin with {@link accountsEntryPrefix}. */
export interface SignedInAccounts {
  readonly profile: string | null;
  readonly clientId: string;
  /** The last one to sign in comes first: it is meant when none is named. */
  readonly people: readonly SignedIn[];
}

export const accountsEntryPrefix = "accounts:";

/**
 * The name of the entry for a request's app: equal for all its tenants and scopes, as a refresh token is good for all of them.
 *
 * A confidential client's sign-ins are apart from a public one's: neither can use the other's refresh tokens.
 */
export function accountsEntryName(request: TokenRequest): string {
  const { profile, authority, cloud, clientId } = request;
  const kind = usesCredential(request) ? "confidential" : "public";
  return accountsEntryPrefix +
    JSON.stringify([
      profile?.toLowerCase() ?? null,
      authority ?? cloud ?? "public",
      clientId.toLowerCase(),
      kind,
    ]);
}

/** Where the people of an entry signed in: the name of a cloud, or an authority. */
export function loginOfEntry(entry: string): string {
  const [, login]: readonly unknown[] = JSON.parse(entry.slice(accountsEntryPrefix.length));
  return String(login);
}

/** Whether the app proves itself in a person's flow: only a registered web app does. */
export function usesCredential({ flow, credential }: TokenRequest): boolean {
  return flow === "AuthorizationCode" && credential !== undefined;
}

/** Reads the entry; nobody is signed in when there is none, or one of another form. */
export async function readAccounts(entry: string, vault: Vault): Promise<readonly SignedIn[]> {
  return parseAccounts(await vault.read(entry))?.people ?? [];
}

/** The value of an entry; undefined when it is not of the form that this version writes. */
export function parseAccounts(value: unknown): SignedInAccounts | undefined {
  const entry = value as SignedInAccounts | null | undefined;
  const isComplete = Array.isArray(entry?.people) &&
    entry.people.every(({ account }) =>
      typeof account?.homeAccountId === "string" && typeof account.username === "string"
    );
  return isComplete ? entry : undefined;
}

/**
 * The one that the request means: by name, else the last one who signed in. Where the profile is pinned to a tenant that the
 * request does not name itself, only who signed in there can be meant.
 */
export function choosePerson(
  people: readonly SignedIn[],
  { account, tenant, pins }: Pick<TokenRequest, "account" | "tenant" | "pins">,
): SignedIn | undefined {
  if (account !== undefined) return people.find((each) => isAccount(each.account, account));
  const pinned = pins.tenant?.toLowerCase();
  if (pinned === undefined || tenant?.toLowerCase() === pinned) return people[0];
  return people.find((each) => each.account.tenantId.toLowerCase() === pinned);
}

/**
 * Writes the entry with this person; others stay.
 *
 * @param how who signs in comes first; a refresh, which nobody takes part in, changes nothing in the order
 */
export async function rememberPerson(
  entry: string,
  person: SignedIn,
  request: TokenRequest,
  vault: Vault,
  how: "signed_in" | "refreshed",
): Promise<void> {
  const people = await readAccounts(entry, vault);
  const isSame = ({ account }: SignedIn) => account.homeAccountId === person.account.homeAccountId;
  const next = how === "refreshed" && people.some(isSame)
    ? people.map((each) => isSame(each) ? person : each)
    : [person, ...people.filter((each) => !isSame(each))];
  await writePeople(entry, next, request, vault);
}

/** Writes the entry without the person's refresh token, which is of no more use; who it was stays known. */
export async function forgetRefreshToken(
  entry: string,
  { account }: SignedIn,
  request: TokenRequest,
  vault: Vault,
): Promise<void> {
  const people = (await readAccounts(entry, vault)).map((each) =>
    each.account.homeAccountId === account.homeAccountId ? { account: each.account } : each
  );
  await writePeople(entry, people, request, vault);
}

async function writePeople(
  entry: string,
  people: readonly SignedIn[],
  { profile, clientId }: TokenRequest,
  vault: Vault,
): Promise<void> {
  const value: SignedInAccounts = { profile: profile ?? null, clientId, people };
  await vault.write(entry, value);
}
