/** What happens when something is typed wrongly, and what the help says when it is asked. */

import assert from "node:assert/strict";
import { runApp } from "../../src/app.ts";
import { flagNames, loadRoutes } from "../../src/cli/command_line.ts";
import { version } from "../../src/version.ts";
import { FakeHost } from "../fakes/fake_host.ts";
import { runCli } from "./run_cli.ts";

const home = await Deno.makeTempDir({ prefix: "entratool-usage-" });
addEventListener("unload", () => Deno.removeSync(home, { recursive: true }));

/** In a folder without anything, and without a network. */
const run = (argv: readonly string[]) =>
  runCli(argv, {
    env: { ENTRATOOL_HOME: home },
    fetch: () => Promise.reject(new Error("a request was sent")),
  });

const mistakes: readonly (readonly [
  claim: string,
  argv: readonly string[],
  message: string,
  hint?: string,
])[] = [
  [
    "a misspelt flag is corrected in kebab-case",
    ["get-token", "--clientid", "x"],
    "There is no flag --clientid",
    "Did you mean --client-id?",
  ],
  [
    "a misspelt flag of several words is corrected",
    ["get-token", "--certificate-password-fil", "x"],
    "There is no flag --certificate-password-fil",
    "Did you mean --certificate-password-file?",
  ],
  [
    "a misspelt flag that may be a secret is corrected and not repeated",
    ["get-token", "--client-secret-fil", "x"],
    "There is no such flag",
    "Did you mean --client-secret-file?",
  ],
  [
    "a misspelt flag is found behind others and with its value attached",
    ["get-token", "-s", "x", "--warn-expirey=3"],
    "There is no flag --warn-expirey",
    "Did you mean --warn-expiry?",
  ],
  [
    "a misspelt flag with a value of several lines is not taken for an argument",
    ["get-token", "--tennant=a\nb"],
    "There is no flag --tennant",
    "Did you mean --tenant?",
  ],
  [
    "a flag that can not be negated is named",
    ["get-token", "--no-force"],
    "There is no flag --no-force",
    "Did you mean --force?",
  ],
  ["an unknown short flag is named", ["get-token", "-x"], "There is no flag -x"],
  [
    "what may be a flag and a secret run together is not named",
    ["get-token", "--client-secretHunter2"],
    "There is no such flag",
  ],
  [
    "a flag without its value is told from one with the wrong value",
    ["get-token", "--tenant"],
    "--tenant needs a value",
  ],
  [
    "a flag is not taken for the value of the flag before it",
    ["get-token", "--tenant", "--client-id", "x"],
    "--tenant needs a value",
  ],
  [
    "-- is not taken for a value",
    ["get-token", "--tenant", "--"],
    "--tenant needs a value",
  ],
  ["an empty value is refused", ["get-token", "--tenant="], "--tenant: the value is empty"],
  ["an empty argument is refused", ["get-token", "--tenant", ""], "--tenant: the value is empty"],
  [
    "a flag that was given twice is named, not its values",
    ["get-token", "--tenant", "one", "--tenant", "two"],
    "--tenant was given more than once",
  ],
  [
    "the value of a switch is not repeated",
    ["get-token", "--verbose=maybe"],
    "--verbose: the value can not be read",
  ],
  [
    "an unknown word says which there are",
    ["get-token", "-f", "Implicit"],
    "--flow: the value is not a flow: use one of ClientCredentials, InteractiveBrowser, DeviceCode, AuthorizationCode",
  ],
  [
    "an argument too many is not repeated",
    ["get-token", "surplus"],
    "There is an argument too many: this command takes only flags, and values with spaces need quotes",
  ],
  [
    "a command that takes one argument says so",
    ["inspect", "one", "two"],
    "There is an argument too many: this command takes 1",
  ],
  [
    "what stands behind -- is no flag",
    ["get-token", "--", "--tenant"],
    "There is an argument too many: this command takes only flags, and values with spaces need quotes",
  ],
  [
    "a misspelt command is corrected in kebab-case",
    ["gettoken"],
    'There is no command "gettoken"',
    'Did you mean "get-token"?',
  ],
  [
    "a misspelt sub-command is corrected",
    ["config", "crate"],
    'There is no command "crate"',
    'Did you mean "create"?',
  ],
  [
    "a flag is suggested by a word of it",
    ["get-token", "--secret", "x"],
    "There is no flag --secret",
    "Did you mean --client-secret-file or --client-secret?",
  ],
  [
    "a flag that is like no other is not repeated",
    ["get-token", "--hunter2hunter2", "x"],
    "There is no such flag",
  ],
  [
    "a misspelt flag of the program itself is corrected",
    ["--verson"],
    "There is no flag --verson",
    "Did you mean --version?",
  ],
  ["help is a flag", ["help"], 'There is no command "help"', "Type entratool --help"],
  ["a list of no scopes is refused", ["get-token", "-s", ","], "--scope: the value holds no scope"],
  [
    "an unknown command is not repeated",
    ["frobnicate"],
    "There is no such command",
    "entratool --help lists them",
  ],
];

