/** Reads PFX files (PKCS#12, RFC 7292), as OpenSSL, Windows and Java write them. */

import { type Asn1, bytesOf, der, octets, oid, parse, parts } from "./asn1.ts";
import {
  type CertificateMaterial,
  type CertificateSource,
  encryptionUnsupported,
} from "./certificate_source.ts";
import { decrypt, macFits, type Spelling, unlock } from "./password_encryption.ts";

const data = "1.2.840.113549.1.7.1";
const encryptedData = "1.2.840.113549.1.7.6";

const keyBag = "1.2.840.113549.1.12.10.1.1";
const shroudedKeyBag = "1.2.840.113549.1.12.10.1.2";
const certBag = "1.2.840.113549.1.12.10.1.3";
const nestedBags = "1.2.840.113549.1.12.10.1.6";
const x509Certificate = "1.2.840.113549.1.9.22.1";

/**
 * Collects the certificates and the private keys, decrypted; other bags are passed over.
 *
 * A MAC is verified where there is one. Throws a plain Error when the structure is not that of a PFX file.
 *
 * @throws EntraToolError usage
 */
export function readPfx(pfx: Uint8Array, source: CertificateSource): CertificateMaterial {
  const [_version, authSafe, macData] = parts(parse(pfx));
  const { type, content } = contentInfo(authSafe);
  if (type !== data) throw encryptionUnsupported(source, `content type ${type}`);
  const safes = octets(content);
  return unlock(source, (spelling) => {
    if (macData !== undefined && !macFits(source, macData, safes, spelling)) return undefined;
    const material: CertificateMaterial = { certificates: [], keys: [] };
    const complete = parts(parse(safes)).every((safe) => {
      const bags = openSafe(source, safe, spelling);
      return bags !== undefined && collect(source, bags, spelling, material);
    });
    return complete ? material : undefined;
  });
}

/** One member of the AuthenticatedSafe (RFC 7292 §4.1); undefined when the spelling does not open it. */
function openSafe(
  source: CertificateSource,
  safe: Asn1,
  spelling: Spelling,
): Asn1 | undefined {
  const { type, content } = contentInfo(safe);
  if (type === data) return parse(octets(content));
  if (type !== encryptedData) throw encryptionUnsupported(source, `content type ${type}`);
  const [_version, encryptedContentInfo] = parts(content);
  const [_type, algorithm, ciphertext] = parts(encryptedContentInfo);
  return decrypt(source, algorithm, ciphertext, spelling);
}

/** Adds what is in the SafeContents (RFC 7292 §4.2); false when the spelling does not open a bag. */
function collect(
  source: CertificateSource,
  bags: Asn1,
  spelling: Spelling,
  material: CertificateMaterial,
): boolean {
  return parts(bags).every((bag) => {
    const [id, tagged] = parts(bag);
    const [value] = parts(tagged);
    switch (oid(id)) {
      case keyBag:
        material.keys.push({ type: "pkcs8", der: der(value) });
        return true;
      case shroudedKeyBag: {
        const [algorithm, ciphertext] = parts(value);
        const key = decrypt(source, algorithm, ciphertext, spelling);
        if (key === undefined) return false;
        material.keys.push({ type: "pkcs8", der: der(key) });
        return true;
      }
      case certBag: {
        const [kind, certificate] = parts(value);
        if (oid(kind) === x509Certificate) {
          material.certificates.push(bytesOf(octets(parts(certificate)[0])));
        }
        return true;
      }
      case nestedBags:
        return value === undefined || collect(source, value, spelling, material);
      default:
        return true;
    }
  });
}

/** RFC 5652 §3. */
function contentInfo(node: Asn1 | undefined): { type: string; content: Asn1 | undefined } {
  const [type, tagged] = parts(node);
  return { type: oid(type), content: parts(tagged)[0] };
}
