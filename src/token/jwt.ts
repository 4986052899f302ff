/**
 * Reads what a JWT says of itself. Nothing here verifies a signature: use it to show a token, to notice a mistake, never to
 * trust.
 */

export interface DecodedJwt {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** Decodes base64url without padding (RFC 7515 §2); undefined when the text is anything else. */
function decodeBase64Url(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) return undefined;
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return Uint8Array.from(binary, (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}

function decodeObject(part: string): Readonly<Record<string, unknown>> | undefined {
  const bytes = decodeBase64Url(part);
  if (bytes === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? value as Record<string, unknown> : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Decodes a signed JWT in compact form (RFC 7519 §3, RFC 7515 §7.1); undefined when the text is not one.
 *
 * Access tokens may be opaque to the client, and some are: undefined is an answer, not a failure.
 */
export function decodeJwt(token: string): DecodedJwt | undefined {
  const parts = token.split(".");
  const [headerPart, claimsPart, signature] = parts;
  if (parts.length !== 3 || headerPart === undefined || claimsPart === undefined) return undefined;
  if (signature === undefined || decodeBase64Url(signature) === undefined) return undefined;
  const header = decodeObject(headerPart);
  const claims = decodeObject(claimsPart);
  return header === undefined || claims === undefined ? undefined : { header, claims };
}

/** The claim as a string; undefined when it is absent or of another type. */
export function stringClaim(
  claims: Readonly<Record<string, unknown>>,
  name: string,
): string | undefined {
  const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
  return typeof value === "string" ? value : undefined;
}

/** A NumericDate claim (RFC 7519 §2), Unix seconds; undefined when it is absent, of another type or not a date. */
export function timeClaim(
  claims: Readonly<Record<string, unknown>>,
  name: string,
): number | undefined {
  const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
  return typeof value === "number" && Math.abs(value) <= 8.64e12 ? value : undefined;
}
