/** The token endpoint's answer for a user: what every grant that begins with a person's sign-in has in common. */

import { readClaims } from "./claims_parameter.ts";
import { refusedByPolicy, type Stage } from "./conditional_access.ts";
import { lifetimeMembers } from "./grant.ts";
import { graphAppId, lifetimeFor } from "./issuer.ts";
import type { Call, Sts } from "./route.ts";
import { type AskedScopes, singleResource } from "./scopes.ts";
import type { SignIn } from "./sign_in.ts";
import { StsError } from "./sts_error.ts";
import { accessTokenClaims, clientInfoOf, type ClientProof, idTokenClaims } from "./user_claims.ts";

export interface UserTokenRequest {
  readonly call: Call;
  readonly sts: Sts;
  readonly signIn: SignIn;
  readonly asked: AskedScopes;
  readonly proof: ClientProof;
  /** Which grant it is, for Conditional Access. */
  readonly stage: Exclude<Stage, "authorize">;
  readonly nonce?: string;
  /** The refresh token of the answer, if there is to be one. */
  readonly issueRefreshToken?: () => string;
}

/**
 * Makes the tokens.
 *
 * @throws StsError 700022 for several resources, 65001 without consent, and whatever a policy demands
 */
export async function answerWithTokens(
  { call, sts, signIn, asked, proof, stage, nonce, issueRefreshToken }: UserTokenRequest,
): Promise<Readonly<Record<string, unknown>>> {
  const { directory, issuer, state } = sts;
  const { user, app } = signIn;
  const claims = readClaims(call.form.get("claims"));
  const scopes = singleResource(asked, directory.resources);
  const { resource } = scopes;
  const refusal = refusedByPolicy(directory.conditionalAccess, stage, signIn, [resource]) ??
    stepUp(signIn, claims.contexts, resource.appId);
  if (refusal !== undefined) throw refusal;
  const granted = state.consents.granted(user, app, resource);
  if (
    state.consents.missing(user, app, asked).length > 0 ||
    (scopes.isDefault && granted.length === 0 && resource.appId !== app.clientId)
  ) {
    throw new StsError(65001, { app: app.clientId, name: app.displayName }, {
      suberror: "consent_required",
    });
  }
  const openid = asked.openid.filter((name) => name !== "offline_access");
  const { token, lifetimeSeconds } = await issuer.accessToken(
    await accessTokenClaims(
      signIn,
      scopes,
      resource.appId === graphAppId ? [...openid, ...granted] : granted,
      proof,
      claims.capabilities,
      sts.origin,
      directory,
    ),
    lifetimeFor(resource, claims.capabilities),
    sts.now(),
  );
  return {
    token_type: "Bearer",
    scope: [...openid, ...granted, ...(scopes.isDefault ? [".default"] : [])]
      .map((name) => openid.some((own) => own === name) ? name : scopes.prefix + name)
      .join(" "),
    ...lifetimeMembers(lifetimeSeconds),
    access_token: token,
    ...(issueRefreshToken === undefined ? {} : { refresh_token: issueRefreshToken() }),
    ...(openid.includes("openid")
      ? {
        id_token: await issuer.idToken(
          await idTokenClaims(signIn, openid, nonce, sts.origin, directory),
          sts.now(),
        ),
      }
      : {}),
    ...(call.form.get("client_info") === "1" ? { client_info: clientInfoOf(user) } : {}),
  };
}

/** The refusal when a client hands on a resource's challenge that the sign-in does not meet. */
function stepUp(
  signIn: SignIn,
  contexts: readonly string[],
  resource: string,
): StsError | undefined {
  const unmet = contexts.filter((context) => !signIn.contexts.includes(context));
  if (unmet.length === 0) return undefined;
  const claims = JSON.stringify({ access_token: { acrs: { essential: true, values: unmet } } });
  return new StsError(50076, { resource }, { suberror: "basic_action", claims });
}
