import assert from "node:assert/strict";
import { decodeJwt } from "jose";
import { type Emulator, exampleDirectory, startEmulator } from "../../src/emulator/emulator.ts";
import { contoso, requestToken, withEmulator } from "./emulated.ts";
import {
  ada,
  approving,
  codeFor,
  commandLine,
  desktop,
  grace,
  type Parameters,
  redemption,
  shopFront,
  tokensFor,
  webShop,
} from "./signing_in.ts";

const asWebShop = { client_id: webShop.clientId, redirect_uri: webShop.redirectUri };
const withSecret = { client_secret: webShop.secret };
const asShopFront = {
  client_id: shopFront.clientId,
  redirect_uri: shopFront.redirectUri,
  scope: "openid offline_access api://orders/Orders.Read",
};
const fabrikamId = "c0ffee00-0000-4000-8000-000000000002";

function refresh(
  emulator: Emulator,
  refreshToken: unknown,
  form: Parameters = {},
  options: { readonly tenant?: string; readonly headers?: Record<string, string> } = {},
) {
  return requestToken(emulator, {
    grant_type: "refresh_token",
    client_id: commandLine.clientId,
    refresh_token: String(refreshToken),
    ...form,
  }, options);
}

Deno.test("a refresh token gives new tokens and a new refresh token", async () => {
  await withEmulator(approving(), async (emulator) => {
    const first = await tokensFor(emulator);
    const { status, body } = await refresh(emulator, first.refresh_token, { client_info: "1" });
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(body.scope, first.scope);
    assert.notEqual(body.refresh_token, first.refresh_token);
    assert.notEqual(body.access_token, first.access_token);
    assert.ok(body.client_info);
    const [before, after] = [first, body].map(({ id_token }) => decodeJwt(String(id_token)));
    for (const name of ["sub", "oid", "sid", "tid", "aud"]) {
      assert.equal(after?.[name], before?.[name], name);
    }
    assert.equal(after?.nonce, undefined);
    assert.equal((await refresh(emulator, body.refresh_token)).status, 200);
  });
});

Deno.test("an old refresh token stays valid with lenient rotation, as Entra's do", async () => {
  await withEmulator(approving(), async (emulator) => {
    const { refresh_token } = await tokensFor(emulator);
    for (const _ of [1, 2, 3]) assert.equal((await refresh(emulator, refresh_token)).status, 200);
  });
});

Deno.test("an old refresh token is refused with strict rotation, also of requests at once", async () => {
  const strict = approving({ refreshTokens: { rotation: "strict" } });
  await withEmulator(strict, async (emulator) => {
    const { refresh_token } = await tokensFor(emulator);
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => refresh(emulator, refresh_token)),
    );
    const good = answers.filter(({ status }) => status === 200);
    assert.equal(good.length, 1);
    for (const { status, body } of [...answers, await refresh(emulator, refresh_token)]) {
      if (status === 200) continue;
      assert.equal(body.error, "invalid_grant");
      assert.deepEqual(body.error_codes, [70000]);
      assert.equal(body.suberror, "bad_token");
    }
    assert.equal((await refresh(emulator, good[0]?.body.refresh_token)).status, 200);
  });
});

Deno.test("a refusal does not rotate", async () => {
  const strict = approving({ refreshTokens: { rotation: "strict" } });
  await withEmulator(strict, async (emulator) => {
    const { refresh_token } = await tokensFor(emulator);
    const refused = await refresh(emulator, refresh_token, { scope: "Mail.Read" });
    assert.deepEqual(refused.body.error_codes, [65001]);
    assert.equal((await refresh(emulator, refresh_token)).status, 200);
  });
});

Deno.test("a refresh token is good for every resource that was consented to", async () => {
  await withEmulator(approving(), async (emulator) => {
    const asked = { client_id: desktop.clientId, scope: "offline_access User.Read" };
    const { refresh_token } = await tokensFor(emulator, asked);
    const askFor = (scope: string) =>
      refresh(emulator, refresh_token, { client_id: desktop.clientId, scope });
    const refused = await askFor("api://orders/Orders.Read");
    assert.deepEqual(refused.body.error_codes, [65001]);
    assert.equal(refused.body.error, "invalid_grant");
    assert.equal(refused.body.suberror, "consent_required");
    await tokensFor(emulator, { ...asked, scope: "api://orders/Orders.Read" });
    const { status, body } = await askFor("api://orders/Orders.Read");
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(decodeJwt(String(body.access_token)).aud, contoso.ordersAppId);
    // Not even offline_access was asked for, and there is a refresh token all the same.
    assert.ok(body.refresh_token);
  });
});

