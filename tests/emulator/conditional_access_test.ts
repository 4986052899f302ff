import assert from "node:assert/strict";
import { decodeJwt } from "jose";
import type { Emulator } from "../../src/emulator/emulator.ts";
import { answered, contoso, exampleWith, requestToken, withEmulator } from "./emulated.ts";
import { PlainBrowser } from "./plain_browser.ts";
import {
  ada,
  answerOf,
  approving,
  authorizeUrl,
  commandLine,
  desktop,
  grace,
  redemption,
  tokensFor,
  userScope,
  webShop,
} from "./signing_in.ts";

const graph = "https://graph.microsoft.com";
const asWebShop = {
  client_id: webShop.clientId,
  redirect_uri: webShop.redirectUri,
};

function refresh(emulator: Emulator, refresh_token: unknown, form: Record<string, string> = {}) {
  return requestToken(emulator, {
    grant_type: "refresh_token",
    client_id: commandLine.clientId,
    refresh_token: String(refresh_token),
    ...form,
  });
}

/** A device's sign-in that is approved at once. */
async function device(emulator: Emulator) {
  const { body } = await answered(
    await fetch(`${emulator.authority}/oauth2/v2.0/devicecode`, {
      method: "POST",
      body: new URLSearchParams({ client_id: commandLine.clientId, scope: userScope }),
    }),
  );
  return await requestToken(emulator, {
    grant_type: "device_code",
    client_id: commandLine.clientId,
    device_code: String(body.device_code),
  });
}

for (const [require, code] of [["mfa", 50076], ["mfaRegistration", 50079]] as const) {
  Deno.test(`${require} asks for a second factor once, and is AADSTS${code} without a person`, async () => {
    await withEmulator(exampleWith({ conditionalAccess: [{ require }] }), async (emulator) => {
      const browser = new PlainBrowser();
      const choice = await browser.open(authorizeUrl(emulator));
      const factor = await browser.submit(choice, { user: ada.name });
      assert.equal(factor.title, "Approve sign-in request");
      const silent = answerOf(await browser.open(authorizeUrl(emulator, { prompt: "none" })));
      assert.equal(silent.error, "interaction_required");
      assert.match(silent.error_description ?? "", new RegExp(`^AADSTS${code}`));
      assert.equal(silent.suberror, "basic_action");
      const back = await browser.submit(factor, { answer: "approve" });
      const { body } = await requestToken(emulator, redemption(answerOf(back).code ?? ""));
      assert.deepEqual(decodeJwt(String(body.access_token)).amr, ["pwd", "mfa"]);
      assert.ok(answerOf(await browser.open(authorizeUrl(emulator, { prompt: "none" }))).code);
      assert.equal((await refresh(emulator, body.refresh_token)).status, 200);
    });
  });
}

Deno.test("who cancels the second factor declines", async () => {
  await withEmulator(exampleWith({ conditionalAccess: [{ require: "mfa" }] }), async (emulator) => {
    const browser = new PlainBrowser();
    const choice = await browser.open(authorizeUrl(emulator));
    const factor = await browser.submit(choice, { user: ada.name });
    const { error } = answerOf(await browser.submit(factor, { answer: "cancel" }));
    assert.equal(error, "access_denied");
  });
});

