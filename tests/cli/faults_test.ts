/** Every way in which a token endpoint can fail, by the emulator's faults: exit code, message, number of requests, waits. */

import assert from "node:assert/strict";
import { runApp } from "../../src/app.ts";
import { denoHost } from "../../src/host_deno.ts";
import { FakeHost, type FakeHostOptions } from "../fakes/fake_host.ts";
import { startFront } from "../fixtures/network_front.ts";
import { send, startRawServer, tokenAnswer } from "../fixtures/network_server.ts";
import { emulated } from "./emulated.ts";
import { runCli, runProcess, spawnCli } from "./run_cli.ts";

type Fault = Readonly<Record<string, unknown>>;

/** Runs `get-token` against an emulator with these faults at its token endpoint. */
async function getToken(
  faults: readonly Fault[],
  { argv = [], ...options }: FakeHostOptions & { readonly argv?: readonly string[] } = {},
) {
  await using test = await emulated({
    faults: faults.map((fault) => ({ endpoint: "token", ...fault })),
  });
  const env = { ...test.env, ...options.env };
  const { host, ...result } = await runCli(["get-token", ...argv], { ...options, env });
  if (result.code !== 0) assert.equal(result.stdout, "");
  else assert.equal(result.stderr, "");
  return { ...result, waits: host.sleeps, requests: test.emulator.requests.length };
}

const wholeSecond = () => Math.floor(Date.now() / 1000) * 1000;

/** The waits between four tries, without Retry-After, when the jitter is in its middle. */
const backoff = [375, 750, 1500];

const mebibyte = new Uint8Array(1024 * 1024).fill(0x20);

// What goes away by itself: a retry gets the token.

const passing: readonly [name: string, fault: Fault, waits?: readonly number[]][] = [
  ["429 with Retry-After in seconds", { action: "status", status: 429, retryAfter: 7 }, [7000]],
  ["429 without Retry-After", { action: "status", status: 429 }],
  ["429 with Retry-After 0", { action: "status", status: 429, retryAfter: 0 }, [0]],
  ["429 with a Retry-After that means nothing", {
    action: "status",
    status: 429,
    retryAfter: "in 5",
  }],
  ["503 with Retry-After", { action: "status", status: 503, retryAfter: 2, body: "html" }, [2000]],
  ["503 with JSON", { action: "status", status: 503, body: "json" }],
  ["503 with HTML", { action: "status", status: 503, body: "html" }],
  ["503 with nothing", { action: "status", status: 503, body: "empty" }],
  ["408", { action: "status", status: 408, body: "html" }],
  ["500", { action: "status", status: 500, body: "json" }],
  ["502", { action: "status", status: 502, body: "html" }],
  ["504", { action: "status", status: 504, body: "empty" }],
  ["a reset connection", { action: "reset" }],
  ["a body that stops half-way", { action: "truncate", bytes: 200 }],
  ["a body that stops before it begins", { action: "truncate", bytes: 0 }],
];
for (const [name, fault, waits = backoff.slice(0, 1)] of passing) {
  Deno.test(`get-token gets the token on the second try after ${name}`, async () => {
    const result = await getToken([{ ...fault, nth: 1 }]);
    assert.equal(result.code, 0, result.stderr);
    assert.match(result.stdout, /^eyJ[^\s]+\n$/);
    assert.equal(result.requests, 2);
    assert.deepEqual(result.waits, waits);
  });
}

Deno.test("get-token waits until the date that Retry-After names", async () => {
  const now = wholeSecond();
  const retryAfter = new Date(now + 9000).toUTCString();
  const { code, waits, requests } = await getToken(
    [{ action: "status", status: 503, retryAfter, nth: 1 }],
    { now },
  );
  assert.deepEqual({ code, waits, requests }, { code: 0, waits: [9000], requests: 2 });
});

for (const fault of [{ action: "delay", ms: 50 }, { action: "slow", bytes: 300, ms: 5 }]) {
  Deno.test(`get-token is patient with a server that is ${fault.action}`, async () => {
    const { code, requests, waits } = await getToken([fault]);
    assert.deepEqual({ code, requests, waits }, { code: 0, requests: 1, waits: [] });
  });
}

// What does not go away.

interface Lasting {
  readonly fault: Fault;
  readonly argv?: readonly string[];
  readonly code: number;
  readonly says: readonly RegExp[];
  readonly requests: number;
  readonly waits?: readonly number[];
}

