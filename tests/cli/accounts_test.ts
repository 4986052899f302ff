/** Several people at one program: whose token it is, and whose it may not be. */

import assert from "node:assert/strict";
import { exampleDirectory } from "../../src/emulator/emulator.ts";
import {
  ada,
  desktopApp,
  grace,
  type SignInTest,
  signInTest,
  tenantId,
  unsignedJwt,
} from "./sign_in_emulated.ts";

const fabrikam = "fab00000-0000-4000-8000-000000000002";
const example = JSON.parse(exampleDirectory());

/** Two tenants; Ada is a guest in the second one, and whoever the request hints at signs in. */
const twoTenants = {
  tenants: [...example.tenants, { id: fabrikam, name: "Fabrikam", domains: ["fabrikam.com"] }],
  apps: example.apps.map((app: object) => ({ ...app, multiTenant: true })),
  users: example.users.map((user: object) => ({ ...user, guestOf: ["fabrikam.com"] })),
};

async function signedIn(config = {}): Promise<SignInTest> {
  return await signInTest({ ...config, signIn: undefined });
}

/** The emulator's page asks whom; this person chooses whom the program hints at, else Ada. */
async function signInAs(test: SignInTest, user: string, argv: readonly string[], env = {}) {
  return await test.run(["get-token", "--account", user, ...argv], {
    env,
    hasBrowser: true,
    browser: (url: string) => chooseUser(url, user),
  });
}

/** Signs in on the emulator's pages, which remember the browser by a cookie, and posts the answer to the program. */
async function chooseUser(url: string, user: string): Promise<void> {
  const { origin } = new URL(url);
  let answer = await fetch(url, { redirect: "manual" });
  const cookie = answer.headers.getSetCookie().map((each) => each.split(";")[0]).join("; ");
  for (let step = 0; step < 6; step++) {
    const [form = ""] = /<form method="post"[^]*?<\/form>/.exec(await answer.text()) ?? [];
    const [, action] = /action="([^"]+)"/.exec(form) ?? [];
    if (action === undefined) return;
    const fields = [...form.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)]
      .map(([, name = "", value = ""]) => [name, value.replaceAll("&amp;", "&")]);
    const [, decision] = /name="answer" value="(accept|approve)"/.exec(form) ?? [];
    if (form.includes(`value="${user}"`)) fields.push(["user", user]);
    else if (decision !== undefined) fields.push(["answer", decision]);
    const target = new URL(action, url);
    answer = await fetch(target, {
      method: "POST",
      body: new URLSearchParams(fields),
      redirect: "manual",
      headers: target.origin === origin ? { cookie, origin } : {},
    });
  }
}

async function account(test: SignInTest, argv: readonly string[] = [], env = {}) {
  const { code, stdout, stderr, forms } = await test.runAlone(
    ["get-token", "-o", "json", ...argv],
    { env },
  );
  assert.equal(code, 0, stderr);
  return { account: JSON.parse(stdout).account, forms };
}

Deno.test("several people sign in with one profile; the last one is meant unless another is named", async () => {
  await using test = await signedIn();
  for (const user of [ada, grace]) {
    const { code, stderr } = await signInAs(test, user, []);
    assert.equal(code, 0, stderr);
  }
  assert.equal((await account(test)).account, grace);
  assert.equal((await account(test, ["--account", ada])).account, ada);
  assert.equal((await account(test, ["--account", ada.toUpperCase()])).account, ada);
  assert.equal((await account(test, [], { ENTRATOOL_ACCOUNT: ada })).account, ada);
  // a refresh in a person's name is no sign-in: it does not make them the one who is meant
  assert.equal((await account(test, ["--account", ada, "--force"])).account, ada);
  assert.equal((await account(test, ["--force"])).account, grace);
  assert.equal((await account(test)).account, grace);

  const homeAccountId = `c0ffee00-0000-4000-8000-0000000000d1.${tenantId}`;
  assert.equal((await account(test, ["--account", homeAccountId])).account, ada);
});