Deno.test("a rule about one resource is met on the way that Entra means: challenge, claims, second factor", async () => {
  const rule = { require: "mfa", resource: "api://orders" };
  await withEmulator(exampleWith({ conditionalAccess: [rule] }), async (emulator) => {
    const browser = new PlainBrowser();
    const secret = { client_secret: webShop.secret };
    const orders = "openid offline_access api://orders/Orders.Read";
    const redeem = async (code: string | undefined) =>
      await requestToken(emulator, { ...redemption(code ?? ""), ...asWebShop, ...secret });
    // The user consents to both, in a session without a second factor.
    const choice = await browser.open(
      authorizeUrl(emulator, { ...asWebShop, scope: "openid offline_access User.Read" }),
    );
    const first = await redeem(answerOf(await browser.submit(choice, { user: ada.name })).code);
    assert.equal(first.status, 200, JSON.stringify(first.body));

    const form = { client_id: webShop.clientId, ...secret, scope: orders };
    const challenged = await refresh(emulator, first.body.refresh_token, form);
    assert.equal(challenged.body.error, "invalid_grant");
    assert.deepEqual(challenged.body.error_codes, [50076]);
    assert.equal(challenged.body.suberror, "basic_action");
    assert.match(
      String(challenged.body.error_description),
      new RegExp(`multi-factor authentication to access '${contoso.ordersAppId}'`),
    );
    const claims = String(challenged.body.claims);
    assert.ok(JSON.parse(claims).access_token.capolids.essential);

    const factor = await browser.open(
      authorizeUrl(emulator, { ...asWebShop, scope: orders, claims }),
    );
    assert.equal(factor.title, "Approve sign-in request");
    const consent = await browser.submit(factor, { answer: "approve" });
    const back = await browser.submit(consent, { answer: "accept" });
    const second = await redeem(answerOf(back).code);
    assert.equal(second.status, 200, JSON.stringify(second.body));
    assert.equal((await refresh(emulator, second.body.refresh_token, form)).status, 200);
  });
});

Deno.test("an authentication context is asked for by claims and comes as acrs", async () => {
  await withEmulator(approving(), async (emulator) => {
    const claims = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}';
    const usual = await tokensFor(emulator);
    const refused = await refresh(emulator, usual.refresh_token, { claims });
    assert.equal(refused.body.error, "interaction_required");
    assert.deepEqual(refused.body.error_codes, [50076]);
    assert.deepEqual(JSON.parse(String(refused.body.claims)), {
      access_token: { acrs: { essential: true, values: ["c1"] } },
    });
    const stepped = await tokensFor(emulator, { claims });
    const { acrs, amr } = decodeJwt(String(stepped.access_token));
    assert.deepEqual([acrs, amr], [["c1"], ["pwd", "mfa"]]);
    assert.equal((await refresh(emulator, stepped.refresh_token, { claims })).status, 200);
  });
});

Deno.test("block is AADSTS53003: shown to a person, told to an app that asks silently or at the token endpoint", async () => {
  const options = exampleWith({ conditionalAccess: [{ require: "block", user: ada.name }] });
  await withEmulator(options, async (emulator) => {
    const browser = new PlainBrowser();
    const choice = await browser.open(authorizeUrl(emulator));
    const page = await browser.submit(choice, { user: ada.name });
    assert.match(page.text, /AADSTS53003: Access has been blocked by Conditional Access/);
    assert.equal(page.location, undefined);
    const silent = answerOf(await browser.open(authorizeUrl(emulator, { prompt: "none" })));
    assert.equal(silent.error, "interaction_required");
    assert.match(silent.error_description ?? "", /^AADSTS53003/);
    assert.ok(answerOf(await browser.submit(choice, { user: grace.name })).code);
  });
  const automatic = { ...options, signIn: { autoApprove: ada.name } };
  await withEmulator(automatic, async (emulator) => {
    assert.match((await new PlainBrowser().open(authorizeUrl(emulator))).text, /AADSTS53003/);
    const { status, body } = await device(emulator);
    assert.equal(status, 400);
    assert.deepEqual([body.error, body.error_codes, body.suberror], [
      "invalid_grant",
      [53003],
      "message_only",
    ]);
  });
});

Deno.test("blockDeviceCode is AADSTS53003 for a device, and touches no other flow", async () => {
  const rule = { require: "blockDeviceCode" };
  await withEmulator(approving({ conditionalAccess: [rule] }), async (emulator) => {
    const { body } = await device(emulator);
    assert.deepEqual([body.error, body.error_codes], ["invalid_grant", [53003]]);
    const { refresh_token } = await tokensFor(emulator);
    assert.equal((await refresh(emulator, refresh_token)).status, 200);
  });
});

