/**
 * Where a device without a browser asks for a code.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8628#section-3.1
 * @see https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code
 */

import { readClaims } from "./claims_parameter.ts";
import { findAppAt } from "./grant.ts";
import { requiredParameter, requireSingleValues } from "./parameters.ts";
import { resolveTenant, type Route } from "./route.ts";
import { readScopes } from "./scopes.ts";

/** Where the person goes, in place of Entra's `https://microsoft.com/devicelogin`. */
export const verificationPath = "/devicelogin";

export const deviceCodeRoute: Route = {
  endpoint: "devicecode",
  methods: ["POST"],
  path: "/oauth2/v2.0/devicecode",
  handle(call, sts) {
    const { form } = call;
    const tenant = resolveTenant(call, sts);
    requireSingleValues(form);
    const app = findAppAt(requiredParameter(form, "client_id"), tenant, sts);
    const scope = requiredParameter(form, "scope");
    const claims = form.get("claims");
    // Both are read again when they are needed; what is wrong with them is said here.
    const name = typeof tenant === "string" ? tenant : tenant.name;
    readScopes(scope, app, { name }, sts.directory.resources);
    readClaims(claims);
    const { interval, lifetime } = sts.directory.deviceCode;
    const { deviceCode, entry } = sts.state.deviceCodes.issue(
      { app, tenant, scope, claims },
      sts.directory.deviceCode,
      sts.now(),
    );
    const page = sts.origin + verificationPath;
    return Promise.resolve(Response.json({
      user_code: entry.userCode,
      device_code: deviceCode,
      verification_uri: page,
      expires_in: lifetime,
      interval,
      message:
        `To sign in, use a web browser to open the page ${page} and enter the code ${entry.userCode} to authenticate.`,
    }));
  },
};
