/**
 * Tokens for an authorization code.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3
 * @see https://www.rfc-editor.org/rfc/rfc7636#section-4.6
 */

import { authenticateOnPlatform, requireSameTenant } from "./client_platform.ts";
import { findAppAt, type Grant } from "./grant.ts";
import { base64url } from "./opaque_ids.ts";
import { requiredParameter } from "./parameters.ts";
import { issueRefreshToken } from "./refresh_token_grant.ts";
import { readScopes } from "./scopes.ts";
import type { SignIn } from "./sign_in.ts";
import { StsError } from "./sts_error.ts";
import { answerWithTokens } from "./user_tokens.ts";

/** What a code stands for. */
export interface CodeGrant {
  readonly signIn: SignIn;
  /** As the authorize request spelled it. */
  readonly redirectUri: string;
  readonly scope: string;
  readonly nonce?: string;
  readonly challenge?: CodeChallenge;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  redeemed: boolean;
}

export interface CodeChallenge {
  readonly challenge: string;
  readonly method: "S256" | "plain";
}

/** Answers `grant_type=authorization_code`. */
export const authorizationCodeGrant: Grant = async (request) => {
  const { call: { form }, sts, tenant, client } = request;
  const app = findAppAt(client.clientId, tenant, sts);
  const code = requiredParameter(form, "code");
  const grant = sts.state.codes.find(code);
  if (grant === undefined || grant.signIn.app !== app) throw new StsError(70000);
  const { signIn } = grant;
  requireSameTenant(tenant, signIn.tenant, 700005);
  const redirectUri = requiredParameter(form, "redirect_uri");
  const proof = await authenticateOnPlatform(signIn.platform, signIn, request);
  if (grant.redeemed) throw new StsError(54005);
  if (grant.expiresAt <= sts.now()) throw new StsError(70008);
  if (redirectUri !== grant.redirectUri) {
    throw new StsError(500112, { redirectUri, expected: grant.redirectUri });
  }
  await verifyChallenge(grant.challenge, form.get("code_verifier"));
  // Two requests with one code may both have come this far: the verification waits.
  if (grant.redeemed) throw new StsError(54005);
  grant.redeemed = true;

  // The whole of the authorize request may span resources, of which the first is meant without a scope.
  const scope = form.get("scope");
  const asked = readScopes(
    scope || grant.scope,
    app,
    signIn.tenant,
    sts.directory.resources,
  );
  const mayRefresh = grant.scope.split(" ").includes("offline_access");
  return await answerWithTokens({
    call: request.call,
    sts,
    signIn,
    asked: scope ? asked : { ...asked, resources: asked.resources.slice(0, 1) },
    proof,
    stage: "authorization_code",
    ...(grant.nonce === undefined ? {} : { nonce: grant.nonce }),
    ...(mayRefresh
      ? { issueRefreshToken: () => issueRefreshToken(signIn, scope || grant.scope, sts) }
      : {}),
  });
};

/** RFC 7636 §4.6. @throws StsError 501481 unless challenge and verifier are both there and fit, or both absent. */
async function verifyChallenge(
  challenge: CodeChallenge | undefined,
  verifier: string | null,
): Promise<void> {
  if (challenge === undefined && !verifier) return;
  if (challenge === undefined || !verifier) throw new StsError(501481);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  const expected = challenge.method === "plain" ? verifier : base64url(new Uint8Array(digest));
  if (expected !== challenge.challenge) throw new StsError(501481);
}
