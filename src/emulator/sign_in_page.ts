/** The pages on which a person says who they are: the choice of a user, the password, the second factor. */

import type { App, User } from "./directory.ts";
import { type Html, markup } from "./markup.ts";
import { page } from "./page.ts";

/** What every form of a sign-in carries, and where it goes. */
export interface SignInForm {
  /** The path that the form is sent to. */
  readonly action: string;
  /** Names the sign-in under way; no other site can know it. */
  readonly flow: string;
}

/** A form of the sign-in that is under way. */
export function signInForm({ action, flow }: SignInForm, content: Html): Html {
  return markup`<form method="post" action="${action}">
<input type="hidden" name="flow" value="${flow}">
${content}
</form>`;
}

/** Why a person has to try again; read out by screen readers. */
export function problem(text: string | undefined): Html | undefined {
  return text === undefined ? undefined : markup`<p class="wrong" role="alert">${text}</p>`;
}

/** Ends the sign-in, whatever is filled in: the app is told that the person declined. */
const cancelButton = markup`<button name="answer" value="cancel" formnovalidate>Cancel</button>`;

/** The form of a page on which a person agrees to something, or cancels. */
export function decisionForm(form: SignInForm, answer: string, label: string): Html {
  return signInForm(
    form,
    markup`<div class="actions">
<button name="answer" value="${answer}" class="primary">${label}</button>${cancelButton}
</div>`,
  );
}

export function chooseUserPage(
  form: SignInForm,
  app: App,
  users: readonly { readonly user: User; readonly isSignedIn: boolean }[],
  wrong?: string,
): Response {
  const buttons = users.map(({ user, isSignedIn }) =>
    markup`<button class="user" name="user" value="${user.userPrincipalName}">${user.displayName}
<span>${user.userPrincipalName}${isSignedIn ? " · signed in" : ""}</span></button>
`
  );
  const another = markup`<label for="user">Another account</label>
<input id="user" name="user" type="email" autocomplete="username" required
  placeholder="someone@example.com">
<div class="actions"><button>Next</button>${cancelButton}</div>`;
  return page(
    "Sign in",
    markup`<p>Choose who continues to <strong>${app.displayName}</strong>.</p>
${problem(wrong)}
${signInForm(form, markup`${buttons}`)}
<hr>
${signInForm(form, another)}`,
  );
}

export function passwordPage(form: SignInForm, user: User, wrong?: string): Response {
  const password = markup`<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" autofocus>
<div class="actions"><button class="primary">Sign in</button>
<button name="answer" value="other">Another account</button>${cancelButton}</div>`;
  return page(
    "Enter password",
    markup`<p>${user.userPrincipalName}</p>
${problem(wrong)}
${signInForm(form, password)}`,
  );
}

export function secondFactorPage(form: SignInForm, user: User): Response {
  return page(
    "Approve sign-in request",
    markup`<p>${user.userPrincipalName}</p>
<p>Your organization asks for a second factor. Here a click stands for the app on your phone.</p>
${decisionForm(form, "approve", "Approve")}`,
  );
}
