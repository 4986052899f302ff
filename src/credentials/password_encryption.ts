/**
 * Decryption of keys and certificates with a password: PBES2 (RFC 8018 §6.2), the older scheme of PKCS#12 (RFC 7292
 * appendices B and C), and the MAC of a PFX file in both its forms (RFC 7292 §4, RFC 9579).
 *
 * The ciphers and the PKCS#12 key derivation are node-forge's, because neither WebCrypto nor Deno has RC2; its own PFX
 * reader is not used, because it takes one spelling of the password where two are needed.
 */

import { createHmac, pbkdf2Sync } from "node:crypto";
// @ts-types="@types/node-forge"
import forge from "node-forge";
import { type Asn1, binaryOf, bytesOf, der, integer, octets, oid, parse, parts } from "./asn1.ts";
import {
  type CertificateSource,
  encryptionUnsupported,
  passwordMissing,
  passwordWrong,
  tooManyRounds,
} from "./certificate_source.ts";

/** One password in the two forms that a file may want. */
export interface Spelling {
  /** For the PKCS#12 derivation, which adds UTF-16 encoding and a NUL; null is no password at all, not even the NUL. */
  readonly pkcs12: string | null;
  /** For all else, as a binary string. */
  readonly octets: string;
}

/** Over three times what Firefox asks for of PBKDF2; a damaged file may ask for days. */
const maxRounds = 2_000_000;
/** For the derivation of PKCS#12, which forge does in JavaScript: 30 times what any program asks for, and three seconds. */
const maxPkcs12Rounds = 300_000;

const pbes2 = "1.2.840.113549.1.5.13";
const pbkdf2 = "1.2.840.113549.1.5.12";
const pbmac1 = "1.2.840.113549.1.5.14";

const hmacs: Readonly<Record<string, string>> = {
  "1.2.840.113549.2.7": "sha1",
  "1.2.840.113549.2.8": "sha224",
  "1.2.840.113549.2.9": "sha256",
  "1.2.840.113549.2.10": "sha384",
  "1.2.840.113549.2.11": "sha512",
};

const hashes: Readonly<Record<string, Hash>> = {
  "1.3.14.3.2.26": { name: "sha1", length: 20 },
  "2.16.840.1.101.3.4.2.1": { name: "sha256", length: 32 },
  "2.16.840.1.101.3.4.2.2": { name: "sha384", length: 48 },
  "2.16.840.1.101.3.4.2.3": { name: "sha512", length: 64 },
};

interface Hash {
  readonly name: "sha1" | "sha256" | "sha384" | "sha512";
  readonly length: number;
}

interface Decipher {
  update(input: forge.util.ByteBuffer): void;
  finish(): boolean;
  readonly output: forge.util.ByteBuffer;
}

interface Cipher {
  readonly keyLength: number;
  start(key: string, iv: string): Decipher;
}

function cbc(algorithm: "AES-CBC" | "3DES-CBC", keyLength: number): Cipher {
  return {
    keyLength,
    start(key, iv) {
      const decipher = forge.cipher.createDecipher(algorithm, key);
      decipher.start({ iv });
      return decipher;
    },
  };
}

function rc2(keyLength: number): Cipher {
  return {
    keyLength,
    start(key, iv) {
      const decipher = forge.rc2.createDecryptionCipher(key, keyLength * 8);
      decipher.start(iv);
      return decipher;
    },
  };
}

const pbes2Ciphers: Readonly<Record<string, Cipher>> = {
  "2.16.840.1.101.3.4.1.2": cbc("AES-CBC", 16),
  "2.16.840.1.101.3.4.1.22": cbc("AES-CBC", 24),
  "2.16.840.1.101.3.4.1.42": cbc("AES-CBC", 32),
  "1.2.840.113549.3.7": cbc("3DES-CBC", 24),
};

const pkcs12Ciphers: Readonly<Record<string, Cipher>> = {
  "1.2.840.113549.1.12.1.3": cbc("3DES-CBC", 24),
  "1.2.840.113549.1.12.1.5": rc2(16),
  "1.2.840.113549.1.12.1.6": rc2(5),
};

/**
 * Tries the password in each spelling that the maker of the file may have used, until `open` yields something.
 *
 * @throws EntraToolError usage when no spelling fits
 */
export function unlock<T>(
  source: CertificateSource,
  open: (spelling: Spelling) => T | undefined,
): T {
  for (const spelling of spellings(source.password ?? "")) {
    const opened = open(spelling);
    if (opened !== undefined) return opened;
  }
  throw source.password === undefined ? passwordMissing(source) : passwordWrong(source);
}

function spellings(password: string): Spelling[] {
  // RFC 7292 knows no absent password, but some programs leave even the NUL out.
  if (password === "") return [{ pkcs12: "", octets: "" }, { pkcs12: null, octets: "" }];
  const utf8 = binaryOf(new TextEncoder().encode(password));
  const standard = { pkcs12: password, octets: utf8 };
  if (utf8 === password) return [standard];
  return [
    standard,
    // OpenSSL before 1.1 widened each byte of the UTF-8.
    { pkcs12: utf8, octets: utf8 },
    // OpenSSL in a terminal with a Latin-1 locale.
    // deno-lint-ignore no-control-regex
    ...(/^[\u0000-\u00ff]*$/.test(password) ? [{ pkcs12: password, octets: password }] : []),
  ];
}

/** Decrypts what must be one ASN.1 value; undefined when the spelling does not fit. */
export function decrypt(
  source: CertificateSource,
  algorithm: Asn1 | undefined,
  ciphertext: Asn1 | undefined,
  spelling: Spelling,
): Asn1 | undefined {
  const decipher = startDecipher(source, algorithm, spelling);
  decipher.update(forge.util.createBuffer(octets(ciphertext)));
  try {
    return decipher.finish() ? parse(decipher.output.getBytes()) : undefined;
  } catch {
    // A wrong key can leave padding that looks right, but hardly ever a value.
    return undefined;
  }
}

