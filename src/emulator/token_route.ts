/**
 * The token endpoint: what is true of every grant, and which module answers for which grant.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-3.2
 */

import { authorizationCodeGrant } from "./authorization_code_grant.ts";
import { claimedClient } from "./client_authentication.ts";
import { clientCredentialsGrant } from "./client_credentials_grant.ts";
import { deviceCodeGrant } from "./device_code_grant.ts";
import type { Grant } from "./grant.ts";
import { requiredParameter, requireSingleValues } from "./parameters.ts";
import { refreshTokenGrant } from "./refresh_token_grant.ts";
import { resolveTenant, type Route } from "./route.ts";
import { StsError } from "./sts_error.ts";

const grants: ReadonlyMap<string, Grant> = new Map([
  ["client_credentials", clientCredentialsGrant],
  ["authorization_code", authorizationCodeGrant],
  ["refresh_token", refreshTokenGrant],
  ["urn:ietf:params:oauth:grant-type:device_code", deviceCodeGrant],
  // What MSAL Node sends.
  ["device_code", deviceCodeGrant],
]);

export const tokenRoute: Route = {
  endpoint: "token",
  methods: ["POST"],
  path: "/oauth2/v2.0/token",
  async handle(call, sts) {
    const tenant = resolveTenant(call, sts);
    requireSingleValues(call.form);
    const grantType = requiredParameter(call.form, "grant_type");
    const grant = grants.get(grantType);
    if (grant === undefined) throw new StsError(70003, { grantType });
    const { clientId, ...credential } = claimedClient(call);
    if (clientId === undefined) throw new StsError(900144, { parameter: "client_id" });
    return Response.json(
      await grant({ call, sts, tenant, client: { clientId, ...credential } }),
    );
  },
};
