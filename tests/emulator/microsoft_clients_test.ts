/**
 * The emulator is right when Microsoft's own clients say so: `@azure/msal-node` and `@azure/identity`, unchanged, in
 * processes of their own that may reach loopback only, over TLS.
 */

import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { decodeJwt } from "jose";
import type { Emulator } from "../../src/emulator/emulator.ts";
import { contoso, exampleWith, exampleWithApps, withEmulator } from "./emulated.ts";
import { openssl, opensslIsMissing, withClients } from "./microsoft_clients.ts";

const msal = new URL("../interop/msal_client.ts", import.meta.url);
const identity = new URL("../interop/identity_client.ts", import.meta.url);
const certifiedId = "c0ffee00-0000-4000-8000-0000000000a7";
const graphScope = "https://graph.microsoft.com/.default";

/** The paths that were asked for, without the tenant, and how each was answered. */
function answers(emulator: Emulator): string[] {
  return emulator.requests.map(({ path, status }) => `${path.replace(/^\/[^/]+/, "")} ${status}`);
}

const discoveryAndToken = ["/v2.0/.well-known/openid-configuration 200", "/oauth2/v2.0/token 200"];

Deno.test("msal-node gets a token with a secret", async () => {
  await withClients({}, async (emulator, run) => {
    const { authority } = emulator;
    const { clientId, secret: clientSecret } = contoso;
    const result = await run(msal, { authority, clientId, clientSecret, scope: graphScope });
    assert.equal(decodeJwt(String(result.accessToken)).appid, clientId, JSON.stringify(result));
    assert.equal(result.tokenType, "Bearer");
    assert.deepEqual(result.scopes, [graphScope]);
    assert.ok(Date.parse(String(result.expiresOn)) > Date.now() + 3500_000);
    assert.deepEqual(answers(emulator), discoveryAndToken);
  });
});

Deno.test("msal-node gets a token after instance discovery at the emulator", async () => {
  await withClients({}, async (emulator, run) => {
    const { authority, origin } = emulator;
    const { clientId, secret: clientSecret } = contoso;
    const result = await run(msal, {
      authority,
      clientId,
      clientSecret,
      scope: graphScope,
      discoverAt: origin,
    });
    assert.equal(decodeJwt(String(result.accessToken)).appid, clientId, JSON.stringify(result));
    assert.deepEqual(answers(emulator), ["/discovery/instance 200", ...discoveryAndToken]);
  });
});

Deno.test("msal-node reads the emulator's refusal", async () => {
  await withClients({}, async (emulator, run) => {
    const result = await run(msal, {
      authority: emulator.authority,
      clientId: contoso.clientId,
      clientSecret: "guess",
      scope: graphScope,
    });
    assert.equal(result.errorCode, "invalid_client");
    assert.match(String(result.errorMessage), /7000215.*Invalid client secret provided/);
    assert.match(String(result.correlationId), /^[0-9a-f-]{36}$/);
  });
});

Deno.test("msal-node reads a claims challenge's error and suberror", async () => {
  const faults = [
    { endpoint: "token", action: "aadsts", code: 50076, suberror: "basic_action" },
  ];
  await withClients(exampleWith({ faults }), async ({ authority }, run) => {
    const { clientId, secret: clientSecret } = contoso;
    const result = await run(msal, { authority, clientId, clientSecret, scope: graphScope });
    assert.equal(result.errorCode, "interaction_required");
    assert.equal(result.subError, "basic_action");
  });
});

Deno.test("azure-identity gets a token with a secret, for a v2 resource, too", async () => {
  await withClients({}, async (emulator, run) => {
    const settings = {
      origin: emulator.origin,
      tenantId: emulator.tenantId,
      clientId: contoso.clientId,
      clientSecret: contoso.secret,
    };
    const graph = await run(identity, { ...settings, scope: graphScope });
    assert.equal(decodeJwt(String(graph.token)).appid, contoso.clientId, JSON.stringify(graph));
    const orders = await run(identity, { ...settings, scope: "api://orders/.default" });
    const claims = decodeJwt(String(orders.token));
    assert.equal(claims.azp, contoso.clientId);
    assert.equal(claims.iss, `${emulator.authority}/v2.0`);
    assert.deepEqual(answers(emulator), [...discoveryAndToken, ...discoveryAndToken]);
  });
});

Deno.test("azure-identity opts in to continuous access and is told when to renew", async () => {
  await withClients({}, async (emulator, run) => {
    const result = await run(identity, {
      origin: emulator.origin,
      tenantId: emulator.tenantId,
      clientId: contoso.clientId,
      clientSecret: contoso.secret,
      scope: graphScope,
      enableCae: true,
    });
    assert.deepEqual(decodeJwt(String(result.token)).xms_cc, ["cp1"], JSON.stringify(result));
    const renewal = Number(result.refreshAfterTimestamp);
    assert.ok(renewal > Date.now() && renewal < Number(result.expiresOnTimestamp));
  });
});