Deno.test("get-token --account of somebody who has not signed in asks for exactly that one", async () => {
  await using test = await signedIn();
  await signInAs(test, ada, []);
  const alone = await test.runAlone(["get-token", "--account", grace]);
  assert.match(alone.stderr, /--account grace@contoso\.onmicrosoft\.com$/m);
  assert.equal(alone.code, 6);
  const { authorize } = await signInAs(test, grace, []);
  assert.equal(authorize.login_hint, grace);
  // of a home account id the sign-in page knows nothing
  const id = `c0ffee00-0000-4000-8000-0000000000d3.${tenantId}`;
  const byId = await test.run(["get-token", "--account", id, "--timeout", "0.2s"], {
    hasBrowser: false,
  });
  assert.deepEqual([byId.authorize.login_hint, byId.authorize.prompt], [
    undefined,
    "select_account",
  ]);
});

Deno.test("a guest is the same account in both tenants, and signs in once", async () => {
  await using test = await signedIn(twoTenants);
  await signInAs(test, ada, []);
  const guest = await account(test, ["--tenant", fabrikam]);
  assert.deepEqual(guest.forms.map(({ grant_type }) => grant_type), ["refresh_token"]);
  assert.equal(guest.account, ada);
  const { stdout } = await test.runAlone(["cache", "list", "-o", "json"]);
  const list: { tenant_id: string; account: string }[] = JSON.parse(stdout);
  assert.deepEqual(list.map(({ account }) => account), [ada, ada]);
  assert.deepEqual(new Set(list.map(({ tenant_id }) => tenant_id)), new Set([tenantId, fabrikam]));
  // one account in the vault: signing it out ends both
  const { stderr } = await test.runAlone(["logout"]);
  assert.equal(stderr, `Signed out: ${ada}\n`);
});

Deno.test("the home account of a guest is the same whichever tenant they sign in to first", async () => {
  await using test = await signedIn(twoTenants);
  await signInAs(test, ada, ["--tenant", fabrikam]);
  assert.deepEqual((await account(test)).forms.map(({ grant_type }) => grant_type), [
    "refresh_token",
  ]);
});

// Pins.

async function createProfile(test: SignInTest, name: string, ...flags: string[]) {
  const env = {
    AZURE_TENANT_ID: undefined,
    AZURE_CLIENT_ID: undefined,
    AZURE_AUTHORITY_HOST: undefined,
  };
  const connection = ["--client-id", desktopApp, "--authority", test.emulator.origin];
  const argv = ["config", "create", "-p", name, ...connection, ...flags];
  const { code, stderr } = await test.runAlone(argv, { env });
  assert.equal(code, 0, stderr);
  return env;
}

Deno.test("a pinned account refuses another one's token with both named, and stores nothing", async () => {
  await using test = await signInTest();
  const env = await createProfile(test, "desk", "--tenant", tenantId, "--pin-account", grace);
  const { code, stdout, stderr, authorize, page } = await test.run(
    ["get-token", "-p", "desk", "-f", "InteractiveBrowser"],
    { env },
  );
  assert.match(
    stderr,
    /^error: The token is of account "ada@\S+", but the profile accepts only "grace@/m,
  );
  assert.deepEqual({ code, stdout, hint: authorize.login_hint }, {
    code: 2,
    stdout: "",
    hint: grace,
  });
  assert.match(page, /Sign-in failed/);
  const after = await test.runAlone(["get-token", "-p", "desk"], { env });
  assert.deepEqual({ code: after.code, forms: after.forms }, { code: 6, forms: [] });
});

Deno.test("a pinned tenant refuses another one's token with both named, and stores nothing", async () => {
  await using test = await signInTest(twoTenants);
  const pin = ["--tenant", "organizations", "--pin-tenant", fabrikam];
  const env = await createProfile(test, "desk", ...pin);
  const argv = ["get-token", "-p", "desk", "-f", "InteractiveBrowser"];
  const { code, stdout, stderr } = await test.run(argv, { env });
  assert.match(
    stderr,
    new RegExp(
      `^error: The token is of tenant "${tenantId}", but the profile accepts only tenant "${fabrikam}"$`,
      "m",
    ),
  );
  assert.deepEqual({ code, stdout }, { code: 2, stdout: "" });
  const after = await test.runAlone(["get-token", "-p", "desk"], { env });
  assert.deepEqual({ code: after.code, forms: after.forms }, { code: 6, forms: [] });
});

