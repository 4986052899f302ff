/**
 * Reading ASN.1 without a schema, on top of node-forge. Binary strings are forge's: one character for each byte.
 *
 * Everything here throws a plain Error for a structure that is not as expected; `certificate.ts` makes one complaint out
 * of them all.
 */

import { Buffer } from "node:buffer";
// @ts-types="@types/node-forge"
import forge from "node-forge";

export type Asn1 = forge.asn1.Asn1;

/** Reads DER, or BER as old Windows writes it: one value and nothing behind it. */
export function parse(encoded: Uint8Array | string): Asn1 {
  return forge.asn1.fromDer(typeof encoded === "string" ? encoded : binaryOf(encoded));
}

export function binaryOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}

export function bytesOf(binary: string): Uint8Array {
  return Buffer.from(binary, "latin1");
}

export function der(node: Asn1 | undefined): Uint8Array {
  return bytesOf(forge.asn1.toDer(present(node)).getBytes());
}

/** The elements of a SEQUENCE, a SET or an explicit tag. */
export function parts(node: Asn1 | undefined): Asn1[] {
  const { value } = present(node);
  if (typeof value === "string") throw new Error("Expected a constructed value");
  return value;
}

/** The content of a string; BER may split it into pieces. */
export function octets(node: Asn1 | undefined): string {
  const { value } = present(node);
  return typeof value === "string" ? value : value.map(octets).join("");
}

export function oid(node: Asn1 | undefined): string {
  return forge.asn1.derToOid(octets(node));
}

export function integer(node: Asn1 | undefined): number {
  return forge.asn1.derToInteger(octets(node));
}

function present(node: Asn1 | undefined): Asn1 {
  if (node === undefined) throw new Error("Expected one more value");
  return node;
}
