/** The people in the vault, to be listed and signed out. */

import {
  accountsEntryPrefix,
  loginOfEntry,
  parseAccounts,
  type SignedInAccounts,
} from "../accounts.ts";
import { readCachedToken, tokenEntryPrefix } from "../acquire.ts";
import type { Deadline } from "../host.ts";
import { sameProfileName } from "../profiles/profile.ts";
import { type Account, isAccount } from "../token/account.ts";
import type { Vault } from "../vault/vault.ts";

/** Whom to sign out. */
export interface Whom {
  /** A profile, `every` profile and none, or undefined for those signed in without one. */
  readonly profile: string | undefined;
  /** Undefined for everybody. */
  readonly account: string | undefined;
}

/** Somebody who was signed out. */
export interface SignedOut {
  readonly account: Account;
  /** Where they had signed in: the name of a cloud, or an authority. */
  readonly login: string;
}

/**
 * Removes their refresh tokens and access tokens; resolves to who they were.
 *
 * A command that is renewing a token would write back what is removed here, so it is waited for.
 */
export async function signOut(
  vault: Vault,
  whom: Whom,
  deadline: Deadline,
): Promise<readonly SignedOut[]> {
  const gone: SignedOut[] = [];
  for (const { name } of await vault.list(accountsEntryPrefix)) {
    await vault.withLock(name, deadline, async () => {
      const entry = parseAccounts(await vault.read(name));
      if (entry === undefined || !isOfProfile(entry.profile, whom)) return;
      const leaving = entry.people.filter(({ account }) => isMeant(account, whom));
      if (leaving.length === 0) return;
      gone.push(...leaving.map(({ account }) => ({ account, login: loginOfEntry(name) })));
      const staying = entry.people.filter(({ account }) => !isMeant(account, whom));
      if (staying.length === 0) await vault.delete(name);
      else await vault.write(name, { ...entry, people: staying } satisfies SignedInAccounts);
    });
  }
  for (const { name, value } of await vault.list(tokenEntryPrefix)) {
    const cached = readCachedToken(value);
    const account = cached?.token.account;
    if (cached === undefined || account === undefined || !isOfProfile(cached.profile, whom)) {
      continue;
    }
    if (isMeant(account, whom)) await vault.delete(name);
  }
  return gone;
}

function isMeant(account: Account, { account: name }: Whom): boolean {
  return name === undefined || isAccount(account, name);
}

function isOfProfile(profile: string | null, { profile: wanted }: Whom): boolean {
  if (wanted === "every") return true;
  return profile === null
    ? wanted === undefined
    : wanted !== undefined && sameProfileName(profile, wanted);
}
