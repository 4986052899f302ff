/** `cache list` and `cache clear`, and what get-token keeps. */

import assert from "node:assert/strict";
import { type Emulated, emulated } from "./emulated.ts";
import { runCli } from "./run_cli.ts";

const now = Date.parse("2026-03-04T05:06:07Z");

/** Three cached tokens: two of the profile `prod`, one without a profile. */
async function filled(test: Emulated) {
  const run = (argv: readonly string[], options: { now?: number; env?: object } = {}) =>
    runCli(argv, { env: { ...test.env, ...options.env }, now: options.now ?? now });
  const runs = [
    ["config", "create", "-p", "prod"],
    ["get-token"],
    ["get-token", "-p", "prod"],
    ["get-token", "-p", "prod", "-s", "api://orders/.default"],
  ];
  for (const argv of runs) assert.equal((await run(argv)).code, 0);
  return run;
}

Deno.test("cache list shows whose tokens there are and none of them", async () => {
  await using test = await emulated();
  const run = await filled(test);
  const { AZURE_TENANT_ID: tenant, AZURE_CLIENT_ID: client } = test.env;
  const { code, stdout, stderr } = await run(["cache", "list"]);
  assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
  const [head, ...rows] = stdout.trimEnd().split("\n");
  assert.match(head ?? "", /^PROFILE +TENANT +CLIENT ID +ACCOUNT +SCOPES +EXPIRES$/);
  assert.equal(rows.length, 3);
  for (const row of rows) {
    assert.match(row, new RegExp(`^(prod|-) +${tenant}  ${client}  app +\\S+/\\.default +in `));
  }
  assert.doesNotMatch(stdout, /eyJ/);
});

Deno.test("cache list -o json has the same for programs, and -p chooses a profile in any case", async () => {
  await using test = await emulated();
  const run = await filled(test);
  const { stdout } = await run(["cache", "list", "-o", "json", "-p", "PROD"]);
  const list = JSON.parse(stdout);
  assert.equal(list.length, 2);
  const [{ expires_on, ...first }] = list;
  assert.deepEqual(first, {
    profile: "prod",
    client_id: test.env.AZURE_CLIENT_ID,
    tenant_id: test.env.AZURE_TENANT_ID,
    account: null,
    flow: "ClientCredentials",
    scope: first.scope,
    expires_at: new Date(expires_on * 1000).toISOString().replace(".000Z", "Z"),
  });
  assert.deepEqual(list.map(({ scope }: { scope: string }) => scope).sort(), [
    "api://orders/.default",
    "https://graph.microsoft.com/.default",
  ]);
});

Deno.test("cache list tells an expired token from one that lives", async () => {
  await using test = await emulated();
  const run = await filled(test);
  const { stdout } = await run(["cache", "list"], { now: now + 86_400_000 });
  assert.equal(stdout.match(/ expired$/gm)?.length, 3);
});

Deno.test("cache clear removes a profile's tokens, or all, and no secret", async () => {
  await using test = await emulated();
  const run = await filled(test);
  const cleared = async (...argv: string[]) => (await run(["cache", "clear", ...argv])).stderr;
  assert.equal(await cleared("-p", "Prod"), "Removed 2 cached tokens\n");
  assert.equal(await cleared(), "Removed 1 cached token\n");
  assert.equal(await cleared(), "Removed 0 cached tokens\n");
  const { stdout, stderr } = await run(["cache", "list"]);
  assert.deepEqual([stdout, stderr], ["", "No tokens are cached\n"]);
  assert.equal((await run(["cache", "list", "-o", "json"])).stdout, "[]\n");
  // the profile's secret is still in the vault: a new token can be had
  const { ENTRATOOL_HOME = "", ENTRATOOL_VAULT_KEY = "" } = test.env;
  const env = { ENTRATOOL_HOME, ENTRATOOL_VAULT_KEY };
  const { code } = await runCli(["get-token", "-p", "prod"], { env });
  assert.equal(code, 0);
});

Deno.test("without a vault neither cache clear nor cache list can say anything", async () => {
  await using test = await emulated();
  await filled(test);
  const env = { ENTRATOOL_HOME: test.home };
  const clear = await runCli(["cache", "clear"], { env });
  assert.deepEqual([clear.code, clear.stdout], [7, ""]);
  assert.match(clear.stderr, /^error: No vault is open.*\n {2}Set ENTRATOOL_VAULT_KEY or /);
  const list = await runCli(["cache", "list"], { env });
  assert.deepEqual([list.code, list.stdout], [7, ""]);
  assert.match(list.stderr, /^error: No vault is open.*\n {2}Set ENTRATOOL_VAULT_KEY or /);
});

