import assert from "node:assert/strict";
import { type Exchange, postForm } from "../../../src/entra/transport.ts";
import { EntraToolError } from "../../../src/errors.ts";
import { ConnectionError, type HttpRequest } from "../../../src/host.ts";

const now = Date.parse("2030-01-01T00:00:00Z");

/** Plays the steps one after the other, the last one again and again; no wait takes time. */
function network(steps: readonly (() => Response)[], { jitter = 0.5 } = {}) {
  const requests: HttpRequest[] = [];
  const waits: number[] = [];
  let clock = now;
  return {
    requests,
    waits,
    now: () => clock,
    random: () => jitter,
    sleep(ms: number) {
      waits.push(ms);
      clock += ms;
      return Promise.resolve();
    },
    fetch(request: HttpRequest) {
      requests.push(request);
      const step = steps[Math.min(requests.length, steps.length) - 1]!;
      return new Promise<Response>((resolve) => resolve(step()));
    },
  };
}

function exchange(options: Partial<Exchange> = {}): Exchange {
  return {
    url: "https://login.example/tenant/oauth2/v2.0/token",
    form: () => Promise.resolve({ grant_type: "client_credentials", client_secret: "a b&c=d" }),
    isPassing: () => false,
    deadline: { at: now + 60_000, signal: new AbortController().signal },
    caCertificates: [],
    retryAfter: "any_failure",
    trace: { request() {}, response() {}, note() {} },
    ...options,
  };
}

const answer = (status: number, headers: Record<string, string> = {}) => () =>
  new Response("{}", { status, headers: { "content-type": "application/json", ...headers } });
const lost = () => {
  throw new TypeError("fetch failed");
};
const notConnected = (reason: ConnectionError["reason"]) => () => {
  throw new ConnectionError(reason, "the message", "the issuer");
};

/** What postForm rejects with. */
async function failureOf(promise: Promise<unknown>): Promise<EntraToolError> {
  const error = await promise.then(() => assert.fail("no failure"), (error) => error);
  assert.ok(error instanceof EntraToolError);
  return error;
}

const retryAfters: readonly [value: string, wait: number | undefined][] = [
  ["0", 0],
  ["7", 7000],
  ["0007", 7000],
  [" 7 ", 7000],
  ["99999999999999999999999999", 1e12],
  ["Tue, 01 Jan 2030 00:00:30 GMT", 30_000],
  ["Tuesday, 01-Jan-30 00:00:30 GMT", 30_000],
  ["Tue Jan  1 00:00:30 2030", 30_000],
  ["Mon, 31 Dec 2029 23:00:00 GMT", 0],
  ["Tue, 99 Jan 2030 00:00:30 GMT", undefined],
  ["", undefined],
  ["-7", undefined],
  ["1.5", undefined],
  ["7s", undefined],
  ["in 5", undefined],
  ["soon", undefined],
  ["2030", 2_030_000],
  ["2030-01-01", undefined],
  ["0x10", undefined],
  ["1e3", undefined],
];
for (const [value, wait] of retryAfters) {
  Deno.test(`postForm() takes Retry-After "${value}" for ${wait} ms`, async () => {
    const host = network([answer(429, { "retry-after": value })]);
    const deadline = { at: now + 1, signal: new AbortController().signal };
    const { retryAfter } = await postForm(exchange({ deadline }), host);
    assert.equal(retryAfter, wait);
  });
}

Deno.test("postForm() waits twice as long before each of three retries", async () => {
  const host = network([answer(500)]);
  assert.equal((await postForm(exchange(), host)).status, 500);
  assert.deepEqual(host.waits, [375, 750, 1500]);
  assert.equal(host.requests.length, 4);
});

Deno.test("postForm() waits between the half and the whole of each step", async () => {
  const shortest = network([answer(500)], { jitter: 0 });
  await postForm(exchange(), shortest);
  assert.deepEqual(shortest.waits, [250, 500, 1000]);
  const longest = network([answer(500)], { jitter: 1 - Number.EPSILON });
  await postForm(exchange(), longest);
  assert.deepEqual(longest.waits.map(Math.ceil), [500, 1000, 2000]);
});

const statuses: readonly [status: number, tries: number][] = [
  [200, 1],
  [400, 1],
  [401, 1],
  [404, 1],
  [408, 4],
  [418, 1],
  [429, 4],
  [500, 4],
  [503, 4],
  [599, 4],
];
for (const [status, tries] of statuses) {
  Deno.test(`postForm() asks ${tries} times for status ${status}`, async () => {
    const host = network([answer(status)]);
    assert.equal((await postForm(exchange(), host)).status, status);
    assert.equal(host.requests.length, tries);
  });
}

