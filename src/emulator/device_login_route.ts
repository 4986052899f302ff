/**
 * The page on which a person enters the code that a device shows, and signs in for it.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8628#section-3.3
 */

import { readClaims } from "./claims_parameter.ts";
import { verificationPath } from "./device_code_route.ts";
import type { App } from "./directory.ts";
import type { DeviceCode } from "./device_codes.ts";
import { errorPage } from "./error_page.ts";
import { markup } from "./markup.ts";
import { advance, automaticAnswer, type Goal } from "./interaction.ts";
import { page } from "./page.ts";
import { requireSingleValues } from "./parameters.ts";
import type { Call, Route, Sts } from "./route.ts";
import { readScopes } from "./scopes.ts";
import { browserOf, rememberBrowser } from "./sessions.ts";
import { problem } from "./sign_in_page.ts";

export const deviceLoginRoute: Route = {
  endpoint: "devicelogin",
  methods: ["GET", "POST"],
  path: verificationPath,
  handle: (call, sts) =>
    Promise.resolve(
      call.request.method === "GET" ? enterCodePage(200) : startSignIn(call, sts),
    ),
  refuse: errorPage,
};

function startSignIn(call: Call, sts: Sts): Response {
  requireSingleValues(call.form);
  const entry = sts.state.deviceCodes.findByUserCode(call.form.get("otc") ?? "");
  if (entry === undefined || entry.outcome !== "pending") {
    return enterCodePage(400, "That code didn’t work. Check the code and try again.");
  }
  if (entry.expiresAt <= sts.now()) {
    return enterCodePage(400, "The code has expired. Go back to your device and get a new one.");
  }
  const goal = deviceGoal(entry, sts);
  if (sts.automaticSignIn !== undefined) return automaticAnswer(goal, sts.automaticSignIn, sts);
  const browser = browserOf(call, sts);
  const interaction = { goal, browser, usesSessions: true, confirmed: false, consented: false };
  const flow = sts.state.interactions.issue(interaction);
  return rememberBrowser(advance(interaction, flow, sts), browser, sts);
}

/** What a person signs in for, whose device has the code. */
export function deviceGoal(entry: DeviceCode, sts: Sts): Goal {
  const { app, tenant, scope, claims } = entry;
  const name = typeof tenant === "string" ? tenant : tenant.name;
  return {
    app,
    tenant,
    asked: readScopes(scope, app, { name }, sts.directory.resources),
    claims: readClaims(claims),
    platform: "publicClient",
    protocol: "device_code",
    alwaysConsent: false,
    complete(signIn) {
      entry.outcome = signIn;
      return endPage(app, `You have signed in to ${app.displayName} on your device.`);
    },
    refuse() {
      entry.outcome = "declined";
      return endPage(app, "You have declined the sign-in.");
    },
  };
}

function endPage({ displayName }: App, outcome: string): Response {
  return page(
    displayName,
    markup`<p role="status">${outcome} You may now close this window.</p>`,
  );
}

function enterCodePage(status: number, wrong?: string): Response {
  return page(
    "Enter code to allow access",
    markup`<p>Once you enter the code displayed on your app or device, it will have access to your
account.</p>
<p>Do not enter codes from sources you don’t trust.</p>
${problem(wrong)}
<form method="post" action="${verificationPath}">
<label for="otc">Code</label>
<input id="otc" name="otc" class="code" autocomplete="off" autocapitalize="characters"
  spellcheck="false" maxlength="18" required autofocus>
<div class="actions"><button class="primary">Next</button></div>
</form>`,
    { status },
  );
}
