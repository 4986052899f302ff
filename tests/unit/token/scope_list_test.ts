/** Lists of scopes, however they are separated. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { parseScopeList } from "../../../src/token/scope_list.ts";

/** scope-token of RFC 6749 §3.3, without the comma that separates for us. */
const scope = fc.stringMatching(/^[\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]{1,20}$/);
const separator = fc.constantFrom(" ", ",", ", ", "  ", " , ", "\n", "\t", ",,");

Deno.test("scopes come out once each and in their order, however they are separated and repeated", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(scope, separator, fc.boolean())), (parts) => {
      // some end an argument, some go on in the same one
      const texts = [""];
      for (const [text, between, ends] of parts) {
        texts.push((texts.pop() ?? "") + text + between);
        if (ends) texts.push("");
      }
      assert.deepEqual(parseScopeList(texts), [...new Set(parts.map(([text]) => text))]);
    }),
  );
});

Deno.test("no scope is empty or has a separator in it, whatever is typed", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary" })), (texts) => {
      const scopes = parseScopeList(texts);
      for (const each of scopes) assert.doesNotMatch(each, /^$|[\s,]/);
      assert.deepEqual(parseScopeList([scopes.join(" ")]), scopes, "reading again changes nothing");
    }),
  );
});
