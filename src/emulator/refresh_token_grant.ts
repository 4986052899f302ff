/**
 * New tokens for a refresh token.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-6
 * @see https://learn.microsoft.com/entra/identity-platform/refresh-tokens
 */

import { authenticateOnPlatform } from "./client_platform.ts";
import { findAppAt, type Grant, type TokenRequest } from "./grant.ts";
import { requiredParameter } from "./parameters.ts";
import type { RefreshToken } from "./refresh_tokens.ts";
import type { Sts } from "./route.ts";
import { readScopes } from "./scopes.ts";
import { isMember, type SignIn, unknownAccount } from "./sign_in.ts";
import { StsError } from "./sts_error.ts";
import { answerWithTokens } from "./user_tokens.ts";

/** Answers `grant_type=refresh_token`. */
export const refreshTokenGrant: Grant = async (request) => {
  const { call: { form }, sts, tenant, client } = request;
  const app = findAppAt(client.clientId, tenant, sts);
  const token = sts.state.refreshTokens.find(requiredParameter(form, "refresh_token"));
  // A refresh token is bound to the user and the client, not to the resource, nor to the tenant.
  if (token === undefined || token.signIn.app !== app) {
    throw new StsError(70000, {}, { suberror: "bad_token" });
  }
  const signIn = { ...token.signIn, tenant: tenantFor(tenant, token.signIn) };
  const proof = await authenticateOnPlatform(signIn.platform, signIn, request);
  requireValid(token, sts);

  const scope = form.get("scope") || token.scope;
  const answer = await answerWithTokens({
    call: request.call,
    sts,
    signIn,
    asked: readScopes(scope, app, signIn.tenant, sts.directory.resources),
    proof,
    stage: "refresh_token",
    issueRefreshToken: () => {
      // Of two requests with one token, the one that comes here first is the one that rotates it.
      requireValid(token, sts);
      token.used = true;
      return issueRefreshToken(signIn, scope, sts, token);
    },
  });
  return answer;
};

/** The tenant that the tokens are for: the one that the path names, if the user has an account there. */
function tenantFor(requested: TokenRequest["tenant"], { user, tenant, app }: SignIn) {
  if (typeof requested === "string") return tenant;
  if (isMember(user, requested)) return requested;
  throw unknownAccount(user, requested, app);
}

/** @throws StsError 700082, 700084 after its time, 70000 when it has been used, or what a revocation asked for. */
function requireValid(token: RefreshToken, sts: Sts): void {
  const { directory } = sts;
  if (token.refusal !== undefined) throw token.refusal;
  if (!token.signIn.user.enabled) throw new StsError(50057);
  if (token.expiresAt <= sts.now()) {
    const issued = new Date(token.issuedAt).toISOString();
    const { refreshToken, spaRefreshToken } = directory.tokenLifetimes;
    throw token.signIn.platform === "spa"
      ? new StsError(700084, { issued, lifetime: dotNetTimeSpan(spaRefreshToken) })
      : new StsError(700082, { issued, inactive: dotNetTimeSpan(refreshToken) });
  }
  if (token.used && directory.refreshTokens.rotation === "strict") {
    throw new StsError(70000, {}, { suberror: "bad_token" });
  }
}

/**
 * Makes a refresh token for a sign-in.
 *
 * @param earlier the token that it takes the place of: a SPA's has a fixed end that no use moves
 */
export function issueRefreshToken(
  signIn: SignIn,
  scope: string,
  sts: Sts,
  earlier?: RefreshToken,
): string {
  const { refreshToken, spaRefreshToken } = sts.directory.tokenLifetimes;
  const now = sts.now();
  const expiresAt = signIn.platform === "spa"
    ? earlier?.expiresAt ?? now + spaRefreshToken * 1000
    : now + refreshToken * 1000;
  return sts.state.refreshTokens.issue({ signIn, scope, issuedAt: now, expiresAt });
}

/** `90.00:00:00`, as Entra writes a time span. */
function dotNetTimeSpan(seconds: number): string {
  const two = (value: number) => String(Math.floor(value)).padStart(2, "0");
  const time = `${two(seconds % 86400 / 3600)}:${two(seconds % 3600 / 60)}:${two(seconds % 60)}`;
  return seconds < 86400 ? time : `${Math.floor(seconds / 86400)}.${time}`;
}
