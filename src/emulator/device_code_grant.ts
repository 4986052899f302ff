/**
 * Tokens for a device code: pending until a person has answered on the page of `device_login_route.ts`.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8628#section-3.5
 */

import { authenticateClient } from "./client_authentication.ts";
import { requireSameTenant } from "./client_platform.ts";
import type { DeviceCode } from "./device_codes.ts";
import { findAppAt, type Grant, type TokenRequest } from "./grant.ts";
import { automaticAnswer } from "./interaction.ts";
import { requiredParameter } from "./parameters.ts";
import { issueRefreshToken } from "./refresh_token_grant.ts";
import type { Sts } from "./route.ts";
import { readScopes } from "./scopes.ts";
import type { SignIn } from "./sign_in.ts";
import { StsError } from "./sts_error.ts";
import type { ClientProof } from "./user_claims.ts";
import { answerWithTokens } from "./user_tokens.ts";
import { deviceGoal } from "./device_login_route.ts";

/** RFC 8628 §3.5: what a client that polled too soon adds to its interval, in seconds. */
const slowDownSeconds = 5;

/** Answers `grant_type=urn:ietf:params:oauth:grant-type:device_code`. */
export const deviceCodeGrant: Grant = async (request) => {
  const { call, sts, tenant, client } = request;
  const app = findAppAt(client.clientId, tenant, sts);
  const entry = sts.state.deviceCodes.find(requiredParameter(call.form, "device_code"));
  if (entry === undefined || entry.app !== app) throw new StsError(70018);
  const signIn = outcomeOf(entry, sts);
  requireSameTenant(tenant, signIn.tenant, 70000);
  const proof = await authenticate(request, signIn);
  const asked = readScopes(entry.scope, app, signIn.tenant, sts.directory.resources);
  const answer = await answerWithTokens({
    call,
    sts,
    signIn,
    asked,
    proof,
    stage: "device_code",
    ...(asked.openid.includes("offline_access")
      ? { issueRefreshToken: () => issueRefreshToken(signIn, entry.scope, sts) }
      : {}),
  });
  // The other of two polls at once may have been faster.
  if (entry.outcome === "redeemed") throw new StsError(70000);
  entry.outcome = "redeemed";
  return answer;
};

/** @throws StsError 70020, 70016 or whatever else says that there is no sign-in, or not yet. */
function outcomeOf(entry: DeviceCode, sts: Sts): SignIn {
  const now = sts.now();
  if (entry.outcome === "redeemed") throw new StsError(70000);
  if (entry.expiresAt <= now) throw new StsError(70020);
  const { polledAt } = entry;
  entry.polledAt = now;
  const isTooSoon = polledAt !== undefined && now < polledAt + entry.interval * 1000;
  if (sts.directory.deviceCode.slowDown && isTooSoon) {
    entry.interval += slowDownSeconds;
    throw new StsError(70016, {}, {
      error: "slow_down",
      description: "OAuth 2.0 device flow error. The client polls too often.",
    });
  }
  const { automaticSignIn } = sts;
  if (
    entry.outcome === "pending" && automaticSignIn !== undefined &&
    entry.pendingPolls >= automaticSignIn.pendingPolls
  ) {
    automaticAnswer(deviceGoal(entry, sts), automaticSignIn, sts);
  }
  const { outcome } = entry;
  if (outcome === "pending") {
    entry.pendingPolls++;
    throw new StsError(70016);
  }
  if (outcome === "declined") throw new StsError(65004, {}, { error: "authorization_declined" });
  if (typeof outcome === "string") throw new StsError(70000);
  return outcome;
}

/** The flow is for public clients; Entra says so only now, when the person has signed in. @throws StsError 7000218. */
async function authenticate(
  { client, sts }: TokenRequest,
  { app, tenant }: SignIn,
): Promise<ClientProof> {
  const proof = await authenticateClient(client, app, tenant, sts);
  if (proof === "none" && !app.publicClient) throw new StsError(7000218);
  return proof;
}
