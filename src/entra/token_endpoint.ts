/** The token endpoint as OAuth sees it: what a successful answer must hold, and what a refusal means. */

import { EntraToolError, type Failure, type FailureDetail } from "../errors.ts";
import { decodeJwt, timeClaim } from "../token/jwt.ts";
import { parseScopeList } from "../token/scope_list.ts";
import { excerpt, shortExcerpt } from "./excerpt.ts";
import { aadstsEntries, nextStepCommand, type NextStepContext } from "./aadsts.ts";
import type { Answer } from "./transport.ts";

/** A successful token response (RFC 6749 §5.1 and Entra's additions), checked. */
export interface TokenResponse {
  readonly accessToken: string;
  /** Seconds. */
  readonly expiresIn: number;
  /** Seconds until the server would like to be asked again. */
  readonly refreshIn: number | undefined;
  /** Undefined when the server did not say: then they are those asked for. */
  readonly scopes: readonly string[] | undefined;
  readonly refreshToken: string | undefined;
  readonly idToken: string | undefined;
  /** The person's home account; only when `client_info=1` was asked for. */
  readonly clientInfo: ClientInfo | undefined;
}

/** `client_info`: who the person is, whatever tenant issued the token. */
export interface ClientInfo {
  readonly uid: string;
  readonly utid: string;
}

/** What the error messages name. */
export interface ResponseContext extends NextStepContext {
  readonly host: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** No access token lives longer; a larger number is a mistake of the server's. */
const longestLife = 366 * 24 * 3600;

/**
 * Reads the answer to a token request.
 *
 * @throws EntraToolError refused or interaction when the server says no; network when the answer is no token response at
 *   all (a captive portal, a broken server)
 */
export function readTokenResponse(answer: Answer, context: ResponseContext): TokenResponse {
  const fields = readJsonResponse(answer, context);
  const tokenType = requiredString(fields, "token_type", answer, context);
  if (tokenType.toLowerCase() !== "bearer") {
    throw invalidField("token_type", `is "${excerpt(tokenType)}", not Bearer`, answer, context);
  }
  return {
    accessToken: requiredString(fields, "access_token", answer, context),
    expiresIn: lifetime(fields, answer, context),
    refreshIn: seconds(fields.refresh_in),
    scopes: typeof fields.scope === "string" && fields.scope.trim() !== ""
      ? parseScopeList([fields.scope])
      : undefined,
    refreshToken: optionalString(fields.refresh_token),
    idToken: optionalString(fields.id_token),
    clientInfo: readClientInfo(fields.client_info),
  };
}

/**
 * Reads the fields of a successful answer of any of Entra's OAuth endpoints.
 *
 * @throws EntraToolError as {@link readTokenResponse}
 */
export function readJsonResponse(
  answer: Answer,
  context: ResponseContext,
): Readonly<Record<string, unknown>> {
  const fields = parseObject(answer.body);
  if (fields !== undefined && typeof fields.error === "string") {
    throw tokenError(answer, fields, fields.error, context);
  }
  if (fields === undefined || answer.status !== 200) throw unreadable(answer, context);
  return fields;
}

function readClientInfo(value: unknown): ClientInfo | undefined {
  if (typeof value !== "string") return undefined;
  try {
    const text = new TextDecoder().decode(Uint8Array.fromBase64(value, { alphabet: "base64url" }));
    const { uid, utid } = parseObject(text) ?? {};
    return typeof uid === "string" && typeof utid === "string" ? { uid, utid } : undefined;
  } catch {
    return undefined;
  }
}

function parseObject(body: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(body);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? value as Record<string, unknown> : undefined;
  } catch {
    return undefined;
  }
}

const optionalString = (value: unknown) =>
  typeof value === "string" && value !== "" ? value : undefined;

/** A number of seconds, which some servers write as a string. */
function seconds(value: unknown): number | undefined {
  const number = typeof value === "string" && /^\d{1,12}$/.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) && number >= 1 &&
      number <= longestLife
    ? Math.floor(number)
    : undefined;
}

