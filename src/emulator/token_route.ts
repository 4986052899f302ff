/**
 * The token endpoint: what is true of every grant, and which module answers for which grant.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-3.2
 */

import { claimedClient } from "./client_authentication.ts";
import { clientCredentialsGrant } from "./client_credentials_grant.ts";
import type { Grant } from "./grant.ts";
import { resolveTenant, type Route } from "./route.ts";
import { StsError } from "./sts_error.ts";

const grants: ReadonlyMap<string, Grant> = new Map([
  ["client_credentials", clientCredentialsGrant],
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

/** RFC 6749 §3.2: a parameter must not be there more than once. */
function requireSingleValues(form: URLSearchParams): void {
  if (new Set(form.keys()).size !== form.size) throw new StsError(9002313);
}

/** RFC 6749 §3.2: a parameter without a value counts as missing. @throws StsError 900144. */
function requiredParameter(form: URLSearchParams, parameter: string): string {
  const value = form.get(parameter);
  if (!value) throw new StsError(900144, { parameter });
  return value;
}
