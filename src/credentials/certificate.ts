/**
 * The certificate as a credential: finds out what a file holds, which certificate belongs to the key and whether it can
 * be used now, and signs client assertions with it. The formats themselves are in `pem.ts` and `pfx.ts`.
 */

import { Buffer } from "node:buffer";
import { createHash, createPrivateKey, type KeyObject, verify, X509Certificate } from "node:crypto";
import { EntraToolError } from "../errors.ts";
import { clientAssertion } from "../entra/client_assertion.ts";
import type { AssertionAlgorithm } from "../names.ts";
import { printable } from "../output/printable.ts";
import {
  type CertificateMaterial,
  certificateMissing,
  type CertificateSource,
  type EncodedKey,
  expired,
  keyMismatch,
  keyMissing,
  keyTooSmall,
  keyUnsupported,
  minimumKeyBits,
  notYetValid,
  unreadable,
} from "./certificate_source.ts";
import type { ClientCredential } from "./credential.ts";

/** No certificate with all its issuers comes near; a wrong path may lead to anything. */
const maxBytes = 1024 * 1024;

/** A certificate that can be used now, with its private key. */
export interface OpenedCertificate {
  /** DER: the certificate first, then those of its issuers that the file holds, each issued by the next. */
  readonly certificates: readonly [leaf: Uint8Array, ...issuers: Uint8Array[]];
  /** RSA; shows nothing of itself when it is printed. */
  readonly privateKey: KeyObject;
  /** In one line; what could act on a terminal is escaped. */
  readonly subject: string;
  /** Milliseconds since the epoch, as `notAfter`. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Upper-case hex without colons, as the Azure portal shows them. */
  readonly thumbprints: { readonly sha1: string; readonly sha256: string };
}

export interface CertificateCredentialInput {
  readonly clientId: string;
  /** The content of the file. */
  readonly file: Uint8Array;
  readonly password: string | undefined;
  /** What messages call the file: its path. */
  readonly label: string;
  readonly algorithm: AssertionAlgorithm;
  /** Sends the certificates along, which trust by subject name and issuer needs. */
  readonly x5c: boolean;
}

/**
 * Proves the client by a signed assertion (RFC 7523 §2.2).
 *
 * The file is opened when the parameters are asked for, which throws what {@link openCertificate} throws.
 */
export function certificateCredential(input: CertificateCredentialInput): ClientCredential {
  const { clientId, algorithm, x5c } = input;
  return {
    kind: "certificate",
    async formParameters(audience, now) {
      const opened = await openCertificate(input.file, input.password, now, input.label);
      return {
        client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        client_assertion: await clientAssertion({
          ...opened,
          clientId,
          audience,
          now,
          algorithm,
          x5c,
        }),
      };
    },
  };
}

/**
 * Reads a PEM or PFX file, or base64 text of either, and picks the certificate that belongs to its private key: where
 * several do, one that is valid now, and of those the one that ends last.
 *
 * @param password undefined and empty both open a file that is encrypted with an empty password; one that is not needed
 *   is ignored
 * @param now milliseconds since the epoch
 * @param label what messages call the file: its path
 * @throws EntraToolError usage, with a code for each thing that can be wrong with a file
 */
export async function openCertificate(
  file: Uint8Array,
  password: string | undefined,
  now: number,
  label: string,
): Promise<OpenedCertificate> {
  const source = { label, password };
  const material = await read(file, source);
  const certificates = material.certificates.map((der) => parseCertificate(der, source));
  const keys = usableKeys(material.keys, source);
  if (certificates.length === 0) throw certificateMissing(source);

  const pairs = (await Promise.all(keys.map((key) => pairsOf(key, certificates, source)))).flat();
  const isValid = ({ certificate }: Pair) =>
    certificate.notBefore <= now && now <= certificate.notAfter;
  const [best] = pairs.sort((a, b) =>
    Number(isValid(b)) - Number(isValid(a)) || b.certificate.notAfter - a.certificate.notAfter
  );
  if (best === undefined) {
    throw keyMismatch(source, certificates.map(({ subject }) => subject));
  }
  const { key, certificate: leaf } = best;
  if (leaf.notAfter < now) throw expired(source, leaf.subject, leaf.notAfter);
  if (leaf.notBefore > now) throw notYetValid(source, leaf.subject, leaf.notBefore);
  return {
    certificates: [leaf.der, ...issuersOf(leaf, certificates).map(({ der }) => der)],
    privateKey: key,
    subject: leaf.subject,
    notBefore: leaf.notBefore,
    notAfter: leaf.notAfter,
    thumbprints: { sha1: thumbprint("sha1", leaf.der), sha256: thumbprint("sha256", leaf.der) },
  };
}

interface Certificate {
  readonly der: Uint8Array;
  readonly x509: X509Certificate;
  readonly subject: string;
  readonly notBefore: number;
  readonly notAfter: number;
}

interface Pair {
  readonly key: KeyObject;
  readonly certificate: Certificate;
}

