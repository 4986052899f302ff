/** The random values that tie an authorization response to its request, and their comparison. */

/** Proves, when the code is redeemed, that whoever redeems it also asked for it. */
export interface Pkce {
  /** Secret until the code is redeemed. */
  readonly verifier: string;
  readonly challenge: string;
  readonly method: "S256";
}

/** Random bytes in each value: the 256 bits that RFC 7636 §4.1 recommends, 43 characters as base64url. */
const randomBytes = 32;

/** Makes a code verifier and its challenge. @see RFC 7636 §4.1, §4.2 */
export async function createPkce(): Promise<Pkce> {
  const verifier = randomText();
  return { verifier, challenge: await s256Challenge(verifier), method: "S256" };
}

/** `BASE64URL(SHA256(ASCII(verifier)))`. @see RFC 7636 §4.2 */
export async function s256Challenge(verifier: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  return base64url(new Uint8Array(digest));
}

/** Makes a `state`, which no other site can guess. @see RFC 6749 §10.12, RFC 9700 §4.7 */
export function createState(): string {
  return randomText();
}

/** Makes a `nonce`, which ties the ID token to the request. @see OpenID Connect Core §3.1.2.1 */
export function createNonce(): string {
  return randomText();
}

/** Compares without telling by its duration where the texts differ; only their lengths can be learned. */
export function constantTimeEqual(a: string, b: string): boolean {
  const [left, right] = [new TextEncoder().encode(a), new TextEncoder().encode(b)];
  let difference = left.length ^ right.length;
  for (const [index, byte] of left.entries()) difference |= byte ^ (right[index] ?? 0);
  return difference === 0;
}

function randomText(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(randomBytes)));
}

function base64url(bytes: Uint8Array<ArrayBuffer>): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}
