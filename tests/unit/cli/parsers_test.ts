/** The values of flags: what is read, and that what can not be read is never repeated. */

import assert from "node:assert/strict";
import fc from "fast-check";
import * as parsers from "../../../src/cli/parsers.ts";

const durations: readonly (readonly [text: string, milliseconds: number])[] = [
  ["30", 30_000],
  ["30s", 30_000],
  [" 30s ", 30_000],
  ["0.5s", 500],
  ["2m", 120_000],
  ["1.5h", 5_400_000],
  ["24h", 86_400_000],
];

Deno.test("durations are seconds, minutes or hours", () => {
  for (const [text, milliseconds] of durations) {
    assert.equal(parsers.parseDuration(text), milliseconds, text);
  }
});

Deno.test("a duration is read as a number that a timer can hold, or refused", () => {
  const likely = fc.tuple(fc.double({ min: 0, noNaN: true }), fc.constantFrom("", "s", "m", "h"));
  const text = fc.oneof(fc.string(), likely.map(([number, unit]) => `${number}${unit}`));
  fc.assert(
    fc.property(text, (value) => {
      const milliseconds = readOrRefuse(parsers.parseDuration, value);
      if (milliseconds !== undefined) assert.ok(milliseconds >= 1 && milliseconds <= 86_400_000);
    }),
  );
});

const refused: readonly (readonly [parse: (text: string) => unknown, texts: readonly string[]])[] =
  [
    [parsers.parseText, ["", " ", "\n"]],
    [parsers.parseSecret, [""]],
    [parsers.parseDuration, ["", "0", "-1s", "1d", "1e3", "s", "25h", "1 m 2", "NaN", "Infinity"]],
    [parsers.parseMinutes, ["", "-1", "1.5", "5d", "1234567"]],
    [parsers.parsePort, ["", "-1", "65536", "1e3", "http", "080808"]],
    [parsers.parseFlow, ["", "implicit", "client"]],
    [parsers.parseCloud, ["", "mars", "public "]],
    [parsers.parseOutputFormat, ["", "xml"]],
  ];

Deno.test("what can not be read is refused with a ValueError", () => {
  for (const [parse, texts] of refused) {
    for (const text of texts) {
      assert.throws(() => parse(text), parsers.ValueError, `${parse.name} ${JSON.stringify(text)}`);
    }
  }
});

Deno.test("no parser repeats a text that it refuses", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...refused.map(([parse]) => parse)),
      fc.string({ minLength: 6 }),
      (parse, text) => void readOrRefuse(parse, `Zx-${text}`),
    ),
  );
});

function readOrRefuse<T>(parse: (text: string) => T, text: string): T | undefined {
  try {
    return parse(text);
  } catch (error) {
    assert.ok(error instanceof parsers.ValueError);
    if (text.length > 3) assert.ok(!error.message.includes(text), error.message);
    return undefined;
  }
}

Deno.test("flows, clouds and formats are read in any case, flows in kebab too", () => {
  for (const text of ["ClientCredentials", "CLIENTCREDENTIALS", "client-credentials"]) {
    assert.equal(parsers.parseFlow(text), "ClientCredentials");
  }
  for (const text of ["interactive", "interactive-browser", "InteractiveBrowser"]) {
    assert.equal(parsers.parseFlow(text), "InteractiveBrowser");
  }
  assert.equal(parsers.parseFlow("device_code"), "DeviceCode");
  assert.equal(parsers.parseFlow("authorization-code"), "AuthorizationCode");
  assert.equal(parsers.parseCloud("USGov"), "usgov");
  assert.equal(parsers.parseOutputFormat("Yaml"), "yaml");
});

Deno.test("a secret is taken as it is", () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 1, unit: "binary" }),
      (secret) => parsers.parseSecret(secret) === secret,
    ),
  );
});