async function read(file: Uint8Array, source: CertificateSource): Promise<CertificateMaterial> {
  if (file.length > maxBytes) throw unreadable(source, "it is larger than 1 MiB");
  const content = fromBase64(file) ?? file;
  const text = decodeText(content);
  if (text.includes("-----BEGIN ")) {
    const { readPem } = await import("./pem.ts");
    const material = await damagedUnless(source, () => readPem(text, source));
    if (material.certificates.length + material.keys.length > 0) return material;
    throw unreadable(source, "no PEM block in it is a whole certificate or private key");
  }
  // Every DER file begins with a SEQUENCE.
  if (content[0] !== 0x30) throw unreadable(source, "it is neither PEM nor PFX");
  if (isCertificate(content)) throw keyMissing(source);
  const { readPfx } = await import("./pfx.ts");
  return await damagedUnless(source, () => readPfx(content, source));
}

/** The parsers, ours and forge's, throw anything at all for a file that is not as it should be. */
async function damagedUnless<T>(
  source: CertificateSource,
  parse: () => T | Promise<T>,
): Promise<T> {
  try {
    return await parse();
  } catch (error) {
    if (error instanceof EntraToolError) throw error;
    throw unreadable(source, "it is damaged, or of another format");
  }
}

function fromBase64(file: Uint8Array): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(decodeText(file)), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}

/** UTF-8, or the UTF-16 that `>` makes of text in Windows PowerShell; without the byte order mark. */
function decodeText(bytes: Uint8Array): string {
  const isUtf16 = bytes[0] === 0xff && bytes[1] === 0xfe;
  return new TextDecoder(isUtf16 ? "utf-16le" : "utf-8").decode(bytes);
}

function isCertificate(der: Uint8Array): boolean {
  try {
    new X509Certificate(der);
    return true;
  } catch {
    return false;
  }
}

function parseCertificate(der: Uint8Array, source: CertificateSource): Certificate {
  try {
    const x509 = new X509Certificate(der);
    const notBefore = x509.validFromDate.getTime();
    const notAfter = x509.validToDate.getTime();
    if (Number.isNaN(notBefore + notAfter)) throw new Error("No valid dates");
    return { der, x509, subject: oneLine(x509.subject), notBefore, notAfter };
  } catch {
    throw unreadable(source, "a certificate in it is damaged");
  }
}

/** node:crypto puts each part of a name on a line of its own. */
function oneLine(name: string): string {
  return printable(name.trimEnd().replaceAll("\n", ", ").slice(0, 256));
}

/** @throws EntraToolError usage when there is none that Entra accepts */
function usableKeys(encoded: readonly EncodedKey[], source: CertificateSource): KeyObject[] {
  const keys = encoded.map(({ der, type }) => {
    try {
      return createPrivateKey({ key: Buffer.from(der), format: "der", type });
    } catch {
      throw unreadable(
        source,
        "its private key is damaged, or of a kind that Entra does not accept",
      );
    }
  });
  const [first] = keys;
  if (first === undefined) throw keyMissing(source);
  const rsa = keys.filter((key) => key.asymmetricKeyType === "rsa");
  if (rsa.length === 0) throw keyUnsupported(source, first.asymmetricKeyType ?? "unknown");
  const bits = (key: KeyObject) => key.asymmetricKeyDetails?.modulusLength ?? 0;
  const large = rsa.filter((key) => bits(key) >= minimumKeyBits);
  if (large.length === 0) throw keyTooSmall(source, Math.max(...rsa.map(bits)));
  return large;
}

/** The certificates of this key: those that verify what it signs, which also finds a damaged key out. */
async function pairsOf(
  key: KeyObject,
  certificates: readonly Certificate[],
  source: CertificateSource,
): Promise<Pair[]> {
  const message = new TextEncoder().encode("entratool");
  const signature = await sign(key, message).catch(() => {
    throw unreadable(source, "its private key is damaged");
  });
  return certificates
    .filter(({ x509 }) => {
      try {
        return verify("sha256", message, x509.publicKey, signature);
      } catch {
        return false; // a public key of another kind
      }
    })
    .map((certificate) => ({ key, certificate }));
}

/** By WebCrypto, because that will sign the assertions too. */
async function sign(key: KeyObject, message: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  const pkcs8 = Uint8Array.from(key.export({ type: "pkcs8", format: "der" }));
  const imported = await crypto.subtle.importKey("pkcs8", pkcs8, algorithm, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign(algorithm, imported, message));
}

function issuersOf(leaf: Certificate, certificates: readonly Certificate[]): Certificate[] {
  const chain = [leaf];
  for (let last = leaf; last.x509.subject !== last.x509.issuer;) {
    const named = certificates.filter((candidate) =>
      !chain.includes(candidate) && candidate.x509.subject === last.x509.issuer
    );
    const issuer = named.find((candidate) => isSignedBy(last, candidate)) ?? named[0];
    if (issuer === undefined) break;
    chain.push(issuer);
    last = issuer;
  }
  return chain.slice(1);
}

/** False also where it can not be told: kinds of keys that Deno does not know, and Deno 2.6 altogether. */
function isSignedBy(certificate: Certificate, issuer: Certificate): boolean {
  try {
    return certificate.x509.verify(issuer.x509.publicKey);
  } catch {
    return false;
  }
}

function thumbprint(algorithm: "sha1" | "sha256", der: Uint8Array): string {
  return createHash(algorithm).update(der).digest("hex").toUpperCase();
}