/** Decrypts an EncryptedPrivateKeyInfo (RFC 5958 §3) into PKCS#8. @throws EntraToolError usage */
export function decryptPrivateKey(
  source: CertificateSource,
  encrypted: Asn1 | Uint8Array,
): Uint8Array {
  const [algorithm, ciphertext] = parts(
    encrypted instanceof Uint8Array ? parse(encrypted) : encrypted,
  );
  return der(unlock(source, (spelling) => decrypt(source, algorithm, ciphertext, spelling)));
}

/** Decrypts a PEM block with a `DEK-Info` header (RFC 1421 §4.6.1.3) into PKCS#1. @throws EntraToolError usage */
export function decryptTraditionalKey(source: CertificateSource, pem: string): Uint8Array {
  const cipher = /^DEK-Info: *([A-Z0-9-]{1,40}),/m.exec(pem)?.[1] ?? "no cipher is named";
  if (!/^(AES-(128|192|256)|DES-EDE3|DES)-CBC$/.test(cipher)) {
    throw encryptionUnsupported(source, cipher);
  }
  return unlock(source, ({ octets }) => {
    try {
      const key = forge.pki.decryptRsaPrivateKey(pem, octets);
      return key === null ? undefined : der(forge.pki.privateKeyToAsn1(key));
    } catch {
      return undefined;
    }
  });
}

/** Whether the MAC of a PFX file is right, and so the spelling of the password. */
export function macFits(
  source: CertificateSource,
  macData: Asn1,
  content: string,
  spelling: Spelling,
): boolean {
  const [digestInfo, salt, rounds] = parts(macData);
  const [algorithm, expected] = parts(digestInfo);
  const [id, parameters] = parts(algorithm);
  const message = bytesOf(content);
  const mac = (hmac: string, key: Uint8Array) =>
    createHmac(hmac, key).update(message).digest("latin1") === octets(expected);
  if (oid(id) === pbmac1) {
    const [derivation, scheme] = parts(parameters);
    const hmac = known(source, hmacs, oid(parts(scheme)[0]));
    return mac(hmac, pbkdf2Key(source, derivation, spelling));
  }
  const hash = known(source, hashes, oid(id));
  const derivation = { salt, rounds, hash: hash.name };
  return mac(hash.name, bytesOf(pkcs12Key(source, derivation, spelling, "mac", hash.length)));
}

function startDecipher(
  source: CertificateSource,
  algorithm: Asn1 | undefined,
  spelling: Spelling,
): Decipher {
  const [id, parameters] = parts(algorithm);
  if (oid(id) === pbes2) {
    const [derivation, scheme] = parts(parameters);
    const [cipherId, iv] = parts(scheme);
    const cipher = known(source, pbes2Ciphers, oid(cipherId));
    const key = pbkdf2Key(source, derivation, spelling, cipher.keyLength);
    return cipher.start(binaryOf(key), octets(iv));
  }
  const cipher = known(source, pkcs12Ciphers, oid(id));
  const [salt, rounds] = parts(parameters);
  const derivation = { salt, rounds, hash: "sha1" } as const;
  return cipher.start(
    pkcs12Key(source, derivation, spelling, "key", cipher.keyLength),
    pkcs12Key(source, derivation, spelling, "iv", 8),
  );
}

/** PBKDF2 (RFC 8018 §5.2) as its parameters say (appendix A.2), which name the length of a MAC's key. */
function pbkdf2Key(
  source: CertificateSource,
  derivation: Asn1 | undefined,
  spelling: Spelling,
  keyLength?: number,
): Uint8Array {
  const [id, parameters] = parts(derivation);
  if (oid(id) !== pbkdf2) throw encryptionUnsupported(source, `algorithm ${oid(id)}`);
  const [salt, rounds, ...optional] = parts(parameters);
  const prf = optional.find((node) => node.constructed);
  return pbkdf2Sync(
    bytesOf(spelling.octets),
    bytesOf(octets(salt)),
    checkedRounds(source, rounds, maxRounds),
    keyLength ?? Math.min(integer(optional[0]), 64),
    prf === undefined ? "sha1" : known(source, hmacs, oid(parts(prf)[0])),
  );
}

/** The diversifier of RFC 7292 appendix B.3. */
const purposes = { key: 1, iv: 2, mac: 3 };

/** The derivation of RFC 7292 appendix B.2. */
function pkcs12Key(
  source: CertificateSource,
  derivation: {
    readonly salt: Asn1 | undefined;
    readonly rounds: Asn1 | undefined;
    readonly hash: Hash["name"];
  },
  spelling: Spelling,
  purpose: keyof typeof purposes,
  length: number,
): string {
  return forge.pkcs12.generateKey(
    spelling.pkcs12,
    forge.util.createBuffer(octets(derivation.salt)),
    purposes[purpose],
    checkedRounds(source, derivation.rounds, maxPkcs12Rounds),
    length,
    forge.md[derivation.hash].create(),
  ).getBytes();
}

function checkedRounds(source: CertificateSource, node: Asn1 | undefined, most: number): number {
  // Only the MAC may leave them out (RFC 7292 §4: DEFAULT 1).
  const rounds = node === undefined ? 1 : integer(node);
  if (rounds > most) throw tooManyRounds(source, rounds, most);
  return rounds;
}

function known<T>(source: CertificateSource, table: Readonly<Record<string, T>>, id: string): T {
  const found = table[id];
  if (found === undefined) throw encryptionUnsupported(source, `algorithm ${id}`);
  return found;
}
