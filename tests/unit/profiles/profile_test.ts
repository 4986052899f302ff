/** Names of profiles. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { foldName, isProfileName, sameProfileName } from "../../../src/profiles/profile.ts";

Deno.test("a name that is accepted needs no quotes, is no path and no flag", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: "grapheme", maxLength: 70 }),
    fc.string({ unit: fc.constantFrom("a", "Z", "9", ".", "-", "/", " ", "$", "é", "\n") }),
  );
  fc.assert(
    fc.property(text, (name) => {
      if (!isProfileName(name)) return;
      assert.doesNotMatch(name, /^[-.]|[\s/\\$`'"!&;|<>(){}*?#~%:,=[\]^]|\p{Cc}|\p{Cf}/u);
      assert.ok([...name].length <= 64);
    }),
    { numRuns: 1000 },
  );
});

Deno.test("the fast way for ASCII names and the way for all scripts agree", () => {
  const all = /^[\p{L}\p{N}][\p{L}\p{N}\p{M}._@+-]{0,63}$/u;
  const ascii = fc.string({ unit: fc.constantFrom(..."aZ09._@+- /") });
  fc.assert(fc.property(ascii, (name) => assert.equal(isProfileName(name), all.test(name))));
});

Deno.test("names are the same in any case and any Unicode form", () => {
  for (const [a, b] of [["Prod", "pROD"], ["é", "e\u0301"], ["É", "e\u0301"], ["ПРОД", "прод"]]) {
    assert.ok(sameProfileName(a!, b!), `${a} ${b}`);
  }
  assert.ok(!sameProfileName("prod", "prod2"));
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (name) => {
      assert.equal(foldName(foldName(name)), foldName(name));
      assert.ok(sameProfileName(name, name.toLowerCase()));
    }),
  );
});
