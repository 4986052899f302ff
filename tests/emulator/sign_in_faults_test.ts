import assert from "node:assert/strict";
import { answered, contoso, goodForm, requestToken, withEmulator } from "./emulated.ts";
import { PlainBrowser } from "./plain_browser.ts";
import {
  ada,
  alan,
  answerOf,
  approving,
  authorizeUrl,
  codeFor,
  commandLine,
  desktop,
  redemption,
  tokensFor,
  userScope,
  verifier,
} from "./signing_in.ts";

Deno.test("a fault on authorize is told to the app, or shown when the app is in doubt", async () => {
  const faults = [{
    endpoint: "authorize",
    clientId: commandLine.clientId,
    nth: 1,
    action: "aadsts",
    code: 90033,
    suberror: "x",
    claims: "{}",
  }];
  await withEmulator(approving({ faults }), async (emulator) => {
    const browser = new PlainBrowser();
    // Another client's request is not counted.
    assert.ok(await codeFor(emulator, { client_id: desktop.clientId }));
    const answer = answerOf(await browser.open(authorizeUrl(emulator)));
    assert.equal(answer.error, "temporarily_unavailable");
    assert.match(answer.error_description ?? "", /^AADSTS90033: A transient error/);
    assert.equal(answer.suberror, "x");
    assert.equal(answer.claims, "{}");
    assert.equal(emulator.requests.at(-1)?.outcome, "fault:aadsts");
    assert.ok(await codeFor(emulator));
  });
  await withEmulator(approving({ faults }), async (emulator) => {
    const url = authorizeUrl(emulator, { redirect_uri: "https://evil.example" });
    const page = await new PlainBrowser().open(url);
    assert.match(page.text, /AADSTS90033/);
    assert.equal(page.location, undefined);
  });
});

Deno.test("a fault's HTTP status on authorize is no redirect", async () => {
  const faults = [{ endpoint: "authorize", action: "status", status: 503, retryAfter: 1 }];
  await withEmulator(approving({ faults }), async (emulator) => {
    const page = await new PlainBrowser().open(authorizeUrl(emulator));
    assert.equal(page.status, 503);
    assert.equal(page.headers.get("retry-after"), "1");
    assert.equal(page.location, undefined);
  });
});

Deno.test("a fault with grantType is played on that grant only, however it is spelled", async () => {
  const urn = "urn:ietf:params:oauth:grant-type:device_code";
  for (const grantType of ["device_code", urn]) {
    const faults = [{ endpoint: "token", grantType, action: "aadsts", code: 53003 }];
    await withEmulator(approving({ faults }), async (emulator) => {
      assert.equal((await requestToken(emulator, goodForm)).status, 200);
      for (const grant_type of ["device_code", urn]) {
        const { body } = await requestToken(emulator, { ...goodForm, grant_type });
        assert.deepEqual(body.error_codes, [53003]);
      }
    });
  }
});

Deno.test("a fault with grantType counts that grant only", async () => {
  const faults = [{
    endpoint: "token",
    grantType: "refresh_token",
    nth: 2,
    action: "aadsts",
    code: 70043,
    suberror: "token_expired",
  }];
  await withEmulator(approving({ faults }), async (emulator) => {
    const { refresh_token } = await tokensFor(emulator);
    const form = {
      grant_type: "refresh_token",
      client_id: commandLine.clientId,
      refresh_token: String(refresh_token),
    };
    const seen = [];
    for (const _ of [1, 2, 3]) seen.push((await requestToken(emulator, form)).body.suberror);
    assert.deepEqual(seen, [undefined, "token_expired", undefined]);
  });
});

Deno.test("every endpoint of a sign-in can fail", async () => {
  const paths: Record<string, string> = {
    authorize: `/${contoso.tenantId}/oauth2/v2.0/authorize`,
    login: `/${contoso.tenantId}/login`,
    devicecode: `/${contoso.tenantId}/oauth2/v2.0/devicecode`,
    devicelogin: "/devicelogin",
    logout: `/${contoso.tenantId}/oauth2/v2.0/logout`,
  };
  for (const endpoint of Object.keys(paths)) {
    const faults = [{ endpoint, action: "status", status: 504 }];
    await withEmulator(approving({ faults }), async (emulator) => {
      for (const [name, path] of Object.entries(paths)) {
        const { status } = await new PlainBrowser().post(emulator.origin + path, {});
        assert.equal(status === 504, name === endpoint, `${endpoint} at ${name}`);
      }
    });
  }
});