function lifetime(
  fields: Readonly<Record<string, unknown>>,
  answer: Answer,
  context: ResponseContext,
): number {
  if (fields.expires_in !== undefined) {
    const value = seconds(fields.expires_in);
    if (value !== undefined) return value;
    throw invalidField("expires_in", "is not a sensible number of seconds", answer, context);
  }
  // RFC 6749 only recommends the field; the token itself may tell
  const token = optionalString(fields.access_token);
  const claims = token === undefined ? undefined : decodeJwt(token)?.claims;
  const expiry = claims === undefined ? undefined : timeClaim(claims, "exp");
  const rest = expiry === undefined ? undefined : seconds(expiry - context.now / 1000);
  if (rest !== undefined) return rest;
  throw invalidField("expires_in", "is missing", answer, context);
}

function requiredString(
  fields: Readonly<Record<string, unknown>>,
  name: string,
  answer: Answer,
  context: ResponseContext,
): string {
  const value = optionalString(fields[name]);
  if (value === undefined) throw invalidField(name, "is missing or not a string", answer, context);
  // a line break would split a header or a variable into two
  if (!/^[\u0021-\u007e]+$/.test(value)) {
    throw invalidField(name, "has characters that no token has", answer, context);
  }
  return value;
}

function invalidField(
  name: string,
  what: string,
  answer: Answer,
  context: ResponseContext,
): EntraToolError {
  return new EntraToolError(
    "network",
    "token_response_invalid",
    `The token response of ${context.host} is not usable: ${name} ${what}`,
    {
      ...ids(answer, {}),
      hint: "Run the command again with --verbose to see the response without its secrets",
    },
  );
}

function unreadable(answer: Answer, context: ResponseContext): EntraToolError {
  const start = excerpt(withoutTokens(answer.body.trim()), 120);
  const kind = shortExcerpt(answer.contentType.split(";")[0] || "no content type");
  const shown = start === "" ? "an empty body" : `${kind}: ${start}`;
  if (answer.status === 429) return throttled(answer, context, undefined);
  return new EntraToolError(
    "network",
    answer.status >= 500 ? "server_error" : "response_not_json",
    `${context.host} answered ${answer.status} without a token response`,
    {
      ...ids(answer, {}),
      serverText: shown,
      hint: answer.status >= 500
        ? laterHint(answer, tryLater)
        : "Look for a proxy, a captive portal or a wrong authority between here and there",
    },
  );
}

function throttled(
  answer: Answer,
  context: ResponseContext,
  serverText: string | undefined,
): EntraToolError {
  return new EntraToolError(
    "network",
    "throttled",
    `${context.host} says there were too many requests`,
    {
      ...ids(answer, {}),
      ...(serverText === undefined ? {} : { serverText }),
      hint: laterHint(answer, "Wait a minute, and do not pass --force or --no-cache in a loop"),
    },
  );
}

/** How long to wait, if the server said so. */
function laterHint(answer: Answer, otherwise: string): string {
  if (answer.retryAfter === undefined) return otherwise;
  const seconds = Math.ceil(answer.retryAfter / 1000);
  const wait = `The server asks to wait ${seconds} seconds`;
  // somebody may wait for minutes at a prompt, nobody for hours
  return seconds <= 3600
    ? `${wait}: wait, or let the command wait with --timeout ${seconds + 60}s`
    : wait;
}

