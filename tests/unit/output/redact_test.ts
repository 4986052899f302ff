/** The redactor finds each secret in each form in which somebody may repeat it. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { Redactor } from "../../../src/output/redact.ts";

function redactorOf(...secrets: readonly string[]): Redactor {
  const redactor = new Redactor();
  for (const secret of secrets) redactor.add(secret);
  return redactor;
}

const bytes = (text: string) => new TextEncoder().encode(text);

const forms: Readonly<Record<string, (secret: string) => string>> = {
  "as it is": (secret) => secret,
  "percent-encoded": encodeURIComponent,
  "percent-encoded in lower case": (secret) => encodeURIComponent(secret).toLowerCase(),
  "in a form": (secret) => new URLSearchParams({ "": secret }).toString().slice(1),
  "in JSON": (secret) => JSON.stringify(secret).slice(1, -1),
  "in JSON of PHP": (secret) => JSON.stringify(secret).slice(1, -1).replaceAll("/", "\\/"),
  "in base64": (secret) => bytes(secret).toBase64(),
  "in base64url": (secret) => bytes(secret).toBase64({ alphabet: "base64url", omitPadding: true }),
};

/** Long enough to be looked for, and unlike what takes their place. */
const secretText = fc.string({ unit: "grapheme", minLength: 6, maxLength: 40 })
  .filter((text) => !/[[\]]/.test(text) && !"redacted".includes(text));

for (const [form, write] of Object.entries(forms)) {
  Deno.test(`a secret ${form} is found wherever it stands`, () => {
    fc.assert(
      fc.property(secretText, fc.string(), fc.string(), (secret, before, after) => {
        const written = write(secret);
        const redactor = redactorOf(secret);
        const shown = redactor.redact(`${before} ${written} ${after}`);
        assert.ok(!shown.includes(written), shown);
        assert.match(shown, /\[redacted\]/);
        assert.equal(redactor.redact(shown), shown);
      }),
    );
  });
}

Deno.test("a secret in the middle of base64 leaves at most two of its bytes at each end", () => {
  const secret = "Zx8Q~a-secret-of-some-length";
  for (const before of ["", "1", "12", "123", "id:"]) {
    for (const after of ["", "1", "12", ":end"]) {
      const shown = redactorOf(secret).redact(btoa(`${before}${secret}${after}`));
      const rest = shown.split("[redacted]").map((part) => part.length);
      assert.equal(rest.length, 2, shown);
      assert.ok(Math.max(...rest) <= 8, shown);
    }
  }
});

Deno.test("forms of .NET, Python and HTML are found", () => {
  const secret = `Zx'quote+plus<tag>"/é`;
  const redactor = redactorOf(secret);
  for (
    const form of [
      "Zx\\u0027quote\\u002Bplus\\u003Ctag\\u003E\\u0022/\\u00E9",
      "Zx'quote+plus<tag>\\\"/\\u00e9",
      "Zx'quote+plus<tag>\\\"/é",
      "Zx'quote+plus<tag>\\\"\\/é",
      "Zx'quote+plus&lt;tag&gt;&quot;/é",
      "Zx&#39;quote+plus&lt;tag&gt;&quot;/é",
    ]
  ) assert.equal(redactor.redact(`(${form})`), "([redacted])");
});

Deno.test("a secret that holds another leaves no rest", () => {
  const redactor = redactorOf("secret", "secret-and-more", "more");
  assert.equal(redactor.redact("a secret-and-more b"), "a [redacted] b");
});

Deno.test("very short secrets do not blot out ordinary words", () => {
  assert.equal(redactorOf("a", "is").redact("this is a text"), "this is a text");
  assert.equal(redactorOf("").redact("text"), "text");
});

Deno.test("whatever looks like a token is taken out, whoever sent it", () => {
  const jws = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl";
  const jwe = "eyJhbGciOiJkaXIifQ..aXY.dGV4dA.dGFn";
  assert.equal(
    new Redactor().redact(`one ${jws}, two ${jwe}`),
    "one [redacted], two [redacted]",
  );
  assert.equal(new Redactor().redact("the key of eyJ"), "the key of eyJ");
});

Deno.test("user names and passwords in URLs are taken out", () => {
  const redactor = new Redactor();
  assert.equal(
    redactor.redact("proxy http://user:p4ss@proxy:8080 failed"),
    "proxy http://[redacted]@proxy:8080 failed",
  );
  assert.equal(redactor.redact("https://a.com/b@c d@e"), "https://a.com/b@c d@e");
});

Deno.test("a secret that was cut off is taken out to the last character", () => {
  fc.assert(
    fc.property(
      secretText.filter((text) => text.trim() === text),
      fc.constantFrom(...Object.values(forms)),
      fc.nat(),
      fc.constantFrom("", " …"),
      (secret, write, length, ending) => {
        const cut = write(secret).slice(0, 4 + length % (secret.length - 4));
        const shown = redactorOf(secret).redactCut(`You sent: ${cut.trimEnd()}${ending}`);
        assert.ok(cut.trimEnd().length < 4 || shown === `You sent: [redacted]${ending}`, shown);
      },
    ),
  );
});

Deno.test("a token that was cut off is taken out, and text that was cut off stays", () => {
  const redactor = redactorOf("Zx8Q~secret");
  assert.equal(redactor.redactCut("token eyJhbGciOiJub25lIn0.eyJzdW"), "token [redacted]");
  assert.equal(redactor.redactCut("an ordinary sentence …"), "an ordinary sentence …");
});
