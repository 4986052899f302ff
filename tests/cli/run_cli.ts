/** Runs the program as a user does: by argv, in this process or in one of its own. */

import { runApp } from "../../src/app.ts";
import { FakeHost, type FakeHostOptions } from "../fakes/fake_host.ts";

export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** In this process, with a host of the test's: fast, and the clock is the test's. */
export async function runCli(
  argv: readonly string[],
  options: FakeHostOptions = {},
): Promise<Result & { readonly host: FakeHost }> {
  using host = new FakeHost(options);
  const code = await runApp(argv, host);
  return { code, stdout: host.stdoutText, stderr: host.stderrText, host };
}

export interface ProcessOptions {
  /** The whole environment, beside what Deno itself needs. */
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
}

/** The program in a process of its own, as `deno run` starts it, with the permissions that deno.json gives it. */
export function spawnCli(argv: readonly string[], options: ProcessOptions = {}): Deno.ChildProcess {
  const main = new URL("../../main.ts", import.meta.url);
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--permission-set",
      "--no-prompt",
      "--cached-only",
      main.href,
      ...argv,
    ],
    clearEnv: true,
    env: { ...denoEnvironment(), ...options.env },
    stdin: options.stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Runs {@link spawnCli} to its end. */
export async function runProcess(
  argv: readonly string[],
  options: ProcessOptions = {},
): Promise<Result> {
  const child = spawnCli(argv, options);
  if (options.stdin !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(options.stdin));
    await writer.close();
  }
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** What Deno needs to find its cache, and nothing else of this process's environment. */
function denoEnvironment(): Record<string, string> {
  const names = [
    "DENO_DIR",
    "HOME",
    "PATH",
    "XDG_CACHE_HOME",
    "USERPROFILE",
    "LOCALAPPDATA",
    "SystemRoot",
  ];
  const pairs = names.map((name) => [name, Deno.env.get(name)] as const);
  return {
    ...Object.fromEntries(pairs.filter((pair): pair is [string, string] => pair[1] !== undefined)),
    DENO_NO_UPDATE_CHECK: "1",
    NO_COLOR: "1",
  };
}
