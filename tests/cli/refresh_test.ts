/** What keeps people signed in: the cache, refresh tokens, and what happens when one is refused. */

import assert from "node:assert/strict";
import { ada, desktopApp, type SignInTest, signInTest } from "./sign_in_emulated.ts";
import { type Result, runProcess } from "./run_cli.ts";

const minute = 60_000;
const start = Date.parse("2030-01-01T00:00:00Z");
const at = (minutes: number) => ({ now: start + minutes * minute });
/** The emulator's access tokens live for an hour at least. */
const strict = { refreshTokens: { rotation: "strict" } };
const lasting = { tokenLifetimes: { accessToken: [3600, 3600] } };

Deno.test("get-token takes the token from the cache, then by refresh token, then by a sign-in", async () => {
  await using test = await signInTest({ ...lasting, ...strict });
  const first = await test.run(["get-token"], at(0));
  assert.equal(first.code, 0, first.stderr);

  const cached = await test.runAlone(["get-token", "-o", "json"], at(54));
  assert.equal(JSON.parse(cached.stdout).from_cache, true);
  assert.deepEqual(cached.forms, []);

  // strict rotation: each refresh works only with the refresh token of the one before
  for (const minutes of [56, 120, 180]) {
    const refreshed = await test.runAlone(["get-token", "-o", "json"], at(minutes));
    assert.equal(refreshed.code, 0, refreshed.stderr);
    const { access_token, account, from_cache } = JSON.parse(refreshed.stdout);
    assert.deepEqual({ account, from_cache }, { account: ada, from_cache: false });
    assert.notEqual(access_token, first.stdout.trim());
    const [{ path, grant_type, client_id, scope } = {}] = refreshed.forms;
    assert.deepEqual({ path, grant_type, client_id, scope }, {
      path: "token",
      grant_type: "refresh_token",
      client_id: desktopApp,
      scope: "https://graph.microsoft.com/.default openid profile offline_access",
    });
  }

  test.emulator.revokeRefreshTokens();
  const again = await test.run(["get-token"], at(300));
  assert.equal(again.code, 0, again.stderr);
  assert.deepEqual(again.forms.map(({ grant_type }) => grant_type), [
    "refresh_token",
    "authorization_code",
  ]);
  assert.equal(again.authorize.login_hint, ada);
});

Deno.test("one refresh token serves every API and every flow of the app", async () => {
  await using test = await signInTest();
  await test.run(["get-token"], at(0));
  for (const flow of ["InteractiveBrowser", "DeviceCode"]) {
    const argv = ["get-token", "-s", "api://orders/Orders.Read", "-f", flow, "--force"];
    const { code, stderr, forms } = await test.runAlone(argv, at(1));
    assert.equal(code, 0, stderr);
    assert.deepEqual(forms.map(({ grant_type }) => grant_type), ["refresh_token"]);
  }
});

Deno.test("get-token renews a person's token when the server would like it", async () => {
  const set = { refresh_in: 600 };
  await using test = await signInTest({
    faults: [{ endpoint: "token", nth: 1, action: "response", set }],
  });
  await test.run(["get-token"], at(0));
  assert.deepEqual((await test.runAlone(["get-token"], at(9))).forms, []);
  assert.equal((await test.runAlone(["get-token"], at(10))).forms[0]?.grant_type, "refresh_token");
});

Deno.test("a living token is handed out with a warning while the network is down", async () => {
  await using test = await signInTest({
    ...lasting,
    faults: [
      { endpoint: "token", nth: 1, action: "response", set: { refresh_in: 600 } },
      { endpoint: "token", from: 2, action: "reset" },
    ],
  });
  const first = await test.run(["get-token"], at(0));
  const living = await test.run(["get-token"], at(20));
  assert.match(living.stderr, /^warning: The token should be renewed, but that failed: /);
  assert.deepEqual({ code: living.code, stdout: living.stdout }, {
    code: 0,
    stdout: first.stdout,
  });
  // after its end nobody has to sign in because the network is down
  const ended = await test.run(["get-token"], at(70));
  assert.deepEqual({ code: ended.code, stdout: ended.stdout, opened: ended.host.opened }, {
    code: 5,
    stdout: "",
    opened: [],
  });
});

