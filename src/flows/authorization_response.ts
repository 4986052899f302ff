/**
 * What comes back from the authorization endpoint, whichever way it came: posted, as a query, or pasted by a person.
 *
 * Nothing in it is believed before its `state` is found to be ours.
 *
 * @see RFC 6749 §4.1.2, RFC 9700 §4.7, OAuth 2.0 Form Post Response Mode §2
 */

import { constantTimeEqual } from "./pkce.ts";

/** The answer to our request. */
export type AuthorizationResponse = AuthorizationCode | AuthorizationError;

export interface AuthorizationCode {
  readonly kind: "code";
  readonly code: string;
  /** Entra's `client_info`, base64url. */
  readonly clientInfo?: string;
  readonly sessionState?: string;
  /** Who says that they issued the code: to be compared with the authority where it is present (RFC 9207 §2.4). */
  readonly issuer?: string;
}

/** A refusal; its texts are the server's and untrusted. */
export interface AuthorizationError {
  readonly kind: "error";
  readonly error: string;
  readonly description?: string;
  readonly suberror?: string;
  /** A claims challenge, to be sent along with the next request. */
  readonly claims?: string;
  readonly traceId?: string;
  readonly correlationId?: string;
  readonly timestamp?: string;
}

/** Anything else: it must not disturb the request that is under way. */
export interface ForeignResponse {
  readonly kind: "foreign";
  /**
   * `state`: missing, wrong or repeated. `malformed`: the right state, but no response that a server may send. `location`: a
   * pasted URL that is not of the redirect URI. `text`: pasted text that is none of what may be pasted.
   */
  readonly reason: "state" | "malformed" | "location" | "text";
}

/** Codes of Entra have 1 to 4 KiB. */
const maxValueLength = 16 * 1024;
/** Only shown to people; what is longer is cut. */
const maxDescriptionLength = 4096;
/** A pasted URL with everything in it. */
const maxPastedLength = 64 * 1024;

/** VSCHAR (RFC 6749 Appendix A.11). */
const visible = /^[\x20-\x7e]+$/;
/** RFC 6749 Appendix A.7. */
const errorName = /^[\x20-\x21\x23-\x5b\x5d-\x7e]{1,200}$/;
/** At least 128 bits in the alphabets of Entra's codes and of other servers'. */
const codeShape = /^[\w.~!*$+/=-]{22,}$/;

/**
 * Reads the parameters of a response.
 *
 * The state is compared in constant time before anything else is looked at. A parameter that occurs twice makes the response
 * malformed (RFC 6749 §3.1), as do a code beside an error, characters that neither may have, and values beyond any
 * sensible size.
 */
export function readAuthorizationResponse(
  parameters: URLSearchParams,
  expectedState: string,
): AuthorizationResponse | ForeignResponse {
  const states = parameters.getAll("state");
  const [state = ""] = states;
  if (!constantTimeEqual(state, expectedState) || states.length !== 1) return foreign("state");
  return readFields(parameters) ?? foreign("malformed");
}

/**
 * Reads what a person pasted: the whole URL that the browser was sent to, its query alone, or the code alone.
 *
 * A code alone carries no state. It is taken all the same, when it looks like one: the person brought it here, and the
 * code verifier protects the redemption from a code that another request obtained (RFC 9700 §2.1.1, §4.5.3.1).
 */
export function readPastedResponse(
  text: string,
  redirectUri: string,
  expectedState: string,
): AuthorizationResponse | ForeignResponse {
  if (text.length > maxPastedLength) return foreign("text");
  const pasted = unwrapped(text);
  if (pasted.includes("://")) {
    const url = URL.parse(pasted);
    const expected = URL.parse(redirectUri);
    if (url === null || expected === null) return foreign("text");
    if (!isSameLocation(url, expected)) return foreign("location");
    // together, so that a parameter in both places counts as repeated
    const parameters = new URLSearchParams(url.hash.slice(1));
    for (const [name, value] of url.searchParams) parameters.append(name, value);
    return readAuthorizationResponse(parameters, expectedState);
  }
  if (/(?:^|[?#&])(?:state|code|error)=/.test(pasted)) {
    const parameters = new URLSearchParams(pasted.replace(/^[^=]*[?#]/, ""));
    return readAuthorizationResponse(parameters, expectedState);
  }
  return codeShape.test(pasted) && pasted.length <= maxValueLength
    ? { kind: "code", code: pasted }
    : foreign("text");
}

function readFields(parameters: URLSearchParams): AuthorizationResponse | undefined {
  const names = [...parameters.keys()];
  if (new Set(names).size !== names.length) return undefined;
  if ([...parameters.values()].some((value) => value.length > maxValueLength)) return undefined;
  const code = parameters.get("code");
  const error = parameters.get("error");
  if (code !== null && error === null && visible.test(code)) {
    return {
      kind: "code",
      code,
      ...optional("clientInfo", parameters.get("client_info")),
      ...optional("sessionState", parameters.get("session_state")),
      ...optional("issuer", parameters.get("iss")),
    };
  }
  if (error !== null && code === null && errorName.test(error)) {
    const description = parameters.get("error_description")?.slice(0, maxDescriptionLength);
    return {
      kind: "error",
      error,
      ...optional("description", description),
      ...optional("suberror", parameters.get("suberror")),
      ...optional("claims", parameters.get("claims")),
      ...optional("traceId", parameters.get("trace_id")),
      ...optional("correlationId", parameters.get("correlation_id")),
      ...optional("timestamp", parameters.get("timestamp")),
    };
  }
  return undefined;
}

/** The member, unless it is missing or empty. */
function optional<Name extends string>(
  name: Name,
  value: string | null | undefined,
): { readonly [name in Name]?: string } {
  return value ? { [name]: value } as { [name in Name]: string } : {};
}

/** Without the line breaks of a terminal that wrapped it, and without quotes or angle brackets around it. */
function unwrapped(text: string): string {
  const line = text.replaceAll(/[\r\n\t]/g, "").trim();
  const [, inner] = /^(?:"(.*)"|'(.*)'|<(.*)>)$/.exec(line)?.filter((part) => part !== undefined) ??
    [];
  return inner ?? line;
}

/** Whether the URLs differ at most in query and fragment; schemes that the URL standard does not know have no `origin`. */
function isSameLocation(url: URL, expected: URL): boolean {
  return url.username === "" && url.password === "" && url.protocol === expected.protocol &&
    url.host === expected.host && url.pathname === expected.pathname;
}

function foreign(reason: ForeignResponse["reason"]): ForeignResponse {
  return { kind: "foreign", reason };
}
