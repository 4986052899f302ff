import assert from "node:assert/strict";
import type { Emulator, EmulatorOptions } from "../../src/emulator/emulator.ts";
import { contoso, requestToken, withEmulator } from "./emulated.ts";
import {
  approving,
  codeFor,
  commandLine,
  desktop,
  type Parameters,
  redemption,
  shopFront,
  verifier,
  webShop,
} from "./signing_in.ts";

interface Redemption {
  readonly when: string;
  /** Of the authorize request. */
  readonly asked?: Parameters;
  readonly form?: Parameters;
  readonly headers?: Record<string, string>;
  readonly tenant?: string;
  readonly options?: EmulatorOptions;
}

interface Refusal extends Redemption {
  readonly code: number;
  readonly error: string;
  readonly status?: number;
}

const asWebShop: Parameters = {
  client_id: webShop.clientId,
  redirect_uri: webShop.redirectUri,
};
const asShopFront: Parameters = {
  client_id: shopFront.clientId,
  redirect_uri: shopFront.redirectUri,
  scope: "openid offline_access api://orders/Orders.Read",
};
const withoutChallenge: Parameters = {
  code_challenge: undefined,
  code_challenge_method: undefined,
};
const ofShopFront = { "Origin": "http://localhost:3000" };
const otherTenant = { id: "c0ffee00-0000-4000-8000-000000000002", domains: ["fabrikam.com"] };
const both = approving({
  tenants: [{ id: contoso.tenantId, domains: ["contoso.com"] }, otherTenant],
  apps: [{
    clientId: commandLine.clientId,
    multiTenant: true,
    redirectUris: { publicClient: ["http://localhost"] },
    permissions: [{ resource: "https://graph.microsoft.com", scopes: ["User.Read"] }],
  }],
});

const refusals: readonly Refusal[] = [
  ...["code", "redirect_uri", "client_id"].map((parameter) => ({
    when: `${parameter} is missing`,
    form: { [parameter]: undefined },
    code: 900144,
    error: "invalid_request",
  })),
  { when: "the code is made up", form: { code: "1.abc" }, code: 70000, error: "invalid_grant" },
  {
    when: "the code is another app's",
    form: { client_id: desktop.clientId },
    code: 70000,
    error: "invalid_grant",
  },
  {
    when: "the app is unknown",
    form: { client_id: "c0ffee00-0000-4000-8000-00000000dead" },
    code: 700016,
    error: "unauthorized_client",
  },
  {
    when: "the tenant is another",
    options: both,
    tenant: "fabrikam.com",
    code: 700005,
    error: "invalid_grant",
  },
  {
    when: "the app is single-tenant and the path common",
    tenant: "common",
    code: 50194,
    error: "invalid_request",
  },
  ...["http://localhost:45678/", "http://localhost:1", "http://127.0.0.1:45678"].map((uri) => ({
    when: `the redirect URI is ${uri}`,
    form: { redirect_uri: uri },
    code: 500112,
    error: "invalid_client",
    status: 401,
  })),
  ...[undefined, "", `${verifier}x`, verifier.toLowerCase()].map((code_verifier) => ({
    when: `the verifier is ${code_verifier}`,
    form: { code_verifier },
    code: 501481,
    error: "invalid_grant",
  })),
  {
    when: "there is a verifier and was no challenge",
    asked: withoutChallenge,
    code: 501481,
    error: "invalid_grant",
  },
  {
    when: "the verifier is not the plain challenge",
    asked: { code_challenge_method: "plain" },
    code: 501481,
    error: "invalid_grant",
  },
  {
    when: "a public client sends a secret",
    form: { client_secret: "x" },
    code: 700025,
    error: "invalid_client",
    status: 401,
  },
  {
    when: "a web app sends no secret",
    asked: asWebShop,
    code: 7000218,
    error: "invalid_client",
    status: 401,
  },
  {
    when: "a web app's secret is wrong",
    asked: asWebShop,
    form: { client_secret: "guess" },
    code: 7000215,
    error: "invalid_client",
    status: 401,
  },
  {
    when: "a web app has an Origin",
    asked: asWebShop,
    form: { client_secret: webShop.secret },
    headers: { "Origin": "https://shop.contoso.com" },
    code: 9002326,
    error: "invalid_request",
  },
  {
    when: "a public client has an Origin",
    headers: ofShopFront,
    code: 9002326,
    error: "invalid_request",
  },
  {
    when: "a single-page application has no Origin",
    asked: asShopFront,
    code: 9002327,
    error: "invalid_request",
  },
  {
    when: "a single-page application sends a secret",
    asked: asShopFront,
    headers: ofShopFront,
    form: { client_secret: "x" },
    code: 700025,
    error: "invalid_client",
    status: 401,
  },
  {
    when: "scopes are of several resources",
    asked: { ...asWebShop, scope: "User.Read api://orders/Orders.Read" },
    form: { client_secret: webShop.secret, scope: "User.Read api://orders/Orders.Read" },
    code: 700022,
    error: "invalid_request",
  },
  {
    when: "a scope was not consented to",
    form: { scope: "Mail.Read" },
    code: 65001,
    error: "invalid_grant",
  },
  {
    when: "a scope is unknown",
    form: { scope: "User.Fly" },
    code: 650053,
    error: "invalid_client",
  },
  {
    when: "a repeated challenge is not met",
    form: { claims: '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}' },
    code: 50076,
    error: "interaction_required",
  },
];

