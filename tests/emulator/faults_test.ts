import assert from "node:assert/strict";
import type { Emulator } from "../../src/emulator/emulator.ts";
import { startEmulator } from "../../src/emulator/emulator.ts";
import {
  type Answered,
  answered,
  contoso,
  exampleWith,
  goodForm,
  rawExchange,
  rawTokenRequest,
  requestToken,
  withEmulator,
} from "./emulated.ts";

type Rule = Record<string, unknown>;

/** An emulator with one fault on its token endpoint. */
function withFault(
  rule: Rule,
  run: (emulator: Emulator) => Promise<void>,
  options = {},
): Promise<void> {
  return withEmulator(
    { ...exampleWith({ faults: [{ endpoint: "token", ...rule }] }), ...options },
    run,
  );
}

async function statuses(emulator: Emulator, count: number): Promise<number[]> {
  const seen: number[] = [];
  for (let i = 0; i < count; i++) seen.push((await requestToken(emulator, goodForm)).status);
  return seen;
}

Deno.test("a fault without nth and from is played on every request", async () => {
  await withFault({ action: "status", status: 503 }, async (emulator) => {
    assert.deepEqual(await statuses(emulator, 3), [503, 503, 503]);
  });
});

Deno.test("a fault with nth is played on that request only", async () => {
  await withFault({ action: "status", status: 503, nth: 2 }, async (emulator) => {
    assert.deepEqual(await statuses(emulator, 4), [200, 503, 200, 200]);
  });
});

Deno.test("a fault with from is played from that request on", async () => {
  await withFault({ action: "status", status: 503, from: 3 }, async (emulator) => {
    assert.deepEqual(await statuses(emulator, 4), [200, 200, 503, 503]);
  });
});

Deno.test("the first of several faults that is due is played, and all of them count", async () => {
  const faults = [
    { endpoint: "token", action: "status", status: 500, nth: 1 },
    { endpoint: "any", action: "status", status: 502, nth: 2 },
    { endpoint: "token", action: "status", status: 503, from: 2 },
  ];
  await withEmulator(exampleWith({ faults }), async (emulator) => {
    assert.deepEqual(await statuses(emulator, 4), [500, 502, 503, 503]);
  });
});

Deno.test("a fault is played on its endpoint only", async () => {
  const paths = {
    keys: "/discovery/v2.0/keys",
    configuration: "/v2.0/.well-known/openid-configuration",
    instance: "/discovery/instance?authorization_endpoint=https://login.microsoft.com/common",
  };
  for (const endpoint of Object.keys(paths)) {
    const faults = [{ endpoint, action: "status", status: 503 }];
    await withEmulator(exampleWith({ faults }), async (emulator) => {
      for (const [name, path] of Object.entries(paths)) {
        const { status } = await answered(await fetch(`${emulator.authority}${path}`));
        assert.equal(status, name === endpoint ? 503 : 200, name);
      }
      assert.deepEqual(await statuses(emulator, 1), [200]);
    });
  }
});

Deno.test("a fault with clientId is played on that client only", async () => {
  const rule = { action: "status", status: 503, clientId: contoso.publicClientId.toUpperCase() };
  await withFault(rule, async (emulator) => {
    assert.deepEqual(await statuses(emulator, 1), [200]);
    const form = { ...goodForm, client_id: contoso.publicClientId };
    assert.equal((await requestToken(emulator, form)).status, 503);
  });
});

Deno.test("fault status answers 429 with Retry-After in seconds and Entra's JSON", async () => {
  await withFault({ action: "status", status: 429, retryAfter: 2 }, async (emulator) => {
    const { status, headers, body } = await requestToken(emulator, goodForm);
    assert.equal(status, 429);
    assert.equal(headers.get("retry-after"), "2");
    assert.equal(body.error, "temporarily_unavailable");
    assert.deepEqual(body.error_codes, [90055]);
    assert.equal(emulator.requests[0]?.outcome, "fault:status");
  });
});

Deno.test("fault status answers 503 with Retry-After as a date, HTML or nothing", async () => {
  const retryAfter = "Wed, 21 Oct 2015 07:28:00 GMT";
  for (const body of ["html", "empty"]) {
    const rule = { action: "status", status: 503, retryAfter, body };
    await withFault(rule, async (emulator) => {
      const response = await fetch(`${emulator.authority}/oauth2/v2.0/token`, { method: "POST" });
      assert.equal(response.status, 503);
      assert.equal(response.headers.get("retry-after"), retryAfter);
      const text = await response.text();
      if (body === "empty") assert.equal(text, "");
      else assert.match(text, /^<!DOCTYPE html>/);
    });
  }
});