Deno.test("with another key the vault is reported, and nothing is removed", async () => {
  await using test = await emulated();
  const run = await filled(test);
  const env = { ...test.env, ENTRATOOL_VAULT_KEY: new Uint8Array(32).toBase64() };
  for (const argv of [["cache", "clear"], ["cache", "list"], ["get-token"]]) {
    const { code, stdout, stderr } = await runCli(argv, { env });
    assert.deepEqual([code, stdout], [7, ""]);
    assert.match(stderr, /was made with another key than ENTRATOOL_VAULT_KEY/);
  }
  assert.equal(JSON.parse((await run(["cache", "list", "-o", "json"])).stdout).length, 3);
});

Deno.test("--force renews what is cached, --no-cache leaves it alone", async () => {
  await using test = await emulated();
  const get = async (...flags: string[]) => {
    const { code, stdout, stderr } = await runCli(["get-token", ...flags], { env: test.env });
    assert.deepEqual([code, stderr], [0, ""]);
    return stdout;
  };
  const first = await get();
  assert.equal(await get(), first);
  assert.notEqual(await get("--no-cache"), first);
  assert.equal(await get(), first, "--no-cache has not written");
  const renewed = await get("--force");
  assert.notEqual(renewed, first);
  assert.equal(await get(), renewed, "--force has written");
  assert.equal(test.emulator.requests.length, 3);
});

Deno.test("a cached token is only for the same tenant, client, scope, profile and authority", async () => {
  await using test = await emulated();
  const get = async (...flags: string[]) =>
    assert.equal((await runCli(["get-token", ...flags], { env: test.env })).code, 0);
  const { AZURE_TENANT_ID: tenant = "", AZURE_AUTHORITY_HOST: authority = "" } = test.env;
  await get();
  await get("-s", "https://graph.microsoft.com/.default");
  await get("-s", "api://orders/.default");
  await get("--tenant", "contoso.com");
  await get("--authority", authority.replace("127.0.0.1", "localhost"));
  const requests = test.emulator.requests.length;
  assert.ok(requests >= 4, `${requests}`);
  await get("--tenant", tenant.toUpperCase());
  assert.equal(test.emulator.requests.length, requests, "GUIDs are the same in any case");
});

Deno.test("cache list and clear know no profile that there is not", async () => {
  await using test = await emulated();
  await filled(test);
  for (const command of ["list", "clear"]) {
    const { code, stderr } = await runCli(["cache", command, "-p", "nope"], { env: test.env });
    assert.equal(code, 3);
    assert.equal(stderr, 'error: There is no profile "nope"\n  There are: prod\n');
  }
});

Deno.test("a vault's key in --env-file opens the vault for every command", async () => {
  await using test = await emulated();
  await filled(test);
  const { ENTRATOOL_VAULT_KEY = "", ...env } = test.env;
  const file = `${test.home}/ci.env`;
  await Deno.writeTextFile(file, `ENTRATOOL_VAULT_KEY=${ENTRATOOL_VAULT_KEY}\n`);
  const run = async (...argv: string[]) => {
    const { code, stdout, stderr } = await runCli([...argv, "--env-file", file], { env });
    assert.equal(code, 0, stderr);
    return stdout + stderr;
  };
  assert.equal(JSON.parse(await run("cache", "list", "-o", "json")).length, 3);
  assert.match(await run("config", "show", "-p", "prod", "--origin"), /in the vault|AZURE_CLIENT/);
  assert.equal(await run("cache", "clear"), "Removed 3 cached tokens\n");
  assert.equal(await run("logout", "-p", "prod"), "Nobody was signed in\n");
  assert.equal(await run("config", "delete", "-p", "prod"), 'Deleted profile "prod"\n');
});

Deno.test("a vault is opened only when it is needed, and a key that can not be one is exit code 4", async () => {
  await using test = await emulated();
  for (const ENTRATOOL_VAULT_KEY of ["", "short", "===="]) {
    const env = { ...test.env, ENTRATOOL_VAULT_KEY };
    for (const argv of [["get-token", "--no-cache"], ["get-token", "--emulator"]]) {
      const { code, stderr } = await runCli(argv, { env });
      assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
    }
    for (const argv of [["get-token"], ["cache", "list"], ["cache", "clear"]]) {
      const { code, stdout, stderr } = await runCli(argv, { env });
      assert.deepEqual({ code, stdout }, { code: 4, stdout: "" }, stderr);
      assert.match(stderr, /^error: ENTRATOOL_VAULT_KEY /);
    }
  }
});