const accepted: readonly Redemption[] = [
  { when: "a public client with S256" },
  {
    when: "a public client with plain",
    asked: { code_challenge: verifier, code_challenge_method: "plain" },
  },
  {
    when: "a public client with plain, unsaid",
    asked: { code_challenge: verifier, code_challenge_method: undefined },
  },
  {
    when: "a public client without PKCE, as Entra lets it",
    asked: withoutChallenge,
    form: { code_verifier: undefined },
  },
  { when: "a web app with its secret", asked: asWebShop, form: { client_secret: webShop.secret } },
  {
    when: "a web app with its secret by HTTP Basic",
    asked: asWebShop,
    headers: { "Authorization": `Basic ${btoa(`${webShop.clientId}:${webShop.secret}`)}` },
  },
  {
    when: "a web app without PKCE",
    asked: { ...asWebShop, ...withoutChallenge },
    form: { client_secret: webShop.secret, code_verifier: undefined },
  },
  { when: "a single-page application", asked: asShopFront, headers: ofShopFront },
  { when: "the tenant's domain", tenant: "contoso.onmicrosoft.com" },
  { when: "common, for an app of many tenants", options: both, tenant: "common" },
];

async function redeem(emulator: Emulator, { asked, form, headers, tenant }: Redemption) {
  const code = await codeFor(emulator, asked);
  const { client_id, redirect_uri } = { ...redemption(code), ...asked };
  return await requestToken(
    emulator,
    { ...redemption(code), client_id, redirect_uri, ...form },
    { tenant: tenant ?? emulator.tenantId, headers: headers ?? {} },
  );
}

Deno.test("authorization code is refused as Entra does", async (t) => {
  await withEmulator(approving(), async (shared) => {
    for (const refusal of refusals) {
      await t.step(`AADSTS${refusal.code} when ${refusal.when}`, async () => {
        const refuse = async (emulator: Emulator) => {
          const { status, body } = await redeem(emulator, refusal);
          assert.deepEqual(body.error_codes, [refusal.code], JSON.stringify(body));
          assert.equal(body.error, refusal.error);
          assert.equal(status, refusal.status ?? 400);
          assert.doesNotMatch(String(body.error_description), /unknown|\{/);
          assert.equal(body.access_token, undefined);
        };
        if (refusal.options === undefined) await refuse(shared);
        else await withEmulator(refusal.options, refuse);
      });
    }
  });
});

Deno.test("authorization code is redeemed by", async (t) => {
  await withEmulator(approving(), async (shared) => {
    for (const redemption of accepted) {
      await t.step(redemption.when, async () => {
        const accept = async (emulator: Emulator) => {
          const { status, body } = await redeem(emulator, redemption);
          assert.equal(status, 200, JSON.stringify(body));
          assert.ok(body.access_token && body.id_token && body.refresh_token);
        };
        if (redemption.options === undefined) await accept(shared);
        else await withEmulator(redemption.options, accept);
      });
    }
  });
});

Deno.test("a code is redeemed once: AADSTS54005, also of two requests at once", async () => {
  await withEmulator(approving(), async (emulator) => {
    const form = redemption(await codeFor(emulator));
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => requestToken(emulator, form)),
    );
    assert.equal(answers.filter(({ status }) => status === 200).length, 1);
    for (const { status, body } of [...answers, await requestToken(emulator, form)]) {
      if (status !== 200) assert.deepEqual(body.error_codes, [54005]);
    }
  });
});