/** What is not JSON of the right kind may hold tokens all the same, whole or broken off. */
function withoutTokens(body: string): string {
  return body.replaceAll(/(_token"\s*:\s*")[^"]*/g, "$1[redacted]");
}

function ids(answer: Answer, fields: Readonly<Record<string, unknown>>) {
  const correlationId = optionalString(fields.correlation_id) ?? answer.correlationId;
  const traceId = optionalString(fields.trace_id) ?? answer.requestId;
  const timestamp = optionalString(fields.timestamp);
  return {
    correlationId: shortExcerpt(correlationId),
    ...(traceId === undefined ? {} : { traceId: shortExcerpt(traceId) }),
    ...(timestamp === undefined ? {} : { timestamp: shortExcerpt(timestamp) }),
  };
}

/** `error` values that say that a person has to take part (OIDC Core §3.1.2.6, Entra). */
const interactionErrors: readonly string[] = [
  "interaction_required",
  "login_required",
  "consent_required",
];
/** `error` values that say that the server, not the request, is at fault (RFC 6749 §4.1.2.1). */
const serverErrors: readonly string[] = ["server_error", "temporarily_unavailable"];
/** AADSTS90033, "a transient error has occurred": it comes with any `error`, and with 400 as well as 503. */
const transientCode = 90033;

/** Whether an answer says that the server has a passing problem, whatever its HTTP status says. */
export function isServersHiccup({ body }: Answer): boolean {
  const fields = parseObject(body);
  if (typeof fields?.error !== "string") return false;
  return isServersFault(fields.error, aadstsCode(fields, optionalString(fields.error_description)));
}

function isServersFault(error: string, code: number | undefined): boolean {
  return serverErrors.includes(error) || code === transientCode;
}

const tryLater = "The service has a problem: try again later";

/** An error response (RFC 6749 §5.2 and Entra's additions) as one error of ours. */
function tokenError(
  answer: Answer,
  fields: Readonly<Record<string, unknown>>,
  error: string,
  context: ResponseContext,
): EntraToolError {
  const description = optionalString(fields.error_description);
  if (answer.status === 429) return throttled(answer, context, withoutIds(description));
  return oauthFailure(
    fields,
    error,
    description,
    context,
    answer.status >= 500 || answer.status === 408,
    { ...ids(answer, fields), hint: laterHint(answer, tryLater) },
  );
}

/** The ids that Entra appends are shown on lines of their own. */
function withoutIds(description: string | undefined): string | undefined {
  const own = description?.split(/\s*(?:Trace ID:|\r?\n)/)[0];
  return own && excerpt(own);
}

/** An error that came back by the redirect (RFC 6749 §4.1.2.1, and Entra's additions). */
export interface AuthorizationFailure {
  readonly error: string;
  readonly description?: string;
  readonly suberror?: string;
  readonly claims?: string;
  readonly traceId?: string;
  readonly correlationId?: string;
  readonly timestamp?: string;
}

/** An error of the authorization endpoint as one error of ours. */
export function authorizationError(
  response: AuthorizationFailure,
  context: ResponseContext,
): EntraToolError {
  const { error, description, suberror, claims, traceId, correlationId, timestamp } = response;
  return oauthFailure({ suberror, claims }, error, description, context, false, {
    hint: tryLater,
    ...(traceId === undefined ? {} : { traceId: shortExcerpt(traceId) }),
    ...(correlationId === undefined ? {} : { correlationId: shortExcerpt(correlationId) }),
    ...(timestamp === undefined ? {} : { timestamp: shortExcerpt(timestamp) }),
  });
}

/**
 * One error from what OAuth's two endpoints say in the same words.
 *
 * @param base the ids, and the hint for when the server is at fault
 */
function oauthFailure(
  fields: Readonly<Record<string, unknown>>,
  error: string,
  description: string | undefined,
  context: ResponseContext,
  isServerFault: boolean,
  base: FailureDetail,
): EntraToolError {
  const serverText = withoutIds(description);
  const suberror = optionalString(fields.suberror);
  const claims = optionalString(fields.claims);
  const code = aadstsCode(fields, description);
  const known = code === undefined ? undefined : aadstsEntries[code];
  const needsPerson = interactionErrors.includes(error) || known?.interaction === true;
  const failure: Failure = isServersFault(error, code) || isServerFault
    ? "network"
    : needsPerson
    ? "interaction"
    : "refused";
  const name = code === undefined ? excerpt(error) : `AADSTS${code}`;
  const cause = known?.cause ??
    `${context.host} ${failure === "network" ? "has a problem" : "refused the request"}`;
  const hint = failure === "network"
    ? base.hint
    : known?.next === undefined
    ? known?.remedy
    : `${known.remedy}\n${nextStepCommand(known.next, context)}`;
  const { hint: _, ...ids } = base;
  return new EntraToolError(failure, name, `${cause} (${name})`, {
    ...ids,
    oauth: {
      error,
      ...(suberror === undefined ? {} : { suberror }),
      ...(claims === undefined ? {} : { claims }),
    },
    ...(serverText === undefined ? {} : { serverText }),
    ...(hint === undefined ? {} : { hint }),
  });
}

function aadstsCode(
  fields: Readonly<Record<string, unknown>>,
  description: string | undefined,
): number | undefined {
  const listed: unknown = Array.isArray(fields.error_codes) ? fields.error_codes[0] : undefined;
  if (typeof listed === "number" && Number.isSafeInteger(listed) && listed > 0) return listed;
  const match = description?.match(/AADSTS(\d{4,9})/);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}
