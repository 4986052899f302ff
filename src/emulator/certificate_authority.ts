/**
 * Throw-away keys and certificates: the authority and the localhost certificate behind `--tls`, and the certificate
 * around the token signing key. Private keys never leave the process.
 *
 * Keys and signatures are Web Crypto's, which is fast; node-forge writes the certificates' ASN.1.
 */

// @ts-types="@types/node-forge"
import forge from "node-forge";

const algorithm = {
  name: "RSASSA-PKCS1-v1_5",
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
  hash: "SHA-256",
};

/** What `--tls` needs. */
export interface LocalhostCertificate {
  /** PEM, for clients to trust. */
  readonly caCertificate: string;
  /** PEM, for the server. */
  readonly certificate: string;
  readonly privateKey: string;
}

/** A 2048-bit RSA key pair that signs with RS256. */
export function generateRsaKey(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
}

/** A certificate of the key for itself, in DER form. */
export async function selfSigned(
  commonName: string,
  keys: CryptoKeyPair,
): Promise<Uint8Array<ArrayBuffer>> {
  const certificate = await draft(commonName, commonName, keys.publicKey);
  return derOf(await sign(certificate, keys.privateKey));
}

/**
 * A new authority and a certificate by it for `localhost`, `127.0.0.1` and `::1`.
 *
 * The authority's key is dropped when this returns, so that nobody who trusts it can be shown anything else.
 */
export async function createLocalhostCertificate(): Promise<LocalhostCertificate> {
  const [caKeys, keys] = await Promise.all([generateRsaKey(), generateRsaKey()]);
  // A name of its own for each run: clients that trust two runs must not take one authority for the other.
  const caName = `entratool emulator ${crypto.randomUUID()}`;
  const ca = await draft(caName, caName, caKeys.publicKey);
  ca.setExtensions([
    { name: "basicConstraints", critical: true, cA: true, pathLenConstraint: 0 },
    { name: "keyUsage", critical: true, keyCertSign: true, cRLSign: true },
    { name: "subjectKeyIdentifier" },
  ]);
  const leaf = await draft("localhost", caName, keys.publicKey);
  leaf.setExtensions([
    { name: "basicConstraints", critical: true, cA: false },
    { name: "keyUsage", critical: true, digitalSignature: true, keyEncipherment: true },
    { name: "extKeyUsage", serverAuth: true },
    {
      name: "subjectAltName",
      altNames: [
        { type: 2, value: "localhost" },
        { type: 7, ip: "127.0.0.1" },
        { type: 7, ip: "::1" },
      ],
    },
    { name: "subjectKeyIdentifier" },
    {
      name: "authorityKeyIdentifier",
      keyIdentifier: ca.generateSubjectKeyIdentifier().getBytes(),
    },
  ]);
  return {
    caCertificate: pem("CERTIFICATE", derOf(await sign(ca, caKeys.privateKey))),
    certificate: pem("CERTIFICATE", derOf(await sign(leaf, caKeys.privateKey))),
    privateKey: pem(
      "PRIVATE KEY",
      new Uint8Array(await crypto.subtle.exportKey("pkcs8", keys.privateKey)),
    ),
  };
}

/** A certificate with everything but extensions and signature. */
async function draft(
  commonName: string,
  issuerName: string,
  publicKey: CryptoKey,
): Promise<forge.pki.Certificate> {
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(
    pem("PUBLIC KEY", new Uint8Array(await crypto.subtle.exportKey("spki", publicKey))),
  );
  // Positive and not zero: the first digit is 1 to 7 (RFC 5280 §4.1.2.2).
  certificate.serialNumber = `5${crypto.getRandomValues(new Uint8Array(16)).toHex().slice(1)}`;
  const day = 24 * 60 * 60 * 1000;
  certificate.validity.notBefore = new Date(Date.now() - day);
  certificate.validity.notAfter = new Date(Date.now() + 365 * day);
  certificate.setSubject([{ name: "commonName", value: commonName }]);
  certificate.setIssuer([{ name: "commonName", value: issuerName }]);
  return certificate;
}

/** What node-forge's own `sign` uses and fills in; its types leave these members out. */
interface Signable {
  signatureOid: string;
  siginfo: { algorithmOid: string };
  tbsCertificate: forge.asn1.Asn1;
  signature: string;
}
const { getTBSCertificate } = forge.pki as unknown as {
  getTBSCertificate(certificate: forge.pki.Certificate): forge.asn1.Asn1;
};

async function sign(
  certificate: forge.pki.Certificate,
  privateKey: CryptoKey,
): Promise<forge.pki.Certificate> {
  const signable = certificate as forge.pki.Certificate & Signable;
  const oid = forge.pki.oids.sha256WithRSAEncryption!;
  signable.signatureOid = oid;
  signable.siginfo.algorithmOid = oid;
  signable.tbsCertificate = getTBSCertificate(certificate);
  const signature = await crypto.subtle.sign(
    algorithm.name,
    privateKey,
    fromBinaryString(forge.asn1.toDer(signable.tbsCertificate).getBytes()),
  );
  signable.signature = forge.util.binary.raw.encode(new Uint8Array(signature));
  return certificate;
}

function derOf(certificate: forge.pki.Certificate): Uint8Array<ArrayBuffer> {
  return fromBinaryString(forge.asn1.toDer(forge.pki.certificateToAsn1(certificate)).getBytes());
}

function fromBinaryString(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function pem(label: string, der: Uint8Array): string {
  const lines = der.toBase64().replace(/.{64}(?=.)/g, "$&\n");
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}