// What a refused refresh leads to.

interface Refusal {
  readonly name: string;
  /** The answer to the refresh. */
  readonly fault: Readonly<Record<string, unknown>>;
  /** With nobody there. */
  readonly code: number;
  readonly text: RegExp;
  /** Whether the refresh token is of no more use. */
  readonly forgets: boolean;
  /** What a sign-in asks for; undefined when a person is not asked to sign in. */
  readonly asks: { readonly prompt?: string; readonly claims?: string } | undefined;
}

const challenge = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}';
const grant = { error: "invalid_grant", status: 400 };
const must = /^error: A person must sign in: /m;
const refusals: readonly Refusal[] = [
  {
    name: "bad_token",
    fault: { code: 70000, ...grant, suberror: "bad_token" },
    code: 6,
    text: must,
    forgets: true,
    asks: {},
  },
  {
    name: "token_expired",
    fault: { code: 700082, ...grant, suberror: "token_expired" },
    code: 6,
    text: must,
    forgets: true,
    asks: {},
  },
  {
    name: "the sign-in frequency of one resource",
    fault: { code: 70043, ...grant, suberror: "token_expired" },
    code: 6,
    text: must,
    forgets: false,
    asks: {},
  },
  {
    name: "scopes that were not granted (70000)",
    fault: { code: 70000, ...grant },
    code: 6,
    text: must,
    forgets: false,
    asks: {},
  },
  {
    name: "client_mismatch",
    fault: { code: 70000, ...grant, suberror: "client_mismatch" },
    code: 6,
    text: must,
    forgets: true,
    asks: {},
  },
  {
    name: "consent_required",
    fault: { code: 65001, ...grant, suberror: "consent_required" },
    code: 6,
    text: must,
    forgets: false,
    asks: { prompt: "consent" },
  },
  {
    name: "basic_action with a claims challenge",
    fault: { code: 50076, ...grant, suberror: "basic_action", claims: challenge },
    code: 6,
    text: must,
    forgets: false,
    asks: { claims: challenge },
  },
  {
    name: "user_password_expired",
    fault: { code: 50055, ...grant, suberror: "user_password_expired" },
    code: 6,
    text: must,
    forgets: false,
    asks: { prompt: "login" },
  },
  {
    name: "additional_action",
    fault: { code: 50131, ...grant, suberror: "additional_action" },
    code: 2,
    text: /^ {2}Read the Conditional Access tab of the sign-in log$/m,
    forgets: false,
    asks: undefined,
  },
  {
    name: "additional_action with a code of which nothing is known",
    fault: { code: 999999, ...grant, suberror: "additional_action" },
    code: 2,
    text: /^ {2}Put right what the server names, the device or the account/m,
    forgets: false,
    asks: undefined,
  },
  {
    name: "message_only",
    fault: {
      code: 999999,
      ...grant,
      suberror: "message_only",
      description: "Call the desk.",
    },
    code: 2,
    text: /The server said: AADSTS999999: Call the desk\.\n {2}Ask the administrator who set/,
    forgets: false,
    asks: undefined,
  },
  {
    name: "protection_policy_required",
    fault: { code: 999999, ...grant, suberror: "protection_policy_required" },
    code: 2,
    text: /^ {2}The policy wants an app that Intune protects/m,
    forgets: false,
    asks: undefined,
  },
  {
    name: "an unknown suberror",
    fault: { code: 999999, ...grant, suberror: "something_new" },
    code: 6,
    text: must,
    forgets: false,
    asks: {},
  },
  {
    name: "no suberror, the sign-in being revoked",
    fault: { code: 50173, ...grant },
    code: 6,
    text: must,
    forgets: true,
    asks: {},
  },
  {
    name: "no suberror, by a policy that another network may pass",
    fault: { code: 53003, ...grant },
    code: 6,
    text: must,
    forgets: false,
    asks: {},
  },
  {
    name: "interaction_required with claims",
    fault: { code: 50079, error: "interaction_required", claims: challenge },
    code: 6,
    text: must,
    forgets: false,
    asks: { claims: challenge },
  },
  {
    name: "login_required",
    fault: { code: 50058, error: "login_required" },
    code: 6,
    text: must,
    forgets: false,
    asks: {},
  },
  {
    name: "consent_required as error",
    fault: { code: 65001, error: "consent_required" },
    code: 6,
    text: must,
    forgets: false,
    asks: { prompt: "consent" },
  },
  {
    name: "a loop that Entra stopped",
    fault: { code: 50196, ...grant },
    code: 2,
    text: /^ {2}Stop asking for some minutes/m,
    forgets: false,
    asks: undefined,
  },
  {
    name: "invalid_client",
    fault: { code: 7000218, error: "invalid_client", status: 401 },
    code: 2,
    text: /^error: The app is confidential, and no credential was sent \(AADSTS7000218\)$/m,
    forgets: false,
    asks: undefined,
  },
];
for (const { name, fault, code, text, forgets, asks } of refusals) {
  Deno.test(`a refresh refused with ${name} ${asks ? "leads to a sign-in" : "ends there"}`, async () => {
    const rule = { endpoint: "token", grantType: "refresh_token", action: "aadsts", ...fault };
    await using test = await signInTest({
      ...lasting,
      faults: [{ ...rule, nth: 1 }, { ...rule, nth: 3 }],
    });
    await test.run(["get-token"], at(0));
    const alone = await test.runAlone(["get-token"], at(70));
    assert.match(alone.stderr, text);
    assert.deepEqual({ code: alone.code, stdout: alone.stdout }, { code, stdout: "" });
    if (asks !== undefined) {
      assert.match(
        alone.stderr,
        /^ {2}Run this in a terminal:\n {2}entratool get-token .*-f Inter/m,
      );
    }

    // with the second refresh nothing is wrong: it shows whether the refresh token is still there
    const next = await test.runAlone(["get-token"], at(71));
    assert.equal(next.code, forgets ? 6 : 0, next.stderr);
    assert.equal(next.forms.length, forgets ? 0 : 1);
    if (forgets) {
      const { authorize, code } = await test.run(["get-token"], at(72));
      assert.deepEqual({ code, hint: authorize.login_hint }, { code: 0, hint: ada });
      return;
    }
    const person = await test.run(["get-token", "--force"], at(73));
    assert.equal(person.host.opened.length, asks === undefined ? 0 : 1);
    assert.equal(person.code, asks === undefined ? code : 0, person.stderr);
    if (asks === undefined) return;
    const { prompt, claims, login_hint } = person.authorize;
    assert.deepEqual({ prompt, claims, login_hint }, {
      prompt: asks.prompt,
      claims: asks.claims,
      login_hint: ada,
    });
  });
}

