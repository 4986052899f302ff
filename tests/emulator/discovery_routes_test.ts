import assert from "node:assert/strict";
import { answered, contoso, withEmulator } from "./emulated.ts";

Deno.test("instance discovery knows Microsoft's hosts and its own", async () => {
  await withEmulator({}, async (emulator) => {
    for (const host of ["https://login.microsoftonline.com", emulator.origin]) {
      const endpoint = `${host}/${contoso.tenantId}/oauth2/v2.0/authorize`;
      const { status, body } = await answered(
        await fetch(
          `${emulator.origin}/common/discovery/instance?api-version=1.1&authorization_endpoint=${
            encodeURIComponent(endpoint)
          }`,
        ),
      );
      assert.equal(status, 200);
      assert.equal(
        body.tenant_discovery_endpoint,
        `${emulator.authority}/v2.0/.well-known/openid-configuration`,
      );
      assert.equal(body["api-version"], "1.1");
      const metadata = body.metadata as { preferred_network: string; aliases: string[] }[];
      const own = metadata.find(({ aliases }) => aliases.includes(new URL(emulator.origin).host));
      assert.equal(own?.preferred_network, new URL(emulator.origin).host);
      assert.ok(metadata.some(({ aliases }) => aliases.includes("login.windows.net")));
    }
  });
});

Deno.test("instance discovery refuses unknown hosts and malformed endpoints", async () => {
  await withEmulator({}, async (emulator) => {
    for (
      const endpoint of [
        "https://login.evil.example/common/oauth2/v2.0/authorize",
        "https://login.microsoftonline.com/",
        "nonsense",
      ]
    ) {
      const { status, body } = await answered(
        await fetch(
          `${emulator.origin}/common/discovery/instance?authorization_endpoint=${
            encodeURIComponent(endpoint)
          }`,
        ),
      );
      assert.equal(status, 400);
      assert.equal(body.error, "invalid_instance");
      assert.deepEqual(body.error_codes, [50049]);
    }
    const without = await answered(
      await fetch(`${emulator.origin}/common/discovery/instance?api-version=1.1`),
    );
    assert.equal(without.status, 400);
    assert.deepEqual(without.body.error_codes, [900144]);
  });
});

for (const [version, path] of [[1, ""], [2, "/v2.0"]] as const) {
  Deno.test(`v${version} openid-configuration points back to the emulator`, async () => {
    await withEmulator({}, async (emulator) => {
      for (const name of [contoso.tenantId, "contoso.com"]) {
        const { status, body } = await answered(
          await fetch(`${emulator.origin}/${name}${path}/.well-known/openid-configuration`),
        );
        assert.equal(status, 200);
        assert.equal(
          body.issuer,
          version === 1
            ? `https://sts.windows.net/${contoso.tenantId}/`
            : `${emulator.authority}/v2.0`,
        );
        assert.equal(body.token_endpoint, `${emulator.authority}/oauth2${path}/token`);
        assert.equal(body.jwks_uri, `${emulator.authority}/discovery${path}/keys`);
        assert.ok(String(body.device_authorization_endpoint).startsWith(emulator.authority));
      }
    });
  });

  Deno.test(`v${version} openid-configuration of an alias has a template for the issuer`, async () => {
    await withEmulator({}, async (emulator) => {
      for (const alias of ["common", "organizations", "consumers"]) {
        const { body } = await answered(
          await fetch(`${emulator.origin}/${alias}${path}/.well-known/openid-configuration`),
        );
        assert.match(String(body.issuer), /\{tenantid\}/);
        assert.equal(body.token_endpoint, `${emulator.origin}/${alias}/oauth2${path}/token`);
      }
    });
  });
}

Deno.test("discovery of an unknown tenant is refused", async () => {
  await withEmulator({}, async (emulator) => {
    for (const [name, code] of [["fabrikam.com", 90002], ["not_a_tenant", 900023]] as const) {
      for (const path of ["/v2.0/.well-known/openid-configuration", "/discovery/v2.0/keys"]) {
        const { status, body } = await answered(await fetch(`${emulator.origin}/${name}${path}`));
        assert.equal(status, 400);
        assert.deepEqual(body.error_codes, [code]);
      }
    }
  });
});

Deno.test("v2 keys name their issuer, v1 keys do not", async () => {
  await withEmulator({}, async (emulator) => {
    const v2 = await answered(await fetch(`${emulator.authority}/discovery/v2.0/keys`));
    const v1 = await answered(await fetch(`${emulator.authority}/discovery/keys`));
    const [keyV2] = v2.body.keys as Record<string, unknown>[];
    const [keyV1] = v1.body.keys as Record<string, unknown>[];
    assert.equal(keyV2?.issuer, `${emulator.authority}/v2.0`);
    assert.equal(keyV1?.issuer, undefined);
    assert.equal(keyV1?.kid, keyV2?.kid);
  });
});