Deno.test("postForm() makes the form anew for each try, as an assertion in it ends while it waits", async () => {
  const host = network([answer(503, { "retry-after": "20" })]);
  const made: number[] = [];
  const form = () => {
    made.push(host.now());
    return Promise.resolve({ client_assertion: `made at ${host.now()}` });
  };
  await postForm(exchange({ form }), host);
  assert.deepEqual(made, [now, now + 20_000, now + 40_000]);
  assert.deepEqual(
    host.requests.map(({ body }) => new URLSearchParams(body).get("client_assertion")),
    made.map((time) => `made at ${time}`),
  );
});

Deno.test("postForm() asks again when the answer itself says that the problem passes", async () => {
  const host = network([answer(400), answer(200)]);
  const isPassing = ({ status }: { readonly status: number }) => status === 400;
  assert.equal((await postForm(exchange({ isPassing }), host)).status, 200);
  const once = network([answer(400)]);
  await postForm(exchange({ isPassing, retryAfter: "unsent" }), once);
  assert.equal(once.requests.length, 1);
});

Deno.test("postForm() stops at the first answer that is worth having", async () => {
  const host = network([answer(503), lost, notConnected("refused"), answer(400)]);
  assert.equal((await postForm(exchange(), host)).status, 400);
  assert.equal(host.requests.length, 4);
});

Deno.test("postForm() returns the last answer when the next wait would pass the deadline", async () => {
  const at = now + 10_000;
  const deadline = { at, signal: new AbortController().signal };
  for (const [seconds, tries] of [[4, 3], [9, 2], [10, 1], [3600, 1]] as const) {
    const host = network([answer(503, { "retry-after": `${seconds}` })]);
    assert.equal((await postForm(exchange({ deadline }), host)).retryAfter, seconds * 1000);
    assert.equal(host.requests.length, tries, `${seconds}`);
    assert.ok(host.now() < at);
  }
});

// A code can be redeemed once.

Deno.test("postForm() never sends twice what may be used once", async () => {
  for (const step of [answer(429), answer(503), answer(408)]) {
    const host = network([step]);
    await postForm(exchange({ retryAfter: "unsent" }), host);
    assert.equal(host.requests.length, 1);
  }
  const host = network([lost]);
  const { code } = await failureOf(postForm(exchange({ retryAfter: "unsent" }), host));
  assert.deepEqual({ code, requests: host.requests.length }, {
    code: "connection_lost",
    requests: 1,
  });
});

Deno.test("postForm() sends again what may be used once when it never reached the server", async () => {
  for (const reason of ["dns", "refused", "proxy", "tls", "unreachable"] as const) {
    const host = network([notConnected(reason), notConnected(reason), answer(200)]);
    assert.equal((await postForm(exchange({ retryAfter: "unsent" }), host)).status, 200);
    assert.equal(host.requests.length, 3);
  }
  const host = network([notConnected("refused"), lost]);
  await failureOf(postForm(exchange({ retryAfter: "unsent" }), host));
  assert.equal(host.requests.length, 2);
});

// Failures and their words.

const connectionFailures: readonly [
  reason: ConnectionError["reason"],
  tries: number,
  says: RegExp,
  hints: RegExp,
][] = [
  ["dns", 4, /name login\.example can not be resolved/, /typing errors/],
  ["refused", 4, /login\.example refused the connection/, /server runs/],
  ["tls", 4, /secure connection to login\.example failed: the message/, /firewall/],
  ["tls_untrusted", 1, /not trusted; it was issued by "the issuer" \(the message\)/, /clock/],
  ["proxy", 4, /proxy did not connect to login\.example: the message/, /HTTPS_PROXY/],
  ["unreachable", 4, /login\.example can not be reached: the message/, /NO_PROXY/],
];
for (const [reason, tries, says, hints] of connectionFailures) {
  Deno.test(`postForm() explains a connection that failed for the reason ${reason}`, async () => {
    const host = network([notConnected(reason)]);
    const { failure, code, message, detail } = await failureOf(postForm(exchange(), host));
    assert.deepEqual({ failure, code }, { failure: "network", code: `connection_${reason}` });
    assert.match(message, says);
    assert.match(detail.hint!, hints);
    assert.equal(detail.correlationId, host.requests[0]?.headers["client-request-id"]);
    assert.equal(host.requests.length, tries);
  });
}

