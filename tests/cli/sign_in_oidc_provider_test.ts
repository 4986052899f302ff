/**
 * People sign in, with a real browser, at an authorization server that nobody here wrote: Chromium and npm `oidc-provider`, on
 * Entra's paths.
 */

import assert from "node:assert/strict";
import { createPublicKey } from "node:crypto";
import { createRemoteJWKSet, jwtVerify } from "jose";
import { opensslFolder, opensslIsMissing } from "../fixtures/openssl_certificates.ts";
import { browse, type BrowserStep, chromiumIsMissing, startProgram } from "../interop/program.ts";
import { runApp } from "../../src/app.ts";
import { FakeHost } from "../fakes/fake_host.ts";
import { runCli } from "./run_cli.ts";

const tenantId = "c0ffee00-0000-4000-8000-000000000001";
const clientId = "c0ffee00-0000-4000-8000-0000000000a1";
const scope = "api://orders/.default";
const clientSecret = "web-app-secret-0123456789";

/** What a person does on oidc-provider's development pages: any name and password will do. */
const signInSteps: readonly BrowserStep[] = [
  { fill: "input[name=login]", value: "ada" },
  { fill: "input[name=password]", value: "any" },
  { click: "button[type=submit]" },
  { click: { role: "button", name: "Continue" } },
];