Deno.test("a device's sign-in can be told to slow down by a fault", async () => {
  const faults = [{
    endpoint: "token",
    grantType: "device_code",
    nth: 1,
    action: "aadsts",
    code: 70016,
    error: "slow_down",
  }];
  await withEmulator(approving({ faults }), async (emulator) => {
    const { body } = await answered(
      await fetch(`${emulator.authority}/oauth2/v2.0/devicecode`, {
        method: "POST",
        body: new URLSearchParams({ client_id: commandLine.clientId, scope: userScope }),
      }),
    );
    const form = {
      grant_type: "device_code",
      client_id: commandLine.clientId,
      device_code: String(body.device_code),
    };
    assert.equal((await requestToken(emulator, form)).body.error, "slow_down");
    assert.equal((await requestToken(emulator, form)).status, 200);
  });
});

Deno.test("no code, token, password, state or hint gets into the log or the record", async () => {
  const lines: string[] = [];
  const canary = "canary-of-the-log";
  await withEmulator({ log: (line) => lines.push(line) }, async (emulator) => {
    const browser = new PlainBrowser();
    const url = authorizeUrl(emulator, { state: canary, nonce: canary, login_hint: alan.name });
    const page = await browser.open(url);
    await browser.submit(page, { password: canary });
    const back = await browser.submit(page, { password: alan.password });
    const { code = "", session_state = "" } = answerOf(back);
    const { body } = await requestToken(emulator, redemption(code));
    const refreshed = await requestToken(emulator, {
      grant_type: "refresh_token",
      client_id: commandLine.clientId,
      refresh_token: String(body.refresh_token),
    });
    const device = await answered(
      await fetch(`${emulator.authority}/oauth2/v2.0/devicecode`, {
        method: "POST",
        body: new URLSearchParams({ client_id: commandLine.clientId, scope: userScope }),
      }),
    );
    await browser.post(String(device.body.verification_uri), { otc: canary });
    await requestToken(emulator, {
      grant_type: "device_code",
      client_id: commandLine.clientId,
      device_code: String(device.body.device_code),
    });
    await browser.open(
      `${emulator.authority}/oauth2/v2.0/logout?id_token_hint=${body.id_token}&state=${canary}`,
    );
    const everything = lines.join("\n") + JSON.stringify(emulator.requests);
    const secrets = [
      canary,
      code,
      session_state,
      verifier,
      alan.password,
      alan.name,
      page.forms[0]?.hidden.flow,
      ...browser.cookies.values(),
      body.access_token,
      body.refresh_token,
      body.id_token,
      refreshed.body.refresh_token,
      device.body.device_code,
      device.body.user_code,
    ];
    for (const secret of secrets) {
      assert.ok(typeof secret === "string" && secret.length >= 8, String(secret));
      assert.equal(everything.includes(secret), false, secret);
    }
    assert.equal(lines.length, 9);
    // Authorize names its client in the query, and the log knows it.
    assert.equal(emulator.requests[0]?.clientId, commandLine.clientId);
    assert.match(lines[0] ?? "", / GET \/[^ ?]+\/oauth2\/v2\.0\/authorize 200 \d+ms - c0ffee00-/);
  });
});

Deno.test("no parameter or header of a request answers in a person's place", async () => {
  await withEmulator({}, async (emulator) => {
    const names = ["autoApprove", "signIn", "user", "user_name", "username", "flow", "answer"];
    const url = authorizeUrl(
      emulator,
      Object.fromEntries(names.map((name) => [name, ada.name])),
    );
    const headers = Object.fromEntries(names.map((name) => [`x-${name}`, ada.name]));
    const page = await new PlainBrowser().open(url, { headers });
    assert.equal(page.title, "Sign in");
  });
});
