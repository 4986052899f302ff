/**
 * Tokens for an app itself.
 *
 * @see https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
 */

import { readClaims } from "./claims_parameter.ts";
import { authenticateClient } from "./client_authentication.ts";
import { findResource } from "./directory.ts";
import { findApp, type Grant, lifetimeMembers } from "./grant.ts";
import { graphAppId } from "./issuer.ts";
import { StsError } from "./sts_error.ts";

/** Entra ignores these beside the resource: MSAL for Java always sends them. */
const openidScopes = ["openid", "profile", "offline_access", "email"];

/** Answers `grant_type=client_credentials`. */
export const clientCredentialsGrant: Grant = async ({ call, sts, tenant, client }) => {
  if (tenant === "consumers") throw new StsError(9001023);
  // An app is no member of a tenant, so nothing but the path can say which one is meant.
  if (typeof tenant === "string") throw new StsError(50059);
  const audience = audienceOf(call.form.get("scope"));
  const { capabilities } = readClaims(call.form.get("claims"));
  const app = findApp(client.clientId, tenant, sts);
  const origin = call.request.headers.get("origin");
  if (origin !== null) throw new StsError(9002326, { origin });

  const credential = await authenticateClient(client, app, tenant, sts);
  if (credential === "none") throw new StsError(7000216, { grantType: "client_credentials" });

  const resource = findResource(sts.directory.resources, audience);
  if (resource === undefined) {
    throw new StsError(500011, { resource: audience, tenant: tenant.name });
  }
  const { token, lifetimeSeconds } = await sts.issuer.appToken(
    { origin: sts.origin, tenant, app, credential, resource, audience, capabilities },
    sts.now(),
  );
  return { token_type: "Bearer", ...lifetimeMembers(lifetimeSeconds), access_token: token };
};

/**
 * The resource that `scope` asks for: exactly one `<resource>/.default`.
 *
 * @throws StsError 90014 without a scope, 1002012 for named permissions, 70011 for several scopes.
 */
function audienceOf(scope: string | null): string {
  const asked = (scope ?? "").split(" ").filter((part) => part !== "");
  if (asked.length === 0) throw new StsError(90014, { parameter: "scope" });
  const scopes = new Set(asked.filter((part) => !openidScopes.includes(part)));
  const [first] = scopes;
  if (![...scopes].some((part) => /(^|.\/)\.default$/.test(part)) || first === undefined) {
    throw new StsError(1002012, { scope: asked.join(" ") });
  }
  if (scopes.size > 1) throw new StsError(70011, { scope: asked.join(" ") });
  return first === ".default" ? graphAppId : first.slice(0, -"/.default".length);
}
