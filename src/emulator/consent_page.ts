/** The pages on which a person decides what an app may have. */

import type { App, User } from "./directory.ts";
import { markup } from "./markup.ts";
import { page } from "./page.ts";
import type { ConsentScopes } from "./consents.ts";
import type { OpenidScope } from "./scopes.ts";
import { decisionForm, type SignInForm } from "./sign_in_page.ts";

const openidMeanings: Readonly<Record<OpenidScope, string>> = {
  openid: "Sign you in",
  profile: "View your basic profile",
  email: "View your email address",
  offline_access: "Maintain access to data you have given it access to",
};

export function consentPage(
  form: SignInForm,
  app: App,
  user: User,
  openid: readonly OpenidScope[],
  scopes: readonly ConsentScopes[],
): Response {
  const items = [
    ...scopes.flatMap(({ resource, names }) =>
      names.map((name) => markup`<li><strong>${name}</strong> of ${resource.displayName}</li>`)
    ),
    ...openid.map((name) => markup`<li>${openidMeanings[name]} (${name})</li>`),
  ];
  return page(
    "Permissions requested",
    markup`<p><strong>${app.displayName}</strong> asks ${user.userPrincipalName} to let it:</p>
<ul>${items}</ul>
${decisionForm(form, "accept", "Accept")}`,
  );
}

/** Before a device is signed in: a person who was sent a code by somebody else should stop here. */
export function confirmDevicePage(form: SignInForm, app: App, user: User): Response {
  return page(
    `Are you trying to sign in to ${app.displayName}?`,
    markup`<p>Only continue as ${user.userPrincipalName} if you started this sign-in yourself, on a
device or in a terminal that you trust.</p>
${decisionForm(form, "confirm", "Continue")}`,
  );
}