Deno.test("a refused redemption does not use the code up", async () => {
  await withEmulator(approving(), async (emulator) => {
    const form = redemption(await codeFor(emulator));
    await requestToken(emulator, { ...form, code_verifier: "x" });
    assert.equal((await requestToken(emulator, form)).status, 200);
  });
});

Deno.test("a code expires after ten minutes, or as the configuration says", async () => {
  for (
    const [tokenLifetimes, seconds] of [[{}, 600], [{ authorizationCode: 2 }, 2]] as const
  ) {
    let time = Date.now();
    const options = { ...approving({ tokenLifetimes }), now: () => time };
    await withEmulator(options, async (emulator) => {
      const codes = [await codeFor(emulator), await codeFor(emulator)];
      time += seconds * 1000 - 1;
      assert.equal((await requestToken(emulator, redemption(codes[0]!))).status, 200);
      time += 1;
      const { body } = await requestToken(emulator, redemption(codes[1]!));
      assert.deepEqual(body.error_codes, [70008]);
      assert.equal(body.error, "invalid_grant");
    });
  }
});

Deno.test("pages of single-page applications may read the answer, others may not", async () => {
  await withEmulator(approving(), async (emulator) => {
    const allowed = async (headers: Record<string, string>) =>
      (await redeem(emulator, { when: "", asked: asShopFront, headers })).headers
        .get("access-control-allow-origin");
    assert.equal(await allowed(ofShopFront), "http://localhost:3000");
    assert.equal(
      await allowed({ "Origin": "https://shop.contoso.com" }),
      "https://shop.contoso.com",
    );
    assert.equal(await allowed({ "Origin": "https://evil.example" }), null);
    assert.equal(await allowed({}), null);
  });
});

Deno.test("scope says what was granted, as it was spelled; the first resource is meant without one", async () => {
  await withEmulator(approving(), async (emulator) => {
    const secret = { client_secret: webShop.secret };
    const scopeOf = async (asked: string, form: Parameters = {}) => {
      const { body } = await redeem(emulator, {
        when: "",
        asked: { ...asWebShop, scope: asked },
        form: { ...secret, ...form },
      });
      return body.scope;
    };
    assert.equal(
      await scopeOf("openid profile offline_access User.Read"),
      "openid profile User.Read",
    );
    assert.equal(await scopeOf("openid"), "openid User.Read");
    assert.equal(
      await scopeOf("https://graph.microsoft.com/.default"),
      "https://graph.microsoft.com/User.Read https://graph.microsoft.com/.default",
    );
    const several = "openid User.Read api://orders/Orders.Read";
    assert.equal(await scopeOf(several), "openid User.Read");
    assert.equal(
      await scopeOf(several, { scope: "openid api://orders/Orders.Read" }),
      "openid api://orders/Orders.Read",
    );
  });
});

Deno.test("tokens come as they were asked for: id_token, refresh_token, client_info", async () => {
  await withEmulator(approving(), async (emulator) => {
    const members = async (scope: string, form: Parameters = {}) => {
      const { body } = await redeem(emulator, { when: "", asked: { scope }, form });
      return ["id_token", "refresh_token", "client_info"].filter((name) => name in body);
    };
    assert.deepEqual(await members("User.Read"), []);
    assert.deepEqual(await members("openid"), ["id_token"]);
    assert.deepEqual(await members("offline_access User.Read"), ["refresh_token"]);
    assert.deepEqual(await members("User.Read", { client_info: "1" }), ["client_info"]);
  });
});