for (const [claim, argv, message, hint = "Add --help to see what can be typed"] of mistakes) {
  Deno.test(`${claim}: ${JSON.stringify(argv)}`, async () => {
    const { code, stdout, stderr } = await run(argv);
    assert.equal(stderr, `error: ${message}\n  ${hint}\n`);
    assert.deepEqual({ code, stdout }, { code: 4, stdout: "" });
  });
}

Deno.test("several mistakes are all told", async () => {
  const { code, stderr } = await run(["get-token", "--timeout", "soon", "--cloud", "nine"]);
  assert.equal(code, 4);
  assert.deepEqual(stderr.match(/^error: --\w+/gm)?.toSorted(), [
    "error: --cloud",
    "error: --timeout",
  ]);
});

Deno.test("a bug of ours shows no stack trace and no secret", async () => {
  class BrokenHost extends FakeHost {
    override deadline(): never {
      throw new TypeError("no clock for Zx-canary\n    at file:///main.ts");
    }
  }
  using host = new BrokenHost({ env: { ENTRATOOL_HOME: home } });
  const clientId = "11111111-2222-4333-8444-555555555555";
  const code = await runApp(
    ["get-token", "--tenant", "a.com", "--client-id", clientId, "--client-secret", "Zx-canary"],
    host,
  );
  assert.deepEqual([code, host.stdoutText], [1, ""]);
  assert.match(host.stderrText, /error: Something went wrong that should not: TypeError/);
  assert.doesNotMatch(host.stderrText, /Zx-canary|^ {4}at /m);
});

interface Documented {
  readonly path: readonly string[];
  /** Absent for a group of commands. */
  readonly command?: Command;
}

type Routes = Awaited<ReturnType<typeof loadRoutes>>;
type Target = ReturnType<Routes["getAllEntries"]>[number]["target"];
type Command = Exclude<Target, Routes>;

/** The program itself, each group and each command. */
function documented(target: Target, path: readonly string[]): readonly Documented[] {
  if (!("getAllEntries" in target)) return [{ path, command: target }];
  return [
    { path },
    ...target.getAllEntries().flatMap(({ name, target: next }) =>
      documented(next, [...path, kebab(name.original)])
    ),
  ];
}

function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

const routes = await loadRoutes(undefined);
const all = documented(routes, []);
const commands = all.filter((each): each is Required<Documented> => each.command !== undefined);

Deno.test("the walk through the commands finds them", () => {
  const names = commands.map(({ path }) => path.join(" "));
  for (const name of ["get-token", "inspect", "config create", "cache clear", "emulator"]) {
    assert.ok(names.includes(name), name);
  }
});

for (const { path } of all) {
  Deno.test(`the help of entratool ${path.join(" ")} has examples that can be typed`, async () => {
    const { code, stdout, stderr } = await run([...path, "--help"]);
    assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
    assert.equal((await run([...path, "-h"])).stdout, stdout);
    const examples = examplesOf(stdout);
    const own = ["entratool", ...path].join(" ");
    assert.ok(examples.some((example) => example.startsWith(own)), stdout);
    for (const example of examples) {
      const argv = example.split(/\s+/).slice(1);
      const parsed = await parse(argv);
      assert.ok(!isAboutTyping(parsed), `${example}:\n${parsed}`);
    }
  });
}

