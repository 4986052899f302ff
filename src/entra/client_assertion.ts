/** Client assertions: the signed statement with which a certificate takes the place of a client secret. */

import { createHash, type KeyObject } from "node:crypto";
import { SignJWT } from "jose/jwt/sign";
import type { AssertionAlgorithm } from "../names.ts";

/** How long an assertion is good for, in seconds: Entra advises five to ten minutes. */
const lifetime = 600;

export interface ClientAssertionInput {
  readonly clientId: string;
  /** The token endpoint's URL. */
  readonly audience: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** RSA, 2048 bits or more. */
  readonly privateKey: KeyObject;
  /** DER: the certificate of the key first, then its issuers. */
  readonly certificates: readonly [leaf: Uint8Array, ...issuers: Uint8Array[]];
  /** PS256 is what Entra recommends; RS256 is for keys in hardware that can not do RSA-PSS, and for old authorities. */
  readonly algorithm: AssertionAlgorithm;
  /** Sends the certificates along, which trust by subject name and issuer needs. */
  readonly x5c: boolean;
}

/**
 * Signs an assertion of the client's identity, a compact JWT (RFC 7523 §3).
 *
 * The certificate is named by `x5t#S256`, or, with RS256, by the SHA-1 `x5t` (RFC 7515 §4.1.7, §4.1.8): the pairs that
 * Entra's documentation and libraries use.
 *
 * @see https://learn.microsoft.com/entra/identity-platform/certificate-credentials
 */
export function clientAssertion(input: ClientAssertionInput): Promise<string> {
  const { algorithm, certificates, clientId } = input;
  const [leaf] = certificates;
  const now = Math.floor(input.now / 1000);
  return new SignJWT({ jti: crypto.randomUUID() })
    .setProtectedHeader({
      alg: algorithm,
      typ: "JWT",
      ...(algorithm === "PS256"
        ? { "x5t#S256": createHash("sha256").update(leaf).digest("base64url") }
        : { x5t: createHash("sha1").update(leaf).digest("base64url") }),
      ...(input.x5c && { x5c: certificates.map((der) => der.toBase64()) }),
    })
    .setAudience(input.audience)
    .setIssuer(clientId)
    .setSubject(clientId)
    .setIssuedAt(now)
    .setNotBefore(now)
    .setExpirationTime(now + lifetime)
    .sign(input.privateKey);
}
