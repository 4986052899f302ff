import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import {
  createRemoteJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  type JWTPayload,
  jwtVerify,
} from "jose";
import type { Emulator } from "../../src/emulator/emulator.ts";
import { contoso, exampleWith, goodForm, requestToken, withEmulator } from "./emulated.ts";

/** Gets a token and verifies it as a resource would: by metadata, nothing else known. */
async function verifiedToken(
  emulator: Emulator,
  configurationPath: string,
  form: Record<string, string>,
): Promise<{ claims: JWTPayload; body: Record<string, unknown> }> {
  const { body } = await requestToken(emulator, { ...goodForm, ...form });
  const configuration = await (await fetch(`${emulator.authority}${configurationPath}`)).json();
  const { payload } = await jwtVerify(
    String(body.access_token),
    createRemoteJWKSet(new URL(configuration.jwks_uri)),
    { issuer: configuration.issuer, algorithms: ["RS256"] },
  );
  return { claims: payload, body };
}

const v1 = "/.well-known/openid-configuration";
const v2 = "/v2.0/.well-known/openid-configuration";

Deno.test("a v1 token has Entra's app-only claims and verifies by the v1 metadata", async () => {
  await withEmulator({}, async (emulator) => {
    const { claims, body } = await verifiedToken(emulator, v1, {});
    const { aio, rh, uti, iat, nbf, exp, oid, ...rest } = claims;
    assert.deepEqual(rest, {
      aud: "https://graph.microsoft.com",
      iss: `https://sts.windows.net/${contoso.tenantId}/`,
      app_displayname: "Nightly job",
      appid: contoso.clientId,
      appidacr: "1",
      idp: `https://sts.windows.net/${contoso.tenantId}/`,
      idtyp: "app",
      roles: ["User.Read.All"],
      sub: oid,
      tid: contoso.tenantId,
      ver: "1.0",
      wids: ["0997a1d0-0d1d-4acb-b408-d5ca73121e90"],
    });
    for (const text of [aio, rh, uti, oid]) assert.equal(typeof text, "string");
    assert.equal(iat, nbf);
    // Made as if five minutes old, and a second is left for the way.
    assert.equal(exp! - iat!, Number(body.expires_in) + 301);
    assert.equal(body.ext_expires_in, body.expires_in);
    assert.equal(body.token_type, "Bearer");
  });
});

Deno.test("a v2 token has Entra's app-only claims and verifies by the v2 metadata", async () => {
  await withEmulator({}, async (emulator) => {
    const { claims } = await verifiedToken(emulator, v2, { scope: "api://orders/.default" });
    const { aio: _, rh: __, uti: ___, iat: ____, nbf: _____, exp: ______, oid, ...rest } = claims;
    assert.deepEqual(rest, {
      aud: contoso.ordersAppId,
      iss: `${emulator.authority}/v2.0`,
      azp: contoso.clientId,
      azpacr: "1",
      idtyp: "app",
      roles: ["Orders.Read.All"],
      sub: oid,
      tid: contoso.tenantId,
      ver: "2.0",
    });
  });
});

Deno.test("a token for a resource without granted roles has no roles claim", async () => {
  await withEmulator({}, async (emulator) => {
    const scope = "https://management.azure.com//.default";
    const { claims } = await verifiedToken(emulator, v1, { scope });
    assert.equal(claims.roles, undefined);
    assert.equal(claims.wids, undefined);
    assert.equal(claims.aud, "https://management.azure.com/");
  });
});

Deno.test("tokens live for 60 to 90 minutes, not all alike", async () => {
  await withEmulator({}, async (emulator) => {
    const lifetimes = new Set<number>();
    for (let i = 0; i < 20; i++) {
      const { body } = await requestToken(emulator, goodForm);
      const lifetime = Number(body.expires_in);
      assert.ok(lifetime >= 3599 && lifetime <= 5399, String(lifetime));
      lifetimes.add(lifetime);
    }
    assert.ok(lifetimes.size > 1);
  });
});

Deno.test("the capability cp1 gives a long-lived Graph token with refresh_in", async () => {
  await withEmulator({}, async (emulator) => {
    const claims = JSON.stringify({ access_token: { xms_cc: { values: ["cp1", "other"] } } });
    const graph = await verifiedToken(emulator, v1, { claims });
    assert.deepEqual(graph.claims.xms_cc, ["cp1"]);
    const lifetime = Number(graph.body.expires_in);
    assert.ok(lifetime >= 71999 && lifetime <= 86399, String(lifetime));
    assert.equal(graph.body.refresh_in, Math.floor(lifetime / 2));
    // Only resources that can call a token back hand out long-lived ones.
    const orders = await verifiedToken(emulator, v2, { claims, scope: "api://orders/.default" });
    assert.deepEqual(orders.claims.xms_cc, ["cp1"]);
    assert.equal(orders.body.refresh_in, undefined);
  });
});

Deno.test("lifetimes and the clock come from the configuration", async () => {
  const options = exampleWith({ tokenLifetimes: { accessToken: [100, 100] } });
  const now = Date.UTC(2040, 0, 1);
  await withEmulator({ ...options, now: () => now }, async (emulator) => {
    const { body } = await requestToken(emulator, goodForm);
    assert.equal(body.expires_in, 99);
    const claims = decodeJwt(String(body.access_token));
    assert.equal(claims.exp, now / 1000 + 100);
    assert.equal(claims.iat, now / 1000 - 300);
  });
});

Deno.test("an app has the same object id in every run and another in every tenant", async () => {
  const tenants = [
    { id: contoso.tenantId, domains: ["contoso.com"] },
    { id: "c0ffee00-0000-4000-8000-000000000002", domains: ["fabrikam.com"] },
  ];
  const options = exampleWith({
    tenants,
    apps: [{
      clientId: contoso.clientId,
      multiTenant: true,
      secrets: [{ value: contoso.secret }],
    }],
    users: [],
  });
  const oids: string[] = [];
  for (const tenant of ["contoso.com", "contoso.com", "fabrikam.com"]) {
    await withEmulator({ ...options, tenantId: tenant }, async (emulator) => {
      const { claims } = await verifiedToken(emulator, v1, {});
      assert.equal(claims.tid, emulator.tenantId);
      oids.push(String(claims.oid));
    });
  }
  assert.equal(oids[0], oids[1]);
  assert.notEqual(oids[0], oids[2]);
});

Deno.test("the published key carries the certificate that its kid names", async () => {
  await withEmulator({}, async (emulator) => {
    const { body } = await requestToken(emulator, goodForm);
    const header = decodeProtectedHeader(String(body.access_token));
    for (const path of ["/discovery/v2.0/keys", "/discovery/keys"]) {
      const { keys } = await (await fetch(`${emulator.authority}${path}`)).json();
      const key = keys.find(({ kid }: { kid: string }) => kid === header.kid);
      assert.equal(header.x5t, key.x5t);
      const certificate = new X509Certificate(
        `-----BEGIN CERTIFICATE-----\n${key.x5c[0]}\n-----END CERTIFICATE-----\n`,
      );
      const thumbprint = Uint8Array.fromHex(certificate.fingerprint.replaceAll(":", ""))
        .toBase64({ alphabet: "base64url", omitPadding: true });
      assert.equal(key.x5t, thumbprint);
      assert.equal(certificate.publicKey.export({ format: "jwk" }).n, key.n);
      assert.equal("d" in key, false);
    }
  });
});