for (const { path, command } of all) {
  Deno.test(`the help of entratool ${path.join(" ")} has 80 columns and says what each flag takes`, async () => {
    const { stdout } = await run([...path, "--help"]);
    assert.deepEqual(stdout.split("\n").filter((line) => line.length > 80), []);
    if (command === undefined) return;
    assert.match(stdout, /^ {2}entratool .*\[flags\]$/m);
    const flags = stdout.slice(stdout.indexOf("\nFLAGS\n"));
    for (const [name, flag] of Object.entries(command.parameters.flags ?? {})) {
      const [, takes] = new RegExp(`--${kebab(name)}(?:/\\S+)? (\\S+)`).exec(flags) ?? [];
      if (flag.kind === "parsed") assert.equal(takes, flag.placeholder, `--${kebab(name)}`);
    }
  });
}

/** Each command of the program in the EXAMPLES section, without what a shell makes of the rest. */
function examplesOf(help: string): readonly string[] {
  const [, section = ""] = /^EXAMPLES\n((?: {2}.*\n?)+)/m.exec(help) ?? [];
  return section.replaceAll(/ \\\n */g, " ").split("\n").flatMap((line) =>
    [...line.matchAll(/entratool [^|<>)"]*/g)].map(([command]) => command.trim())
  );
}

/** What is said on stderr; a command that would wait is interrupted. */
async function parse(argv: readonly string[]): Promise<string> {
  using host = new FakeHost({
    env: { ENTRATOOL_HOME: home },
    fetch: () => Promise.reject(new Error("no network")),
    terminals: ["stdin"],
  });
  host.interrupt();
  await runApp(argv, host);
  return host.stderrText;
}

function isAboutTyping(stderr: string): boolean {
  return /There is no (?:such )?(?:flag|command)|needs a value|the value (?:is|can) not|argument too many|more than once/
    .test(stderr);
}

Deno.test("the judge of examples knows a wrong one", async () => {
  for (
    const wrong of ["get-tokn", "get-token --tennant x", "get-token -f Nothing", "cache list x"]
  ) {
    assert.ok(isAboutTyping(await parse(wrong.split(" "))), wrong);
  }
});

Deno.test("every flag of every command can be typed once, with its alias too", async () => {
  const problems: string[] = [];
  for (const { path, command } of commands) {
    const { flags = {}, aliases = {} } = command.parameters;
    const spellings = [
      ...Object.keys(flags).map((name) => [`--${kebab(name)}`, name] as const),
      ...Object.entries(aliases).map(([alias, name]) => [`-${alias}`, name] as const),
    ];
    for (const [spelling, name] of spellings) {
      const argv = [...path, spelling, ...(flags[name]?.kind === "parsed" ? ["1"] : []), "--help"];
      const { code, stdout } = await run(argv);
      if (code !== 0 || !stdout.startsWith("USAGE")) problems.push(argv.join(" "));
      const stderr = await parse(argv.slice(0, -1));
      // values such as 1 are read by each flag in its own way; here only the flag itself counts
      if (/There is no (?:such )?flag|needs a value|argument too many/.test(stderr)) {
        problems.push(`${argv.join(" ")}: ${stderr}`);
      }
    }
  }
  assert.deepEqual(problems, []);
});

Deno.test("a flag takes a value in all commands that have it, or in none, but for logout --browser", () => {
  const kinds = new Map<string, Set<string>>();
  for (const { path } of commands) {
    const { withValue, withoutValue } = flagNames(routes, path);
    for (const [kind, names] of [["value", withValue], ["none", withoutValue]] as const) {
      for (const name of names) kinds.set(name, (kinds.get(name) ?? new Set()).add(kind));
    }
  }
  const mixed = [...kinds].filter(([, found]) => found.size > 1).map(([name]) => name);
  // to sign in it names the program, to sign out it says that one shall be opened
  assert.deepEqual(mixed, ["--browser"]);
});

Deno.test("--version prints the version alone", async () => {
  for (const flag of ["--version", "-v"]) {
    const { code, stdout, stderr } = await run([flag]);
    assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: `${version}\n`, stderr: "" });
  }
});

Deno.test("a command typed in camel case reads its values like any other", async () => {
  const { code, stderr } = await run(["getToken", "--tenant=a\nb", "--client-id", "-x"]);
  assert.ok(code === 4 || code === 6, stderr);
  assert.ok(!isAboutTyping(stderr), stderr);
});

Deno.test("without arguments the help is shown", async () => {
  const bare = await run([]);
  assert.deepEqual([bare.code, bare.stdout], [0, (await run(["--help"])).stdout]);
});
