/** What reaches a terminal: nothing that it obeys, hides or reorders, and nothing lost. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { parse as parseYaml } from "yaml";
import { printable, printableJson } from "../../../src/output/printable.ts";
import { printableYaml } from "../../../src/output/yaml_text.ts";

/** Written down by number, so that the test does not depend on the classes that the code uses. */
const unsafe: readonly (readonly [what: string, first: number, last: number])[] = [
  ["C0 controls", 0x00, 0x1f],
  ["DEL and C1 controls", 0x7f, 0x9f],
  ["soft hyphen", 0xad, 0xad],
  ["Arabic letter mark", 0x61c, 0x61c],
  ["zero-width characters and marks", 0x200b, 0x200f],
  ["line and paragraph separators, embeddings and overrides", 0x2028, 0x202e],
  ["invisible operators and isolates", 0x2060, 0x206f],
  ["byte order mark", 0xfeff, 0xfeff],
  ["interlinear annotations", 0xfff9, 0xfffb],
  ["lone surrogates", 0xd800, 0xdfff],
  ["variation selectors", 0xfe00, 0xfe0f],
  ["Hangul filler", 0x3164, 0x3164],
  ["tags", 0xe0001, 0xe007f],
];

function findUnsafe(text: string): string | undefined {
  return [...text].find((character) => {
    const point = character.codePointAt(0) ?? 0;
    return unsafe.some(([, first, last]) => point >= first && point <= last);
  });
}

const hex = (point: number) => point.toString(16);

Deno.test("every unsafe character is shown by its number", () => {
  for (const [what, first, last] of unsafe) {
    for (const point of [first, (first + last) >> 1, last]) {
      assert.equal(
        printable(`a${String.fromCodePoint(point)}b`),
        `a\\u{${hex(point)}}b`,
        `${what}: ${hex(point)}`,
      );
    }
  }
});

Deno.test("ordinary text of any script is left alone", () => {
  for (
    const text of [
      "plain ASCII ~!@#",
      "Käse",
      "日本語",
      "ключ",
      "שלום",
      "مرحبا",
      "🔑🎉",
      "a\u00a0b",
    ]
  ) {
    assert.equal(printable(text), text);
  }
});

const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({
    unit: fc.constantFrom("\u001b", "[", "2", "J", "\n", "\r", "\u009b", "\u202e", "x"),
  }),
);

Deno.test("no unsafe character survives, and a second time changes nothing", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const shown = printable(text);
      assert.equal(findUnsafe(shown), undefined);
      assert.equal(printable(shown), shown);
    }),
  );
});

Deno.test("JSON and YAML hold nothing unsafe but line breaks, and mean the same", () => {
  const value = fc.jsonValue({ stringUnit: "binary" }).map((json) => ({ json }));
  fc.assert(
    fc.property(
      fc.oneof(value, anyText.map((text) => ({ [text]: text, list: [text] }))),
      (value) => {
        const plain: unknown = JSON.parse(JSON.stringify(value));
        const json = printableJson(value);
        assert.equal(findUnsafe(json.replaceAll("\n", "")), undefined);
        assert.deepEqual(JSON.parse(json), plain);
        const yaml = printableYaml(plain);
        assert.equal(findUnsafe(yaml.replaceAll("\n", "")), undefined, JSON.stringify(yaml));
        assert.deepEqual(parseYaml(yaml), plain);
      },
    ),
  );
});