Deno.test("a session that a policy on device codes ended names the flow that passes, and is not begun anew", async () => {
  const faults = [{
    endpoint: "token",
    grantType: "refresh_token",
    action: "aadsts",
    code: 530036,
    ...grant,
  }];
  await using test = await signInTest({ ...lasting, faults });
  await test.run(["get-token", "-f", "DeviceCode"], at(0));
  const { code, stderr, forms } = await test.run(["get-token", "-f", "DeviceCode"], at(70));
  assert.match(stderr, /^error: A policy on authentication flows ended this session/m);
  assert.match(stderr, /entratool get-token .*-f InteractiveBrowser/);
  assert.deepEqual({ code, requests: forms.length }, { code: 6, requests: 1 });
});

Deno.test("a server that keeps the refresh token on a refresh changes nothing", async () => {
  const faults = [{
    endpoint: "token",
    grantType: "refresh_token",
    action: "response",
    remove: ["refresh_token"],
  }];
  await using test = await signInTest({ ...lasting, faults });
  await test.run(["get-token"], at(0));
  for (const minutes of [70, 140]) {
    assert.equal((await test.runAlone(["get-token"], at(minutes))).code, 0);
  }
});

Deno.test("a refresh that is answered without an id_token keeps the account", async () => {
  const faults = [{
    endpoint: "token",
    grantType: "refresh_token",
    action: "response",
    remove: ["id_token", "client_info"],
  }];
  await using test = await signInTest({ ...lasting, ...strict, faults });
  await test.run(["get-token"], at(0));
  for (const minutes of [70, 140]) {
    const { code, stdout, stderr } = await test.runAlone(["get-token", "-o", "json"], at(minutes));
    assert.equal(code, 0, stderr);
    assert.equal(JSON.parse(stdout).account, ada);
  }
});

