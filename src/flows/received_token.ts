/** From a token response to a token set, with a last look at whose token it is. */

import { type Authority, isGuid } from "../entra/authority.ts";
import type { TokenResponse } from "../entra/token_endpoint.ts";
import { EntraToolError } from "../errors.ts";
import type { FlowName } from "../names.ts";
import { decodeJwt, stringClaim } from "../token/jwt.ts";
import type { TokenSet } from "../token/token_set.ts";

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
