/**
 * The vault's key from a passphrase, by scrypt. Loaded only by `import()`: node:crypto costs start-up time.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7914
 */

import { scrypt } from "node:crypto";
import {
  type CreatedKey,
  type FoundKey,
  type KeyParameters,
  type KeyRefusal,
  vaultKeyBytes,
} from "./vault_key.ts";

interface ScryptParameters {
  /** Base64, 16 random bytes. */
  readonly salt: string;
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

/** 32 MiB and about 0.1 s for each guess. */
const cost = { N: 2 ** 15, r: 8, p: 1 };

/** Derives the key of a new vault, with a salt of its own. */
export async function createPassphraseKey(passphrase: string): Promise<CreatedKey> {
  const salt = crypto.getRandomValues(new Uint8Array(16)).toBase64();
  const parameters = { salt, ...cost };
  return { outcome: "found", key: await derive(passphrase, parameters), parameters };
}

/** Derives the key of the vault that was created with these parameters. */
export async function findPassphraseKey(
  passphrase: string,
  parameters: KeyParameters,
): Promise<FoundKey | KeyRefusal> {
  if (!isScryptParameters(parameters)) {
    return {
      outcome: "foreign",
      message: "The vault was not made with a passphrase",
      hint: "Unset ENTRATOOL_VAULT_PASSPHRASE and set what the vault was made with",
    };
  }
  return { outcome: "found", key: await derive(passphrase, parameters) };
}

function derive(
  passphrase: string,
  { salt, N, r, p }: ScryptParameters,
): Promise<Uint8Array<ArrayBuffer>> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array<ArrayBuffer>>();
  scrypt(
    // One passphrase, one key: keyboards and terminals differ in how they compose an é.
    passphrase.normalize("NFC"),
    Uint8Array.fromBase64(salt),
    vaultKeyBytes,
    { N, r, p, maxmem: 256 * N * r },
    (error, key) => error ? reject(error) : resolve(new Uint8Array(key)),
  );
  return promise;
}

/** Bounds what a damaged or forged vault.json can make this process spend. */
function isScryptParameters(
  parameters: KeyParameters,
): parameters is KeyParameters & ScryptParameters {
  const { salt, N, r, p } = parameters;
  const powersOfTwo = Array.from({ length: 7 }, (_, index) => 2 ** (14 + index));
  return typeof salt === "string" && /^[A-Za-z0-9+/]{22}==$/.test(salt) &&
    powersOfTwo.includes(N as number) &&
    Number.isInteger(r) && r as number >= 1 && r as number <= 16 &&
    Number.isInteger(p) && p as number >= 1 && p as number <= 16;
}