// The command `refresh`.

Deno.test("refresh always gets a new token in the person's name, and keeps it", async () => {
  await using test = await signInTest();
  const first = await test.run(["get-token"], at(0));
  const refreshed = await test.run(["refresh"], at(1));
  assert.equal(refreshed.code, 0, refreshed.stderr);
  assert.notEqual(refreshed.stdout, first.stdout);
  assert.deepEqual(refreshed.forms.map(({ grant_type }) => grant_type), ["refresh_token"]);
  assert.equal((await test.runAlone(["get-token"], at(2))).stdout, refreshed.stdout);
});

Deno.test("refresh ends with 6 and the command to type when the person is needed, even at a terminal", async () => {
  await using test = await signInTest();
  const { code, stdout, stderr, host } = await test.run(["refresh"], at(0));
  assert.match(stderr, /entratool get-token .*--client-id c0ffee00-\S+c1\b/);
  assert.doesNotMatch(stderr, /entratool refresh/);
  assert.deepEqual({ code, stdout, opened: host.opened }, { code: 6, stdout: "", opened: [] });
});

/** The options of a profile's commands: nothing but the folder and the key. */
const profileAlone = {
  AZURE_TENANT_ID: undefined,
  AZURE_CLIENT_ID: undefined,
  AZURE_AUTHORITY_HOST: undefined,
};

async function createProfile(test: SignInTest, ...flags: string[]): Promise<void> {
  const connection = ["--tenant", test.env.AZURE_TENANT_ID!, "--client-id", desktopApp];
  const authority = ["--authority", test.emulator.origin];
  const argv = ["config", "create", "-p", "people", ...connection, ...authority, ...flags];
  const { code, stderr } = await test.runAlone(argv, { env: profileAlone });
  assert.equal(code, 0, stderr);
}

Deno.test("refresh gives no app-only token in place of a person's", async () => {
  await using test = await signInTest();
  await createProfile(test, "--flow", "InteractiveBrowser");
  const env = { ...profileAlone, AZURE_CLIENT_SECRET: "of-some-other-app" };
  const signedOut = await test.runAlone(["refresh", "-p", "people"], { ...at(0), env });
  assert.match(signedOut.stderr, /entratool get-token -p people\b/);
  assert.deepEqual({ code: signedOut.code, forms: signedOut.forms }, { code: 6, forms: [] });
  await test.run(["get-token", "-p", "people"], { ...at(0), env });
  const refreshed = await test.runAlone(["refresh", "-p", "people"], { ...at(1), env });
  assert.equal(refreshed.code, 0, refreshed.stderr);
  assert.deepEqual(refreshed.forms.map(({ grant_type }) => grant_type), ["refresh_token"]);
});

Deno.test("refresh asks anew for an app's own token", async () => {
  await using test = await signInTest();
  const env = {
    AZURE_CLIENT_ID: "c0ffee00-0000-4000-8000-0000000000a1",
    AZURE_CLIENT_SECRET: "emulator-secret",
  };
  const first = await test.runAlone(["get-token"], { env });
  const second = await test.runAlone(["refresh"], { env });
  assert.equal(second.code, 0, second.stderr);
  assert.notEqual(second.stdout, first.stdout);
});

// Who may be asked.

for (
  const [name, argv, terminals] of [
    ["without a terminal", [], []],
    ["with --no-interaction", ["--no-interaction"], ["stdin", "stderr"]],
  ] as const
) {
  Deno.test(`get-token ends with 6 and the command to type ${name}`, async () => {
    await using test = await signInTest();
    const flags = ["-f", "InteractiveBrowser", "-s", "api://orders/Orders.Read", ...argv];
    const { code, stdout, stderr, host } = await test.run(["get-token", ...flags], {
      terminals,
      ...at(0),
    });
    assert.match(
      stderr,
      /^ {2}entratool get-token --tenant \S+ --client-id \S+ --authority \S+ -f InteractiveBrowser -s api:\/\/orders\/Orders\.Read$/m,
    );
    assert.deepEqual({ code, stdout, opened: host.opened }, { code: 6, stdout: "", opened: [] });
  });
}