const lasting: Readonly<Record<string, Lasting>> = {
  "gives up after three retries of 429": {
    fault: { action: "status", status: 429 },
    code: 5,
    says: [/too many requests/, /Wait a minute/, /correlation id/],
    requests: 4,
    waits: backoff,
  },
  "gives up after three retries of 429 without JSON": {
    fault: { action: "status", status: 429, body: "empty" },
    code: 5,
    says: [/too many requests/],
    requests: 4,
    waits: backoff,
  },
  "gives up after three retries of 503 with JSON": {
    fault: { action: "status", status: 503, body: "json" },
    code: 5,
    says: [/AADSTS90033/, /The server said: .*transient error/, /correlation id .*, trace id /],
    requests: 4,
    waits: backoff,
  },
  "gives up after three retries of 503 with HTML": {
    fault: { action: "status", status: 503, body: "html" },
    code: 5,
    says: [
      /answered 503 without a token response/,
      /text\/html: <!DOCTYPE html>/,
      /try again later/,
    ],
    requests: 4,
    waits: backoff,
  },
  "gives up after three retries of 500 with an empty body": {
    fault: { action: "status", status: 500, body: "empty" },
    code: 5,
    says: [/answered 500/, /an empty body/],
    requests: 4,
    waits: backoff,
  },
  "gives up after three retries of 408": {
    fault: { action: "status", status: 408, body: "html" },
    code: 5,
    says: [/answered 408/],
    requests: 4,
    waits: backoff,
  },
  "gives up after three retries of a reset connection": {
    fault: { action: "reset" },
    code: 5,
    says: [/The connection to localhost:\d+ broke/, /Try again/, /correlation id/],
    requests: 4,
    waits: backoff,
  },
  "gives up after three retries of a body that stops half-way": {
    fault: { action: "truncate", bytes: 100 },
    code: 5,
    says: [/broke before its answer was complete/],
    requests: 4,
    waits: backoff,
  },
  "does not wait for a Retry-After beyond --timeout, and says how long it is": {
    fault: { action: "status", status: 429, retryAfter: 120 },
    code: 5,
    says: [/wait 120 seconds/, /--timeout 180s/],
    requests: 1,
  },
  "does not wait for a Retry-After of 503 beyond --timeout, and says how long it is": {
    fault: { action: "status", status: 503, retryAfter: 90, body: "html" },
    code: 5,
    says: [/answered 503/, /wait 90 seconds/],
    requests: 1,
  },
  "does not wait for a Retry-After of 503 with JSON beyond --timeout, and says how long it is": {
    fault: { action: "status", status: 503, retryAfter: 90 },
    code: 5,
    says: [/AADSTS90033/, /wait 90 seconds/],
    requests: 1,
  },
  "does not advise a --timeout that it would refuse": {
    fault: { action: "status", status: 429, retryAfter: 1_000_000 },
    code: 5,
    says: [/wait 1000000 seconds\n/],
    requests: 1,
  },
  "stops to wait when the next Retry-After would pass --timeout": {
    fault: { action: "status", status: 429, retryAfter: 40 },
    code: 5,
    says: [/wait 40 seconds/],
    requests: 2,
    waits: [40_000],
  },
  "stops to retry 502 at --timeout": {
    fault: { action: "status", status: 502, body: "html" },
    argv: ["--timeout", "1s"],
    code: 5,
    says: [/answered 502/],
    requests: 2,
    waits: backoff.slice(0, 1),
  },
  "does not believe a captive portal": {
    fault: { action: "html" },
    code: 5,
    says: [/answered 200 without a token response/, /text\/html/, /captive portal/],
    requests: 1,
  },
  "does not follow a 302": {
    fault: { action: "redirect", location: "https://login.evil.example/token" },
    code: 5,
    says: [/redirect \(302\) to https:\/\/login\.evil\.example\/token/, /captive portal/],
    requests: 1,
  },
  "does not read 64 MiB": {
    fault: { action: "huge" },
    code: 5,
    says: [/answered with more than 1024 KiB/],
    requests: 1,
  },
  "ends at --timeout when the answer does not come": {
    fault: { action: "delay", ms: 600_000 },
    argv: ["--timeout", "0.3s"],
    code: 5,
    says: [/No result/, /waiting for localhost:\d+/],
    requests: 0,
  },
  "ends at --timeout when the answer dribbles": {
    fault: { action: "slow", bytes: 1, ms: 100 },
    argv: ["--timeout", "0.3s"],
    code: 5,
    says: [/No result/],
    requests: 1,
  },
  "explains a wrong answer to an unknown AADSTS code with the server's own text": {
    fault: { action: "aadsts", code: 9999999, description: "The moon is in the wrong house." },
    code: 2,
    says: [/AADSTS9999999/, /The server said: AADSTS9999999: The moon is in the wrong house\.\n/],
    requests: 1,
  },
  "says where to consent when Entra asks for it": {
    fault: { action: "aadsts", code: 65001 },
    code: 2,
    says: [/AADSTS65001/, /\/adminconsent\?client_id=c0ffee00-/],
    requests: 1,
  },
  "ends with 6 when Entra wants multi-factor authentication": {
    fault: { action: "aadsts", code: 50076 },
    code: 6,
    says: [/Multi-factor authentication is needed \(AADSTS50076\)/, /-f InteractiveBrowser/],
    requests: 1,
  },
  "ends with 6 for interaction_required with an unknown code": {
    fault: { action: "aadsts", code: 59999, error: "interaction_required" },
    code: 6,
    says: [/AADSTS59999/],
    requests: 1,
  },
  "ends with 6 for login_required": {
    fault: { action: "aadsts", code: 59998, error: "login_required" },
    code: 6,
    says: [/AADSTS59998/],
    requests: 1,
  },
  "ends with 6 for consent_required": {
    fault: { action: "aadsts", code: 59997, error: "consent_required" },
    code: 6,
    says: [/AADSTS59997/],
    requests: 1,
  },
  "ends with 5 when OAuth's error says that the server is at fault": {
    fault: { action: "aadsts", code: 50196, error: "temporarily_unavailable", status: 400 },
    code: 5,
    says: [/AADSTS50196/, /try again later/],
    requests: 4,
    waits: backoff,
  },
  "ends with 5 for Entra's transient error, whatever its status and its error are": {
    fault: { action: "aadsts", code: 90033, error: "invalid_request", status: 400 },
    code: 5,
    says: [/AADSTS90033/, /try again later/],
    requests: 4,
    waits: backoff,
  },
  "ends with 5 for an OAuth error on status 408, after retries": {
    fault: { action: "aadsts", code: 50000, error: "invalid_request", status: 408 },
    code: 5,
    says: [/AADSTS50000/],
    requests: 4,
    waits: backoff,
  },
  "ends with 5 for an OAuth error on status 500, after retries": {
    fault: { action: "aadsts", code: 50000, error: "invalid_grant", status: 500 },
    code: 5,
    says: [/AADSTS50000/],
    requests: 4,
    waits: backoff,
  },
  "stops at Entra's loop detection": {
    fault: { action: "aadsts", code: 50196 },
    code: 2,
    says: [/AADSTS50196/, /do not pass --force or --no-cache in a loop/],
    requests: 1,
  },
};
for (const [claim, { fault, argv = [], ...expected }] of Object.entries(lasting)) {
  Deno.test(`get-token ${claim}`, async () => {
    const result = await getToken([fault], { argv });
    for (const text of expected.says) assert.match(result.stderr, text);
    assert.equal(result.code, expected.code, result.stderr);
    assert.equal(result.requests, expected.requests);
    assert.deepEqual(result.waits, expected.waits ?? []);
  });
}

