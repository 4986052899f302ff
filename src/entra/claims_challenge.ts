/** Claims requests, in the forms in which resources and servers hand them out. */

import { EntraToolError } from "../errors.ts";

/**
 * Reads what people paste behind `--claims`: JSON, base64 or base64url of it, or a whole `WWW-Authenticate` header.
 *
 * @returns the claims request (OIDC Core §5.5) as compact JSON
 * @throws EntraToolError usage when it is none of them
 * @see https://learn.microsoft.com/entra/identity-platform/claims-challenge
 */
export function parseClaims(text: string): string {
  const whole = parseObject(text);
  if (whole !== undefined) return JSON.stringify(whole);
  const parameter = /(?:^|[\s,])claims\s*=\s*(?:"([^"]*)"|([^\s,]+))/i.exec(text);
  const value = (parameter?.[1] ?? parameter?.[2] ?? text).trim();
  const claims = parseObject(value) ?? parseObject(decodeBase64(value));
  if (claims !== undefined) return JSON.stringify(claims);
  throw new EntraToolError(
    "usage",
    "claims_invalid",
    parameter === null && /^(?:www-authenticate:|bearer\s)/i.test(text.trim())
      ? "The WWW-Authenticate header holds no claims"
      : "The claims can not be read: they are neither JSON, nor base64 of JSON, nor a WWW-Authenticate header",
    {
      hint:
        "Pass the header as the API sent it, in single quotes: --claims 'Bearer …, claims=\"…\"'",
    },
  );
}

/**
 * Two claims requests in one. Where they differ in a value, the second one's counts; lists of values are united.
 *
 * @param first, second JSON; what is not an object of it is left out
 */
export function mergeClaims(first: string, second: string): string {
  return JSON.stringify(merged(parseObject(first) ?? {}, parseObject(second) ?? {}));
}

function merged(first: unknown, second: unknown): unknown {
  if (Array.isArray(first) && Array.isArray(second)) return [...new Set([...first, ...second])];
  if (!isObject(first) || !isObject(second)) return second ?? first;
  const names = [...new Set([...Object.keys(first), ...Object.keys(second)])];
  return Object.fromEntries(names.map((name) => [name, merged(first[name], second[name])]));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parseObject(text: string | undefined): object | undefined {
  try {
    const value: unknown = JSON.parse(text ?? "");
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function decodeBase64(text: string): string | undefined {
  try {
    const bytes = Uint8Array.fromBase64(text.replaceAll("-", "+").replaceAll("_", "/"));
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
