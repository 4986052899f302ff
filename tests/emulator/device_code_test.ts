import assert from "node:assert/strict";
import { decodeJwt } from "jose";
import type { Emulator, EmulatorOptions } from "../../src/emulator/emulator.ts";
import { answered, contoso, exampleWith, requestToken, withEmulator } from "./emulated.ts";
import { type Page, PlainBrowser } from "./plain_browser.ts";
import {
  ada,
  alan,
  approving,
  commandLine,
  desktop,
  type Parameters,
  userScope,
  webShop,
} from "./signing_in.ts";

const urn = "urn:ietf:params:oauth:grant-type:device_code";

async function startDevice(
  emulator: Emulator,
  form: Parameters = {},
  tenant = emulator.tenantId,
) {
  const body = new URLSearchParams();
  const all = { client_id: commandLine.clientId, scope: userScope, ...form };
  for (const [name, value] of Object.entries(all)) {
    if (value !== undefined) body.append(name, value);
  }
  return await answered(
    await fetch(`${emulator.origin}/${tenant}/oauth2/v2.0/devicecode`, { method: "POST", body }),
  );
}

async function codes(emulator: Emulator, form: Parameters = {}) {
  const { status, body } = await startDevice(emulator, form);
  assert.equal(status, 200, JSON.stringify(body));
  return body as { device_code: string; user_code: string; verification_uri: string };
}

function poll(emulator: Emulator, deviceCode: string, form?: Parameters, tenant?: string) {
  return requestToken(emulator, {
    grant_type: urn,
    client_id: commandLine.clientId,
    device_code: deviceCode,
    ...form,
  }, tenant === undefined ? {} : { tenant });
}

/** Opens the page and enters the code. */
async function enter(browser: PlainBrowser, page: string, code: string): Promise<Page> {
  return browser.submit(await browser.open(page), { otc: code });
}

async function outcome(emulator: Emulator, deviceCode: string, form?: Parameters) {
  const { status, body } = await poll(emulator, deviceCode, form);
  return status === 200 ? "tokens" : [body.error, (body.error_codes as number[])[0]];
}

Deno.test("devicecode answers as Entra does", async () => {
  await withEmulator({}, async (emulator) => {
    const { status, body } = await startDevice(emulator);
    assert.equal(status, 200);
    const { user_code, device_code, verification_uri, ...rest } = body;
    assert.match(String(user_code), /^[A-Z2-9]{9}$/);
    assert.match(String(device_code), /^1\.[\w-]{100,}$/);
    assert.equal(verification_uri, `${emulator.origin}/devicelogin`);
    assert.deepEqual(rest, {
      expires_in: 900,
      interval: 5,
      message: `To sign in, use a web browser to open the page ${verification_uri} and enter the ` +
        `code ${user_code} to authenticate.`,
    });
  });
});

Deno.test("devicecode refuses as Entra does", async (t) => {
  const refusals: readonly (readonly [Parameters, number, string?])[] = [
    [{ client_id: undefined }, 900144],
    [{ scope: undefined }, 900144],
    [{ scope: "User.Fly" }, 650053],
    [{ scope: "api://nobody/.default" }, 500011],
    [{ claims: "{" }, 9002313],
    [{ client_id: "c0ffee00-0000-4000-8000-00000000dead" }, 700016],
    [{}, 90002, "fabrikam.com"],
    [{}, 50194, "common"],
    [{}, 9002332, "consumers"],
  ];
  await withEmulator({}, async (emulator) => {
    for (const [form, code, tenant] of refusals) {
      await t.step(`AADSTS${code} for ${JSON.stringify(form)} ${tenant ?? ""}`, async () => {
        const { status, body } = await startDevice(emulator, form, tenant);
        assert.equal(status, 400);
        assert.deepEqual(body.error_codes, [code], JSON.stringify(body));
      });
    }
  });
});

