/**
 * The authorization code grant with PKCE (RFC 6749 §4.1, RFC 7636): the person signs in with a browser, and the code that
 * comes back by a redirect is traded for tokens.
 *
 * Two flows are made of it: `InteractiveBrowser`, a public client on a free port of this machine, and `AuthorizationCode`, a
 * registered web app with its exact redirect URI and its credential.
 */

import { unlessAborted } from "../abortable.ts";
import { userScopes } from "../entra/scope.ts";
import { authorizationError, readTokenResponse } from "../entra/token_endpoint.ts";
import { EntraToolError } from "../errors.ts";
import { isLoopback } from "../loopback.ts";
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
import { clientFields, post, responseContext } from "./token_request_fields.ts";

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
      ...listenAt(input.signIn),
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
  const url = (mode: ResponseMode) => authorizeUrl(input, attempt, scopes, mode);

  await showAddress(person, url, listener !== undefined);
  try {
    const response = await firstResponse(person, listener, attempt, input);
    const tokens = input.accept(await redeem(response, attempt, input, host));
    await listener?.finish({ kind: "success" });
    return tokens;
  } catch (cause) {
    const error = explained(cause, input, attempt);
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

/** Where to listen. @throws EntraToolError usage when two ports are given */
function listenAt(
  { redirectUri = "http://localhost", port }: FlowInput["signIn"],
): { readonly redirectUri: string; readonly port?: number } {
  if (port === undefined) return { redirectUri };
  if (redirectUri === "http://localhost") return { redirectUri, port };
  const own = URL.parse(redirectUri)?.port || undefined;
  // Entra takes any port of a loopback URI, and the rest of it to the letter
  if (own === undefined) {
    return { redirectUri: redirectUri.replace(/^(http:\/\/[^/?#]+)/i, `$1:${port}`) };
  }
  if (Number(own) === port) return { redirectUri };
  throw new EntraToolError(
    "usage",
    "conflict",
    `--port ${port} is not the port of the redirect URI ${redirectUri}`,
    { hint: "Leave --port out" },
  );
}

/** @see https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow#request-an-authorization-code */
function authorizeUrl(
  { authority, clientId, claims, signIn }: FlowInput,
  { state, nonce, pkce, redirectUri }: Attempt,
  scopes: readonly string[],
  responseMode: ResponseMode,
): string {
  const parameters = {
    client_id: clientId,
    response_type: "code",
    redirect_uri: redirectUri,
    scope: scopes.join(" "),
    response_mode: responseMode,
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

/** `form_post` keeps the code out of the browser's history; who has to paste the address needs it there. */
type ResponseMode = "form_post" | "query";

/** The address comes first, so that it is there even when the browser is not. */
async function showAddress(
  person: Person,
  url: (mode: ResponseMode) => string,
  isListening: boolean,
): Promise<void> {
  // it may be opened on another machine, whose browser ends where nothing listens
  const mayBePasted = !isListening || person.canType;
  const shown = url(mayBePasted ? "query" : "form_post");
  person.tell(["To sign in, open this address in a browser:", "", shown, ""]);
  const opened = isListening && await person.openBrowser(url("form_post"));
  if (!isListening) {
    person.tell([
      "The browser ends on a page of the app, or on one that can not be reached.",
      "Paste the address that it shows there, and press Enter:",
    ]);
    return;
  }
  person.tell([
    opened
      ? "A browser should have opened. Waiting for the sign-in."
      : "No browser was opened. Waiting for the sign-in.",
    ...(person.canType
      ? [
        "If the browser runs on another machine, it ends on a page that can not be reached:",
        "then paste the address that it shows there, and press Enter:",
      ]
      : []),
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
    const first = Promise.race([pasted, ...(listener === undefined ? [] : [listener.response])]);
    return await unlessAborted(first, deadline.signal);
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
  // what is piped in may be meant for another program, unless it is asked for
  if (isListening && !person.canType) return await new Promise<never>(() => {});
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
  if (response.kind === "error") {
    const error = authorizationError(response, responseContext(input, host));
    throw response.error === "access_denied" ? declined(error) : error;
  }
  checkIssuer(response.issuer, input);
  const answer = await post(
    {
      url: input.authority.tokenEndpoint,
      form: async () => ({
        grant_type: "authorization_code",
        code: response.code,
        redirect_uri: attempt.redirectUri,
        code_verifier: attempt.pkce.verifier,
        scope: userScopes(input.scopes, input.authority.cloud).scopes.join(" "),
        ...await clientFields(input, host),
      }),
      retryAfter: "unsent",
    },
    input,
    host,
  );
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

/** Who declined was there: nobody has to sign in, somebody has to agree (RFC 6749 §4.1.2.1). */
function declined({ code, detail }: EntraToolError): EntraToolError {
  return new EntraToolError("refused", code, "The sign-in was declined", {
    ...detail,
    hint: "Start again, and accept on the sign-in page",
    isHintExact: true,
  });
}

/** What to change in the registration, where the server's refusal is about that. */
function explained(error: unknown, input: FlowInput, { redirectUri }: Attempt): unknown {
  if (!(error instanceof EntraToolError)) return error;
  const { clientId, credential } = input;
  const authentication =
    `https://entra.microsoft.com, App registrations, ${clientId}, Authentication:`;
  const remedies: Readonly<Record<string, string>> = {
    AADSTS50011: `${authentication}\nadd the redirect URI ${redirectUri}, to the letter, under ${
      credential === undefined ? '"Mobile and desktop applications"' : '"Web"'
    }`,
    AADSTS700025:
      `${authentication}\nmove the redirect URI ${redirectUri} from "Mobile and desktop applications" to "Web", or leave the credential out`,
    AADSTS7000218: input.flow === "InteractiveBrowser"
      ? `${authentication}\nmove the redirect URI from "Web" to "Mobile and desktop applications", or use the web app's own flow with its credential: -f AuthorizationCode`
      : `${authentication}\nthe redirect URI is a web app's, which needs a credential: --client-secret-file PATH or --certificate PATH`,
    AADSTS9002327:
      `${authentication}\nmove the redirect URI ${redirectUri} from "Single-page application" to "Mobile and desktop applications" or "Web"`,
    // such an error ends in the browser: the server does not send it on
    timeout:
      `If the browser shows AADSTS50011, register the redirect URI ${redirectUri}; else allow more time with --timeout 30m`,
  };
  const hint = remedies[error.code];
  if (hint === undefined) return error;
  return new EntraToolError(error.failure, error.code, error.message, {
    ...error.detail,
    hint,
    isHintExact: true,
  });
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
