/** `logout`: who is signed out, and what stays. */

import assert from "node:assert/strict";
import {
  ada,
  desktopApp,
  type SignInTest,
  signInTest,
  tenantId,
  webApp,
} from "./sign_in_emulated.ts";

const noSettings = {
  AZURE_TENANT_ID: undefined,
  AZURE_CLIENT_ID: undefined,
  AZURE_AUTHORITY_HOST: undefined,
};

/** Ada, signed in with each profile, and without one. */
async function everywhere(): Promise<SignInTest> {
  const test = await signInTest();
  for (const name of ["one", "two"]) {
    const flags = ["--tenant", tenantId, "--client-id", desktopApp, "--flow", "InteractiveBrowser"];
    const authority = ["--authority", test.emulator.origin];
    const argv = ["config", "create", "-p", name, ...flags, ...authority];
    assert.equal((await test.runAlone(argv, { env: noSettings })).code, 0);
    const signedIn = await test.run(["get-token", "-p", name], { env: noSettings });
    assert.equal(signedIn.code, 0, signedIn.stderr);
  }
  assert.equal((await test.run(["get-token"])).code, 0);
  return test;
}

/** Where Ada is still signed in. */
async function signedIn(test: SignInTest): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of ["one", "two"]) {
    const { code } = await test.runAlone(["refresh", "-p", name], { env: noSettings });
    if (code === 0) found.push(name);
  }
  if ((await test.runAlone(["refresh"])).code === 0) found.push("none");
  return found;
}

const cases: readonly [argv: string[], env: Record<string, undefined>, stay: string[]][] = [
  [["-p", "one"], noSettings, ["two", "none"]],
  [["-p", "ONE", "--account", ada], noSettings, ["two", "none"]],
  [[], {}, ["one", "two"]],
  [["--all"], noSettings, []],
  [["--all", "--account", ada.toUpperCase()], noSettings, []],
];
for (const [argv, env, stay] of cases) {
  Deno.test(`logout ${argv.join(" ")} signs those people out and no others`, async () => {
    await using test = await everywhere();
    const { code, stdout, stderr, host } = await test.runAlone(["logout", ...argv], { env });
    assert.deepEqual({ code, stdout, stderr, opened: host.opened }, {
      code: 0,
      stdout: "",
      stderr: `Signed out: ${ada}\n`,
      opened: [],
    });
    assert.deepEqual(await signedIn(test), stay);
    const { stdout: list } = await test.runAlone(["cache", "list", "-o", "json"]);
    assert.equal(JSON.parse(list).length, stay.length);
  });
}

Deno.test("logout --account of somebody else signs nobody out", async () => {
  await using test = await everywhere();
  const { code, stderr } = await test.runAlone(["logout", "--all", "--account", "eve@contoso.com"]);
  assert.deepEqual({ code, stderr }, { code: 0, stderr: "Nobody was signed in\n" });
  assert.deepEqual(await signedIn(test), ["one", "two", "none"]);
});

Deno.test("logout leaves the tokens of apps alone", async () => {
  await using test = await signInTest();
  const env = { AZURE_CLIENT_ID: webApp, AZURE_CLIENT_SECRET: "web-shop-secret" };
  const app = await test.runAlone(["get-token", "-s", "api://orders/.default"], { env });
  assert.equal(app.code, 0, app.stderr);
  await test.run(["get-token"]);
  await test.runAlone(["logout", "--all"]);
  const after = await test.runAlone(["get-token", "-s", "api://orders/.default"], { env });
  assert.equal(after.stdout, app.stdout);
});

const endSession = "--browser";
Deno.test(`logout ${endSession} shows the sign-out page's address and opens it`, async () => {
  await using test = await everywhere();
  const url = `${test.emulator.origin}/${tenantId}/oauth2/v2.0/logout`;
  const { code, stderr, host } = await test.run(["logout", "-p", "one", endSession], {
    env: noSettings,
  });
  assert.ok(stderr.endsWith(`To end the browser's session, open:\n${url}\n`), stderr);
  assert.deepEqual({ code, opened: host.opened }, { code: 0, opened: [url] });
  const page = await fetch(url);
  assert.equal(page.status, 200);
  await page.body?.cancel();
});

Deno.test(`logout --all ${endSession} opens the sign-out page of each login host once`, async () => {
  await using test = await everywhere();
  const { code, host } = await test.run(["logout", "--all", endSession], { env: noSettings });
  const url = `${test.emulator.origin}/common/oauth2/v2.0/logout`;
  assert.deepEqual({ code, opened: host.opened }, { code: 0, opened: [url] });
});

Deno.test("logout without a vault says so", async () => {
  await using test = await signInTest();
  const env = { ENTRATOOL_VAULT_KEY: undefined };
  const { code, stderr } = await test.runAlone(["logout", "--all"], { env });
  assert.match(stderr, /^error: No vault is open, so nobody can be signed out of it$/m);
  assert.equal(code, 7);
});

Deno.test("logout waits for a refresh that is under way, so that it does not bring the person back", async () => {
  await using test = await signInTest({
    faults: [{ endpoint: "token", grantType: "refresh_token", action: "delay", ms: 500 }],
  });
  await test.run(["get-token"]);
  const arrived = Promise.withResolvers<void>();
  const refreshing = test.runAlone(["refresh"], {
    prepare: (host) => {
      const send = host.fetch;
      Object.assign(host, {
        fetch: (request: Parameters<typeof send>[0]) => {
          arrived.resolve();
          return send(request);
        },
      });
    },
  });
  await arrived.promise;
  const { stderr } = await test.runAlone(["logout"]);
  assert.equal(stderr, `Signed out: ${ada}\n`);
  assert.equal((await refreshing).code, 0);
  const after = await test.runAlone(["get-token"]);
  assert.deepEqual({ code: after.code, forms: after.forms }, { code: 6, forms: [] });
});
