/** Every value arrives as it was typed, in every spelling: tried through Stricli itself. */

import { buildApplication, buildCommand, buildRouteMap, run } from "@stricli/core";
import assert from "node:assert/strict";
import fc from "fast-check";
import { flagNames } from "../../../src/cli/command_line.ts";
import { normalizeArgv } from "../../../src/cli/argv.ts";
import type { AppContext } from "../../../src/cli/context.ts";
import { listFlag, switchFlag, valueFlag } from "../../../src/cli/flag_groups.ts";

interface Flags {
  readonly someText?: string;
  readonly list?: readonly string[];
  readonly yes?: boolean;
}

/** Parses with the scanner settings of the program; undefined when the command line is refused. */
async function parse(argv: readonly string[]): Promise<Flags | undefined> {
  let seen: Flags | undefined;
  const asIs = (text: string) => text;
  const command = buildCommand<Flags, [], AppContext>({
    loader: () =>
      Promise.resolve((flags: Flags) => {
        seen = flags;
      }),
    parameters: {
      flags: {
        someText: valueFlag(asIs, "TEXT", "A text"),
        list: listFlag(asIs, "ITEM", "An item"),
        yes: switchFlag("A switch"),
      },
      aliases: { t: "someText", l: "list", y: "yes" },
    },
    docs: { brief: "For this test" },
  });
  const routes = buildRouteMap<string, AppContext>({
    routes: { command },
    docs: { brief: "For this test" },
  });
  const application = buildApplication(routes, {
    name: "test",
    scanner: { caseStyle: "allow-kebab-for-camel", allowArgumentEscapeSequence: true },
  });
  const silent = { write() {} };
  const whole = ["command", ...argv];
  await run(application, normalizeArgv(whole, flagNames(routes, whole)), {
    process: { stdout: silent, stderr: silent, exitCode: null },
  } as unknown as AppContext);
  return seen;
}

const flags = ["--some-text", "--someText", "-t", "--list", "-l", "--yes", "-y"];
const ofStricli = ["--help", "-h", "--help-all", "-H", "--version", "-v"];

/** Any text that an argument of a process can be, with those that look like something else more often. */
const anyValue = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: fc.constantFrom("-", "=", "t", "y", "\n", "'", '"', " ", "\\") }),
  fc.constantFrom(
    ...["", "--", "-", "=", "=x", "a=b", "-abc", "--no-yes", "--unknown", "--unknown=x", "true"],
    ...["\n", "a\nb", "-1", "--yes=true", "--some-text=x", "-tx", "-t=x", "command"],
    ...flags,
    ...ofStricli,
  ),
).filter((text) => !text.includes("\0"));

/** A separate value that is exactly a flag means that the value was forgotten. */
const separable = (value: string) =>
  value !== "--" && !flags.includes(value) && !ofStricli.includes(value);

const spellings: readonly {
  readonly of: string;
  readonly write: (value: string) => readonly string[];
  readonly fits: (value: string) => boolean;
}[] = [
  { of: "--flag value", write: (value) => ["--some-text", value], fits: separable },
  { of: "--flag=value", write: (value) => [`--some-text=${value}`], fits: () => true },
  { of: "--camelFlag value", write: (value) => ["--someText", value], fits: separable },
  { of: "--camelFlag=value", write: (value) => [`--someText=${value}`], fits: () => true },
  { of: "-f value", write: (value) => ["-t", value], fits: separable },
  { of: "-f=value", write: (value) => [`-t=${value}`], fits: () => true },
  {
    of: "-fvalue",
    write: (value) => [`-t${value}`],
    fits: (value) => value !== "" && !value.startsWith("="),
  },
];

for (const { of, write, fits } of spellings) {
  Deno.test(`every value typed as ${of} arrives unchanged`, async () => {
    await fc.assert(
      fc.asyncProperty(anyValue.filter(fits), async (value) => {
        const alone = await parse(write(value));
        assert.deepEqual(alone, { someText: value, list: undefined, yes: undefined });
        const among = await parse(["--yes", ...write(value), "-l", "item"]);
        assert.deepEqual(among, { someText: value, list: ["item"], yes: true });
      }),
      { numRuns: 300 },
    );
  });
}

Deno.test("repeated values arrive in their order", async () => {
  const item = fc.tuple(anyValue, fc.constantFrom("--list=", "-l="));
  await fc.assert(
    fc.asyncProperty(fc.array(item, { minLength: 1 }), async (items) => {
      const parsed = await parse(items.map(([value, flag]) => `${flag}${value}`));
      assert.deepEqual(parsed?.list, items.map(([value]) => value));
    }),
  );
});

Deno.test("a forgotten value is never filled with the next flag", async () => {
  for (const next of ["--", ...flags]) {
    assert.equal(await parse(["--some-text", next]), undefined, next);
    assert.equal(await parse(["-t", next, "x"]), undefined, next);
  }
  assert.equal(await parse(["--some-text"]), undefined);
});

Deno.test("nothing behind -- is touched, and no flag is known before its command", () => {
  fc.assert(
    fc.property(fc.array(anyValue), (rest) => {
      const known = { withValue: new Set(["--some-text"]), withoutValue: new Set<string>() };
      assert.deepEqual(normalizeArgv(["command", "--", ...rest], known), [
        "command",
        "--",
        ...rest,
      ]);
    }),
  );
});
