/** From a token response to a token set, with a last look at whose token it is. */

import { type Authority, isGuid } from "../entra/authority.ts";
import { shortExcerpt } from "../entra/excerpt.ts";
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
  readonly clientId: string;
  /** The scopes asked for. */
  readonly asked: readonly string[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** How much two clocks may differ, in seconds, as Microsoft's libraries allow. */
const clockSkew = 300;

/**
 * Builds the token set, with the end that comes first: the server's or the token's own.
 *
 * @throws EntraToolError refused when the token says that it is of another tenant or app than was asked for, or over
 */
export function tokenSetFrom(
  response: TokenResponse,
  expected: Expected,
  tenantOfPerson?: string,
): TokenSet {
  const obtainedAt = Math.floor(expected.now / 1000);
  const claims = decodeJwt(response.accessToken)?.claims ?? {};
  const { tenant } = expected.authority;
  const tenantId = stringClaim(claims, "tid") ?? tenantOfPerson ?? tenant;
  if (isGuid(tenant) && tenantId.toLowerCase() !== tenant.toLowerCase()) {
    throw new EntraToolError(
      "refused",
      "token_tenant_mismatch",
      `The token is of tenant "${shortExcerpt(tenantId)}", but tenant "${tenant}" was asked for`,
      { hint: "Check the tenant and the authority: entratool config show" },
    );
  }
  checkClient(claims, expected.clientId);
  const end = obtainedAt + response.expiresIn;
  const ownEnd = checkedEnd(claims, obtainedAt);
  return {
    tokenType: "Bearer",
    accessToken: response.accessToken,
    expiresAt: ownEnd === undefined ? end : Math.min(end, ownEnd),
    ...(response.refreshIn === undefined ? {} : { refreshAt: obtainedAt + response.refreshIn }),
    obtainedAt,
    scopes: response.scopes ?? expected.asked,
    tenantId: shortExcerpt(tenantId),
    flow: expected.flow,
    ...(response.refreshToken === undefined ? {} : { refreshToken: response.refreshToken }),
    ...(response.idToken === undefined ? {} : { idToken: response.idToken }),
  };
}

/** Entra names the app in `appid` (v1.0) or `azp` (v2.0); other servers mean other things by them. */
function checkClient(claims: Claims, clientId: string): void {
  const other = ["appid", "azp"].map((name) => stringClaim(claims, name)).find((app) =>
    app !== undefined && isGuid(app) && app.toLowerCase() !== clientId.toLowerCase()
  );
  if (other === undefined) return;
  throw new EntraToolError(
    "refused",
    "token_client_mismatch",
    `The token was issued to app "${other}", but app "${clientId}" asked for it`,
    { hint: "Check the authority and what answers in its name: entratool config show" },
  );
}

/** When the token says that it ends; undefined when it does not say, or what it says is of no use. */
function checkedEnd(claims: Claims, now: number): number | undefined {
  const end = timeClaim(claims, "exp");
  if (end === undefined || end > now) return end;
  if (end + clockSkew >= now) return undefined;
  throw new EntraToolError(
    "refused",
    "token_expired",
    `The token was over when it came: it ended at ${
      formatTime(end)
    }, and this machine's clock says ${formatTime(now)}`,
    { hint: "Check this machine's clock: date -u" },
  );
}

/** RFC 3339, UTC. */
function formatTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, "Z");
}

/** What a person's token has to fit. */
export interface ExpectedUser extends Expected {
  /** The nonce of the authorization request; undefined where there was none. */
  readonly nonce: string | undefined;
  /** Whose refresh token was traded in: its answer needs no id_token (OIDC Core §12.2). */
  readonly account?: Account;
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
  const { account } = expected;
  if (response.idToken === undefined && account !== undefined) {
    return { ...tokenSetFrom(response, expected), account };
  }
  const claims = checkIdToken(response.idToken, expected);
  return {
    ...tokenSetFrom(response, expected, stringClaim(claims, "tid")),
    account: accountOf(response, claims),
  };
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
  if (expires === undefined) throw problem("does not say when it ends");
  if (expires + clockSkew < expected.now / 1000) {
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
