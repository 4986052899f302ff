import assert from "node:assert/strict";
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from "jose";
import type { Emulator } from "../../src/emulator/emulator.ts";
import { contoso, requestToken, withEmulator } from "./emulated.ts";
import {
  ada,
  approving,
  codeFor,
  commandLine,
  desktop,
  redemption,
  tokensFor,
  webShop,
} from "./signing_in.ts";

const asWebShop = { client_id: webShop.clientId, redirect_uri: webShop.redirectUri };

/** Verifies by the published keys, as a resource or a client does. */
async function verified(emulator: Emulator, token: unknown, issuer: string, audience: string) {
  const keys: JSONWebKeySet = await (await fetch(`${emulator.authority}/discovery/v2.0/keys`))
    .json();
  const { payload, protectedHeader } = await jwtVerify(String(token), createLocalJWKSet(keys), {
    issuer,
    audience,
    algorithms: ["RS256"],
    typ: "JWT",
  });
  return { payload, protectedHeader };
}

Deno.test("a v1 access token has Entra's claims of a user", async () => {
  await withEmulator(approving(), async (emulator) => {
    const { access_token } = await tokensFor(emulator, {
      scope: "openid profile https://graph.microsoft.com/User.Read",
    });
    const { payload, protectedHeader } = await verified(
      emulator,
      access_token,
      `https://sts.windows.net/${contoso.tenantId}/`,
      "https://graph.microsoft.com",
    );
    assert.deepEqual(Object.keys(protectedHeader).sort(), ["alg", "kid", "typ", "x5t"]);
    const { aio, exp, iat, nbf, rh, sid, sub, uti, ...claims } = payload;
    for (const opaque of [aio, rh, sid, sub, uti]) assert.match(String(opaque), /^[\w.-]{20,}$/);
    assert.equal(nbf, iat);
    assert.ok(exp! - iat! >= 3600 + 300 && exp! - iat! <= 5400 + 300);
    assert.deepEqual(claims, {
      acr: "1",
      amr: ["pwd"],
      app_displayname: "Command line",
      appid: commandLine.clientId,
      appidacr: "0",
      aud: "https://graph.microsoft.com",
      family_name: "Lovelace",
      given_name: "Ada",
      ipaddr: "127.0.0.1",
      iss: `https://sts.windows.net/${contoso.tenantId}/`,
      name: "Ada Lovelace",
      oid: ada.id,
      scp: "openid profile User.Read",
      tid: contoso.tenantId,
      unique_name: ada.name,
      upn: ada.name,
      ver: "1.0",
    });
  });
});

Deno.test("a v2 access token has Entra's claims of a user", async () => {
  await withEmulator(approving(), async (emulator) => {
    const { access_token } = await tokensFor(emulator, {
      ...asWebShop,
      scope: "openid api://orders/Orders.Read",
    }, { client_secret: webShop.secret });
    const issuer = `${emulator.authority}/v2.0`;
    const { payload } = await verified(emulator, access_token, issuer, contoso.ordersAppId);
    const { aio, exp, iat, nbf, rh, sid, sub, uti, ...claims } = payload;
    for (const opaque of [aio, rh, sid, sub, uti]) assert.match(String(opaque), /^[\w.-]{20,}$/);
    assert.ok(exp && iat && nbf);
    assert.deepEqual(claims, {
      aud: contoso.ordersAppId,
      azp: webShop.clientId,
      azpacr: "1",
      family_name: "Lovelace",
      given_name: "Ada",
      ipaddr: "127.0.0.1",
      iss: issuer,
      name: "Ada Lovelace",
      oid: ada.id,
      preferred_username: ada.name,
      // Scopes of OpenID Connect are Graph's alone.
      scp: "Orders.Read",
      tid: contoso.tenantId,
      ver: "2.0",
    });
  });
});

Deno.test("an id_token is for the client, with nonce, and about the person as far as the scopes go", async () => {
  await withEmulator(approving(), async (emulator) => {
    const claimsFor = async (scope: string, nonce?: string) => {
      const { id_token } = await tokensFor(emulator, { scope, nonce });
      const issuer = `${emulator.authority}/v2.0`;
      const { payload } = await verified(emulator, id_token, issuer, commandLine.clientId);
      const { aio, exp, iat, nbf, rh, sid, sub, uti, ...claims } = payload;
      for (const opaque of [aio, rh, sid, sub, uti]) assert.match(String(opaque), /^[\w.-]{20,}$/);
      assert.equal(nbf, iat);
      assert.equal(exp! - iat!, 3600 + 300);
      return claims;
    };
    const always = {
      aud: commandLine.clientId,
      iss: `${emulator.authority}/v2.0`,
      tid: contoso.tenantId,
      ver: "2.0",
    };
    assert.deepEqual(await claimsFor("openid"), always);
    assert.deepEqual(await claimsFor("openid email", "n-1"), {
      ...always,
      email: ada.name,
      nonce: "n-1",
    });
    const { login_hint, ...profile } = await claimsFor("openid profile", "n-2");
    assert.match(String(login_hint), /^O\./);
    assert.deepEqual(profile, {
      ...always,
      name: "Ada Lovelace",
      nonce: "n-2",
      oid: ada.id,
      preferred_username: ada.name,
    });
  });
});

Deno.test("sub is the same at one app and another at every other", async () => {
  await withEmulator(approving(), async (emulator) => {
    const subjects = async (client_id: string) => {
      const scope = "openid User.Read";
      const tokens = await tokensFor(emulator, { client_id, scope });
      return [tokens.id_token, tokens.access_token].map((token) =>
        JSON.parse(atob(String(token).split(".")[1]!.replaceAll("-", "+").replaceAll("_", "/"))).sub
      );
    };
    const [one, again, other] = [
      await subjects(commandLine.clientId),
      await subjects(commandLine.clientId),
      await subjects(desktop.clientId),
    ];
    assert.deepEqual(one, again);
    assert.notEqual(one[0], other![0]);
    assert.notEqual(one[0], one[1]);
    // The access tokens are Graph's, whichever app asks.
    assert.equal(one[1], other![1]);
  });
});

Deno.test("cp1 gives a long-lived token with xms_cc and refresh_in", async () => {
  await withEmulator(approving(), async (emulator) => {
    const claims = '{"access_token":{"xms_cc":{"values":["cp1"]}}}';
    const { body } = await requestToken(emulator, {
      ...redemption(await codeFor(emulator, { claims })),
      claims,
    });
    const issuer = `https://sts.windows.net/${contoso.tenantId}/`;
    const { payload } = await verified(
      emulator,
      body.access_token,
      issuer,
      "00000003-0000-0000-c000-000000000000",
    );
    assert.deepEqual(payload.xms_cc, ["cp1"]);
    assert.ok(Number(body.expires_in) >= 71999);
    assert.equal(body.refresh_in, Math.floor(Number(body.expires_in) / 2));
    const usual = await tokensFor(emulator);
    assert.equal(usual.refresh_in, undefined);
  });
});

Deno.test("Graph need not be in the directory for a token of nothing but OpenID Connect's scopes", async () => {
  const app = {
    clientId: commandLine.clientId,
    redirectUris: { publicClient: ["http://localhost"] },
  };
  await withEmulator(approving({ resources: [], apps: [app] }), async (emulator) => {
    const tokens = await tokensFor(emulator, { scope: "openid profile" });
    assert.equal(tokens.scope, "openid profile");
  });
});