for (const status of [301, 303, 307, 308]) {
  Deno.test(`get-token never takes its secret to where a ${status} points`, async () => {
    await using target = await emulated();
    const location = `${target.emulator.authority}/oauth2/v2.0/token`;
    const { code, stderr } = await getToken([{ action: "redirect", location, status }]);
    assert.equal(code, 5);
    assert.match(stderr, /redirect/);
    assert.deepEqual(target.emulator.requests, []);
  });
}

for (const encoding of ["identity", "gzip"] as const) {
  Deno.test(`get-token hangs up on 64 MiB in ${encoding} encoding`, async () => {
    let sent = 0;
    await using server = startRawServer(async (connection) => {
      await send(
        connection,
        `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: ${encoding}\r\n\r\n`,
      );
      const spaces = ReadableStream.from(Array.from({ length: 64 }, () => mebibyte));
      const body = encoding === "identity"
        ? spaces
        : spaces.pipeThrough(new CompressionStream("gzip"));
      for await (const bytes of body) {
        await send(connection, bytes);
        sent += bytes.length;
      }
    });
    await using test = await emulated();
    const { code, stdout, stderr } = await runCli(["get-token"], {
      env: { ...test.env, AZURE_AUTHORITY_HOST: `http://127.0.0.1:${server.port}` },
    });
    assert.match(stderr, /more than 1024 KiB/);
    assert.deepEqual({ code, stdout }, { code: 5, stdout: "" });
    // what was sent and never read fits into the buffers of both ends
    assert.ok(sent < 32 * mebibyte.length, `${sent} bytes were sent`);
  });
}