Deno.test("fault delay gives the right answer late", async () => {
  await withFault({ action: "delay", ms: 300 }, async (emulator) => {
    const start = performance.now();
    assert.deepEqual(await statuses(emulator, 1), [200]);
    assert.ok(performance.now() - start >= 295);
  });
});

Deno.test("fault slow gives the right answer in small pieces", async () => {
  await withFault({ action: "slow", bytes: 400, ms: 50 }, async (emulator) => {
    const start = performance.now();
    const response = await fetch(`${emulator.authority}/oauth2/v2.0/token`, {
      method: "POST",
      body: new URLSearchParams(goodForm),
    });
    const headersAfter = performance.now() - start;
    const text = await response.text();
    const bodyAfter = performance.now() - start;
    assert.ok(JSON.parse(text).access_token);
    const pauses = Math.ceil(text.length / 400);
    assert.ok(pauses >= 3);
    assert.ok(bodyAfter >= pauses * 50 - 5, `${bodyAfter}`);
    assert.ok(headersAfter < bodyAfter);
  });
});

Deno.test({
  name: "close() does not wait for a fault to be over, and leaves no timer behind",
  sanitizeOps: true,
  async fn() {
    for (const rule of [{ action: "delay", ms: 600_000 }, { action: "slow", ms: 600_000 }]) {
      const faults = [{ endpoint: "token", ...rule }];
      const emulator = await startEmulator(exampleWith({ faults }));
      const failed = assert.rejects(requestToken(emulator, goodForm));
      // Another endpoint answers, so the request above is in the emulator's hands.
      await answered(await fetch(`${emulator.authority}/discovery/v2.0/keys`));
      await emulator.close();
      await failed;
    }
    // the runtime's own closing of the last sockets ends a turn or two later
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setTimeout(resolve, 1));
  },
});

for (const tls of [false, true]) {
  Deno.test(`fault reset breaks the connection before any byte, ${tls ? "https" : "http"}`, async () => {
    await withFault({ action: "reset", nth: 1 }, async (emulator) => {
      const client = Deno.createHttpClient({ caCerts: [emulator.caCertificate ?? ""] });
      const send = () =>
        fetch(`${emulator.authority}/oauth2/v2.0/token`, {
          method: "POST",
          body: new URLSearchParams(goodForm),
          client,
        });
      await assert.rejects(send(), TypeError);
      assert.equal((await answered(await send())).status, 200);
      client.close();
      assert.equal(emulator.requests[0]?.status, 0);
    }, { tls });
  });
}

Deno.test("fault reset is a TCP reset and sends nothing", async () => {
  await withFault({ action: "reset" }, async (emulator) => {
    assert.deepEqual(await rawExchange(emulator, rawTokenRequest(emulator)), {
      text: "",
      end: "reset",
    });
  });
});

Deno.test("fault truncate announces the whole body and sends its beginning", async () => {
  await withFault({ action: "truncate", bytes: 15 }, async (emulator) => {
    const { text, end } = await rawExchange(emulator, rawTokenRequest(emulator));
    const [head, body] = text.split("\r\n\r\n");
    assert.match(head!, /^HTTP\/1\.1 200 /);
    assert.equal(body, '{"token_type":"');
    assert.ok(Number(/content-length: (\d+)/i.exec(head!)?.[1]) > 1000);
    assert.equal(end, "closed");
    await assert.rejects(requestToken(emulator, goodForm));
  });
});

Deno.test("fault truncate never sends a whole body", async () => {
  await withFault({ action: "truncate", bytes: 65536 }, async (emulator) => {
    await assert.rejects(requestToken(emulator, goodForm));
  });
});

Deno.test("fault html answers a captive portal's page with status 200", async () => {
  await withFault({ action: "html" }, async (emulator) => {
    const response = await fetch(`${emulator.authority}/oauth2/v2.0/token`, { method: "POST" });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-type"), "text/html; charset=utf-8");
    assert.equal(response.headers.get("x-ms-request-id"), null);
    assert.match(await response.text(), /^<!DOCTYPE html>.*Sign in to use this network/s);
  });
});

