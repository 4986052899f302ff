/** Identifiers that mean nothing by themselves: random ones, and ones derived from names so that every run has the same. */

/** base64url without padding (RFC 4648 §5). */
export function base64url(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

/** base64url of so many random bytes. */
export function randomId(bytes: number): string {
  return base64url(crypto.getRandomValues(new Uint8Array(bytes)));
}

/** A GUID that is the same in every run for the same names, and another for others. */
export async function derivedGuid(...names: readonly string[]): Promise<string> {
  const hex = (await digestOf(names)).toHex();
  return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, "$1-$2-4$3-8$4-$5");
}

/** A `sub`: the same for one user at one app, another at any other app. */
export async function pairwiseSubject(objectId: string, appId: string): Promise<string> {
  return base64url(await digestOf(["sub", objectId, appId]));
}

async function digestOf(names: readonly string[]): Promise<Uint8Array> {
  const text = new TextEncoder().encode(names.join("/"));
  return new Uint8Array(await crypto.subtle.digest("SHA-256", text));
}
