import assert from "node:assert/strict";
import fc from "fast-check";
import {
  constantTimeEqual,
  createNonce,
  createPkce,
  createState,
  s256Challenge,
} from "../../../src/flows/pkce.ts";

Deno.test("s256Challenge() gives the challenge of RFC 7636 Appendix B", async () => {
  assert.equal(
    await s256Challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
    "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
  );
});

Deno.test("createPkce() gives a verifier that RFC 7636 §4.1 allows, and its challenge", async () => {
  const { verifier, challenge, method } = await createPkce();
  assert.match(verifier, /^[A-Za-z0-9_-]{43}$/);
  assert.equal(challenge, await s256Challenge(verifier));
  assert.equal(method, "S256");
});

Deno.test("verifiers, states and nonces have 256 bits and never come twice", async () => {
  const values = new Set<string>();
  for (let i = 0; i < 500; i++) {
    for (const value of [createState(), createNonce(), (await createPkce()).verifier]) {
      assert.match(value, /^[A-Za-z0-9_-]{43}$/);
      values.add(value);
    }
  }
  assert.equal(values.size, 1500);
});

Deno.test("constantTimeEqual() is true for equal texts alone", () => {
  assert.equal(constantTimeEqual("", ""), true);
  assert.equal(constantTimeEqual("state", "state"), true);
  assert.equal(constantTimeEqual("state", "stat"), false);
  assert.equal(constantTimeEqual("stat", "state"), false);
  assert.equal(constantTimeEqual("state", "state\0"), false);
  assert.equal(constantTimeEqual("", "\0"), false);
  assert.equal(constantTimeEqual("xtate", "state"), false);
  assert.equal(constantTimeEqual("statx", "state"), false);
  const text = fc.string({ unit: "binary", maxLength: 50 });
  fc.assert(fc.property(text, (a) => constantTimeEqual(a, a)));
  fc.assert(fc.property(text, text, (a, b) => constantTimeEqual(a, b) === (a === b)));
});
