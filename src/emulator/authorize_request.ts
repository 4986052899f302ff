/**
 * Reads and checks an authorize request.
 *
 * In two parts, because what is wrong with client or redirect URI must never be told to the redirect URI, and what is
 * wrong with the rest is.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1
 * @see https://www.rfc-editor.org/rfc/rfc7636#section-4.3
 * @see https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow
 */

import { type AnswerTarget, type ResponseMode, responseModes } from "./authorize_answer.ts";
import type { CodeChallenge } from "./authorization_code_grant.ts";
import { readClaims, type RequestedClaims } from "./claims_parameter.ts";
import { type App, type Platform, platforms, type Tenant } from "./directory.ts";
import { findAppAt } from "./grant.ts";
import { requiredParameter, requireSingleValues } from "./parameters.ts";
import { platformOf } from "./redirect_uris.ts";
import { type Call, resolveTenant, type Sts, type TenantAlias } from "./route.ts";
import { type AskedScopes, readScopes } from "./scopes.ts";
import { StsError } from "./sts_error.ts";

/** Who asks, and where the answer goes. */
export interface AuthorizeClient {
  readonly tenant: Tenant | TenantAlias;
  readonly app: App;
  readonly platform: Platform;
  /** As the request spelled it. */
  readonly redirectUri: string;
}

const prompts = ["login", "none", "consent", "select_account", "create"] as const;
export type Prompt = typeof prompts[number];

export interface AuthorizeRequest {
  readonly target: AnswerTarget;
  readonly scope: string;
  readonly asked: AskedScopes;
  readonly claims: RequestedClaims;
  readonly nonce?: string;
  readonly challenge?: CodeChallenge;
  readonly prompt?: Prompt;
  readonly loginHint?: string;
  readonly domainHint?: string;
  /** A session's id: of several users who are signed in, this one. */
  readonly sessionId?: string;
  readonly wantsClientInfo: boolean;
}

/**
 * Reads the client and its redirect URI.
 *
 * @throws StsError that must be shown to the person: 900144, 700016, 50011 and the like.
 */
export function readAuthorizeClient(call: Call, sts: Sts): AuthorizeClient {
  const { searchParams } = call.url;
  const tenant = resolveTenant(call, sts);
  requireSingleValues(searchParams);
  const app = findAppAt(requiredParameter(searchParams, "client_id"), tenant, sts);
  const registered = platforms.flatMap((platform) => app.redirectUris[platform]);
  if (registered.length === 0) throw new StsError(500113);
  // Without one, Entra goes to the first that is registered.
  const redirectUri = searchParams.get("redirect_uri") || registered[0]!;
  if (!URL.canParse(redirectUri)) throw new StsError(90102);
  const platform = platformOf(redirectUri, app);
  if (platform === undefined) throw new StsError(50011, { redirectUri, app: app.clientId });
  return { tenant, app, platform, redirectUri };
}

/** Where the answer to a client goes, even when the rest of its request is wrong. */
export function answerTarget({ redirectUri }: AuthorizeClient, call: Call): AnswerTarget {
  const { searchParams } = call.url;
  const state = searchParams.get("state");
  return {
    redirectUri,
    responseMode: responseModes.find((mode) => mode === searchParams.get("response_mode")) ??
      "query",
    ...(state === null ? {} : { state }),
  };
}

/**
 * Reads everything else.
 *
 * @throws StsError that is told to the app.
 */
export function readAuthorizeRequest(
  call: Call,
  client: AuthorizeClient,
  sts: Sts,
): AuthorizeRequest {
  const { searchParams } = call.url;
  const { app, tenant, platform } = client;
  requireCode(requiredParameter(searchParams, "response_type"));
  const responseMode = searchParams.get("response_mode");
  if (responseMode && !responseModes.includes(responseMode as ResponseMode)) {
    throw new StsError(70007, { responseMode });
  }
  const scope = requiredParameter(searchParams, "scope");
  const name = typeof tenant === "string" ? tenant : tenant.name;
  const asked = readScopes(scope, app, { name }, sts.directory.resources);
  const challenge = readChallenge(searchParams);
  if (platform === "spa" && challenge === undefined) throw new StsError(9002325);
  const prompt = readPrompt(searchParams.get("prompt"));
  const text = (parameter: string, member: string) => {
    const value = searchParams.get(parameter);
    return value ? { [member]: value } : {};
  };
  return {
    target: answerTarget(client, call),
    scope,
    asked,
    claims: readClaims(searchParams.get("claims")),
    ...(challenge === undefined ? {} : { challenge }),
    ...(prompt === undefined ? {} : { prompt }),
    ...text("nonce", "nonce"),
    ...text("login_hint", "loginHint"),
    ...text("domain_hint", "domainHint"),
    ...text("sid", "sessionId"),
    wantsClientInfo: searchParams.get("client_info") === "1",
  };
}

/** The implicit grants are off, as in every new registration. */
function requireCode(responseType: string): void {
  const asked = responseType.split(" ").filter((part) => part !== "");
  if (asked.some((part) => !["code", "id_token", "token"].includes(part))) {
    throw new StsError(70005, { responseType });
  }
  if (asked.includes("token")) throw new StsError(700051);
  if (asked.includes("id_token")) throw new StsError(700054);
}

/** RFC 7636 §4.2, §4.3: 43 to 128 characters; without a method it is the verifier itself. */
function readChallenge(parameters: URLSearchParams): CodeChallenge | undefined {
  const challenge = parameters.get("code_challenge");
  const asked = parameters.get("code_challenge_method");
  const method = asked === "S256" || asked === "plain" ? asked : undefined;
  if (asked && method === undefined) throw new StsError(50149);
  if (!challenge && !asked) return undefined;
  if (!challenge || !/^[\w.~-]{43,128}$/.test(challenge)) throw new StsError(50147);
  return { challenge, method: method ?? "plain" };
}

function readPrompt(asked: string | null): Prompt | undefined {
  if (!asked) return undefined;
  const prompt = prompts.find((known) => known === asked);
  if (prompt === undefined) throw new StsError(90023, { parameter: "prompt" });
  return prompt;
}
