/** Reads PEM text (RFC 7468, and RFC 1421 for the older encrypted keys): blocks in any order, with anything between. */

import {
  type CertificateMaterial,
  type CertificateSource,
  keyUnsupported,
  unreadable,
} from "./certificate_source.ts";

// The body ends at the next dashes whatever they are, so that the time is linear in the length of the text.
const block = /-----BEGIN ([A-Z0-9 ]{1,40})-----((?:(?!-----)[^])*)-----END \1-----/g;

/**
 * Collects the certificates and the private keys, decrypted; other blocks are passed over.
 *
 * @throws EntraToolError usage
 */
export async function readPem(
  text: string,
  source: CertificateSource,
): Promise<CertificateMaterial> {
  const material: CertificateMaterial = { certificates: [], keys: [] };
  for (const [pem, label = "", body = ""] of text.matchAll(block)) {
    const decode = () => decodeBody(label, body, source);
    switch (label) {
      case "CERTIFICATE":
      case "X509 CERTIFICATE":
        material.certificates.push(decode());
        break;
      case "PRIVATE KEY":
        material.keys.push({ type: "pkcs8", der: decode() });
        break;
      case "ENCRYPTED PRIVATE KEY": {
        const { decryptPrivateKey } = await import("./password_encryption.ts");
        material.keys.push({ type: "pkcs8", der: decryptPrivateKey(source, decode()) });
        break;
      }
      case "RSA PRIVATE KEY":
        if (/^Proc-Type: *4, *ENCRYPTED/m.test(body)) {
          const { decryptTraditionalKey } = await import("./password_encryption.ts");
          material.keys.push({ type: "pkcs1", der: decryptTraditionalKey(source, pem) });
        } else {
          material.keys.push({ type: "pkcs1", der: decode() });
        }
        break;
      default:
        if (label.endsWith(" PRIVATE KEY")) {
          throw keyUnsupported(source, label.slice(0, -" PRIVATE KEY".length));
        }
    }
  }
  return material;
}

function decodeBody(label: string, body: string, source: CertificateSource): Uint8Array {
  try {
    return Uint8Array.from(atob(body), (character) => character.charCodeAt(0));
  } catch {
    throw unreadable(source, `its ${label} block is damaged`);
  }
}
