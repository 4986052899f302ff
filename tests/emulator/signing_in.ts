/** The example's people and apps, and how tests sign them in. */

import assert from "node:assert/strict";
import {
  type Emulator,
  type EmulatorOptions,
  exampleDirectory,
} from "../../src/emulator/emulator.ts";
import { contoso, exampleWith, requestToken } from "./emulated.ts";
import { type Page, PlainBrowser } from "./plain_browser.ts";

export const ada = {
  id: "c0ffee00-0000-4000-8000-0000000000d1",
  name: "ada@contoso.onmicrosoft.com",
};
export const grace = {
  id: "c0ffee00-0000-4000-8000-0000000000d2",
  name: "grace@contoso.onmicrosoft.com",
};
/** Has a password. */
export const alan = {
  id: "c0ffee00-0000-4000-8000-0000000000d3",
  name: "alan@contoso.onmicrosoft.com",
  password: "emulator-password",
};

/** Each user consents. */
export const desktop = {
  clientId: "c0ffee00-0000-4000-8000-0000000000c1",
  redirectUri: "http://localhost:45678",
};
export const webShop = {
  clientId: "c0ffee00-0000-4000-8000-0000000000c2",
  redirectUri: "http://localhost:8400/callback",
  secret: "web-shop-secret",
};
export const shopFront = {
  clientId: "c0ffee00-0000-4000-8000-0000000000c3",
  redirectUri: "http://localhost:3000",
};
/** An administrator has consented. */
export const commandLine = {
  clientId: contoso.publicClientId,
  redirectUri: "http://localhost:45678",
};

/** RFC 7636, appendix B. */
export const verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
export const challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

export const userScope = "openid profile offline_access User.Read";

export type Parameters = Readonly<Record<string, string | undefined>>;

/** An authorize request that the emulator has nothing to say against; parameters that are undefined are left out. */
export function authorizeUrl(
  { origin, tenantId }: Emulator,
  changes: Parameters = {},
  tenant = tenantId,
): URL {
  const url = new URL(`${origin}/${tenant}/oauth2/v2.0/authorize`);
  const parameters = {
    client_id: commandLine.clientId,
    response_type: "code",
    redirect_uri: commandLine.redirectUri,
    scope: userScope,
    state: "st ate&=#ü",
    nonce: "nonce-1",
    code_challenge: challenge,
    code_challenge_method: "S256",
    ...changes,
  };
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) url.searchParams.set(name, value);
  }
  return url;
}

/** The answer that a page hands to the app, in whichever way. */
export function answerOf({ location, forms, text }: Page): Readonly<Record<string, string>> {
  if (location === undefined) {
    const form = forms[0];
    assert.ok(form && "state" in form.hidden, `no answer: ${text}`);
    return form.hidden;
  }
  const answer = location.hash === ""
    ? location.searchParams
    : new URLSearchParams(location.hash.slice(1));
  return Object.fromEntries(answer);
}

/** The example with everybody approved as Ada at once, and further changes. */
export function approving(
  changes: Record<string, unknown> = {},
  user: { readonly name: string } = ada,
): EmulatorOptions {
  return { ...exampleWith(changes), signIn: { autoApprove: user.name } };
}

/** A code for the app, without a page. */
export async function codeFor(
  emulator: Emulator,
  changes: Parameters = {},
  tenant = emulator.tenantId,
): Promise<string> {
  const page = await new PlainBrowser().open(authorizeUrl(emulator, changes, tenant));
  const { code, ...answer } = answerOf(page);
  assert.ok(code, JSON.stringify(answer));
  return code;
}

/** A form that redeems a code of {@link authorizeUrl}. */
export function redemption(code: string): Record<string, string> {
  return {
    grant_type: "authorization_code",
    client_id: commandLine.clientId,
    code,
    redirect_uri: commandLine.redirectUri,
    code_verifier: verifier,
  };
}

/** The tokens of a fresh sign-in; the emulator must be {@link approving}. */
export async function tokensFor(
  emulator: Emulator,
  changes: Parameters = {},
  form: Parameters = {},
): Promise<Record<string, unknown>> {
  const { client_id, redirect_uri } = { ...redemption(""), ...changes };
  const { status, body } = await requestToken(emulator, {
    ...redemption(await codeFor(emulator, changes)),
    client_id,
    redirect_uri,
    ...form,
  });
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

/** The first member of a list of the example's, with changes: `changed("users", 0, { password: "x" })`. */
export function changed(
  list: "users" | "apps",
  index: number,
  changes: Record<string, unknown>,
): Record<string, unknown> {
  const members = JSON.parse(exampleDirectory())[list];
  members[index] = { ...members[index], ...changes };
  return { [list]: members };
}
