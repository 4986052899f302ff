/**
 * Measures what the design has budgets for, in one run, so that the ratios hold on any machine: start-up of an empty program,
 * a cached `get-token`, peak memory of both, and the time that a token request adds to the server's own.
 *
 *     deno task bench
 */

import { exampleDirectory, parseDirectory, startEmulator } from "../src/emulator/emulator.ts";

const root = new URL("..", import.meta.url);
const rounds = 40;
const warmups = 3;

const folder = await Deno.makeTempDir({ prefix: "entratool-bench-" });
try {
  await bench();
} finally {
  await Deno.remove(folder, { recursive: true });
}

async function bench(): Promise<void> {
  const empty = `${folder}/empty.ts`;
  await Deno.writeTextFile(empty, "");
  const main = new URL("main.ts", root).pathname;
  // the answers' own time is not measured from outside: the emulator says how long it took for each
  const emulator = await startEmulator({
    directory: parseDirectory(exampleDirectory(), "example"),
  });
  const { seed } = emulator;
  const env: Record<string, string> = {
    ENTRATOOL_HOME: `${folder}/home`,
    ENTRATOOL_VAULT_KEY: crypto.getRandomValues(new Uint8Array(32)).toBase64(),
    AZURE_AUTHORITY_HOST: emulator.origin,
    AZURE_TENANT_ID: seed?.tenantId ?? "",
    AZURE_CLIENT_ID: seed?.clientId ?? "",
    AZURE_CLIENT_SECRET: seed?.clientSecret ?? "",
  };
  const run = (...args: string[]) => ["run", "--quiet", "--cached-only", "-A", ...args];
  const emptyRun = run(empty);
  const cachedRun = run(main, "get-token");
  const requestRun = run(main, "get-token", "--no-cache");

  await runDeno(cachedRun, env);
  const before = emulator.requests.length;
  const [emptyTime = NaN, cachedTime = NaN] = await interleaved([emptyRun, cachedRun], env);
  const [emptyPeak, cachedPeak] = [
    await peakMemory(emptyRun, env),
    await peakMemory(cachedRun, env),
  ];
  if (emulator.requests.length !== before) throw new Error("a cached token was asked for again");
  const [requestTime = NaN] = await interleaved([requestRun], env);
  const served = median(emulator.requests.slice(before).map(({ durationMs }) => durationMs));
  await emulator.close();

  const rows: (readonly [what: string, value: string, budget: string])[] = [
    ["empty Deno program", ms(emptyTime), ""],
    ["cached get-token, key from the environment", ms(cachedTime), ""],
    ["  ratio to the empty program", (cachedTime / emptyTime).toFixed(2), "1.8"],
    ["peak memory of the empty program", mib(emptyPeak), ""],
    ["peak memory of the cached get-token", mib(cachedPeak), ""],
    ["  ratio to the empty program", (cachedPeak / emptyPeak).toFixed(2), "1.6"],
    ["get-token with a token request", ms(requestTime), ""],
    ["  the server's own time", ms(served), ""],
    ["  added, beyond the server and a cached run", ms(requestTime - served - cachedTime), "20 ms"],
  ];
  print(`${"medians".padEnd(48)}${"measured".padStart(12)}${"at most".padStart(12)}`);
  for (const [what, value, budget] of rows) {
    print(what.padEnd(48) + value.padStart(12) + budget.padStart(12));
  }
}

/** The median time of each command line in milliseconds, taken in turn, so that a busy moment meets all of them. */
async function interleaved(
  commands: readonly (readonly string[])[],
  env: Readonly<Record<string, string>>,
): Promise<readonly number[]> {
  const times = commands.map((): number[] => []);
  for (let round = -warmups; round < rounds; round++) {
    for (const [index, command] of commands.entries()) {
      const start = performance.now();
      await runDeno(command, env);
      if (round >= 0) times[index]?.push(performance.now() - start);
    }
  }
  return times.map(median);
}

async function runDeno(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    env,
    stdout: "null",
    stderr: "piped",
  }).output();
  if (code !== 0) throw new Error(new TextDecoder().decode(stderr));
}

/** The median peak of the resident memory in KiB, by GNU time; not a number on a machine without it. */
async function peakMemory(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<number> {
  const peaks: number[] = [];
  for (let round = 0; round < 9; round++) {
    const time = new Deno.Command("/usr/bin/time", {
      args: ["-f", "%M", Deno.execPath(), ...args],
      env,
      stdout: "null",
      stderr: "piped",
    });
    const output = await time.output().catch(() => undefined);
    if (output === undefined) return Number.NaN;
    peaks.push(Number(new TextDecoder().decode(output.stderr).trim().split("\n").at(-1)));
  }
  return median(peaks);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function ms(milliseconds: number): string {
  return `${milliseconds.toFixed(1)} ms`;
}

function mib(kib: number): string {
  return `${(kib / 1024).toFixed(1)} MiB`;
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
