/**
 * Tokens for an app itself.
 *
 * @see https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
 */

import { authenticateClient } from "./client_authentication.ts";
import { findResource } from "./directory.ts";
import { findApp, type Grant } from "./grant.ts";
import { StsError } from "./sts_error.ts";

/** Entra ignores these beside the resource: MSAL for Java always sends them. */
const openidScopes = ["openid", "profile", "offline_access", "email"];
const graph = "00000003-0000-0000-c000-000000000000";

/** Answers `grant_type=client_credentials`. */
export const clientCredentialsGrant: Grant = async ({ call, sts, tenant, client }) => {
  if (tenant === "consumers") throw new StsError(9001023);
  // An app is no member of a tenant, so nothing but the path can say which one is meant.
  if (typeof tenant === "string") throw new StsError(50059);
  const audience = audienceOf(call.form.get("scope"));
  const capabilities = capabilitiesOf(call.form.get("claims"));
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
  // Entra counts one second for the way.
  const expiresIn = lifetimeSeconds - 1;
  return {
    token_type: "Bearer",
    expires_in: expiresIn,
    ext_expires_in: expiresIn,
    // Renewal before the end is asked for only with tokens that live for more than two hours.
    ...(expiresIn > 7200 ? { refresh_in: Math.floor(expiresIn / 2) } : {}),
    access_token: token,
  };
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
  return first === ".default" ? graph : first.slice(0, -"/.default".length);
}

/**
 * The client's capabilities out of the `claims` parameter, which at this endpoint is plain JSON.
 *
 * @see https://learn.microsoft.com/entra/identity-platform/claims-challenge
 * @throws StsError 9002313 when it is no JSON object.
 */
function capabilitiesOf(claims: string | null): readonly string[] {
  if (!claims) return [];
  let request: { access_token?: { xms_cc?: { value?: unknown; values?: unknown } } };
  try {
    request = JSON.parse(claims);
  } catch {
    throw new StsError(9002313);
  }
  if (typeof request !== "object" || request === null) throw new StsError(9002313);
  const asked = request.access_token?.xms_cc;
  const values = Array.isArray(asked?.values) ? asked.values : [asked?.value];
  return values.filter((value) => value === "cp1");
}
