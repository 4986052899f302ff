import assert from "node:assert/strict";
import type { Emulator, EmulatorOptions } from "../../src/emulator/emulator.ts";
import { contoso, exampleWith, exampleWithApps, withEmulator } from "./emulated.ts";
import { PlainBrowser } from "./plain_browser.ts";
import {
  answerOf,
  authorizeUrl,
  commandLine,
  desktop,
  type Parameters,
  shopFront,
  webShop,
} from "./signing_in.ts";

interface Refusal {
  readonly when: string;
  readonly options?: EmulatorOptions;
  readonly with?: Parameters;
  readonly tenant?: string;
  readonly code: number;
  /** Of the answer to the app; a page has none. */
  readonly error?: string;
  readonly says?: RegExp;
}

const unknownId = "c0ffee00-0000-4000-8000-00000000dead";
const oldId = "c0ffee00-0000-4000-8000-00000000001d";

/** What must never be sent to the redirect URI, which is in doubt itself. */
const shown: readonly Refusal[] = [
  { when: "the tenant is unknown", tenant: "fabrikam.com", code: 90002 },
  { when: "the tenant is malformed", tenant: "not_a_tenant", code: 900023 },
  { when: "client_id is missing", with: { client_id: undefined }, code: 900144 },
  { when: "the app is unknown", with: { client_id: unknownId }, code: 700016 },
  {
    when: "the app is unknown at common",
    with: { client_id: unknownId },
    tenant: "common",
    code: 700016,
  },
  {
    when: "the app is disabled",
    options: exampleWithApps({ clientId: oldId, enabled: false }),
    with: { client_id: oldId },
    code: 7000112,
  },
  { when: "a single-tenant app comes to common", tenant: "common", code: 50194 },
  { when: "a single-tenant app comes to organizations", tenant: "organizations", code: 50194 },
  { when: "an app comes to consumers", tenant: "consumers", code: 9002332 },
  {
    when: "the app has no redirect URI",
    options: exampleWithApps({ clientId: oldId }),
    with: { client_id: oldId },
    code: 500113,
  },
  { when: "the redirect URI is relative", with: { redirect_uri: "/callback" }, code: 90102 },
  ...[
    "https://localhost",
    "http://localhost:45678/callback",
    "http://localhost.evil.example",
    "http://127.0.0.1:45678",
    "http://[::1]:45678",
    "https://evil.example/",
    "http://user@localhost:45678",
    "http://localhost:45678?x=1",
  ].map((redirect_uri) => ({
    when: `the redirect URI is ${redirect_uri}`,
    with: { redirect_uri },
    code: 50011,
    says: /does not match the redirect URIs configured for the application/,
  })),
  ...[
    "http://localhost:8400/Callback",
    "http://localhost:8400/callback/",
    "http://localhost:8400/callback?x=1",
    "https://shop.contoso.com/Signin-oidc",
    "https://shop.contoso.com:8443/signin-oidc",
    "http://shop.contoso.com/signin-oidc",
  ].map((redirect_uri) => ({
    when: `a web app's redirect URI is ${redirect_uri}`,
    with: { client_id: webShop.clientId, redirect_uri },
    code: 50011,
  })),
];

/** What the app is told. */
const told: readonly Refusal[] = [
  {
    when: "response_type is missing",
    with: { response_type: undefined },
    code: 900144,
    error: "invalid_request",
    says: /'response_type'/,
  },
  {
    when: "response_type is code id_token",
    with: { response_type: "code id_token" },
    code: 700054,
    error: "unsupported_response_type",
    says: /response_type 'id_token' is not enabled/,
  },
  {
    when: "response_type is token",
    with: { response_type: "token" },
    code: 700051,
    error: "unsupported_response_type",
    says: /response_type 'token' is not enabled/,
  },
  {
    when: "response_type is unknown",
    with: { response_type: "magic" },
    code: 70005,
    error: "unsupported_response_type",
  },
  {
    when: "response_mode is unknown",
    with: { response_mode: "web_message" },
    code: 70007,
    error: "unsupported_response_mode",
    says: /'web_message' is not a supported value/,
  },
  {
    when: "scope is missing",
    with: { scope: undefined },
    code: 900144,
    error: "invalid_request",
    says: /'scope'/,
  },
  {
    when: "a permission is unknown",
    with: { scope: "openid User.Fly" },
    code: 650053,
    error: "invalid_client",
    says: /'Command line' asked for scope 'User.Fly' that doesn't exist on the resource/,
  },
  {
    when: "a resource is unknown",
    with: { scope: "api://nobody/Read" },
    code: 500011,
    error: "invalid_resource",
    says: /principal named api:\/\/nobody was not found in the tenant named Contoso/,
  },
  {
    when: ".default is of a resource that the app is not registered for",
    with: { scope: "api://orders/.default" },
    code: 650057,
    error: "invalid_resource",
  },
  ...["https://graph.microsoft.com/", "/.default"].map((scope) => ({
    when: `the scope is ${scope}`,
    with: { scope },
    code: 70011,
    error: "invalid_scope",
  })),
  {
    when: ".default is mixed with named permissions",
    with: { scope: "https://graph.microsoft.com/.default User.Read" },
    code: 70011,
    error: "invalid_scope",
  },
  {
    when: "code_challenge_method is unknown",
    with: { code_challenge_method: "S512" },
    code: 50149,
    error: "invalid_request",
  },
  ...["short", "a".repeat(129), "ü".repeat(43)].map((code_challenge) => ({
    when: `code_challenge is ${
      code_challenge.slice(0, 5)
    } with ${code_challenge.length} characters`,
    with: { code_challenge },
    code: 50147,
    error: "invalid_request",
  })),
  {
    when: "code_challenge_method comes without a challenge",
    with: { code_challenge: undefined },
    code: 50147,
    error: "invalid_request",
  },
  {
    when: "a single-page application has no challenge",
    with: {
      client_id: shopFront.clientId,
      redirect_uri: shopFront.redirectUri,
      scope: "api://orders/Orders.Read",
      code_challenge: undefined,
      code_challenge_method: undefined,
    },
    code: 9002325,
    error: "invalid_request",
    says: /Proof Key for Code Exchange is required/,
  },
  {
    when: "prompt is unknown",
    with: { prompt: "maybe" },
    code: 90023,
    error: "invalid_request",
    says: /Unsupported 'prompt' value/,
  },
  { when: "claims are no JSON", with: { claims: "{" }, code: 9002313, error: "invalid_request" },
  { when: "claims are a list", with: { claims: "[]" }, code: 9002313, error: "invalid_request" },
  {
    when: "prompt is none and nobody is signed in",
    with: { prompt: "none" },
    code: 50058,
    error: "login_required",
  },
];

