/** What a token request yields, as the rest of the program and the vault hold it. */

import type { Account } from "./account.ts";
import type { FlowName } from "../names.ts";

/** Tokens with everything that is needed to print, cache and renew them. */
export interface TokenSet {
  /** As the server names it: `Bearer`. */
  readonly tokenType: string;
  readonly accessToken: string;
  /** When the access token ends, Unix seconds. */
  readonly expiresAt: number;
  /** When the server would like the token to be renewed (`refresh_in`), Unix seconds. */
  readonly refreshAt?: number;
  /** When the token was received, Unix seconds. */
  readonly obtainedAt: number;
  /** The granted scopes; those asked for when the server did not say. */
  readonly scopes: readonly string[];
  /** The tenant that issued the token: from the token where it can be read, else as asked for. */
  readonly tenantId: string;
  readonly flow: FlowName;
  /** Absent for an app-only token. */
  readonly account?: Account;
  readonly refreshToken?: string;
  readonly idToken?: string;
}