Deno.test("get-token --force renews by refresh token, with nobody there", async () => {
  await using test = await signInTest();
  const first = await test.run(["get-token"], at(0));
  const forced = await test.runAlone(["get-token", "--force"], at(1));
  assert.equal(forced.code, 0, forced.stderr);
  assert.notEqual(forced.stdout, first.stdout);
  assert.deepEqual(forced.forms.map(({ grant_type }) => grant_type), ["refresh_token"]);
});

Deno.test("get-token --no-cache neither reads nor writes what keeps people signed in", async () => {
  await using test = await signInTest();
  const passing = await test.run(["get-token", "--no-cache"], at(0));
  assert.equal(passing.code, 0, passing.stderr);
  assert.deepEqual([...Deno.readDirSync(test.home)], []);
  await test.run(["get-token"], at(0));
  const second = await test.run(["get-token", "--no-cache"], at(1));
  assert.equal(second.host.opened.length, 1);
  const alone = await test.runAlone(["get-token", "--no-cache"], at(1));
  assert.deepEqual({ code: alone.code, stdout: alone.stdout }, { code: 6, stdout: "" });
});

// Tokens are shown where they were asked for, and nowhere else.

Deno.test("refresh token and id_token are printed only in json and yaml, and only when asked for", async () => {
  await using test = await signInTest();
  const flags = ["--show-refresh-token", "--show-id-token"];
  const first = await test.run(["get-token", "-o", "json", ...flags, "--verbose"], at(0));
  const { refresh_token, id_token } = JSON.parse(first.stdout);
  assert.match(refresh_token, /^1\./);
  assert.match(id_token, /^eyJ/);
  const outcomes: Result[] = [{ ...first, stdout: "" }];
  for (const format of ["token", "header", "env"]) {
    outcomes.push(await test.runAlone(["get-token", "-o", format, ...flags], at(1)));
  }
  for (const format of ["json", "yaml"]) {
    outcomes.push(await test.runAlone(["get-token", "-o", format], at(1)));
  }
  outcomes.push(await test.runAlone(["cache", "list", "-o", "json"], at(1)));
  for (const { stdout, stderr } of outcomes) {
    for (const secret of [refresh_token, id_token]) {
      assert.ok(!(stdout + stderr).includes(secret));
    }
  }
  // also when the token comes from the cache
  const cached = await test.runAlone(["get-token", "-o", "yaml", "--show-refresh-token"], at(1));
  assert.ok(cached.stdout.includes(refresh_token), cached.stdout);
  await noneInClear(test.home, [refresh_token, id_token, ada]);
});

async function noneInClear(folder: string, texts: readonly string[]): Promise<void> {
  for await (const entry of Deno.readDir(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) await noneInClear(path, texts);
    else {
      const content = await Deno.readTextFile(path);
      for (const text of texts) assert.ok(!content.includes(text), path);
    }
  }
}

// Many processes.

Deno.test("50 processes that find one ended token make one refresh, and the person stays signed in", async () => {
  await using test = await signInTest({ ...lasting, ...strict });
  const signedIn = await test.run(["get-token"], { now: Date.now() - 90 * minute });
  assert.equal(signedIn.code, 0, signedIn.stderr);
  const { emulator, env } = test;
  // from here on real processes run, in real time
  const before = emulator.requests.length;
  await test.runAlone(["cache", "list"]);
  const results = await Promise.all(
    Array.from({ length: 50 }, () => runProcess(["get-token"], { env })),
  );
  const [first] = results;
  assert.match(first!.stdout, /^eyJ[\w-]+\.[\w-]+\.[\w-]+\n$/, first!.stderr);
  for (const result of results) {
    assert.deepEqual(result, { code: 0, stdout: first!.stdout, stderr: "" });
  }
  assert.deepEqual(
    emulator.requests.slice(before).map(({ grantType, status }) => ({ grantType, status })),
    [{ grantType: "refresh_token", status: 200 }],
  );
  for (const _ of [1, 2]) {
    const after = await runProcess(["refresh"], { env });
    assert.deepEqual({ code: after.code, stderr: after.stderr }, { code: 0, stderr: "" });
  }
});
