/**
 * The bytes of one vault entry. Owns the format and its cryptography; knows no files.
 *
 *     magic "ETV", version 1 | nonce, 12 bytes | AES-256-GCM of {"name", "value"} as JSON, with its tag of 16 bytes
 *
 * The header and the entry's id are additional data: neither can be altered, nor an entry put in another's place.
 */

/** What an entry holds. */
export interface Entry {
  readonly name: string;
  /** Whatever JSON can hold. */
  readonly value: unknown;
}

const header = new Uint8Array([0x45, 0x54, 0x56, 1]);
const nonceBytes = 12;

/** The id of the entry with this name: 64 hexadecimal digits, which tell nothing about the name. */
export async function entryId(name: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(name));
  return new Uint8Array(digest).toHex();
}

/** Prepares the vault's key for {@link sealEntry} and {@link unsealEntry}. */
export function importEntryKey(key: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", key, "AES-GCM", false, ["encrypt", "decrypt"]);
}

/** Encrypts the entry under its id, with a nonce of its own. */
export async function sealEntry(
  key: CryptoKey,
  id: string,
  entry: Entry,
): Promise<Uint8Array<ArrayBuffer>> {
  const nonce = crypto.getRandomValues(new Uint8Array(nonceBytes));
  const plaintext = new TextEncoder().encode(JSON.stringify(entry));
  const ciphertext = await crypto.subtle.encrypt(algorithm(nonce, id), key, plaintext);
  const sealed = new Uint8Array(header.length + nonceBytes + ciphertext.byteLength);
  sealed.set(header);
  sealed.set(nonce, header.length);
  sealed.set(new Uint8Array(ciphertext), header.length + nonceBytes);
  return sealed;
}

/** Decrypts an entry; undefined when these bytes are not exactly what was sealed with this key under this id. */
export async function unsealEntry(
  key: CryptoKey,
  id: string,
  sealed: Uint8Array<ArrayBuffer>,
): Promise<Entry | undefined> {
  if (header.some((byte, index) => sealed[index] !== byte)) return undefined;
  const nonce = sealed.subarray(header.length, header.length + nonceBytes);
  const ciphertext = sealed.subarray(header.length + nonceBytes);
  try {
    const plaintext = await crypto.subtle.decrypt(algorithm(nonce, id), key, ciphertext);
    return JSON.parse(new TextDecoder().decode(plaintext)) as Entry;
  } catch {
    return undefined;
  }
}

function algorithm(iv: Uint8Array<ArrayBuffer>, id: string): AesGcmParams {
  const additionalData = new Uint8Array([...header, ...Uint8Array.fromHex(id)]);
  return { name: "AES-GCM", iv, additionalData };
}
