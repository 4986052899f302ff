/**
 * How a client proves who it is at the token endpoint: a secret in the body or by HTTP Basic, or an assertion signed
 * with a registered certificate.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1
 * @see https://www.rfc-editor.org/rfc/rfc7523#section-3
 * @see https://learn.microsoft.com/entra/identity-platform/certificate-credentials
 */

import { createPublicKey } from "node:crypto";
import { compactVerify } from "jose/jws/compact/verify";
import { decodeProtectedHeader } from "jose/decode/protected_header";
import { decodeJwt } from "jose/jwt/decode";
import type { App, Tenant } from "./directory.ts";
import type { RegisteredCertificate } from "./registered_certificate.ts";
import type { Call, Sts } from "./route.ts";
import { StsError } from "./sts_error.ts";

/** Entra's tolerance for clocks that differ, in seconds. */
const clockSkewSeconds = 300;
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/** What a request says about its client, nothing of it checked. */
export interface ClaimedClient {
  readonly clientId?: string;
  readonly secret?: string;
  readonly assertion?: string;
}

/**
 * Reads the client's id and credential from body and headers.
 *
 * @throws StsError 9002313 when they contradict each other or can not be read, 900144 for half an assertion.
 */
export function claimedClient(call: Pick<Call, "request" | "form">): ClaimedClient {
  const basic = basicCredentials(call.request.headers.get("authorization"));
  const clientId = call.form.get("client_id") || basic?.clientId;
  const secret = call.form.get("client_secret") || basic?.secret;
  const assertion = call.form.get("client_assertion") || undefined;
  // RFC 6749 §2.3: one method of authentication in a request, no more.
  if (basic !== undefined && basic.clientId !== clientId) throw new StsError(9002313);
  if (basic !== undefined && call.form.has("client_secret")) throw new StsError(9002313);
  if (secret !== undefined && assertion !== undefined) throw new StsError(9002313);
  if (assertion !== undefined) {
    const type = call.form.get("client_assertion_type");
    if (!type) throw new StsError(900144, { parameter: "client_assertion_type" });
    if (type !== assertionType) throw new StsError(9002313);
  }
  return {
    ...(clientId ? { clientId } : {}),
    ...(secret ? { secret } : {}),
    ...(assertion ? { assertion } : {}),
  };
}

function basicCredentials(
  header: string | null,
): { readonly clientId: string; readonly secret: string } | undefined {
  const encoded = /^basic +([\w+/=-]+)$/i.exec(header ?? "")?.[1];
  if (encoded === undefined) return undefined;
  try {
    const [, id, secret] = /^([^:]*):(.*)$/s.exec(atob(encoded)) ?? [];
    // Both parts are form-urlencoded before they are put together (RFC 6749 §2.3.1).
    return { clientId: formDecode(id ?? ""), secret: formDecode(secret ?? "") };
  } catch {
    throw new StsError(9002313);
  }
}

function formDecode(text: string): string {
  return decodeURIComponent(text.replaceAll("+", " "));
}

/**
 * Checks the credential against the registration; resolves with the kind of credential, if there was one.
 *
 * @throws StsError 7000215, 7000222, 700025 and those of an assertion.
 */
export async function authenticateClient(
  client: ClaimedClient,
  app: App,
  tenant: Tenant,
  sts: Sts,
): Promise<"secret" | "certificate" | "none"> {
  const { secret, assertion } = client;
  if (secret === undefined && assertion === undefined) return "none";
  if (app.publicClient && app.secrets.length === 0 && app.certificates.length === 0) {
    throw new StsError(700025);
  }
  if (assertion !== undefined) {
    await checkAssertion(assertion, app, tenant, sts);
    return "certificate";
  }
  const known = app.secrets.find(({ value }) => value === secret);
  if (known === undefined) throw new StsError(7000215, { app: app.clientId });
  if (known.expires !== undefined && known.expires <= sts.now()) {
    throw new StsError(7000222, { app: app.clientId });
  }
  return "secret";
}

