/** Tokens are read without trust: nothing in them makes the reader fail. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeJwt, stringClaim, timeClaim } from "../../../src/token/jwt.ts";

const base64Url = (content: Uint8Array<ArrayBuffer>) =>
  content.toBase64({ alphabet: "base64url", omitPadding: true });
const encode = (value: unknown) => base64Url(new TextEncoder().encode(JSON.stringify(value)));

const object = fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue({ stringUnit: "binary" }));
const bytes = fc.uint8Array().map((array) => new Uint8Array(array));

Deno.test("whatever was encoded is decoded", () => {
  fc.assert(
    fc.property(object, object, bytes, (header, claims, signature) => {
      const token = `${encode(header)}.${encode(claims)}.${base64Url(signature)}`;
      const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
      assert.deepEqual(decodeJwt(token), { header: plain(header), claims: plain(claims) });
    }),
  );
});

Deno.test("arbitrary text and arbitrary bytes never throw, and never are a token by chance", () => {
  const part = fc.oneof(
    fc.string({ unit: "binary" }),
    bytes.map(base64Url),
    fc.jsonValue().map(encode),
    fc.constantFrom("", "e30", "bnVsbA", "eyJh", "e30=", "e3 0", "=", "A"),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }).map((parts) => parts.join(".")), (text) => {
      const decoded = decodeJwt(text);
      if (decoded === undefined) return;
      assert.match(text, /^[\w-]+\.[\w-]+\.[\w-]*$/);
      for (const each of [decoded.header, decoded.claims]) {
        assert.ok(typeof each === "object" && each !== null && !Array.isArray(each));
      }
    }),
    { numRuns: 1000 },
  );
});

Deno.test("a change of one character is still no failure", () => {
  const token = `${encode({ alg: "none" })}.${encode({ sub: "ada" })}.c2ln`;
  fc.assert(
    fc.property(fc.nat(token.length - 1), fc.string({ unit: "binary" }), (index, text) => {
      decodeJwt(token.slice(0, index) + text + token.slice(index + 1));
    }),
  );
});

Deno.test("claims are found by type, and never among an object's inherited members", () => {
  const claims = { text: "x", number: 5, late: 1e13, list: ["x"] };
  assert.equal(stringClaim(claims, "text"), "x");
  for (const name of ["number", "list", "absent", "constructor", "__proto__", "toString"]) {
    assert.equal(stringClaim(claims, name), undefined, name);
  }
  assert.equal(timeClaim(claims, "number"), 5);
  for (const name of ["text", "late", "list", "absent", "valueOf"]) {
    assert.equal(timeClaim(claims, name), undefined, name);
  }
});