Deno.test("blockDeviceCode lets the person through and refuses the device", async () => {
  const options = exampleWith({ conditionalAccess: [{ require: "blockDeviceCode" }] });
  await withEmulator(options, async (emulator) => {
    const { body } = await answered(
      await fetch(`${emulator.authority}/oauth2/v2.0/devicecode`, {
        method: "POST",
        body: new URLSearchParams({ client_id: commandLine.clientId, scope: userScope }),
      }),
    );
    const browser = new PlainBrowser();
    const enter = await browser.open(String(body.verification_uri));
    const choice = await browser.submit(enter, { otc: String(body.user_code) });
    const confirm = await browser.submit(choice, { user: ada.name });
    const end = await browser.submit(confirm, { answer: "confirm" });
    assert.match(end.text, /You have signed in/);
    const polled = await requestToken(emulator, {
      grant_type: "device_code",
      client_id: commandLine.clientId,
      device_code: String(body.device_code),
    });
    assert.deepEqual(polled.body.error_codes, [53003]);
  });
});

Deno.test("blockDeviceCode at refresh_token ends a device's sign-in: AADSTS530036", async () => {
  const rule = { require: "blockDeviceCode", at: ["refresh_token"] };
  await withEmulator(approving({ conditionalAccess: [rule] }), async (emulator) => {
    const { status, body } = await device(emulator);
    assert.equal(status, 200, JSON.stringify(body));
    const refused = await refresh(emulator, body.refresh_token);
    assert.deepEqual([refused.body.error, refused.body.error_codes], ["invalid_grant", [530036]]);
    const { refresh_token } = await tokensFor(emulator);
    assert.equal((await refresh(emulator, refresh_token)).status, 200);
  });
});

Deno.test("every suberror can be had on refresh", async (t) => {
  const rows = [
    [50173, "bad_token"],
    [70043, "token_expired"],
    [65001, "consent_required"],
    [50076, "basic_action"],
    [53000, "additional_action"],
    [53003, "message_only"],
    [50055, "user_password_expired"],
    [53005, "protection_policy_required"],
    [70000, "client_mismatch"],
  ] as const;
  for (const [code, suberror] of rows) {
    await t.step(`${suberror} with AADSTS${code}`, async () => {
      const rule = { require: "block", at: ["refresh_token"], code, suberror };
      await withEmulator(approving({ conditionalAccess: [rule] }), async (emulator) => {
        const { refresh_token } = await tokensFor(emulator);
        const { status, body } = await refresh(emulator, refresh_token);
        assert.equal(status, 400);
        assert.deepEqual([body.error, body.error_codes, body.suberror], [
          "invalid_grant",
          [code],
          suberror,
        ]);
      });
    });
  }
});

Deno.test("a rule's own error, description and claims come in the answer", async () => {
  const rule = {
    require: "block",
    at: ["device_code"],
    code: 50097,
    error: "interaction_required",
    description: "Device authentication is required.",
    suberror: "additional_action",
    claims: "{}",
    status: 401,
  };
  await withEmulator(approving({ conditionalAccess: [rule] }), async (emulator) => {
    const { status, body } = await device(emulator);
    assert.equal(status, 401);
    assert.equal(body.error, "interaction_required");
    assert.match(
      String(body.error_description),
      /^AADSTS50097: Device authentication is required\./,
    );
    assert.equal(body.suberror, "additional_action");
    assert.equal(body.claims, "{}");
  });
});

Deno.test("a rule concerns only whom, what and where it names", async (t) => {
  const rules = {
    "another user": { user: grace.name },
    "another client": { clientId: desktop.clientId },
    "another resource": { resource: "api://orders" },
    "another grant": { at: ["device_code"] },
    "the user, but another client": { user: ada.name, clientId: desktop.clientId },
  };
  for (const [what, selector] of Object.entries(rules)) {
    await t.step(what, async () => {
      const conditionalAccess = [{ require: "block", ...selector }];
      await withEmulator(approving({ conditionalAccess }), async (emulator) => {
        const { refresh_token } = await tokensFor(emulator);
        assert.equal((await refresh(emulator, refresh_token)).status, 200);
      });
    });
  }
  await t.step("all that it names", async () => {
    const rule = {
      require: "block",
      user: ada.name.toUpperCase(),
      clientId: commandLine.clientId,
      resource: graph,
      at: ["authorization_code"],
    };
    await withEmulator(approving({ conditionalAccess: [rule] }), async (emulator) => {
      const { code = "" } = answerOf(await new PlainBrowser().open(authorizeUrl(emulator)));
      const { body } = await requestToken(emulator, redemption(code));
      assert.deepEqual([body.error, body.error_codes], ["invalid_grant", [53003]]);
    });
  });
});
