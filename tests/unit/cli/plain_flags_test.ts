/** What is read without Stricli is read as Stricli reads it. */

import assert from "node:assert/strict";
import { buildApplication, buildCommand, run } from "@stricli/core";
import fc from "fast-check";
import { namesOfFlags, normalizeArgv, typedName } from "../../../src/cli/argv.ts";
import { getTokenAliases, getTokenFlags } from "../../../src/cli/get_token_flags.ts";
import { parsePlainFlags } from "../../../src/cli/plain_flags.ts";

/** The flags as Stricli reads them; undefined when it does not call the command. */
async function parseByStricli(
  argv: readonly string[],
): Promise<Record<string, unknown> | undefined> {
  let parsed: Record<string, unknown> | undefined;
  const command = buildCommand({
    func: (flags: Record<string, unknown>) => void (parsed = flags),
    // deno-lint-ignore no-explicit-any
    parameters: { flags: getTokenFlags as any, aliases: getTokenAliases as any },
    docs: { brief: "get-token" },
  });
  const application = buildApplication(command, {
    name: "entratool",
    scanner: { caseStyle: "allow-kebab-for-camel", allowArgumentEscapeSequence: true },
  });
  const stream = { write: () => {} };
  await run(application, normalizeArgv(argv, namesOfFlags(getTokenFlags, getTokenAliases)), {
    process: { stdout: stream, stderr: stream },
  });
  return parsed &&
    Object.fromEntries(Object.entries(parsed).filter(([, value]) => value !== undefined));
}

const names = [
  ...Object.keys(getTokenFlags).map((name) => `--${typedName(name)}`),
  ...Object.keys(getTokenAliases).map((name) => `-${name}`),
];
const word = fc.oneof(
  fc.constantFrom(...names),
  fc.constantFrom(
    "--",
    "-",
    "--help",
    "-h",
    "--unknown",
    "-x",
    "-ps",
    "",
    "x",
    "json",
    "5m",
    "30",
    "PS256",
    "public",
  ),
  fc.constantFrom(...names).chain((name) => fc.string().map((value) => `${name}=${value}`)),
  fc.string(),
);

Deno.test("parsePlainFlags() reads what Stricli reads, or leaves it to Stricli", async () => {
  let plain = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(word, { maxLength: 6 }), async (argv) => {
      const values = parsePlainFlags(argv, getTokenFlags, getTokenAliases);
      if (values === undefined) return;
      plain++;
      assert.deepEqual({ ...values }, await parseByStricli(argv));
    }),
    { numRuns: 3000 },
  );
  assert.ok(plain > 100, `only ${plain} of them were plain`);
});

Deno.test("parsePlainFlags() reads ordinary command lines itself", async () => {
  for (
    const line of [
      "",
      "-p prod",
      "-pprod -o json --force",
      "--profile=prod -f client-credentials -s a -s b,c --timeout 30s",
      "--tenant t --client-id c --client-secret=-x --no-cache --verbose",
    ]
  ) {
    const argv = line.split(" ").filter((each) => each !== "");
    const values = parsePlainFlags(argv, getTokenFlags, getTokenAliases);
    assert.ok(values !== undefined, line);
    assert.deepEqual({ ...values }, await parseByStricli(argv), line);
  }
});

Deno.test("parsePlainFlags() leaves mistakes and help to Stricli", () => {
  for (
    const line of [
      "--help",
      "-h",
      "--verson",
      "x",
      "-p",
      "-p --force",
      "-p a -p b",
      "--force --force",
      "-o nonsense",
      "--",
      "--force=true",
    ]
  ) {
    assert.equal(parsePlainFlags(line.split(" "), getTokenFlags, getTokenAliases), undefined, line);
  }
});