Deno.test("postForm() does not ask a proxy again that wants to know who asks", async () => {
  const host = network([() => {
    throw new ConnectionError("proxy", "proxy authentication required");
  }]);
  await failureOf(postForm(exchange(), host));
  assert.equal(host.requests.length, 1);
});

Deno.test("postForm() does not try again when this machine is set up wrongly", async () => {
  const wrong = new EntraToolError("usage", "ca_file_invalid", "Wrong");
  const host = network([() => {
    throw wrong;
  }]);
  assert.equal(await failureOf(postForm(exchange(), host)), wrong);
  assert.equal(host.requests.length, 1);
});

Deno.test("postForm() rejects with the deadline's reason, and says whom it waited for", async () => {
  const timeout = new EntraToolError("network", "timeout", "No result within 1 seconds", {
    hint: "Wait",
  });
  const cancelled = new EntraToolError("cancelled", "cancelled", "Cancelled");
  for (
    const [reason, message] of [
      [timeout, "No result within 1 seconds (waiting for login.example)"],
      [cancelled, "Cancelled"],
    ] as const
  ) {
    const controller = new AbortController();
    const host = network([() => {
      controller.abort(reason);
      throw reason;
    }]);
    const deadline = { at: now + 1000, signal: controller.signal };
    const error = await failureOf(postForm(exchange({ deadline }), host));
    assert.equal(error.message, message);
    assert.equal(error.code, reason.code);
    assert.equal(error.detail.hint, reason.detail.hint);
  }
});

Deno.test("postForm() never follows a redirect, and does not try again", async () => {
  for (const status of [300, 301, 302, 303, 307, 308]) {
    const host = network([answer(status, { location: "https://evil.example/" })]);
    const { code, message } = await failureOf(postForm(exchange(), host));
    assert.equal(code, "unexpected_redirect");
    assert.match(message, /to https:\/\/evil\.example\//);
    assert.equal(host.requests.length, 1);
  }
});

Deno.test("postForm() reads a body of 1 MiB, and drops the connection for one more byte", async () => {
  const body = (bytes: number, cancelled = () => {}) => () =>
    new Response(
      new ReadableStream({
        pull(controller) {
          if (bytes <= 0) return controller.close();
          controller.enqueue(new Uint8Array(Math.min(bytes, 65_536)).fill(0x20));
          bytes -= 65_536;
        },
        cancel: cancelled,
      }),
    );
  const mebibyte = 1024 * 1024;
  const answered = await postForm(exchange(), network([body(mebibyte)]));
  assert.equal(answered.body.length, mebibyte);

  let cancelled = false;
  const host = network([body(mebibyte * 64, () => void (cancelled = true))]);
  const { code } = await failureOf(postForm(exchange(), host));
  assert.equal(code, "response_too_large");
  assert.ok(cancelled);
  assert.equal(host.requests.length, 1);
});

Deno.test("postForm() keeps a character whole that arrives in two pieces", async () => {
  const [first, second, third] = new TextEncoder().encode("€");
  const pieces = [new Uint8Array([first!]), new Uint8Array([second!, third!])];
  const host = network([() => new Response(ReadableStream.from(pieces))]);
  assert.equal((await postForm(exchange(), host)).body, "€");
});

Deno.test("postForm() tells the trace each request, answer and wait", async () => {
  const told: string[] = [];
  const trace: Exchange["trace"] = {
    request: (method, url) => void told.push(`${method} ${url}`),
    response: ({ status }) => void told.push(`${status}`),
    note: (text) => void told.push(text),
  };
  await postForm(exchange({ trace }), network([answer(503), answer(200)]));
  assert.deepEqual(told, [
    "POST https://login.example/tenant/oauth2/v2.0/token",
    "503",
    "Retry 1 of 3 in 375 ms",
    "POST https://login.example/tenant/oauth2/v2.0/token",
    "200",
  ]);
});

Deno.test("postForm() encodes the form, and hands over the certificates to trust", async () => {
  const host = network([answer(200, { "x-ms-request-id": "the id" })]);
  const { requestId } = await postForm(exchange({ caCertificates: ["PEM"] }), host);
  assert.equal(requestId, "the id");
  assert.equal(
    host.requests[0]?.body,
    "grant_type=client_credentials&client_secret=a+b%26c%3Dd",
  );
  assert.deepEqual(host.requests[0]?.caCertificates, ["PEM"]);
});