Deno.test("authorize shows what is wrong with client or redirect URI, and redirects nowhere", async (t) => {
  const refuse = async (emulator: Emulator, refusal: Refusal) => {
    const page = await new PlainBrowser().open(
      authorizeUrl(emulator, refusal.with, refusal.tenant),
    );
    assert.match(page.text, new RegExp(`AADSTS${refusal.code}: `));
    assert.equal(page.status, 400);
    assert.equal(page.location, undefined);
    assert.equal(page.forms.length, 0);
    if (refusal.says !== undefined) assert.match(page.text, refusal.says);
    assert.match(page.text, /Correlation ID: [0-9a-f-]{36} Timestamp: \d{4}-/);
    assert.doesNotMatch(page.text, /unknown/);
    assert.equal(emulator.requests.at(-1)?.outcome, `AADSTS${refusal.code}`);
  };
  await withEmulator({}, async (shared) => {
    for (const refusal of shown) {
      await t.step(`AADSTS${refusal.code} when ${refusal.when}`, async () => {
        const { options } = refusal;
        if (options === undefined) await refuse(shared, refusal);
        else await withEmulator(options, (emulator) => refuse(emulator, refusal));
      });
    }
  });
});

Deno.test("authorize tells the app what else is wrong, in the way that the app asked for", async (t) => {
  await withEmulator({}, async (emulator) => {
    for (const refusal of told) {
      for (const response_mode of ["query", "fragment", "form_post"]) {
        await t.step(`AADSTS${refusal.code} by ${response_mode} when ${refusal.when}`, async () => {
          const url = authorizeUrl(emulator, { response_mode, ...refusal.with });
          const page = await new PlainBrowser().open(url);
          const answer = answerOf(page);
          assert.equal(answer.error, refusal.error, JSON.stringify(answer));
          assert.match(
            answer.error_description ?? "",
            new RegExp(
              `^AADSTS${refusal.code}: .* Trace ID: .* Correlation ID: .* Timestamp: .*Z$`,
            ),
          );
          if (refusal.says !== undefined) assert.match(answer.error_description!, refusal.says);
          assert.equal(answer.error_uri, `${emulator.origin}/error?code=${refusal.code}`);
          assert.equal(answer.state, "st ate&=#ü");
          assert.equal(answer.code, undefined);
          const { origin, pathname } = page.location ?? new URL(page.forms[0]!.action);
          assert.equal(origin + pathname, `${url.searchParams.get("redirect_uri")}/`);
          assert.equal(emulator.requests.at(-1)?.outcome, `AADSTS${refusal.code}`);
        });
      }
    }
  });
});

/** Where the answer goes, by the redirect URI that is asked for. */
const redirects:
  readonly (readonly [client: string, asked: string | undefined, answered: string])[] = [
    [commandLine.clientId, "http://localhost:1", "http://localhost:1/"],
    [commandLine.clientId, "http://localhost:65535/", "http://localhost:65535/"],
    [commandLine.clientId, "http://localhost", "http://localhost/"],
    [commandLine.clientId, "HTTP://LOCALHOST:5", "http://localhost:5/"],
    [commandLine.clientId, undefined, "http://localhost/"],
    [desktop.clientId, "http://127.0.0.1:1234", "http://127.0.0.1:1234/"],
    [webShop.clientId, "http://localhost:8400/callback", "http://localhost:8400/callback"],
    [webShop.clientId, "http://localhost:9999/callback", "http://localhost:9999/callback"],
    [
      webShop.clientId,
      "https://shop.contoso.com/signin-oidc",
      "https://shop.contoso.com/signin-oidc",
    ],
    [webShop.clientId, undefined, "http://localhost:8400/callback"],
    [shopFront.clientId, "https://shop.contoso.com", "https://shop.contoso.com/"],
  ];