// Answers that are nearly right.

const unusable: readonly [name: string, change: Fault, says: RegExp][] = [
  ["expires_in is negative", { set: { expires_in: -1 } }, /expires_in is not a sensible number/],
  ["expires_in is zero", { set: { expires_in: 0 } }, /expires_in is not a sensible number/],
  ["expires_in is no number", { set: { expires_in: "soon" } }, /expires_in is not a sensible/],
  ["expires_in is null", { set: { expires_in: null } }, /expires_in is not a sensible/],
  ["expires_in is of another age", { set: { expires_in: 1e15 } }, /expires_in is not a sensible/],
  [
    "nothing says when an opaque token ends",
    { set: { access_token: "opaque" }, remove: ["expires_in"] },
    /expires_in is missing/,
  ],
  ["access_token is missing", { remove: ["access_token"] }, /access_token is missing/],
  ["access_token is empty", { set: { access_token: "" } }, /access_token is missing/],
  ["access_token has a line break", { set: { access_token: "a\nb" } }, /access_token has char/],
  ["access_token has a space", { set: { access_token: "a b" } }, /access_token has characters/],
  ["access_token is no string", { set: { access_token: 42 } }, /access_token .* not a string/],
  ["token_type is missing", { remove: ["token_type"] }, /token_type is missing/],
  ["token_type is another", { set: { token_type: "pop" } }, /token_type is "pop", not Bearer/],
];
for (const [name, change, says] of unusable) {
  Deno.test(`get-token does not take a response in which ${name}`, async () => {
    const { code, stderr, requests } = await getToken([{ action: "response", ...change }]);
    assert.match(stderr, /The token response of localhost:\d+ is not usable/);
    assert.match(stderr, says);
    assert.match(stderr, /--verbose/);
    assert.deepEqual({ code, requests }, { code: 5, requests: 1 });
  });
}

const usable: readonly [name: string, change: Fault, seconds: number][] = [
  ["expires_in is a string of digits", { set: { expires_in: "1234" } }, 1234],
  ["token_type is in lower case", { set: { token_type: "bearer", expires_in: 1234 } }, 1234],
  ["refresh_in is nonsense", { set: { refresh_in: "never", expires_in: 1234 } }, 1234],
  ["there are members that nobody knows", { set: { moon: [1], expires_in: 1234 } }, 1234],
];
for (const [name, change, seconds] of usable) {
  Deno.test(`get-token takes a response in which ${name}`, async () => {
    const { code, stdout } = await getToken([{ action: "response", ...change }], {
      argv: ["-o", "json"],
      now: wholeSecond(),
    });
    assert.equal(code, 0);
    assert.equal(JSON.parse(stdout).expires_in, seconds);
  });
}

Deno.test("get-token takes the end of the token from its exp when expires_in is missing", async () => {
  const { code, stdout } = await getToken([{ action: "response", remove: ["expires_in"] }], {
    argv: ["-o", "json"],
  });
  assert.equal(code, 0);
  const { access_token, expires_on } = JSON.parse(stdout);
  const payload = access_token.split(".")[1];
  const claims = JSON.parse(
    new TextDecoder().decode(Uint8Array.fromBase64(payload, { alphabet: "base64url" })),
  );
  assert.ok(Math.abs(claims.exp - expires_on) <= 1);
});

// Tokens that do not fit.

/** An unsigned JWT: nobody but the API checks the signature. */
function jwt(claims: Readonly<Record<string, unknown>>): string {
  const part = (value: unknown) =>
    new TextEncoder().encode(JSON.stringify(value)).toBase64({
      alphabet: "base64url",
      omitPadding: true,
    });
  return `${part({ alg: "none" })}.${part(claims)}.AA`;
}