Deno.test("fault huge streams 64 MiB without holding them", async () => {
  await withFault({ action: "huge" }, async (emulator) => {
    const response = await fetch(`${emulator.authority}/oauth2/v2.0/token`, { method: "POST" });
    assert.match(response.headers.get("content-type")!, /^application\/json/);
    let size = 0;
    for await (const chunk of response.body!) size += chunk.length;
    assert.equal(size, 64 * 1024 * 1024);
  });
});

Deno.test("fault huge ends when the client has had enough", async () => {
  await withFault({ action: "huge", bytes: 2 ** 32 }, async (emulator) => {
    const response = await fetch(`${emulator.authority}/oauth2/v2.0/token`, { method: "POST" });
    for await (const _ of response.body!) break;
    await answered(await fetch(`${emulator.authority}/discovery/v2.0/keys`));
  });
});

Deno.test("fault redirect points elsewhere", async () => {
  const location = "https://login.evil.example/token";
  for (const [rule, status] of [[{}, 302], [{ status: 307 }, 307]] as const) {
    await withFault({ action: "redirect", location, ...rule }, async (emulator) => {
      const response = await fetch(`${emulator.authority}/oauth2/v2.0/token`, {
        method: "POST",
        redirect: "manual",
      });
      assert.equal(response.status, status);
      assert.equal(response.headers.get("location"), location);
      await response.body?.cancel();
    });
  }
});

const aadsts: readonly {
  rule: Rule;
  status: number;
  body: Record<string, unknown>;
  says: RegExp;
}[] = [
  {
    rule: { code: 50196 },
    status: 400,
    body: { error: "invalid_grant", error_codes: [50196] },
    says: /client request loop/,
  },
  {
    rule: { code: 50194 },
    status: 400,
    body: { error: "invalid_request", error_codes: [50194] },
    says: /not configured as a multi-tenant application/,
  },
  {
    rule: { code: 7000218 },
    status: 401,
    body: { error: "invalid_client", error_codes: [7000218] },
    says: /'client_assertion' or 'client_secret'/,
  },
  {
    rule: {
      code: 50076,
      suberror: "basic_action",
      claims: '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}',
    },
    status: 400,
    body: {
      error: "interaction_required",
      error_codes: [50076],
      suberror: "basic_action",
      claims: '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}',
    },
    says: /multi-factor authentication/,
  },
  {
    rule: { code: 123456, error: "server_error", status: 500, description: "\u001b[31mRed" },
    status: 500,
    body: { error: "server_error", error_codes: [123456] },
    // Odd text is sent as it is: clients have to defend themselves.
    // deno-lint-ignore no-control-regex
    says: /AADSTS123456: \u001b\[31mRed Trace ID/,
  },
  {
    rule: { code: 9999999 },
    status: 400,
    body: { error: "invalid_grant", error_codes: [9999999] },
    says: /The request was refused/,
  },
];
for (const { rule, status, body, says } of aadsts) {
  Deno.test(`fault aadsts answers code ${rule.code}`, async () => {
    await withFault({ action: "aadsts", ...rule }, async (emulator) => {
      const answer: Answered = await requestToken(emulator, goodForm);
      assert.equal(answer.status, status);
      for (const [name, value] of Object.entries(body)) assert.deepEqual(answer.body[name], value);
      assert.match(String(answer.body.error_description), says);
    });
  });
}

Deno.test("fault response sets and removes members of a good answer", async () => {
  for (
    const [change, expected] of [
      [{ remove: ["expires_in"] }, undefined],
      [{ set: { expires_in: -1 } }, -1],
      [{ set: { expires_in: "3599" } }, "3599"],
      [{ set: { expires_in: null } }, null],
    ] as const
  ) {
    await withFault({ action: "response", ...change }, async (emulator) => {
      const { status, headers, body } = await requestToken(emulator, goodForm);
      assert.equal(status, 200);
      assert.equal(body.expires_in, expected);
      assert.equal(typeof body.access_token, "string");
      assert.equal(headers.get("content-type"), "application/json; charset=utf-8");
    });
  }
});

Deno.test("fault response leaves an error answer alone", async () => {
  await withFault({ action: "response", set: { error: "none" } }, async (emulator) => {
    const { body } = await requestToken(emulator, { ...goodForm, client_secret: "x" });
    assert.equal(body.error, "invalid_client");
  });
});

Deno.test("no header or parameter of a request brings about a fault", async () => {
  await withEmulator({}, async (emulator) => {
    const { status } = await requestToken(emulator, { ...goodForm, fault: "reset" }, {
      headers: { "x-fault": "reset", "x-emulator-fault": "status" },
    });
    assert.equal(status, 200);
  });
});