Deno.test("authorize matches redirect URIs as Entra does", async (t) => {
  await withEmulator({}, async (emulator) => {
    for (const [client_id, redirect_uri, answered] of redirects) {
      await t.step(`${redirect_uri} of ${client_id.slice(-2)}`, async () => {
        const { location } = await new PlainBrowser().open(
          authorizeUrl(emulator, { client_id, redirect_uri, prompt: "none", scope: "openid" }),
        );
        assert.equal(location!.origin + location!.pathname, answered);
        assert.equal(location!.searchParams.get("error"), "login_required");
      });
    }
  });
});

Deno.test("authorize keeps the query of a registered redirect URI and knows schemes of apps", async () => {
  const uris = ["http://localhost/cb?app=1", `msal${oldId}://auth`];
  const app = { clientId: oldId, redirectUris: { publicClient: uris } };
  await withEmulator(exampleWithApps(app), async (emulator) => {
    const ask = async (redirect_uri: string) => {
      const url = authorizeUrl(emulator, { client_id: oldId, redirect_uri, response_type: "x" });
      return (await new PlainBrowser().open(url)).headers.get("location") ?? "";
    };
    assert.match(
      await ask("http://localhost:7/cb?app=1"),
      /^http:\/\/localhost:7\/cb\?app=1&error=/,
    );
    assert.match(await ask(`msal${oldId}://auth`), /^msalc0ffee00-[0-9a-f-]+:\/\/auth\?error=/);
  });
});

Deno.test("an exact redirect URI goes before one of another platform that differs in its port", async () => {
  const app = {
    clientId: oldId,
    redirectUris: { web: ["http://localhost:1/cb"], publicClient: ["http://localhost:2/cb"] },
  };
  await withEmulator(
    { ...exampleWithApps(app), signIn: { autoApprove: "ada@contoso.onmicrosoft.com" } },
    async (emulator) => {
      for (const [port, code] of [[1, 7000218], [2, undefined], [3, 7000218]] as const) {
        const redirect_uri = `http://localhost:${port}/cb`;
        const url = authorizeUrl(emulator, { client_id: oldId, redirect_uri, scope: "openid" });
        const { code: granted = "" } = answerOf(await new PlainBrowser().open(url));
        const body = new URLSearchParams({
          grant_type: "authorization_code",
          client_id: oldId,
          code: granted,
          redirect_uri,
          code_verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        });
        const response = await fetch(`${emulator.authority}/oauth2/v2.0/token`, {
          method: "POST",
          body,
        });
        assert.equal((await response.json()).error_codes?.[0], code, redirect_uri);
      }
    },
  );
});

Deno.test("authorize refuses a repeated parameter with a page", async () => {
  await withEmulator({}, async (emulator) => {
    const url = authorizeUrl(emulator);
    url.searchParams.append("redirect_uri", "https://evil.example");
    const page = await new PlainBrowser().open(url);
    assert.match(page.text, /AADSTS9002313/);
    assert.equal(page.location, undefined);
  });
});

Deno.test("authorize takes a POST and turns it into a GET, so that the session's cookie is there", async () => {
  await withEmulator({}, async (emulator) => {
    const browser = new PlainBrowser();
    const url = authorizeUrl(emulator);
    const page = await browser.post(
      `${url.origin}${url.pathname}?mkt=de`,
      Object.fromEntries(url.searchParams),
    );
    assert.equal(page.status, 303);
    assert.equal(page.location?.pathname, url.pathname);
    assert.equal(page.location.origin, emulator.origin);
    const { mkt, ...parameters } = Object.fromEntries(page.location.searchParams);
    assert.equal(mkt, "de");
    assert.deepEqual(parameters, Object.fromEntries(url.searchParams));
    assert.equal((await browser.open(page.location)).title, "Sign in");
  });
});

Deno.test("a tenant's app is found by its tenant's domain, a multi-tenant app in every tenant and at common", async () => {
  const directory = exampleWith({
    tenants: [
      { id: contoso.tenantId, name: "Contoso", domains: ["contoso.com"] },
      { id: "c0ffee00-0000-4000-8000-000000000002", domains: ["fabrikam.com"] },
    ],
    apps: [{
      clientId: oldId,
      multiTenant: true,
      redirectUris: { publicClient: ["http://localhost"] },
    }],
  });
  await withEmulator(directory, async (emulator) => {
    const ask = (tenant: string) =>
      new PlainBrowser().open(
        authorizeUrl(emulator, { client_id: oldId, scope: "openid" }, tenant),
      );
    for (const tenant of ["contoso.com", "FABRIKAM.com", "common", "organizations"]) {
      assert.equal((await ask(tenant)).title, "Sign in", tenant);
    }
    assert.match((await ask("consumers")).text, /AADSTS9002332/);
  });
});