const now = wholeSecond();
const otherApp = "c0ffee00-0000-4000-8000-00000000dead";
const unfit: readonly [name: string, claims: Record<string, unknown>, says: RegExp][] = [
  ["tenant", { tid: otherApp }, /is of tenant "c0ffee00-0000-4000-8000-00000000dead", but tenant/],
  ["app by appid", { appid: otherApp }, /issued to app "c0ffee00-.*dead", but app "c0ffee00-/],
  ["app by azp", { azp: otherApp.toUpperCase() }, /issued to app "C0FFEE00-.*DEAD"/],
  ["time", { exp: now / 1000 - 301 }, /was over when it came.*\n.*this machine's clock: date -u/],
  ["age", { exp: -1e11 }, /was over when it came/],
];
for (const [name, claims, says] of unfit) {
  Deno.test(`get-token refuses a token of another ${name}`, async () => {
    const access_token = jwt(claims);
    const { code, stderr } = await getToken([{ action: "response", set: { access_token } }], {
      now,
    });
    assert.match(stderr, says);
    assert.equal(code, 2);
  });
}

const ends: readonly [name: string, claims: Record<string, unknown>, seconds: number][] = [
  ["expires_in, which comes first", { exp: now / 1000 + 5000 }, 3000],
  ["its exp, which comes first", { exp: now / 1000 + 2000 }, 2000],
  ["expires_in, as clocks may differ by minutes", { exp: now / 1000 - 299 }, 3000],
  ["expires_in, as its azp is no GUID", { azp: "web", appid: 7 }, 3000],
];
for (const [name, claims, seconds] of ends) {
  Deno.test(`get-token takes the end of a token from ${name}`, async () => {
    const set = { access_token: jwt(claims), expires_in: 3000 };
    const { code, stdout } = await getToken([{ action: "response", set }], {
      argv: ["-o", "json"],
      now,
    });
    assert.equal(code, 0);
    assert.equal(JSON.parse(stdout).expires_in, seconds);
  });
}

// Words without end.

Deno.test("get-token shows no id, date or address that is longer than any", async () => {
  const long = "x".repeat(300_000);
  const answers: readonly string[] = [
    `HTTP/1.1 400 Bad\r\ncontent-type: application/json\r\n\r\n${
      JSON.stringify({
        error: "invalid_request",
        error_codes: [-5],
        trace_id: long,
        correlation_id: long,
        timestamp: long,
      })
    }`,
    `HTTP/1.1 302 Found\r\nlocation: https://portal.test/${long.slice(0, 5000)}\r\n\r\n`,
    `HTTP/1.1 200 OK\r\ncontent-type: ${long.slice(0, 5000)}\r\n\r\nhello`,
    tokenAnswer(jwt({ tid: long })),
  ];
  await using test = await emulated();
  for (const answer of answers) {
    await using server = startRawServer((connection) => send(connection, answer));
    const { stdout, stderr } = await runCli(["get-token"], {
      env: { ...test.env, AZURE_AUTHORITY_HOST: `http://127.0.0.1:${server.port}` },
    });
    assert.equal(stdout, "");
    assert.match(stderr, /^error: /);
    assert.ok(stderr.length < 1500, `${stderr.length} characters: ${stderr.slice(0, 300)}`);
    assert.doesNotMatch(stderr, /AADSTS-/);
  }
});

const otherBodies: readonly [name: string, body: string][] = [
  ["an array", '[{"token_type":"Bearer","expires_in":3599,"access_token":"opaque-token"}]'],
  ["a string", '"token"'],
  ["null", "null"],
  ["broken JSON", '{"token_type":"Bearer","access_token":"opaque-token-that-is-long'],
  ["empty", ""],
];
for (const [name, body] of otherBodies) {
  Deno.test(`get-token shows what it got, but no token, when the body is ${name}`, async () => {
    await using server = startRawServer((connection) =>
      send(connection, `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n${body}`)
    );
    await using test = await emulated();
    const { code, stdout, stderr } = await runCli(["get-token"], {
      env: { ...test.env, AZURE_AUTHORITY_HOST: `http://127.0.0.1:${server.port}` },
    });
    assert.equal(stdout, "");
    assert.match(stderr, /answered 200 without a token response/);
    assert.match(stderr, body === "" ? /an empty body/ : /application\/json: /);
    assert.doesNotMatch(stderr, /opaque/);
    assert.deepEqual({ code, requests: server.requests.length }, { code: 5, requests: 1 });
  });
}

// Wrong from the start.

Deno.test("get-token explains a wrong secret: code, remedy, next command, ids", async () => {
  const { code, stderr, requests } = await getToken([], {
    env: { AZURE_CLIENT_SECRET: "not-the-secret" },
  });
  assert.match(stderr, /^error: The client secret is wrong \(AADSTS7000215\)$/m);
  assert.match(stderr, /^ {2}The server said: AADSTS7000215: Invalid client secret provided/m);
  assert.match(stderr, /^ {2}Use the secret's value, not its id/m);
  assert.match(stderr, /^ {2}.*AZURE_CLIENT_SECRET/m);
  assert.match(stderr, /^ {2}correlation id [0-9a-f-]{36}, trace id [0-9a-f-]{36}, \d{4}-/m);
  assert.doesNotMatch(stderr, /not-the-secret/);
  assert.deepEqual({ code, requests }, { code: 2, requests: 1 });
});

const graph = "https://graph.microsoft.com/.default";
const refusedBefore: readonly [argv: readonly string[], says: RegExp, suggests: string][] = [
  [["--tenant", "common"], /Client credentials need one tenant/, "--tenant GUID-or-domain"],
  [["--tenant", "organizations"], /need one tenant/, "--tenant GUID-or-domain"],
  [["--tenant", "consumers"], /need one tenant/, "--tenant GUID-or-domain"],
  [["--tenant", "Common"], /need one tenant, and "Common" stands for many/, "GUID-or-domain"],
  [["--tenant", "ORGANIZATIONS"], /need one tenant/, "--tenant GUID-or-domain"],
  [
    ["--tenant", "9188040D-6c67-4c5b-b112-36a304b66dad"],
    /need one tenant, and "9188040D-.*" is that of all personal accounts/,
    "--tenant GUID-or-domain",
  ],
  [["--tenant", "c0ffee00"], /"c0ffee00" is not a tenant/, "Overview"],
  [["--tenant", "contoso .com"], /is not a tenant/, "Overview"],
  [["--tenant", "../evil"], /is not a tenant/, "Overview"],
  [["--client-id", "Nightly job"], /client id "Nightly job" is not a GUID/, "Application (client)"],
  [["-s", "User.Read"], /ends in \/\.default/, `Write -s ${graph}:`],
  [["-s", "https://graph.microsoft.com/User.Read"], /\/\.default/, `Write -s ${graph}:`],
  [["-s", "https://graph.microsoft.com"], /\/\.default/, `Write -s ${graph}:`],
  [["-s", "api://orders/Orders.Read"], /\/\.default/, "Write -s api://orders/.default:"],
  [["-s", "openid"], /\/\.default/, `Write -s ${graph}:`],
  [["-s", "User.Read Mail.Read"], /take one scope, and 2/, `Write -s ${graph}:`],
  [
    ["-s", "api://orders/.default", "-s", graph],
    /take one scope, and 2/,
    `-s api://orders/.default or -s ${graph}`,
  ],
  [["-s", 'a"b'], /has a character that no scope can have/, graph],
  [["--authority", "http://login.example.com"], /in the clear/, "https://HOST/TENANT"],
];
for (const [argv, says, suggests] of refusedBefore) {
  Deno.test(`get-token refuses ${argv.join(" ")} before any request`, async () => {
    const { code, stderr, requests } = await getToken([], { argv });
    assert.match(stderr, says);
    assert.ok(stderr.includes(suggests), stderr);
    assert.deepEqual({ code, requests }, { code: 4, requests: 0 });
  });
}

// A secret that does not come.

for (const argv of [["--client-secret-file", "-"], ["--client-secret-file", "FIFO"]]) {
  const name = `${argv[1] === "-" ? "standard input" : "a pipe"} that brings no secret`;
  const ignore = Deno.build.os === "windows";

  Deno.test({
    name: `get-token ends at --timeout, and lets the next process in, with ${name}`,
    ignore,
    async fn() {
      await using waiting = await withoutSecret(argv, ["--timeout", "0.3s"]);
      const { code, stdout, stderr } = await waiting.result();
      assert.match(stderr, /^error: No result within 0\.3 seconds/);
      assert.deepEqual({ code, stdout }, { code: 5, stdout: "" });
      assert.equal((await runCli(["get-token"], { env: waiting.env })).code, 0);
    },
  });

  Deno.test({
    name: `Ctrl-C ends get-token with ${name}`,
    ignore,
    async fn() {
      await using waiting = await withoutSecret(argv, []);
      await waiting.holdsLock();
      waiting.child.kill("SIGINT");
      const { code, stdout, stderr } = await waiting.result();
      assert.deepEqual({ code, stdout, stderr }, {
        code: 130,
        stdout: "",
        stderr: "error: Cancelled\n",
      });
    },
  });
}

/** A process that waits for a secret which nobody brings. */
async function withoutSecret(argv: readonly string[], more: readonly string[]) {
  const test = await emulated();
  const fifo = `${test.home}/fifo`;
  await new Deno.Command("mkfifo", { args: [fifo] }).output();
  const { AZURE_CLIENT_SECRET: _, ...env } = test.env;
  const words = ["get-token", ...argv.map((word) => word === "FIFO" ? fifo : word), ...more];
  const child = spawnCli(words, { env, stdin: "" });
  return {
    child,
    env: test.env,
    async result() {
      const { code, stdout, stderr } = await child.output();
      const decoder = new TextDecoder();
      return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
    },
    /** Resolves when it is so far that it listens to Ctrl-C itself. */
    async holdsLock() {
      const isThere = async () => {
        try {
          for await (const _ of Deno.readDir(`${test.home}/vault/locks`)) return true;
        } catch {
          // not yet
        }
        return false;
      };
      while (!await isThere()) await new Promise((resolve) => setTimeout(resolve, 20));
      await new Promise((resolve) => setTimeout(resolve, 300));
    },
    async [Symbol.asyncDispose]() {
      await child.stdin.close();
      await test[Symbol.asyncDispose]();
    },
  };
}

for (const flag of ["--client-secret-file", "--certificate", "--ca-file"]) {
  Deno.test({
    name: `get-token does not read a device without end for ${flag}`,
    ignore: Deno.build.os === "windows",
    async fn() {
      const { code, stderr, requests } = await getToken([], { argv: [flag, "/dev/zero"] });
      assert.match(stderr, /can not be read from \/dev\/zero: it is larger than 1048576 bytes/);
      assert.deepEqual({ code, requests }, { code: 4, requests: 0 });
    },
  });
}

// Ctrl-C.

Deno.test("Ctrl-C during a request ends get-token with 130 and nothing on stdout", async () => {
  await using test = await emulated({
    faults: [{ endpoint: "token", action: "delay", ms: 600_000 }],
  });
  using host: FakeHost = new FakeHost({
    env: test.env,
    fetch: (request) => {
      setTimeout(() => host.cancel());
      return denoHost.fetch(request);
    },
  });
  assert.equal(await runApp(["get-token"], host), 130);
  assert.equal(host.stdoutText, "");
  assert.equal(host.stderrText, "error: Cancelled\n");
});

Deno.test({
  name: "SIGINT during a request ends a process with 130 and nothing on stdout",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using test = await emulated();
    await using front = startFront({ target: test.emulator.origin, hold: [1] });
    const child = spawnCli(["get-token"], {
      env: { ...test.env, AZURE_AUTHORITY_HOST: front.origin },
    });
    await front.arrived(1);
    child.kill("SIGINT");
    const { code, stdout, stderr } = await child.output();
    assert.equal(new TextDecoder().decode(stderr), "error: Cancelled\n");
    assert.deepEqual({ code, stdout: stdout.length }, { code: 130, stdout: 0 });
  },
});

Deno.test("a process ends at --timeout while its server is silent", async () => {
  await using test = await emulated({
    faults: [{ endpoint: "token", action: "delay", ms: 600_000 }],
  });
  const start = performance.now();
  const { code, stdout, stderr } = await runProcess(["get-token", "--timeout", "0.3s"], {
    env: test.env,
  });
  assert.match(stderr, /^error: No result within 0\.3 seconds \(waiting for localhost:\d+\)$/m);
  assert.match(stderr, /--timeout 2m/);
  assert.deepEqual({ code, stdout }, { code: 5, stdout: "" });
  assert.ok(performance.now() - start < 20_000);
});
