/** The person that a token speaks for. */

export interface Account {
  /** `uid.utid` of `client_info`: the same in every tenant that the person is a guest of. */
  readonly homeAccountId: string;
  /** What the person types to sign in; for people, never for decisions about access. */
  readonly username: string;
  /** The tenant that signed them in. */
  readonly tenantId: string;
}

/** Whether a person means this account by what they typed: a user name in any case, or the home account id. */
export function isAccount(account: Account, name: string): boolean {
  const wanted = name.toLowerCase();
  return account.username.toLowerCase() === wanted ||
    account.homeAccountId.toLowerCase() === wanted;
}