interface SignIn {
  readonly flow: string;
  readonly provider: Readonly<Record<string, unknown>>;
  readonly flags: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs get-token three times: with the sign-in, from the cache, and by refresh token. */
async function signInAndStay({ flow, provider: settings, flags, env }: SignIn): Promise<void> {
  const home = await Deno.makeTempDir({ prefix: "entratool-sign-in-" });
  try {
    await using provider = await startProgram("oidc_provider_server.ts", {
      tenantId,
      clientId,
      scope,
      ...settings,
    });
    const origin = provider.firstLine;
    const page = Promise.withResolvers<string>();
    const options = {
      env: {
        ENTRATOOL_HOME: home,
        ENTRATOOL_VAULT_KEY: crypto.getRandomValues(new Uint8Array(32)).toBase64(),
        ...env,
      },
      terminals: ["stderr"],
      isRealTime: true,
      browser: async (url: string) => {
        const steps: BrowserStep[] = [{ goto: url }, ...signInSteps, { waitForText: "Signed in" }];
        page.resolve((await browse({ steps })).text);
      },
    } as const;
    const connection = [
      "--authority",
      origin,
      "--tenant",
      tenantId,
      "--client-id",
      clientId,
      "-s",
      scope,
    ];
    const argv = [...connection, "-f", flow, ...flags];

    const first = await runCli(["get-token", ...argv, "--prompt", "consent"], options);
    assert.equal(first.code, 0, first.stderr);
    const keys = createRemoteJWKSet(new URL(`${origin}/${tenantId}/discovery/v2.0/keys`));
    const { payload } = await jwtVerify(first.stdout.trim(), keys, {
      issuer: origin,
      audience: "api://orders",
    });
    assert.equal(payload.sub, "ada");
    assert.match(await page.promise, /Signed in/);

    const alone = { ...options, terminals: [] };
    const second = await runCli(["get-token", ...argv, "-o", "json"], alone);
    assert.equal(second.code, 0, second.stderr);
    const cached = JSON.parse(second.stdout);
    assert.deepEqual(
      { token: cached.access_token, account: cached.account, from_cache: cached.from_cache },
      { token: first.stdout.trim(), account: "ada@contoso.com", from_cache: true },
    );

    // the provider rotates: the second refresh works only with the refresh token of the first
    for (const _ of [1, 2]) {
      const refreshed = await runCli(["refresh", ...argv], alone);
      assert.equal(refreshed.code, 0, refreshed.stderr);
      assert.notEqual(refreshed.stdout, first.stdout);
      assert.equal(
        (await jwtVerify(refreshed.stdout.trim(), keys, { issuer: origin })).payload.sub,
        "ada",
      );
    }

    const signedOut = await runCli(["logout", "--all"], alone);
    assert.match(signedOut.stderr, /Signed out: ada@contoso\.com/);
    const after = await runCli(["get-token", ...argv], alone);
    assert.deepEqual({ code: after.code, stdout: after.stdout }, { code: 6, stdout: "" });
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

/** With a port that was free a moment ago, as a registered redirect URI names one. */
function webRedirect(): string {
  using probe = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return `http://localhost:${(probe.addr as Deno.NetAddr).port}/callback`;
}

Deno.test({
  name: "a person signs in at oidc-provider with InteractiveBrowser",
  ignore: chromiumIsMissing,
  fn: () =>
    signInAndStay({
      flow: "InteractiveBrowser",
      provider: { redirectUris: ["http://localhost"] },
      flags: [],
    }),
});

Deno.test({
  name: "a person signs in at oidc-provider with AuthorizationCode, as a public client",
  ignore: chromiumIsMissing,
  fn: async () => {
    const redirectUri = webRedirect();
    await signInAndStay({
      flow: "AuthorizationCode",
      provider: { redirectUris: [redirectUri] },
      flags: ["--redirect-uri", redirectUri],
    });
  },
});

Deno.test({
  name: "a person signs in at oidc-provider with AuthorizationCode and a client secret",
  ignore: chromiumIsMissing,
  fn: async () => {
    const redirectUri = webRedirect();
    await signInAndStay({
      flow: "AuthorizationCode",
      provider: { clientSecret, redirectUris: [redirectUri] },
      flags: ["--redirect-uri", redirectUri],
      env: { AZURE_CLIENT_SECRET: clientSecret },
    });
  },
});

Deno.test({
  name: "a person signs in at oidc-provider with AuthorizationCode and a certificate",
  ignore: chromiumIsMissing || opensslIsMissing,
  fn: async () => {
    const folder = await opensslFolder();
    await folder.write("web.pem", await folder.concatenated("app.key", "app.crt"));
    const jwk = createPublicKey(await folder.text("app.crt")).export({ format: "jwk" });
    const redirectUri = webRedirect();
    await signInAndStay({
      flow: "AuthorizationCode",
      provider: {
        jwks: { keys: [{ ...jwk, use: "sig", alg: "PS256" }] },
        redirectUris: [redirectUri],
      },
      flags: ["--redirect-uri", redirectUri, "--certificate", `${folder.path}/web.pem`],
    });
  },
});

Deno.test({
  name: "a person signs in at oidc-provider with DeviceCode",
  ignore: chromiumIsMissing,
  fn: async () => {
    const home = await Deno.makeTempDir({ prefix: "entratool-sign-in-" });
    try {
      await using provider = await startProgram("oidc_provider_server.ts", {
        tenantId,
        clientId,
        scope,
        redirectUris: ["http://localhost"],
      });
      using host = new FakeHost({
        env: { ENTRATOOL_HOME: home, ENTRATOOL_VAULT_KEY: "none" },
        terminals: ["stderr"],
        isRealTime: true,
      });
      const argv = [
        "get-token",
        "-f",
        "DeviceCode",
        "-o",
        "json",
        "--authority",
        provider.firstLine,
      ];
      const running = runApp(
        [...argv, "--tenant", tenantId, "--client-id", clientId, "-s", scope],
        host,
      );
      const [address = "", code = ""] = await codeShownBy(host);
      await browse({
        steps: [
          { goto: address },
          { fill: "input[name=user_code]", value: code },
          { click: { role: "button", name: "Continue" } },
          { click: { role: "button", name: "Continue" } },
          ...signInSteps,
          { waitForText: "Sign-in Success" },
        ],
      });
      assert.equal(await running, 0, host.stderrText);
      assert.equal(JSON.parse(host.stdoutText).account, "ada@contoso.com");
      // the code stands out, and a phone can read the address
      assert.match(host.stderrText, new RegExp(`\\u001b\\[1m${code}\\u001b\\[22m`));
      assert.match(host.stderrText, /█▀/);
    } finally {
      await Deno.remove(home, { recursive: true });
    }
  },
});

/** The address and the code that get-token shows, once it does. */
async function codeShownBy(host: FakeHost): Promise<readonly string[]> {
  for (;;) {
    // deno-lint-ignore no-control-regex
    const shown = /Address {2}\u001b\[1m(\S+?)\u001b[^]*Code {5}\u001b\[1m(\S+?)\u001b/.exec(
      host.stderrText,
    );
    if (shown !== null) return shown.slice(1);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