Deno.test("a person enters the code, confirms, and the device gets its tokens once", async () => {
  await withEmulator({}, async (emulator) => {
    const { device_code, user_code, verification_uri } = await codes(emulator);
    assert.deepEqual(await outcome(emulator, device_code), ["authorization_pending", 70016]);
    const browser = new PlainBrowser();
    const typed = ` ${user_code.slice(0, 4).toLowerCase()}-${user_code.slice(4)} `;
    const choice = await enter(browser, verification_uri, typed);
    assert.equal(choice.title, "Sign in");
    const confirm = await browser.submit(choice, { user: ada.name });
    assert.equal(confirm.title, "Are you trying to sign in to Command line?");
    assert.deepEqual(await outcome(emulator, device_code), ["authorization_pending", 70016]);
    const end = await browser.submit(confirm, { answer: "confirm" });
    assert.match(end.text, /You have signed in to Command line on your device/);

    const { status, body } = await poll(emulator, device_code, { client_info: "1" });
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(decodeJwt(String(body.access_token)).oid, ada.id);
    assert.equal(decodeJwt(String(body.access_token)).appidacr, "0");
    assert.ok(body.refresh_token && body.id_token && body.client_info);
    assert.deepEqual(await outcome(emulator, device_code), ["invalid_grant", 70000]);
    assert.match((await enter(browser, verification_uri, user_code)).text, /code didn’t work/);
    const refreshed = await requestToken(emulator, {
      grant_type: "refresh_token",
      client_id: commandLine.clientId,
      refresh_token: String(body.refresh_token),
    });
    assert.equal(refreshed.status, 200);
  });
});

Deno.test("who is signed in confirms, and consents where it is needed", async () => {
  await withEmulator({}, async (emulator) => {
    const browser = new PlainBrowser();
    const first = await codes(emulator);
    const choice = await enter(browser, first.verification_uri, first.user_code);
    const password = await browser.submit(choice, { user: alan.name });
    await browser.submit(password, { password: alan.password });

    const second = await codes(emulator, { client_id: desktop.clientId });
    const again = await enter(browser, second.verification_uri, second.user_code);
    assert.match(again.text, /signed in/);
    const confirm = await browser.submit(again, { user: alan.name });
    const consent = await browser.submit(confirm, { answer: "confirm" });
    assert.equal(consent.title, "Permissions requested");
    await browser.submit(consent, { answer: "accept" });
    const form = { client_id: desktop.clientId };
    assert.equal(await outcome(emulator, second.device_code, form), "tokens");
  });
});

for (const where of ["choice", "confirmation"]) {
  Deno.test(`who cancels at the ${where} declines: authorization_declined`, async () => {
    await withEmulator({}, async (emulator) => {
      const { device_code, user_code, verification_uri } = await codes(emulator);
      const browser = new PlainBrowser();
      let page = await enter(browser, verification_uri, user_code);
      if (where === "confirmation") page = await browser.submit(page, { user: ada.name });
      const end = await browser.submit(page, { answer: "cancel" });
      assert.match(end.text, /You have declined/);
      for (const _ of [1, 2]) {
        assert.deepEqual(await outcome(emulator, device_code), ["authorization_declined", 65004]);
      }
    });
  });
}

Deno.test("a code that nobody was shown, and one that has expired, do not work", async () => {
  let time = Date.now();
  await withEmulator({ now: () => time }, async (emulator) => {
    const { device_code, user_code, verification_uri } = await codes(emulator);
    const browser = new PlainBrowser();
    const wrong = await enter(browser, verification_uri, "<i>");
    assert.match(wrong.text, /That code didn’t work/);
    assert.match(wrong.html, /role="alert"/);
    assert.equal((await browser.submit(wrong, { otc: user_code })).title, "Sign in");
    time += 899_999;
    assert.deepEqual(await outcome(emulator, device_code), ["authorization_pending", 70016]);
    time += 1;
    assert.match((await enter(browser, verification_uri, user_code)).text, /has expired/);
    assert.deepEqual(await outcome(emulator, device_code), ["expired_token", 70020]);
  });
});

Deno.test("device code is refused as Entra does", async (t) => {
  const polls: readonly (readonly [string, Parameters, string, number, string?])[] = [
    ["device_code is missing", { device_code: undefined }, "invalid_request", 900144],
    ["it is made up", { device_code: "1.x" }, "bad_verification_code", 70018],
    ["it is another app's", { client_id: desktop.clientId }, "bad_verification_code", 70018],
    ["a public client sends a secret", { client_secret: "x" }, "invalid_client", 700025],
    ["the tenant is unknown", {}, "invalid_request", 90002, "fabrikam.com"],
  ];
  await withEmulator(approving(), async (emulator) => {
    for (const [when, form, error, code, tenant] of polls) {
      await t.step(`AADSTS${code} when ${when}`, async () => {
        const { device_code } = await codes(emulator);
        const { body } = await poll(emulator, device_code, form, tenant);
        assert.deepEqual([body.error, body.error_codes], [error, [code]], JSON.stringify(body));
      });
    }
  });
});

