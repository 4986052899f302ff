/**
 * The authorize endpoint: a person's sign-in, and an authorization code at its end.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-4.1.1
 * @see https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest
 */

import { answerApp, type AnswerTarget } from "./authorize_answer.ts";
import {
  answerTarget,
  type AuthorizeClient,
  type AuthorizeRequest,
  readAuthorizeClient,
  readAuthorizeRequest,
} from "./authorize_request.ts";
import { findUser, type User } from "./directory.ts";
import { errorPage } from "./error_page.ts";
import {
  advance,
  automaticAnswer,
  completeSilently,
  type Goal,
  type Interaction,
} from "./interaction.ts";
import type { Call, Route, Sts } from "./route.ts";
import { browserOf, rememberBrowser, type Session } from "./sessions.ts";
import { isMember } from "./sign_in.ts";
import { StsError, stsErrorBody } from "./sts_error.ts";
import { clientInfoOf, loginHintOf } from "./user_claims.ts";

export const authorizeRoute: Route = {
  endpoint: "authorize",
  methods: ["GET", "POST"],
  path: "/oauth2/v2.0/authorize",
  handle(call, sts) {
    if (call.request.method === "POST") return Promise.resolve(asGet(call));
    const client = readAuthorizeClient(call, sts);
    const request = readAuthorizeRequest(call, client, sts);
    return Promise.resolve(authorize(goalOf(client, request, call, sts), request, call, sts));
  },
  refuse(error, call, sts) {
    // Told to the app only if the app and its redirect URI are beyond doubt (RFC 6749 §4.1.2.1).
    if (error instanceof ShownError) return errorPage(error, call, sts);
    let target: AnswerTarget;
    try {
      target = answerTarget(readAuthorizeClient(call, sts), call);
    } catch (unknown) {
      if (unknown instanceof StsError) return errorPage(error, call, sts);
      throw unknown;
    }
    return answerError(target, error, call, sts);
  },
};

/** An error that is the person's and not the app's: they may choose another account, or turn to somebody. */
class ShownError extends StsError {
  constructor({ code, details, overrides }: StsError) {
    super(code, details, overrides);
  }
}

/**
 * The same request as a GET: browsers send the session's cookie with it, and not with what another site posts.
 */
function asGet(call: Call): Response {
  const parameters = new URLSearchParams([...call.url.searchParams, ...call.form]);
  return new Response(null, {
    status: 303,
    headers: { "Location": `${call.url.pathname}?${parameters}` },
  });
}

function authorize(goal: Goal, request: AuthorizeRequest, call: Call, sts: Sts): Response {
  const { automaticSignIn } = sts;
  if (automaticSignIn !== undefined) {
    return showing(() => automaticAnswer(goal, automaticSignIn, sts));
  }
  const { prompt } = request;
  const browser = browserOf(call, sts);
  const fitting = sts.state.sessions.of(browser, sts.now())
    .filter((session) => fits(session, goal, request));
  const [session, another] = fitting;
  if (prompt === "none") {
    if (session === undefined) throw new StsError(50058);
    if (another !== undefined) throw new StsError(16000);
    return completeSilently(goal, session, sts);
  }
  const usesSessions = prompt !== "login" && prompt !== "create";
  const isSilent = usesSessions && prompt !== "select_account" && fitting.length === 1;
  const hint = hintedUser(request, sts);
  const asksPassword = prompt !== "select_account" && hint?.password !== undefined;
  const interaction: Interaction = {
    goal,
    browser,
    usesSessions,
    confirmed: false,
    consented: false,
    ...(hint === undefined ? {} : { hint }),
    ...(isSilent && session !== undefined ? { session } : {}),
    ...(asksPassword ? { candidate: hint } : {}),
  };
  const flow = sts.state.interactions.issue(interaction);
  return rememberBrowser(showing(() => advance(interaction, flow, sts)), browser, sts);
}

function goalOf(
  { app, tenant, platform, redirectUri }: AuthorizeClient,
  request: AuthorizeRequest,
  call: Call,
  sts: Sts,
): Goal {
  const { target, asked, claims, scope, nonce, challenge } = request;
  return {
    app,
    tenant,
    asked,
    claims,
    platform,
    protocol: "authorization_code",
    alwaysConsent: request.prompt === "consent",
    complete: (signIn) =>
      answerApp(target, {
        code: sts.state.codes.issue({
          signIn,
          redirectUri,
          scope,
          expiresAt: sts.now() + sts.directory.tokenLifetimes.authorizationCode * 1000,
          redeemed: false,
          ...(nonce === undefined ? {} : { nonce }),
          ...(challenge === undefined ? {} : { challenge }),
        }),
        client_info: request.wantsClientInfo ? clientInfoOf(signIn.user) : undefined,
        session_state: signIn.sessionId,
      }),
    refuse: (error) => answerError(target, error, call, sts),
  };
}

function answerError(target: AnswerTarget, error: StsError, call: Call, sts: Sts): Response {
  const { body } = stsErrorBody(error, call.ids, sts.now(), sts.origin);
  const text = (name: string) => body[name] === undefined ? undefined : String(body[name]);
  return answerApp(target, {
    error: text("error"),
    // What Entra adds when the person has cancelled.
    error_subcode: error.code === 65004 ? "cancel" : undefined,
    error_description: text("error_description"),
    error_uri: text("error_uri"),
    suberror: text("suberror"),
    claims: text("claims"),
  });
}

/** Errors on the way of a person who is there are for that person. */
function showing(answer: () => Response): Response {
  try {
    return answer();
  } catch (error) {
    throw error instanceof StsError ? new ShownError(error) : error;
  }
}

/** Whether a user who is signed in may be whom the app asks for. */
function fits(
  { id, user }: Session,
  { tenant }: Goal,
  { loginHint, domainHint, sessionId }: AuthorizeRequest,
): boolean {
  if (typeof tenant !== "string" && !isMember(user, tenant)) return false;
  if (sessionId !== undefined) return id === sessionId;
  if (loginHint !== undefined) return isHinted(user, loginHint);
  // `organizations` and `consumers` are no domains.
  return domainHint === undefined || !domainHint.includes(".") ||
    user.userPrincipalName.toLowerCase().endsWith(`@${domainHint.toLowerCase()}`);
}

function hintedUser({ loginHint }: AuthorizeRequest, sts: Sts): User | undefined {
  if (loginHint === undefined) return undefined;
  return findUser(sts.directory.users, loginHint) ??
    sts.directory.users.find((user) => isHinted(user, loginHint));
}

/** A hint is a user principal name, or the `login_hint` claim of an id_token. */
function isHinted(user: User, hint: string): boolean {
  return user.userPrincipalName.toLowerCase() === hint.toLowerCase() || loginHintOf(user) === hint;
}