Deno.test({
  name: "msal-node and azure-identity get tokens with a certificate made by openssl",
  ignore: opensslIsMissing,
  async fn(t) {
    const folder = await Deno.makeTempDir();
    try {
      const [keyFile, certificateFile] = [`${folder}/key.pem`, `${folder}/certificate.pem`];
      const made = await openssl(
        ...["req", "-x509", "-newkey", "rsa:2048", "-noenc", "-subj", "/CN=nightly", "-days", "2"],
        ...["-keyout", keyFile, "-out", certificateFile],
      );
      assert.ok(made.success);
      const privateKey = await Deno.readTextFile(keyFile);
      const certificate = await Deno.readTextFile(certificateFile);
      const bothFile = `${folder}/both.pem`;
      // azure-identity gives the whole file to node:crypto as the key, and Deno's refuses a file with two PEM blocks.
      // With shorter lines around it the certificate is one for azure-identity, and a mere preface for Deno.
      await Deno.writeTextFile(bothFile, certificate.replaceAll("-----", "-") + privateKey);
      const thumbprint = async (hash: string) => {
        const { stdout } = await openssl(
          ...["x509", "-in", certificateFile, "-noout", "-fingerprint", `-${hash}`],
        );
        return new TextDecoder().decode(stdout).split("=")[1]!.trim().replaceAll(":", "");
      };
      const [sha1, sha256] = await Promise.all([thumbprint("sha1"), thumbprint("sha256")]);

      const app = { clientId: certifiedId, certificates: [certificate] };
      await withClients(exampleWithApps(app), async (emulator, run) => {
        const { authority, origin, tenantId } = emulator;
        const msalSettings = { authority, clientId: certifiedId, scope: graphScope };
        const identitySettings = { origin, tenantId, clientId: certifiedId, scope: graphScope };
        const cases: Record<string, () => Promise<Record<string, unknown>>> = {
          "msal-node, PS256 and x5t#S256": () =>
            run(msal, {
              ...msalSettings,
              certificate: { thumbprintSha256: sha256, privateKey },
            }),
          "msal-node, PS256, x5t#S256 and x5c": () =>
            run(msal, {
              ...msalSettings,
              certificate: { thumbprintSha256: sha256, privateKey, x5c: certificate },
            }),
          "msal-node, RS256 and x5t": () =>
            run(msal, { ...msalSettings, certificate: { thumbprint: sha1, privateKey } }),
          "azure-identity": () => run(identity, { ...identitySettings, certificatePath: bothFile }),
        };
        for (const [name, getToken] of Object.entries(cases)) {
          await t.step(name, async () => {
            const result = await getToken();
            const token = result.accessToken ?? result.token;
            assert.equal(typeof token, "string", JSON.stringify(result));
            assert.equal(decodeJwt(String(token)).appidacr, "2");
          });
        }
      });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  name: "openssl verifies the emulator's certificate for each loopback name, and for no other",
  ignore: opensslIsMissing,
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      await withEmulator({ tls: true }, async (emulator) => {
        const caFile = `${folder}/ca.pem`;
        await Deno.writeTextFile(caFile, emulator.caCertificate!);
        const connect = async (...args: string[]) => {
          const { stdout } = await openssl(
            ...["s_client", "-connect", `127.0.0.1:${new URL(emulator.origin).port}`],
            ...["-CAfile", caFile, "-x509_strict", ...args],
          );
          return /Verify return code: (\d+)/.exec(new TextDecoder().decode(stdout))?.[1];
        };
        assert.equal(await connect("-verify_hostname", "localhost"), "0");
        assert.equal(await connect("-verify_ip", "127.0.0.1"), "0");
        assert.equal(await connect("-verify_ip", "::1"), "0");
        assert.notEqual(await connect("-verify_hostname", "login.microsoftonline.com"), "0");
      });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test("two emulators trust one another's certificate authority in nothing", async () => {
  await withEmulator({ tls: true }, async (one) => {
    await withEmulator({ tls: true }, async (other) => {
      const [name, otherName] = [one, other].map(({ caCertificate }) =>
        new X509Certificate(caCertificate!).subject
      );
      assert.notEqual(name, otherName);
      const client = Deno.createHttpClient({ caCerts: [one.caCertificate!] });
      await assert.rejects(fetch(`${other.authority}/discovery/keys`, { client }), TypeError);
      const response = await fetch(`${one.authority}/discovery/keys`, { client });
      assert.equal(response.status, 200);
      await response.text();
      client.close();
    });
  });
});
