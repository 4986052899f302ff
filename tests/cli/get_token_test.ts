/** `get-token` as a user sees it, against the emulator. */

import assert from "node:assert/strict";
import { emulated } from "./emulated.ts";
import { runCli, runProcess } from "./run_cli.ts";

Deno.test("get-token prints the token and nothing else on stdout", async () => {
  await using test = await emulated();
  const { code, stdout, stderr } = await runCli(["get-token"], { env: test.env });
  assert.equal(stderr, "");
  assert.equal(code, 0);
  assert.match(stdout, /^eyJ[\w-]+\.[\w-]+\.[\w-]+\n$/);
});

Deno.test("get-token works in a process of its own, with the permissions of deno.json", async () => {
  await using test = await emulated();
  const first = await runProcess(["get-token"], { env: test.env });
  assert.deepEqual({ code: first.code, stderr: first.stderr }, { code: 0, stderr: "" });
  const second = await runProcess(["get-token"], { env: test.env });
  assert.equal(second.stdout, first.stdout);
  assert.equal(test.emulator.requests.length, 1);
});
