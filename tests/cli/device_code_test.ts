/** The device code flow: what the person reads, when the program asks, and how it ends. */

import assert from "node:assert/strict";
import { ada, desktopApp, type RunOptions, signInTest, tenantId } from "./sign_in_emulated.ts";

const deviceCode = ["get-token", "-f", "DeviceCode"];

type Config = Readonly<Record<string, unknown>>;

interface SignInOptions extends RunOptions {
  readonly argv?: readonly string[];
}

async function signIn(config: Config, { argv = [], ...options }: SignInOptions = {}) {
  await using test = await signInTest(config);
  const outcome = await test.run([...deviceCode, ...argv], options);
  const polls = outcome.forms.filter(({ path }) => path === "token");
  return { ...outcome, polls, requests: test.emulator.requests };
}

const pending = (pendingPolls: number) => ({ signIn: { autoApprove: ada, pendingPolls } });
const tokenFaults = (...faults: readonly Config[]) => ({
  faults: faults.map((fault) => ({ endpoint: "token", ...fault })),
});
const deviceFaults = (set: Config, remove: readonly string[] = []) => ({
  faults: [{ endpoint: "devicecode", action: "response", set, remove }],
});

// What the person reads.

Deno.test("get-token shows the server's message, the code, its address as a QR code, and how long it is valid", async () => {
  const message = "Öffnen Sie https://login.example/device und geben Sie *ABC* ein.";
  const { code, stdout, stderr, host } = await signIn(deviceFaults({ message }));
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^eyJ\S+\n$/);
  const lines = stderr.split("\n");
  assert.equal(lines[0], message);
  // deno-lint-ignore no-control-regex
  assert.match(stderr, /^ {2}Address {2}\u001b\[1mhttp:\/\/\S+\/\S+\u001b\[22m$/m);
  // deno-lint-ignore no-control-regex
  assert.match(stderr, /^ {2}Code {5}\u001b\[1m[A-Z2-9]{9}\u001b\[22m$/m);
  assert.match(stderr, /^ {2}Valid {4}for 15 minutes, until \d\d:\d\d/m);
  assert.match(stderr, /^[█▀▄ ]{20,}$/m);
  assert.deepEqual(host.opened, []);
});

for (
  const [name, options] of [
    ["without a terminal on stderr", { terminals: ["stdin"] }],
    ["with NO_COLOR", { env: { NO_COLOR: "1" } }],
  ] as const
) {
  Deno.test(`get-token shows code and address plain ${name}`, async () => {
    const { code, stderr } = await signIn({}, options);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^ {2}Address {2}http:\S+$/m);
    assert.match(stderr, /^ {2}Code {5}[A-Z2-9]{9}$/m);
    assert.ok(!stderr.includes("\u001b"));
    // a QR code needs no colour, but a terminal
    assert.equal(/[█▀▄]{5}/.test(stderr), "env" in options);
  });
}

Deno.test("a message that would command the terminal is shown, not obeyed", async () => {
  const message = "open \u001b]0;owned\u0007 \u202egnorw";
  const { stderr } = await signIn(deviceFaults({ message }));
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(stderr, /\u001b\]|\u0007|\u202e/);
});

Deno.test("get-token words the message itself where the server has none", async () => {
  const { stderr } = await signIn(deviceFaults({}, ["message"]));
  assert.match(stderr, /^To sign in, open http\S+ and enter the code [A-Z2-9]{9}\.$/m);
});

Deno.test("get-token -o json prints JSON and nothing else on stdout", async () => {
  const { stdout } = await signIn(pending(3), { argv: ["-o", "json"] });
  const { account, token_type, from_cache } = JSON.parse(stdout);
  assert.deepEqual({ account, token_type, from_cache }, {
    account: ada,
    token_type: "Bearer",
    from_cache: false,
  });
});

Deno.test("get-token sends the device code request as Entra wants it, without a credential", async () => {
  const env = { AZURE_CLIENT_SECRET: "not-for-public-clients" };
  const { code, stderr, forms } = await signIn({}, { env });
  assert.equal(code, 0, stderr);
  const [{ device_code, ...request } = {}, { device_code: polled, ...poll } = {}] = forms;
  assert.deepEqual(request, {
    path: "devicecode",
    client_id: desktopApp,
    scope: "https://graph.microsoft.com/.default openid profile offline_access",
  });
  assert.deepEqual(poll, {
    path: "token",
    grant_type: "urn:ietf:params:oauth:grant-type:device_code",
    client_id: desktopApp,
    client_info: "1",
  });
  assert.deepEqual([device_code, typeof polled], [undefined, "string"]);
});

// When it asks: the emulator says slow_down to who asks too early.

const seconds = (...waits: number[]) => waits.map((wait) => wait * 1000);
const punctual = { slowDown: true };
const timing: readonly (readonly [name: string, config: Config, waits: readonly number[]])[] = [
  ["waits before the first poll", {}, seconds(5)],
  ["keeps the interval", { ...pending(3), deviceCode: punctual }, seconds(5, 5, 5, 5)],
  [
    "keeps a longer interval",
    { ...pending(1), deviceCode: { ...punctual, interval: 30 } },
    seconds(30, 30),
  ],
  [
    "waits 5 seconds where the server names no interval",
    { ...pending(1), ...deviceFaults({}, ["interval"]) },
    seconds(5, 5),
  ],
  ...[0, -1, "soon", 0.001, null, 1e9].map((interval) =>
    [
      `waits 5 seconds where the interval is ${JSON.stringify(interval)}`,
      { ...pending(1), ...deviceFaults({ interval }) },
      seconds(5, 5),
    ] as const
  ),
  [
    "reads an interval that is text",
    { ...pending(1), ...deviceFaults({ interval: "7" }) },
    seconds(7, 7),
  ],
  [
    "slows down by 5 seconds each time that it is told to",
    {
      ...pending(1),
      ...tokenFaults(
        { nth: 1, action: "aadsts", code: 70016, error: "slow_down" },
        { nth: 2, action: "aadsts", code: 70016, error: "slow_down" },
      ),
    },
    seconds(5, 10, 15, 15),
  ],
  [
    "survives a server with a problem, and slows down",
    tokenFaults(
      { nth: 1, action: "status", status: 503, body: "html" },
      { nth: 2, action: "status", status: 500, body: "json" },
      { nth: 3, action: "html" },
    ),
    seconds(5, 10, 15, 20),
  ],
  [
    "survives a connection that breaks",
    {
      ...pending(2),
      ...tokenFaults({ nth: 1, action: "truncate" }, { nth: 2, action: "truncate", bytes: 0 }),
    },
    seconds(5, 10, 15),
  ],
  [
    "waits as long as a busy server wants",
    tokenFaults({ nth: 1, action: "status", status: 429, retryAfter: 77 }),
    seconds(5, 77),
  ],
];
for (const [name, config, waits] of timing) {
  Deno.test(`get-token ${name}`, async () => {
    const { code, stderr, host, polls, requests } = await signIn(config);
    assert.equal(code, 0, stderr);
    assert.deepEqual(host.sleeps, waits);
    assert.equal(polls.length, waits.length);
    assert.ok(!requests.some(({ outcome }) => outcome === "slow_down"));
  });
}

Deno.test("get-token goes on while the server refuses connections", async () => {
  await using test = await signInTest();
  let refused = 0;
  const { code, stderr, host } = await test.run(deviceCode, {
    prepare: (host) => {
      const send = host.fetch;
      Object.assign(host, {
        fetch: (request: Parameters<typeof send>[0]) => {
          const isPoll = request.url.endsWith("/token");
          return isPoll && refused++ < 4
            ? send({ ...request, url: "http://127.0.0.1:1/" })
            : send(request);
        },
      });
    },
  });
  assert.equal(code, 0, stderr);
  // one poll with its three retries, of which none got through
  assert.deepEqual(host.sleeps, [5000, 375, 750, 1500, 10_000]);
});

// How it ends.

const grant = { error: "invalid_grant", status: 400 };
const passing = new RegExp(
  `entratool get-token --tenant ${tenantId} --client-id ${desktopApp} -f InteractiveBrowser$`,
  "m",
);
const endings: readonly (readonly [name: string, config: Config, code: number, text: RegExp])[] = [
  ["the person declines", { signIn: { autoDeny: ada } }, 2, /^error: The sign-in was declined$/m],
  [
    "the server says access_denied",
    tokenFaults({ action: "aadsts", code: 65004, error: "access_denied" }),
    2,
    /^ {2}Start again, and accept on the sign-in page$/m,
  ],
  [
    "the server says that the code has expired",
    tokenFaults({ action: "aadsts", code: 70020, error: "expired_token" }),
    6,
    /^error: The code expired before the sign-in was done$/m,
  ],
  [
    "nobody comes while the code is valid",
    { ...pending(1000), deviceCode: { lifetime: 60 } },
    6,
    /^ {2}Start again, and enter the new code soon$/m,
  ],
  [
    "the code is valid for less time than the interval",
    { deviceCode: { interval: 30, lifetime: 10 } },
    6,
    /^error: The code expired before the sign-in was done$/m,
  ],
  [
    "the server does not know the code",
    tokenFaults({ action: "aadsts", code: 70018, error: "bad_verification_code" }),
    6,
    /^error: .*\(AADSTS70018\)$/m,
  ],
  ["a policy blocks the flow", { conditionalAccess: [{ require: "blockDeviceCode" }] }, 2, passing],
  ...[50097, 53000, 530003, 530036].map((code) =>
    [
      `a policy refuses it with ${code}`,
      tokenFaults({ action: "aadsts", code, ...grant }),
      6,
      passing,
    ] as const
  ),
  [
    "the app allows no public flow",
    tokenFaults({ action: "aadsts", code: 7000218, error: "invalid_client", status: 401 }),
    2,
    /allow public client flows/i,
  ],
  [
    "the answer to a good poll is no token response",
    tokenFaults({ action: "response", remove: ["access_token"] }),
    5,
    /^error: The token response of \S+ is not usable: access_token is missing/m,
  ],
  [
    "there is no device code in the answer",
    deviceFaults({}, ["device_code"]),
    5,
    /^error: The device code response of \S+ is not usable: device_code is missing$/m,
  ],
  [
    "the id_token is for another app",
    tokenFaults({ action: "response", remove: ["id_token"] }),
    2,
    /^error: The id_token of \S+ is missing or can not be read$/m,
  ],
];
for (const [name, config, code, text] of endings) {
  Deno.test(`get-token ends with ${code} when ${name}`, async () => {
    const outcome = await signIn(config);
    assert.match(outcome.stderr, text);
    assert.deepEqual({ code: outcome.code, stdout: outcome.stdout }, { code, stdout: "" });
  });
}

Deno.test("get-token does not wait longer than the code is valid", async () => {
  const short = await signIn({ deviceCode: { interval: 30, lifetime: 10 } });
  assert.deepEqual({ waits: short.host.sleeps, polls: short.polls.length }, {
    waits: [10_000],
    polls: 0,
  });
});

Deno.test("a code that is valid for a quarter of an hour ends before the time for the command does", async () => {
  const { code, stderr, host } = await signIn(pending(1000), {
    prepare: (host) => {
      const deadline = host.deadline.bind(host);
      host.deadline = (timeoutMs) => {
        assert.ok(timeoutMs > 900_000);
        return deadline(timeoutMs);
      };
    },
  });
  assert.match(stderr, /The code expired/);
  assert.deepEqual({ code, waits: host.sleeps.length }, { code: 6, waits: 180 });
});

Deno.test("Ctrl-C ends the wait with 130", async () => {
  await using test = await signInTest(pending(1000));
  const { code, stdout, stderr } = await test.run(deviceCode, {
    prepare: (host) => {
      const sleep = host.sleep.bind(host);
      host.sleep = (ms, signal) => {
        if (host.sleeps.length === 2) host.cancel();
        return sleep(ms, signal);
      };
    },
  });
  assert.match(stderr, /^error: Cancelled$/m);
  assert.deepEqual({ code, stdout }, { code: 130, stdout: "" });
});
