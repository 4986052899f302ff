/**
 * The authorization code grant with PKCE (RFC 6749 §4.1, RFC 7636): the person signs in with a browser, and the code that
 * comes back by a redirect is traded for tokens.
 *
 * Two flows are made of it: `InteractiveBrowser`, a public client on a free port of this machine, and `AuthorizationCode`, a
 * registered web app with its exact redirect URI and its credential.
 */

import { isLoopback } from "../entra/authority.ts";
import { userScopes } from "../entra/scope.ts";
import { authorizationError, readTokenResponse } from "../entra/token_endpoint.ts";
import { postForm } from "../entra/transport.ts";
import { EntraToolError } from "../errors.ts";
import type { TokenSet } from "../token/token_set.ts";
import { type AuthorizationResponse, readPastedResponse } from "./authorization_response.ts";
import type { Person } from "../person.ts";
import type { Flow, FlowHost, FlowInput } from "./flow.ts";
import { createNonce, createPkce, createState, type Pkce } from "./pkce.ts";
import { userTokenSet } from "./received_token.ts";
import {
  type RedirectListener,
  type SignInOutcome,
  startRedirectListener,
} from "./redirect_listener.ts";
import { clientFields, responseContext } from "./token_request_fields.ts";

/** A public client with `http://localhost` registered as a desktop app's redirect URI (RFC 8252 §7.3). */
export const interactiveBrowser: Flow = {
  permissions: [
    { name: "net", scope: "authority" },
    { name: "net", scope: "loopback" },
    { name: "run", scope: "browser" },
  ],
  run: (input, host) => signInWithBrowser({ ...input, credential: undefined }, host),
};

/** A web app as it is registered; a public client works too. */
export const authorizationCode: Flow = {
  permissions: interactiveBrowser.permissions,
  async run(input, host) {
    if (input.signIn.redirectUri === undefined) {
      throw new EntraToolError(
        "usage",
        "redirect_uri_missing",
        "The authorization code flow needs the redirect URI that is registered for the app",
        {
          hint:
            "Add --redirect-uri URL, exactly as it stands under Authentication of the app registration",
        },
      );
    }
    return await signInWithBrowser(input, host);
  },
};

/** What one sign-in is recognised by. */
interface Attempt {
  readonly state: string;
  readonly nonce: string;
  readonly pkce: Pkce;
  readonly redirectUri: string;
  readonly asked: readonly string[];
}

async function signInWithBrowser(input: FlowInput, host: FlowHost): Promise<TokenSet> {
  const person = requirePerson(input);
  const { asked, scopes } = userScopes(input.scopes, input.authority.cloud);
  const registered = parseRedirectUri(input.signIn.redirectUri);
  const state = createState();
  await using listener = canListenAt(registered)
    ? await startRedirectListener({
      redirectUri: input.signIn.redirectUri ?? "http://localhost",
      ...(input.signIn.port === undefined ? {} : { port: input.signIn.port }),
      state,
      signal: input.deadline.signal,
    })
    : undefined;
  // without a listener the URI is sent as it was typed: Entra compares it to the letter
  const redirectUri = listener?.redirectUri ?? input.signIn.redirectUri ?? "";
  const attempt: Attempt = {
    state,
    nonce: createNonce(),
    pkce: await createPkce(),
    redirectUri,
    asked,
  };
  const url = authorizeUrl(input, attempt, scopes, listener !== undefined);

  await showAddress(person, url, listener !== undefined);
  try {
    const response = await firstResponse(person, listener, attempt, input);
    const tokens = await redeem(response, attempt, input, host);
    await listener?.finish({ kind: "success" });
    return tokens;
  } catch (error) {
    await listener?.finish(failurePage(error));
    throw error;
  }
}

function requirePerson({ person }: FlowInput): Person {
  // acquire asks for a sign-in only when somebody is there
  if (person === undefined) throw new Error("a sign-in was started with nobody to take part");
  return person;
}

function parseRedirectUri(text: string | undefined): URL | undefined {
  if (text === undefined) return undefined;
  const url = URL.parse(text);
  if (url !== null && url.hash === "" && (url.protocol === "https:" || isLoopback(url.hostname))) {
    return url;
  }
  throw new EntraToolError("usage", "redirect_uri_invalid", `"${text}" can not be a redirect URI`, {
    hint: "Use https, or http on localhost, as it is registered: http://localhost:8400/callback",
  });
}

/** A listener of ours speaks http on loopback; anything else is another machine's or another program's. */
function canListenAt(redirectUri: URL | undefined): boolean {
  return redirectUri === undefined ||
    (redirectUri.protocol === "http:" && isLoopback(redirectUri.hostname));
}

