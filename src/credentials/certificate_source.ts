/** What goes into and comes out of the parsers of certificate files, and every complaint about such a file. */

import { EntraToolError } from "../errors.ts";

/** Where a certificate comes from. */
export interface CertificateSource {
  /** What the person calls it: a path. */
  readonly label: string;
  readonly password: string | undefined;
}

/** All certificates and private keys of a file, in the file's order. */
export interface CertificateMaterial {
  /** DER. */
  readonly certificates: Uint8Array[];
  readonly keys: EncodedKey[];
}

/** A decrypted private key in DER: PKCS#1 (RFC 8017 A.1.2) or PKCS#8 (RFC 5958 §2). */
export interface EncodedKey {
  readonly der: Uint8Array;
  readonly type: "pkcs1" | "pkcs8";
}

/** The least size of an RSA key that counts as safe (NIST SP 800-131A). */
export const minimumKeyBits = 2048;

function complaint(code: string, message: string, hint: string): EntraToolError {
  return new EntraToolError("usage", code, message, { hint });
}

export function unreadable(source: CertificateSource, why: string): EntraToolError {
  return complaint(
    "certificate_unreadable",
    `The certificate file ${source.label} can not be read: ${why}`,
    "Give a PEM file with a certificate and its private key, or a PFX file",
  );
}

export function encryptionUnsupported(source: CertificateSource, what: string): EntraToolError {
  return complaint(
    "certificate_encryption_unsupported",
    `The certificate file ${source.label} is encrypted in a way that is not supported: ${what}`,
    `Convert it: openssl pkcs12 -in FILE -out certificate.pem for a PFX file, ` +
      `openssl pkcs8 -topk8 -in FILE -out key.pem for a private key`,
  );
}

export function tooManyRounds(
  source: CertificateSource,
  rounds: number,
  most: number,
): EntraToolError {
  return complaint(
    "certificate_rounds_excessive",
    `The certificate file ${source.label} asks for ${rounds} rounds of key derivation, and ${most} are the most that are done`,
    "Export it again with fewer: openssl pkcs12 -in FILE -out all.pem; openssl pkcs12 -export -iter 10000 -in all.pem -out NEW",
  );
}

export function passwordMissing(source: CertificateSource): EntraToolError {
  return complaint(
    "certificate_password_missing",
    `The certificate file ${source.label} is encrypted, and no password was given`,
    "Put the password in a file and add --certificate-password-file PATH, " +
      "or set AZURE_CLIENT_CERTIFICATE_PASSWORD",
  );
}

export function passwordWrong(source: CertificateSource): EntraToolError {
  return complaint(
    "certificate_password_wrong",
    `The password does not open the certificate file ${source.label}`,
    `Try the password with: openssl pkcs12 -noout -in FILE for a PFX file, ` +
      `openssl pkey -noout -in FILE for PEM`,
  );
}

export function keyMissing(source: CertificateSource): EntraToolError {
  return complaint(
    "certificate_key_missing",
    `The certificate file ${source.label} holds a certificate and no private key`,
    "Put both in one file: cat certificate.pem key.pem > client.pem",
  );
}

export function certificateMissing(source: CertificateSource): EntraToolError {
  return complaint(
    "certificate_missing",
    `The certificate file ${source.label} holds a private key and no certificate`,
    "Put both in one file: cat certificate.pem key.pem > client.pem",
  );
}

export function keyUnsupported(source: CertificateSource, kind: string): EntraToolError {
  return complaint(
    "certificate_key_unsupported",
    `The private key in ${source.label} is of the kind ${kind}, and Entra accepts RSA alone`,
    newCertificate,
  );
}

export function keyTooSmall(source: CertificateSource, bits: number): EntraToolError {
  return complaint(
    "certificate_key_too_small",
    `The RSA key in ${source.label} has ${bits} bits, and at least ${minimumKeyBits} are needed`,
    newCertificate,
  );
}

export function keyMismatch(
  source: CertificateSource,
  subjects: readonly string[],
): EntraToolError {
  const shown = subjects.slice(0, 5);
  if (shown.length < subjects.length) shown.push(`${subjects.length - shown.length} more`);
  return complaint(
    "certificate_key_mismatch",
    `The private key in ${source.label} belongs to none of the certificates there: ` +
      shown.join("; "),
    "Put the key beside the certificate that was made for it",
  );
}

/** @param notAfter milliseconds since the epoch, as in the next function */
export function expired(
  source: CertificateSource,
  subject: string,
  notAfter: number,
): EntraToolError {
  return complaint(
    "certificate_expired",
    `The certificate in ${source.label} (${subject}) expired on ${isoTime(notAfter)}`,
    newCertificate,
  );
}

export function notYetValid(
  source: CertificateSource,
  subject: string,
  notBefore: number,
): EntraToolError {
  return complaint(
    "certificate_not_yet_valid",
    `The certificate in ${source.label} (${subject}) is valid from ${isoTime(notBefore)} only`,
    "Check the clock of this machine, or wait until then",
  );
}

const newCertificate =
  "Make a new one: openssl req -x509 -newkey rsa:2048 -noenc -days 365 -subj /CN=my-app " +
  "-keyout client.pem -out certificate.pem; cat certificate.pem >> client.pem; " +
  "then upload certificate.pem to the app registration";

function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(".000Z", "Z");
}