Deno.test("an app that does not allow public client flows is told so after the sign-in: AADSTS7000218", async () => {
  await withEmulator(approving(), async (emulator) => {
    const form = { client_id: webShop.clientId };
    const { device_code } = await codes(emulator, form);
    assert.deepEqual(await outcome(emulator, device_code, form), ["invalid_client", 7000218]);
    const withSecret = { ...form, client_secret: webShop.secret };
    assert.equal(await outcome(emulator, device_code, withSecret), "tokens");
  });
  await withEmulator({}, async (emulator) => {
    const form = { client_id: webShop.clientId };
    const { device_code } = await codes(emulator, form);
    assert.deepEqual(await outcome(emulator, device_code, form), ["authorization_pending", 70016]);
  });
});

Deno.test("both spellings of the grant type are understood", async () => {
  await withEmulator(approving(), async (emulator) => {
    for (const grant_type of [urn, "device_code"]) {
      const { device_code } = await codes(emulator);
      assert.equal(await outcome(emulator, device_code, { grant_type }), "tokens");
    }
  });
});

Deno.test("interval and lifetime come from the configuration; polls are not counted unless told", async () => {
  let time = Date.now();
  const start = (slowDown: boolean): EmulatorOptions => ({
    ...exampleWith({ deviceCode: { interval: 2, lifetime: 60, slowDown } }),
    now: () => time,
  });
  await withEmulator(start(false), async (emulator) => {
    const { body } = await startDevice(emulator);
    assert.equal(body.interval, 2);
    assert.equal(body.expires_in, 60);
    for (const _ of [1, 2, 3]) {
      const error = await outcome(emulator, String(body.device_code));
      assert.deepEqual(error, ["authorization_pending", 70016]);
    }
  });
  await withEmulator(start(true), async (emulator) => {
    const { device_code } = await codes(emulator);
    const seconds: readonly (readonly [number, string])[] = [
      [0, "authorization_pending"],
      [2, "authorization_pending"],
      [1.999, "slow_down"],
      [2, "slow_down"],
      [12, "authorization_pending"],
      [11.999, "slow_down"],
    ];
    for (const [waited, error] of seconds) {
      time += waited * 1000;
      assert.equal((await outcome(emulator, device_code))[0], error, `after ${waited}`);
    }
  });
});

Deno.test("signIn answers devices without a page, after as many polls as it says", async () => {
  for (const [pendingPolls, polls] of [[undefined, 0], [3, 3]] as const) {
    for (const [answer, end] of [["autoApprove", "tokens"], ["autoDeny", "declined"]] as const) {
      const signIn = {
        [answer]: ada.name,
        ...(pendingPolls === undefined ? {} : { pendingPolls }),
      };
      for (const options of [{ signIn }, exampleWith({ signIn })]) {
        await withEmulator(options, async (emulator) => {
          const form = { client_id: desktop.clientId };
          const { device_code } = await codes(emulator, form);
          for (let poll = 0; poll < polls; poll++) {
            const error = await outcome(emulator, device_code, form);
            assert.deepEqual(error, ["authorization_pending", 70016]);
          }
          assert.match(String(await outcome(emulator, device_code, form)), new RegExp(end));
        });
      }
    }
  }
});

Deno.test("signIn answers the device's page, too", async () => {
  const options = { signIn: { autoApprove: ada.name, pendingPolls: 100 } };
  await withEmulator(options, async (emulator) => {
    const { device_code, user_code, verification_uri } = await codes(emulator);
    const page = await enter(new PlainBrowser(), verification_uri, user_code);
    assert.match(page.text, /You have signed in/);
    assert.equal(await outcome(emulator, device_code), "tokens");
  });
});

Deno.test("the tokens of a device are for the tenant of its code", async () => {
  const options = approving({
    tenants: [
      { id: contoso.tenantId, domains: ["contoso.com"] },
      { id: "c0ffee00-0000-4000-8000-000000000002", domains: ["fabrikam.com"] },
    ],
    apps: [{ clientId: commandLine.clientId, multiTenant: true, publicClient: true }],
  });
  await withEmulator(options, async (emulator) => {
    const form = { scope: "openid" };
    const common = (await startDevice(emulator, form, "common")).body;
    const { body } = await poll(emulator, String(common.device_code), {}, "common");
    assert.equal(decodeJwt(String(body.access_token)).tid, contoso.tenantId);
    const { device_code } = await codes(emulator, form);
    const wrong = await poll(emulator, device_code, {}, "fabrikam.com");
    assert.deepEqual(wrong.body.error_codes, [70000]);
  });
});