async function checkAssertion(
  assertion: string,
  app: App,
  tenant: Tenant,
  sts: Sts,
): Promise<void> {
  const { header, claims } = decode(assertion);
  if (header.alg !== "PS256" && header.alg !== "RS256") throw new StsError(5002730);

  const certificate = await findCertificate(header, app);
  const key = createPublicKey(certificate.pem);
  await compactVerify(assertion, key, { algorithms: [header.alg] }).catch(() => {
    throw unusableKey(
      "The provided signature value did not match the expected signature value.",
      certificate.x5t,
      app,
    );
  });
  const now = Math.floor(sts.now() / 1000);
  if (certificate.validTo <= sts.now()) {
    throw unusableKey("The key used is expired.", certificate.x5t, app);
  }
  // Entra reads one audience only and takes a list for a malformed token.
  if (typeof claims.aud !== "string") throw new StsError(50027);
  if (claims.iss !== app.clientId || claims.sub !== app.clientId) throw new StsError(700021);
  if (!acceptedAudiences(tenant, sts).includes(claims.aud.toLowerCase())) {
    throw new StsError(700023);
  }
  // MSAL .NET writes both as strings.
  const notBefore = claims.nbf === undefined ? 0 : Number(claims.nbf);
  const expires = Number(claims.exp);
  if (Number.isNaN(notBefore) || Number.isNaN(expires)) throw new StsError(50027);
  if (now < notBefore - clockSkewSeconds || now >= expires + clockSkewSeconds) {
    throw new StsError(700024, {
      now: utc(now),
      notBefore: utc(notBefore),
      expires: utc(expires),
    });
  }
}

interface AssertionClaims {
  readonly iss?: unknown;
  readonly sub?: unknown;
  readonly aud?: unknown;
  readonly nbf?: unknown;
  readonly exp?: unknown;
}

function decode(assertion: string): {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: AssertionClaims;
} {
  try {
    return { header: { ...decodeProtectedHeader(assertion) }, claims: decodeJwt(assertion) };
  } catch {
    throw new StsError(50027);
  }
}

/** The registered certificate that the header names, by thumbprint or by the certificate itself. */
async function findCertificate(
  header: Readonly<Record<string, unknown>>,
  app: App,
): Promise<RegisteredCertificate> {
  const sha256 = header["x5t#S256"] ?? await thumbprintOfChain(header.x5c);
  const found = app.certificates.find((certificate) =>
    sha256 === undefined ? certificate.x5t === header.x5t : certificate.x5tS256 === sha256
  );
  if (found !== undefined) return found;
  throw unusableKey("The key was not found.", sha256 ?? header.x5t, app);
}

/** SHA-256 of the first certificate of `x5c`: an array, or with MSAL .NET a string. */
async function thumbprintOfChain(x5c: unknown): Promise<string | undefined> {
  const leaf: unknown = Array.isArray(x5c) ? x5c[0] : x5c;
  if (typeof leaf !== "string") return undefined;
  try {
    const digest = await crypto.subtle.digest("SHA-256", Uint8Array.fromBase64(leaf));
    return new Uint8Array(digest).toBase64({ alphabet: "base64url", omitPadding: true });
  } catch {
    throw new StsError(50027);
  }
}

/** Entra takes the token endpoint or the issuer, with the tenant's id or any of its domains. */
function acceptedAudiences(tenant: Tenant, sts: Sts): readonly string[] {
  return [tenant.id, ...tenant.domains].flatMap((name) => [
    `${sts.origin}/${name}/oauth2/v2.0/token`,
    `${sts.origin}/${name}/v2.0`,
  ]);
}

function unusableKey(reason: string, thumbprint: unknown, app: App): StsError {
  const shown = typeof thumbprint === "string" ? hexOf(thumbprint) : undefined;
  const key = shown === undefined ? "" : ` Thumbprint of key used by client: '${shown}',`;
  return new StsError(700027, { reason: `${reason},${key}`, app: app.clientId });
}

/** Entra shows thumbprints as upper-case hexadecimal digits. */
function hexOf(thumbprint: string): string | undefined {
  try {
    return Uint8Array.fromBase64(thumbprint, { alphabet: "base64url" }).toHex().toUpperCase();
  } catch {
    return undefined;
  }
}

/** `2026-11-22T17:30:34.0000000Z`, as Entra writes it here; the bounds of what a date can be are kept. */
function utc(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime())
    ? "unknown"
    : date.toISOString().replace(/\.\d+Z$/, ".0000000Z");
}
