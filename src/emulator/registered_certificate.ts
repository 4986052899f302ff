/** The certificates that apps are registered with, and their reading from the configuration. */

import { X509Certificate } from "node:crypto";
import { EntraToolError } from "../errors.ts";
import type { JsonNode } from "./checked_json.ts";

/** An app's certificate: its public half, which is all that Entra has of it. */
export interface RegisteredCertificate {
  readonly pem: string;
  /** base64url of SHA-1 and of SHA-256 over the DER form: `x5t` and `x5t#S256` (RFC 7515 §4.1.7, §4.1.8). */
  readonly x5t: string;
  readonly x5tS256: string;
  /** Milliseconds since the epoch. */
  readonly validFrom: number;
  readonly validTo: number;
}

/** Reads a file that the configuration names, relative to the configuration's own folder. */
export type ReadText = (path: string) => string;

/**
 * Reads a certificate: PEM text, or `{ "path": … }` of a file with it.
 *
 * @throws EntraToolError usage, or whatever EntraToolError `readText` throws
 */
export function readCertificate(
  node: JsonNode,
  readText: ReadText | undefined,
): RegisteredCertificate {
  return registerCertificate(
    typeof node.value === "string" ? node.value : readNamedFile(node, readText),
    node,
  );
}

function readNamedFile(node: JsonNode, readText: ReadText | undefined): string {
  const path = node.object(["path"]).required("path");
  if (readText === undefined) {
    throw path.error("A path can not be followed here, give the PEM text");
  }
  try {
    return readText(path.text());
  } catch (error) {
    if (error instanceof EntraToolError) throw error;
    throw path.error("The file can not be read");
  }
}

function registerCertificate(pem: string, node: JsonNode): RegisteredCertificate {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch {
    throw node.error("Expected a certificate in PEM form");
  }
  if (certificate.publicKey.asymmetricKeyType !== "rsa") {
    throw node.error("Entra takes certificates with RSA keys only");
  }
  const base64url = (fingerprint: string) =>
    Uint8Array.fromHex(fingerprint.replaceAll(":", "")).toBase64({
      alphabet: "base64url",
      omitPadding: true,
    });
  return {
    pem: certificate.toString(),
    x5t: base64url(certificate.fingerprint),
    x5tS256: base64url(certificate.fingerprint256),
    validFrom: Date.parse(certificate.validFrom),
    validTo: Date.parse(certificate.validTo),
  };
}
