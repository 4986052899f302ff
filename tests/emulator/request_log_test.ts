import assert from "node:assert/strict";
import { logLine } from "../../src/emulator/request_log.ts";
import { contoso, goodForm, rawExchange, requestToken, withEmulator } from "./emulated.ts";

Deno.test("each request is one line with time, method, path, status, duration, grant and outcome", async () => {
  const lines: string[] = [];
  await withEmulator({ log: (line) => lines.push(line) }, async (emulator) => {
    await requestToken(emulator, goodForm);
    await requestToken(emulator, { ...goodForm, client_secret: "x" });
    const path = `/${contoso.tenantId}/oauth2/v2.0/token`;
    const [good, refused] = lines;
    const time = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`;
    const request = String.raw`\d+ms client_credentials ${contoso.clientId}`;
    assert.match(good!, new RegExp(`^${time} POST ${path} 200 ${request} ok$`));
    assert.match(refused!, new RegExp(`^${time} POST ${path} 401 ${request} AADSTS7000215$`));
    assert.equal(lines.length, 2);
    const { time: at, durationMs, ...rest } = emulator.requests[1]!;
    assert.ok(Math.abs(Date.now() - at) < 60_000 && durationMs >= 0);
    assert.deepEqual(rest, {
      method: "POST",
      path,
      status: 401,
      grantType: "client_credentials",
      clientId: contoso.clientId,
      outcome: "AADSTS7000215",
    });
  });
});

Deno.test("no secret, assertion or token gets into the log or the record", async () => {
  const lines: string[] = [];
  await withEmulator({ log: (line) => lines.push(line) }, async (emulator) => {
    const { body } = await requestToken(emulator, goodForm);
    const canary = "canary-of-the-log";
    for (
      const [form, headers] of [
        [{ client_secret: canary }, {}],
        // People paste the secret where the id belongs.
        [{ client_id: canary }, {}],
        [{ client_secret: undefined, client_assertion: canary }, {}],
        [{ client_id: undefined, client_secret: undefined }, {
          "Authorization": `Basic ${btoa(`${canary}:${canary}`)}`,
        }],
        [{ scope: canary }, { "client-request-id": canary }],
      ] as const
    ) {
      await requestToken(emulator, { ...goodForm, ...form }, { headers });
    }
    await (await fetch(`${emulator.authority}/oauth2/v2.0/token?client_secret=${canary}`)).text();
    const everything = lines.join("\n") + JSON.stringify(emulator.requests);
    for (const secret of [canary, contoso.secret, String(body.access_token), btoa(canary)]) {
      assert.equal(everything.includes(secret), false, secret);
    }
    assert.equal(lines.length, 7);
  });
});

Deno.test("control characters and bidi overrides in a request are visible in the log", async () => {
  const lines: string[] = [];
  await withEmulator({ log: (line) => lines.push(line) }, async (emulator) => {
    const odd = "\u001b[2J\u202e\n";
    await requestToken(emulator, { ...goodForm, grant_type: `x${odd}y` });
    await requestToken(emulator, goodForm, { tenant: encodeURIComponent(odd) });
    // deno-lint-ignore no-control-regex
    for (const line of lines) assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f\u202e]/);
    assert.match(lines[0]!, / x\\u\{1b\}\[2J\\u\{202e\}\\u\{a\}y /);
  });
});

Deno.test("a refused request is one line, too, without its query", async () => {
  const lines: string[] = [];
  await withEmulator({ log: (line) => lines.push(line) }, async (emulator) => {
    const request = "GET /common/x?code=canary HTTP/1.1\r\nHost: evil.example\r\n" +
      "Connection: close\r\n\r\n";
    await rawExchange(emulator, request);
    assert.match(lines[0]!, /^\S+Z GET \/common\/x 421 0ms - - refused$/);
  });
});

Deno.test("a long path is cut in the log", () => {
  const line = logLine({
    time: 0,
    method: "GET",
    path: "/x".repeat(1000),
    status: 0,
    durationMs: 1.6,
    outcome: "fault:reset",
  });
  assert.equal(
    line,
    `1970-01-01T00:00:00.000Z GET ${"/x".repeat(100)}... --- 2ms - - fault:reset`,
  );
});

Deno.test("the record keeps the last thousand requests", async () => {
  await withEmulator({}, async (emulator) => {
    const path = "/common/discovery/keys";
    for (let i = 0; i < 1005; i++) await (await fetch(`${emulator.origin}${path}`)).text();
    assert.equal(emulator.requests.length, 1000);
  });
});
