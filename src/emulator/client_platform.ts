/**
 * How an app must prove itself when it redeems what a person's sign-in gave it: the platform of the redirect URI says.
 *
 * @see https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow
 */

import { authenticateClient } from "./client_authentication.ts";
import type { Platform, Tenant } from "./directory.ts";
import type { TokenRequest } from "./grant.ts";
import type { SignIn } from "./sign_in.ts";
import { StsError } from "./sts_error.ts";
import type { ClientProof } from "./user_claims.ts";

/**
 * Checks the credential, and that pages of other origins redeem for single-page applications only.
 *
 * @throws StsError 9002326, 9002327, 700025, 7000218, and those of `authenticateClient`.
 */
export async function authenticateOnPlatform(
  platform: Platform,
  { app, tenant }: Pick<SignIn, "app" | "tenant">,
  { call, sts, client }: TokenRequest,
): Promise<ClientProof> {
  const origin = call.request.headers.get("origin");
  if (platform === "spa" && origin === null) throw new StsError(9002327);
  if (platform !== "spa" && origin !== null) throw new StsError(9002326, { origin });
  const hasCredential = client.secret !== undefined || client.assertion !== undefined;
  if (platform !== "web") {
    if (hasCredential) throw new StsError(700025);
    return "none";
  }
  if (!hasCredential) throw new StsError(7000218);
  return await authenticateClient(client, app, tenant, sts);
}

/**
 * The tenant whose tokens a request at a path gets for a sign-in.
 *
 * @throws StsError with the code when the path names another tenant.
 */
export function requireSameTenant(
  requested: TokenRequest["tenant"],
  tenant: Tenant,
  code: number,
): void {
  if (requested === "consumers" || (typeof requested !== "string" && requested.id !== tenant.id)) {
    throw new StsError(code);
  }
}