const refusals: readonly {
  readonly when: string;
  readonly asked?: Parameters;
  readonly redeemed?: Parameters;
  readonly form?: Parameters;
  readonly headers?: Record<string, string>;
  readonly code: number;
  readonly error: string;
}[] = [
  {
    when: "refresh_token is missing",
    form: { refresh_token: undefined },
    code: 900144,
    error: "invalid_request",
  },
  { when: "it is made up", form: { refresh_token: "1.x" }, code: 70000, error: "invalid_grant" },
  {
    when: "it is another app's",
    form: { client_id: desktop.clientId },
    code: 70000,
    error: "invalid_grant",
  },
  {
    when: "a public client sends a secret",
    form: { client_secret: "x" },
    code: 700025,
    error: "invalid_client",
  },
  {
    when: "a web app sends no secret",
    asked: asWebShop,
    redeemed: withSecret,
    form: { client_id: webShop.clientId },
    code: 7000218,
    error: "invalid_client",
  },
  {
    when: "a web app's secret is wrong",
    asked: asWebShop,
    redeemed: withSecret,
    form: { client_id: webShop.clientId, client_secret: "guess" },
    code: 7000215,
    error: "invalid_client",
  },
  {
    when: "there is an Origin",
    headers: { "Origin": "http://localhost:3000" },
    code: 9002326,
    error: "invalid_request",
  },
];

Deno.test("refresh token is refused as Entra does", async (t) => {
  await withEmulator(approving(), async (emulator) => {
    for (const { when, asked, redeemed, form, headers, code, error } of refusals) {
      await t.step(`AADSTS${code} when ${when}`, async () => {
        const { refresh_token } = await tokensFor(emulator, asked, redeemed);
        const { body } = await refresh(emulator, refresh_token, form, { headers: headers ?? {} });
        assert.deepEqual(body.error_codes, [code], JSON.stringify(body));
        assert.equal(body.error, error);
      });
    }
  });
});

Deno.test("a web app refreshes with its secret", async () => {
  await withEmulator(approving(), async (emulator) => {
    const { refresh_token } = await tokensFor(emulator, asWebShop, withSecret);
    const form = { client_id: webShop.clientId, ...withSecret };
    const { body } = await refresh(emulator, refresh_token, form);
    assert.equal(decodeJwt(String(body.access_token)).appidacr, "1", JSON.stringify(body));
  });
});

Deno.test("a refresh token expires after 90 days without use: AADSTS700082", async () => {
  let time = Date.now();
  await withEmulator({ ...approving(), now: () => time }, async (emulator) => {
    const { refresh_token } = await tokensFor(emulator);
    const issued = new Date(time).toISOString();
    time += 89 * 86400_000;
    const second = (await refresh(emulator, refresh_token)).body.refresh_token;
    time += 86400_000;
    const { body } = await refresh(emulator, refresh_token);
    assert.equal(body.error, "invalid_grant");
    assert.ok(
      String(body.error_description).startsWith(
        `AADSTS700082: The refresh token has expired due to inactivity. The token was issued on ${issued} ` +
          "and was inactive for 90.00:00:00.",
      ),
      String(body.error_description),
    );
    assert.equal((await refresh(emulator, second)).status, 200);
  });
});

Deno.test("a single-page application's refresh token ends a day after the sign-in: AADSTS700084", async () => {
  let time = Date.now();
  await withEmulator({ ...approving(), now: () => time }, async (emulator) => {
    const headers = { "Origin": "http://localhost:3000" };
    const code = await codeFor(emulator, asShopFront);
    const { client_id, redirect_uri } = asShopFront;
    const first = await requestToken(
      emulator,
      { ...redemption(code), client_id, redirect_uri },
      { headers },
    );
    const form = { client_id };
    time += 86399_000;
    const second = await refresh(emulator, first.body.refresh_token, form, { headers });
    assert.equal(second.status, 200, JSON.stringify(second.body));
    const withoutOrigin = await refresh(emulator, second.body.refresh_token, form);
    assert.deepEqual(withoutOrigin.body.error_codes, [9002327]);
    time += 1000;
    const { body } = await refresh(emulator, second.body.refresh_token, form, { headers });
    assert.deepEqual(body.error_codes, [700084]);
    assert.match(String(body.error_description), /limited lifetime of 1\.00:00:00/);
  });
});

