/** Many processes and one token: who asks, who waits, and what becomes of them when the one that asks dies or fails. */

import assert from "node:assert/strict";
import { startFront } from "../fixtures/network_front.ts";
import { type Emulated, emulated } from "./emulated.ts";
import { type Result, runCli, runProcess, spawnCli } from "./run_cli.ts";

const minute = 60_000;

async function resultOf(child: Deno.ChildProcess): Promise<Result> {
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

Deno.test("50 processes that want one uncached token make one request and print one token", async () => {
  await using test = await emulated({ faults: [{ endpoint: "token", action: "delay", ms: 1000 }] });
  const start = performance.now();
  const results = await Promise.all(
    Array.from({ length: 50 }, () => runProcess(["get-token"], { env: test.env })),
  );
  const [first] = results;
  assert.match(first!.stdout, /^eyJ[\w-]+\.[\w-]+\.[\w-]+\n$/);
  for (const result of results) {
    assert.deepEqual(result, { code: 0, stdout: first!.stdout, stderr: "" });
  }
  assert.equal(test.emulator.requests.length, 1);
  assert.ok(performance.now() - start < 25_000);
});

Deno.test("when the process that asks is killed, one of those that wait asks, and all get its token", async () => {
  await using test = await emulated();
  await using front = startFront({ target: test.emulator.origin, hold: [1] });
  const env = { ...test.env, AZURE_AUTHORITY_HOST: front.origin };
  const holder = spawnCli(["get-token"], { env });
  await front.arrived(1);
  const waiting = Array.from({ length: 8 }, () => runProcess(["get-token"], { env }));
  // this one started last and gave up, so the others have had time to begin to wait
  const { code, stdout, stderr } = await runProcess(["get-token", "--timeout", "1s"], { env });
  assert.match(stderr, /^error: No result within 1 second/m);
  assert.deepEqual({ code, stdout, requests: front.count }, { code: 5, stdout: "", requests: 1 });

  holder.kill("SIGKILL");
  assert.equal((await resultOf(holder)).stdout, "");
  const results = await Promise.all(waiting);
  assert.match(results[0]!.stdout, /^eyJ/);
  for (const result of results) {
    assert.deepEqual(result, { code: 0, stdout: results[0]!.stdout, stderr: "" });
  }
  assert.equal(front.count, 2);
});

Deno.test("a process does not wait for one that asks for another token", async () => {
  await using test = await emulated();
  await using front = startFront({ target: test.emulator.origin, hold: [1] });
  const env = { ...test.env, AZURE_AUTHORITY_HOST: front.origin };
  const holder = spawnCli(["get-token"], { env });
  await front.arrived(1);
  const other = await runProcess(["get-token", "-s", "api://orders/.default"], { env });
  assert.deepEqual({ code: other.code, stderr: other.stderr }, { code: 0, stderr: "" });
  holder.kill("SIGKILL");
  await resultOf(holder);
});

Deno.test("a process that fails does not keep those that wait from asking", async () => {
  await using test = await emulated({
    faults: [{ endpoint: "token", nth: 1, action: "aadsts", code: 50196 }],
  });
  const results = await Promise.all(
    Array.from({ length: 5 }, () => runProcess(["get-token"], { env: test.env })),
  );
  const failed = results.filter(({ code }) => code !== 0);
  assert.deepEqual(failed.map(({ code, stdout }) => ({ code, stdout })), [{ code: 2, stdout: "" }]);
  const tokens = new Set(results.map(({ stdout }) => stdout).filter((stdout) => stdout !== ""));
  assert.equal(tokens.size, 1);
  assert.equal(test.emulator.requests.length, 2);
});

// Renewal: the emulator's first token lives for 60 minutes and would like to be renewed after 30.

async function withRenewable(...later: readonly Record<string, unknown>[]): Promise<Emulated> {
  const set = { expires_in: 3600, refresh_in: 1800 };
  return await emulated({
    faults: [
      { endpoint: "token", nth: 1, action: "response", set },
      ...later.map((fault) => ({ endpoint: "token", from: 2, ...fault })),
    ],
  });
}

/** The emulator goes by the real clock, and a token that is over when it comes is refused. */
const start = Date.now();

/** Runs `get-token` so many minutes after the start. */
function getToken(test: Emulated, minutes: number, ...argv: string[]) {
  const now = start + minutes * minute;
  return runCli(["get-token", ...argv], { env: test.env, now });
}

Deno.test("get-token renews a token when the server would like it", async () => {
  await using test = await withRenewable();
  const first = await getToken(test, 0);
  assert.equal((await getToken(test, 29.9)).stdout, first.stdout);
  assert.equal(test.emulator.requests.length, 1);
  const renewed = await getToken(test, 30);
  assert.deepEqual({ code: renewed.code, stderr: renewed.stderr }, { code: 0, stderr: "" });
  assert.notEqual(renewed.stdout, first.stdout);
  assert.equal((await getToken(test, 31)).stdout, renewed.stdout);
  assert.equal(test.emulator.requests.length, 2);
});

const unreachable: readonly [name: string, fault: Record<string, unknown>, argv: string[]][] = [
  ["resets the connection", { action: "reset" }, []],
  ["is busy", { action: "status", status: 429, retryAfter: 120 }, []],
  ["has a problem", { action: "status", status: 503, body: "html" }, []],
  ["is a captive portal", { action: "html" }, []],
  ["is silent", { action: "delay", ms: 600_000 }, ["--timeout", "0.3s"]],
];
for (const [name, fault, argv] of unreachable) {
  Deno.test(`get-token hands out a token that lives, with a warning, when the server ${name}`, async () => {
    await using test = await withRenewable(fault);
    const first = await getToken(test, 0);
    for (const minutes of [31, 54]) {
      const { code, stdout, stderr } = await getToken(test, minutes, ...argv);
      assert.match(stderr, /^warning: The token should be renewed, but that failed: [^\n]+\n$/);
      assert.deepEqual({ code, stdout }, { code: 0, stdout: first.stdout });
    }
    // five minutes before its end, a token counts as ended
    const { code, stdout } = await getToken(test, 55, ...argv);
    assert.deepEqual({ code, stdout }, { code: 5, stdout: "" });
  });
}

Deno.test("get-token does not hand out a token that lives when Entra refuses to renew it", async () => {
  await using test = await withRenewable({ action: "aadsts", code: 7000222 });
  await getToken(test, 0);
  const { code, stdout, stderr } = await getToken(test, 31);
  assert.match(stderr, /^error: The client secret has expired \(AADSTS7000222\)/);
  assert.deepEqual({ code, stdout }, { code: 2, stdout: "" });
});

Deno.test("a process that waits too long for another's renewal hands out the token that lives", async () => {
  await using test = await withRenewable();
  await using front = startFront({ target: test.emulator.origin, hold: [2] });
  const env = { ...test.env, AZURE_AUTHORITY_HOST: front.origin };
  const cached = await runCli(["get-token"], { env, now: Date.now() - 40 * minute });
  const holder = spawnCli(["get-token"], { env });
  await front.arrived(2);
  const { code, stdout, stderr } = await runProcess(["get-token", "--timeout", "0.5s"], { env });
  assert.match(stderr, /^warning: The token should be renewed, but that failed: No result within/);
  assert.deepEqual({ code, stdout }, { code: 0, stdout: cached.stdout });
  assert.equal(front.count, 2);
  holder.kill("SIGKILL");
  await resultOf(holder);
});

// --force and --no-cache.

Deno.test("get-token --force always asks, and caches what it gets", async () => {
  await using test = await emulated();
  const tokens = [
    await getToken(test, 0),
    await getToken(test, 1, "--force"),
    await getToken(test, 2, "--force"),
    await getToken(test, 3),
  ].map(({ stdout }) => stdout);
  assert.equal(test.emulator.requests.length, 3);
  assert.equal(new Set(tokens).size, 3);
  assert.equal(tokens[3], tokens[2]);
});

Deno.test("get-token --force fails with the network, and leaves the cached token alone", async () => {
  await using test = await withRenewable({ action: "reset" });
  const first = await getToken(test, 0);
  const { code, stdout } = await getToken(test, 31, "--force");
  assert.deepEqual({ code, stdout }, { code: 5, stdout: "" });
  assert.equal((await getToken(test, 1)).stdout, first.stdout);
});

Deno.test("get-token --no-cache leaves no trace", async () => {
  await using test = await emulated();
  for (const _ of [1, 2]) {
    const { code, stdout, stderr } = await getToken(test, 0, "--no-cache");
    assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
    assert.match(stdout, /^eyJ/);
  }
  assert.equal(test.emulator.requests.length, 2);
  assert.deepEqual([...Deno.readDirSync(test.home)], []);
});

Deno.test("get-token --no-cache neither takes nor replaces the cached token", async () => {
  await using test = await emulated();
  const cached = await getToken(test, 0);
  const other = await getToken(test, 1, "--no-cache");
  assert.notEqual(other.stdout, cached.stdout);
  assert.equal((await getToken(test, 2)).stdout, cached.stdout);
});

Deno.test("get-token caches no failure", async () => {
  await using test = await emulated({
    faults: [{ endpoint: "token", nth: 1, action: "aadsts", code: 7000215 }],
  });
  assert.equal((await getToken(test, 0)).code, 2);
  assert.equal((await getToken(test, 0)).code, 0);
});
