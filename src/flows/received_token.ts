/** From a token response to a token set, with a last look at whose token it is. */

import { type Authority, isGuid } from "../entra/authority.ts";
import type { TokenResponse } from "../entra/token_endpoint.ts";
import { EntraToolError } from "../errors.ts";
import type { Account } from "../token/account.ts";
import type { FlowName } from "../names.ts";
import { decodeJwt, stringClaim, timeClaim } from "../token/jwt.ts";
import type { TokenSet } from "../token/token_set.ts";

/** What an app's token has to fit. */
export interface Expected {
  readonly flow: FlowName;
  readonly authority: Authority;
  /** The scopes asked for. */
  readonly asked: readonly string[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Builds the token set.
 *
 * @throws EntraToolError refused when the token says that it is of another tenant than the one asked for
 */
export function tokenSetFrom(response: TokenResponse, expected: Expected): TokenSet {
  const obtainedAt = Math.floor(expected.now / 1000);
  const claims = decodeJwt(response.accessToken)?.claims ?? {};
  const { tenant } = expected.authority;
  const tenantId = stringClaim(claims, "tid") ?? tenant;
  if (isGuid(tenant) && tenantId.toLowerCase() !== tenant.toLowerCase()) {
    throw new EntraToolError(
      "refused",
      "token_tenant_mismatch",
      `The token is of tenant "${tenantId}", but tenant "${tenant}" was asked for`,
      { hint: "Check the tenant and the authority: entratool config show" },
    );
  }
  return {
    tokenType: "Bearer",
    accessToken: response.accessToken,
    expiresAt: obtainedAt + response.expiresIn,
    ...(response.refreshIn === undefined ? {} : { refreshAt: obtainedAt + response.refreshIn }),
    obtainedAt,
    scopes: response.scopes ?? expected.asked,
    tenantId,
    flow: expected.flow,
    ...(response.refreshToken === undefined ? {} : { refreshToken: response.refreshToken }),
    ...(response.idToken === undefined ? {} : { idToken: response.idToken }),
  };
}

/** What a person's token has to fit. */
export interface ExpectedUser extends Expected {
  readonly clientId: string;
  /** The nonce of the authorization request; undefined where there was none. */
  readonly nonce: string | undefined;
}

/**
 * Builds the token set of a person, with the account that the id_token and `client_info` name.
 *
 * The id_token came from the token endpoint itself, so that TLS vouches for its signature (OIDC Core §3.1.3.7, 6); audience,
 * nonce and dates are checked here.
 *
 * @throws EntraToolError refused when the id_token is not for this client or this sign-in
 */
export function userTokenSet(response: TokenResponse, expected: ExpectedUser): TokenSet {
  const claims = checkIdToken(response.idToken, expected);
  return { ...tokenSetFrom(response, expected), account: accountOf(response, claims) };
}

type Claims = Readonly<Record<string, unknown>>;

function checkIdToken(idToken: string | undefined, expected: ExpectedUser): Claims {
  const problem = (what: string) =>
    new EntraToolError(
      "refused",
      "id_token_invalid",
      `The id_token of ${expected.authority.host} ${what}`,
      {
        hint: "Sign in again; if that does not help, check the authority: entratool config show",
      },
    );
  const claims = idToken === undefined ? undefined : decodeJwt(idToken)?.claims;
  if (claims === undefined) throw problem("is missing or can not be read");
  const audience = stringClaim(claims, "aud");
  if (audience?.toLowerCase() !== expected.clientId.toLowerCase()) {
    throw problem("is for another app");
  }
  if (expected.nonce !== undefined && stringClaim(claims, "nonce") !== expected.nonce) {
    throw problem("belongs to another sign-in: its nonce does not fit");
  }
  const expires = timeClaim(claims, "exp");
  // five minutes for clocks that differ, as Microsoft's libraries allow
  if (expires !== undefined && expires + 300 < expected.now / 1000) {
    throw problem("has expired already");
  }
  return claims;
}

function accountOf({ clientInfo }: TokenResponse, claims: Claims): Account {
  const oid = stringClaim(claims, "oid") ?? stringClaim(claims, "sub") ?? "";
  const tenantId = stringClaim(claims, "tid") ?? "";
  return {
    homeAccountId: clientInfo === undefined
      ? `${oid}.${tenantId}`
      : `${clientInfo.uid}.${clientInfo.utid}`,
    username: stringClaim(claims, "preferred_username") ?? stringClaim(claims, "upn") ??
      stringClaim(claims, "email") ?? stringClaim(claims, "name") ?? oid,
    tenantId,
  };
}