Deno.test("lifetimes of refresh tokens come from the configuration", async () => {
  let time = Date.now();
  const options = { ...approving({ tokenLifetimes: { refreshToken: 90 } }), now: () => time };
  await withEmulator(options, async (emulator) => {
    const { refresh_token } = await tokensFor(emulator);
    time += 90_000;
    const { body } = await refresh(emulator, refresh_token);
    assert.match(String(body.error_description), /inactive for 00:01:30/);
  });
});

Deno.test("revokeRefreshTokens() refuses what was issued before, with the code and suberror asked for", async () => {
  await withEmulator(approving(), async (emulator) => {
    const { refresh_token } = await tokensFor(emulator);
    emulator.revokeRefreshTokens();
    const { status, body } = await refresh(emulator, refresh_token);
    assert.equal(status, 400);
    assert.equal(body.error, "invalid_grant");
    assert.deepEqual(body.error_codes, [50173]);
    assert.match(String(body.error_description), /The grant was issued on '\d{4}-.*Z' and the Tok/);
    assert.equal(body.suberror, undefined);

    const later = (await tokensFor(emulator)).refresh_token;
    assert.equal((await refresh(emulator, later)).status, 200);
    emulator.revokeRefreshTokens({ user: grace.name });
    assert.equal((await refresh(emulator, later)).status, 200);
    emulator.revokeRefreshTokens({
      user: ada.name,
      code: 50055,
      suberror: "user_password_expired",
    });
    const expired = await refresh(emulator, later);
    assert.deepEqual(expired.body.error_codes, [50055]);
    assert.equal(expired.body.error, "invalid_grant");
    assert.equal(expired.body.suberror, "user_password_expired");
    assert.throws(() => emulator.revokeRefreshTokens({ user: "nobody@contoso.com" }), {
      code: "emulator_user_unknown",
    });
  });
});

Deno.test("a guest's refresh token is good in both tenants, and in no other", async () => {
  const { tenants, users, apps } = JSON.parse(exampleDirectory());
  const options = approving({
    tenants: [
      ...tenants,
      { id: fabrikamId, domains: ["fabrikam.com"] },
      { id: "c0ffee00-0000-4000-8000-000000000003", name: "Tailspin", domains: ["tailspin.com"] },
    ],
    users: [{ ...users[0], guestOf: ["fabrikam.com"] }],
    apps: [{ ...apps[1], multiTenant: true }],
  });
  await withEmulator(options, async (emulator) => {
    const { refresh_token } = await tokensFor(emulator);
    const at = (tenant: string) =>
      refresh(emulator, refresh_token, { client_info: "1" }, { tenant });
    for (const tenant of ["contoso.com", "common", "fabrikam.com"]) {
      const { body } = await at(tenant);
      const claims = decodeJwt(String(body.access_token));
      assert.equal(claims.tid, tenant === "fabrikam.com" ? fabrikamId : contoso.tenantId);
      assert.equal(claims.oid === ada.id, tenant !== "fabrikam.com");
      // The home account is the same everywhere.
      const [payload = ""] = [String(body.client_info)];
      assert.equal(
        JSON.parse(
          new TextDecoder().decode(Uint8Array.fromBase64(payload, { alphabet: "base64url" })),
        )
          .utid,
        contoso.tenantId,
      );
    }
    const { body } = await at("tailspin.com");
    assert.deepEqual(body.error_codes, [50020]);
    assert.match(String(body.error_description), /does not exist in tenant 'Tailspin'/);
  });
});

Deno.test("startEmulator() refuses to approve somebody whom the directory does not know", async () => {
  for (const signIn of [{ autoApprove: "x@y.z" }, { autoDeny: "x@y.z" }]) {
    await assert.rejects(startEmulator({ signIn }), { code: "emulator_user_unknown" });
  }
});