Deno.test("a cached token of another tenant is not handed out once the profile is pinned", async () => {
  await using test = await signInTest(twoTenants);
  const env = await createProfile(test, "desk", "--tenant", "organizations");
  const argv = ["get-token", "-p", "desk", "-f", "InteractiveBrowser"];
  assert.equal((await test.run(argv, { env })).code, 0);
  assert.equal((await test.runAlone(["get-token", "-p", "desk"], { env })).code, 0);
  const edited = await test.runAlone(["config", "edit", "-p", "desk", "--pin-tenant", fabrikam], {
    env,
  });
  assert.equal(edited.code, 0, edited.stderr);
  // neither from the cache nor by that person's refresh token: somebody of the other tenant has to sign in
  const pinned = await test.runAlone(["get-token", "-p", "desk"], { env });
  assert.deepEqual(
    { code: pinned.code, stdout: pinned.stdout, forms: pinned.forms },
    { code: 6, stdout: "", forms: [] },
  );
});

Deno.test("the tenant of a token that only its API can read is the id_token's", async () => {
  await using test = await signInTest({
    ...twoTenants,
    faults: [{ endpoint: "token", action: "response", set: { access_token: "opaque-to-clients" } }],
  });
  const env = await createProfile(
    test,
    "desk",
    "--tenant",
    "organizations",
    "--pin-tenant",
    tenantId,
  );
  const argv = ["get-token", "-p", "desk", "-f", "InteractiveBrowser", "-o", "json"];
  const { code, stdout, stderr } = await test.run(argv, { env });
  assert.equal(code, 0, stderr);
  assert.equal(JSON.parse(stdout).tenant_id, tenantId);
});

Deno.test("cache list shows accounts, scopes and expiry, and never a token", async () => {
  await using test = await signInTest();
  const { stdout } = await test.run(["get-token", "-o", "json", "--show-refresh-token"]);
  const { access_token, refresh_token } = JSON.parse(stdout);
  for (const format of ["table", "json"]) {
    const list = await test.runAlone(["cache", "list", "-o", format]);
    assert.equal(list.code, 0);
    assert.ok(list.stdout.includes(ada));
    assert.match(list.stdout, /\.default/);
    assert.ok(!list.stdout.includes(access_token) && !list.stdout.includes(refresh_token));
  }
});

Deno.test("config delete signs the profile's people out", async () => {
  await using test = await signInTest();
  const env = await createProfile(test, "desk", "--tenant", tenantId);
  await test.run(["get-token", "-p", "desk", "-f", "InteractiveBrowser"], { env });
  const { code, stderr } = await test.runAlone(["config", "delete", "-p", "desk"], { env });
  assert.equal(code, 0, stderr);
  await createProfile(test, "desk", "--tenant", tenantId);
  const after = await test.runAlone(["get-token", "-p", "desk"], { env });
  assert.deepEqual({ code: after.code, forms: after.forms }, { code: 6, forms: [] });
});

Deno.test("an id_token of another tenant than the one asked for is refused, even with an opaque token", async () => {
  const id_token = unsignedJwt({
    aud: desktopApp,
    exp: 4_102_444_800,
    tid: fabrikam,
    oid: "x",
    preferred_username: ada,
  });
  await using test = await signInTest({
    faults: [{ endpoint: "token", action: "response", set: { access_token: "opaque", id_token } }],
  });
  const { code, stderr } = await test.run(["get-token", "-f", "DeviceCode"]);
  assert.match(stderr, /^error: The token is of tenant "fab00000-\S+", but tenant "c0ffee00-/m);
  assert.equal(code, 2);
});