/** @see https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow#request-an-authorization-code */
function authorizeUrl(
  { authority, clientId, claims, signIn }: FlowInput,
  { state, nonce, pkce, redirectUri }: Attempt,
  scopes: readonly string[],
  isListening: boolean,
): string {
  const parameters = {
    client_id: clientId,
    response_type: "code",
    redirect_uri: redirectUri,
    scope: scopes.join(" "),
    // keeps the code out of the browser's history; who has to paste the address needs it there
    response_mode: isListening ? "form_post" : "query",
    state,
    nonce,
    code_challenge: pkce.challenge,
    code_challenge_method: pkce.method,
    client_info: "1",
    prompt: signIn.prompt ?? (signIn.loginHint === undefined ? "select_account" : undefined),
    login_hint: signIn.loginHint,
    domain_hint: signIn.domainHint,
    claims,
  };
  const given = Object.entries(parameters).filter((pair): pair is [string, string] =>
    pair[1] !== undefined
  );
  return `${authority.url}/oauth2/v2.0/authorize?${new URLSearchParams(given)}`;
}

/** The address comes first, so that it is there even when the browser is not. */
async function showAddress(person: Person, url: string, isListening: boolean): Promise<void> {
  person.tell(["To sign in, open this address in a browser:", "", url, ""]);
  const opened = isListening && await person.openBrowser(url);
  person.tell([
    opened
      ? "A browser should have opened. Waiting for the sign-in."
      : isListening
      ? "Waiting for the sign-in."
      : "Then come back.",
    "If the browser ends on a page that can not be reached, or runs on another machine,",
    "paste the address that it shows there, and press Enter:",
  ]);
}

/** What comes first: the redirect, or what the person pastes. */
async function firstResponse(
  person: Person,
  listener: RedirectListener | undefined,
  attempt: Attempt,
  { deadline }: FlowInput,
): Promise<AuthorizationResponse> {
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, deadline.signal]);
  const pasted = readPasted(person, attempt, listener !== undefined, signal);
  try {
    const { signal } = deadline;
    const aborted = new Promise<never>((_, reject) => {
      if (signal.aborted) reject(signal.reason);
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
    return await Promise.race([
      pasted,
      aborted,
      ...(listener === undefined ? [] : [listener.response]),
    ]);
  } finally {
    stop.abort();
    pasted.catch(() => {});
  }
}

async function readPasted(
  person: Person,
  { redirectUri, state }: Attempt,
  isListening: boolean,
  signal: AbortSignal,
): Promise<AuthorizationResponse> {
  for (;;) {
    const line = await person.readLine(signal);
    if (line === undefined) {
      // nobody can paste: the listener alone can bring the answer
      if (isListening) return await new Promise<never>(() => {});
      throw new EntraToolError(
        "usage",
        "redirect_not_pasted",
        "The address of the redirect was not given",
        {
          hint:
            "Sign in, then paste the address that the browser ends on, or pipe it in: printf '%s\\n' 'URL' | entratool …",
        },
      );
    }
    if (line.trim() === "") continue;
    const response = readPastedResponse(line.trim(), redirectUri, state);
    if (response.kind !== "foreign") return response;
    person.tell([
      "That is not the answer to this sign-in. Paste the whole address, from https:// or http:// to its end:",
    ]);
  }
}

/** Trades the code for tokens (RFC 6749 §4.1.3). A code works once, so nothing is sent twice. */
async function redeem(
  response: AuthorizationResponse,
  attempt: Attempt,
  input: FlowInput,
  host: FlowHost,
): Promise<TokenSet> {
  if (response.kind === "error") throw authorizationError(response, responseContext(input, host));
  checkIssuer(response.issuer, input);
  const answer = await postForm({
    url: input.authority.tokenEndpoint,
    form: {
      grant_type: "authorization_code",
      code: response.code,
      redirect_uri: attempt.redirectUri,
      code_verifier: attempt.pkce.verifier,
      scope: userScopes(input.scopes, input.authority.cloud).scopes.join(" "),
      ...await clientFields(input, host),
    },
    deadline: input.deadline,
    caCertificates: input.caCertificates,
    retryAfter: "unsent",
    trace: input.trace,
  }, host);
  return userTokenSet(readTokenResponse(answer, responseContext(input, host)), {
    flow: input.flow,
    authority: input.authority,
    asked: attempt.asked,
    now: host.now(),
    clientId: input.clientId,
    nonce: attempt.nonce,
  });
}

/** A server that names itself must be the one that was asked (RFC 9207 §2.4); Entra does not name itself today. */
function checkIssuer(issuer: string | undefined, { authority }: FlowInput): void {
  if (issuer === undefined || URL.parse(issuer)?.host === authority.host) return;
  throw new EntraToolError(
    "refused",
    "issuer_mismatch",
    `The code was issued by "${issuer}", but ${authority.host} was asked`,
    {
      hint:
        "Do not go on with this sign-in; start again, and look at the address before signing in",
    },
  );
}

function failurePage(error: unknown): SignInOutcome {
  const known = error instanceof EntraToolError;
  return {
    kind: "failure",
    title: known && error.failure === "cancelled" ? "Sign-in cancelled" : "Sign-in failed",
    message: known ? error.message : "Something went wrong that should not",
    ...(known && error.detail.serverText !== undefined ? { hint: error.detail.serverText } : {}),
  };
}
