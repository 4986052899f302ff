/**
 * Where a person signs out.
 *
 * @see https://openid.net/specs/openid-connect-rpinitiated-1_0.html
 * @see https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc#send-a-sign-out-request
 */

import { decodeJwt } from "jose/jwt/decode";
import { errorPage } from "./error_page.ts";
import { markup } from "./markup.ts";
import { page } from "./page.ts";
import { platformOf } from "./redirect_uris.ts";
import { resolveTenant, type Route, type Sts } from "./route.ts";
import { browserOf } from "./sessions.ts";
import { loginHintOf } from "./user_claims.ts";

export const logoutRoute: Route = {
  endpoint: "logout",
  methods: ["GET", "POST"],
  path: "/oauth2/v2.0/logout",
  handle(call, sts) {
    resolveTenant(call, sts);
    const parameters = new URLSearchParams([...call.url.searchParams, ...call.form]);
    const hint = parameters.get("logout_hint");
    const user = sts.directory.users.find((user) => loginHintOf(user) === hint);
    sts.state.sessions.signOut(browserOf(call, sts), user);
    const target = parameters.get("post_logout_redirect_uri");
    if (target === null || !isRegistered(target, clientOf(parameters), sts)) {
      return Promise.resolve(
        page(
          "You signed out of your account",
          markup`<p>It’s a good idea to close all browser windows.</p>`,
        ),
      );
    }
    const state = parameters.get("state");
    const location = new URL(target);
    if (state !== null) location.searchParams.set("state", state);
    return Promise.resolve(
      new Response(null, { status: 302, headers: { "Location": location.href } }),
    );
  },
  refuse: errorPage,
};

/** The app that a request says it is for: only which of the registered URIs are looked at hangs on it. */
function clientOf(parameters: URLSearchParams): unknown {
  const idToken = parameters.get("id_token_hint");
  if (idToken === null) return parameters.get("client_id") ?? undefined;
  try {
    return decodeJwt(idToken).aud;
  } catch {
    return undefined;
  }
}

/** Whether the URI is one of the app's, or, when no app is named, of any app's: never anything else. */
function isRegistered(uri: string, clientId: unknown, sts: Sts): boolean {
  return URL.canParse(uri) &&
    sts.directory.apps
      .filter((app) => clientId === undefined || app.clientId === clientId)
      .some((app) => platformOf(uri, app) !== undefined);
}
