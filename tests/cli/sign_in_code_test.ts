/** The authorization code flow of a registered app: its redirect URI, its credential, the pasted answer, and the id_token. */

import assert from "node:assert/strict";
import { opensslFolder, opensslIsMissing } from "../fixtures/openssl_certificates.ts";
import {
  ada,
  authorizeUrl,
  desktopApp,
  redirectOf,
  type RunOptions,
  type SignInTest,
  signInTest,
  tenantId,
  unsignedJwt,
  webApp,
  webSecret,
} from "./sign_in_emulated.ts";

const authorizationCode = ["get-token", "-f", "AuthorizationCode"];
const asWebApp = { AZURE_CLIENT_ID: webApp, AZURE_CLIENT_SECRET: webSecret };
/** Where nothing of this machine can listen. */
const elsewhere = ["--redirect-uri", "https://shop.contoso.com/signin-oidc"];

function freePort(): number {
  using probe = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (probe.addr as Deno.NetAddr).port;
}

const example = JSON.parse(
  (await import("../../src/emulator/emulator.ts")).exampleDirectory(),
);
/** The example's apps with other redirect URIs for the web app, and whatever else is given. */
function apps(changes: Readonly<Record<string, unknown>>) {
  return {
    apps: example.apps.map((app: { clientId: string }) =>
      app.clientId === webApp ? { ...app, ...changes } : app
    ),
  };
}

Deno.test("get-token -f AuthorizationCode wants the registered redirect URI", async () => {
  await using test = await signInTest();
  const { code, stderr } = await test.run(authorizationCode, { env: asWebApp });
  assert.match(stderr, /^ {2}Add --redirect-uri URL, exactly as it stands under Authentication/m);
  assert.equal(code, 4);
});

for (const path of ["/callback", "/Sign-In/done", "/", ""]) {
  Deno.test(`get-token keeps port and path of http://localhost:PORT${path} to the letter`, async () => {
    const uri = `http://localhost:${freePort()}${path}`;
    await using test = await signInTest(apps({ redirectUris: { web: [uri] } }));
    const { code, stdout, stderr, authorize, forms, page } = await test.run(
      [...authorizationCode, "--redirect-uri", uri],
      { env: asWebApp },
    );
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^eyJ/);
    assert.match(page, /Signed in/);
    assert.deepEqual([authorize.redirect_uri, forms[0]?.redirect_uri], [uri, uri]);
    assert.equal(authorize.response_mode, "form_post");
    assert.equal(forms[0]?.client_secret, webSecret);
    assert.match(forms[0]?.code_verifier ?? "", /^[\w-]{43}$/);
  });
}

Deno.test("a refresh of a web app's person proves the app too", async () => {
  await using test = await signInTest();
  const argv = [...authorizationCode, ...elsewhere];
  await paste(test, argv);
  const { code, stderr, forms } = await test.runAlone([...argv, "--force"], { env: asWebApp });
  assert.equal(code, 0, stderr);
  const [{ grant_type, client_secret } = {}] = forms;
  assert.deepEqual({ grant_type, client_secret }, {
    grant_type: "refresh_token",
    client_secret: webSecret,
  });
  // a public sign-in of the same app is another one
  const alone = await test.runAlone(["get-token", "-f", "InteractiveBrowser"], { env: asWebApp });
  assert.deepEqual({ code: alone.code, forms: alone.forms }, { code: 6, forms: [] });
});

Deno.test({
  name: "get-token -f AuthorizationCode proves itself by certificate",
  ignore: opensslIsMissing,
  fn: async () => {
    const folder = await opensslFolder();
    await folder.write("web.pem", await folder.concatenated("app.key", "app.crt"));
    await using test = await signInTest(
      apps({ secrets: [], certificates: [await folder.text("app.crt")] }),
    );
    const flags = [...elsewhere, "--certificate", `${folder.path}/web.pem`];
    const { code, stderr, forms } = await paste(test, [...authorizationCode, ...flags], {
      env: { AZURE_CLIENT_ID: webApp },
    });
    assert.equal(code, 0, stderr);
    assert.match(forms[0]?.client_assertion ?? "", /^eyJ/);
    assert.equal(forms[0]?.client_secret, undefined);
  },
});

Deno.test("get-token -f AuthorizationCode works for a public client", async () => {
  await using test = await signInTest();
  const uri = `http://localhost:${freePort()}`;
  const { code, stderr, forms } = await test.run([...authorizationCode, "--redirect-uri", uri]);
  assert.equal(code, 0, stderr);
  assert.deepEqual([forms[0]?.client_id, forms[0]?.client_secret], [desktopApp, undefined]);
});

// Without a listener: the person brings the answer.

/** Runs with somebody who pastes the address that the browser ends on, or what is made of it. */
async function paste(
  test: SignInTest,
  argv: readonly string[],
  options: RunOptions = {},
  change = (address: URL) => [address.href],
) {
  const lines: string[] = [];
  let isShown = false;
  return await test.run(argv, {
    env: asWebApp,
    terminals: ["stdin", "stderr"],
    ...options,
    prepare: (host) => {
      host.stdin.readLine = async () => {
        if (!isShown) {
          isShown = true;
          lines.push(...change(new URL(await redirectOf(authorizeUrl(host.stderrText)!))));
        }
        return lines.shift();
      };
    },
  });
}

for (const [name, terminals] of [["the terminal", ["stdin", "stderr"]], ["a pipe", ["stderr"]]]) {
  Deno.test(`get-token takes the pasted address of an https redirect URI from ${name}`, async () => {
    await using test = await signInTest();
    const { code, stdout, stderr, authorize, host } = await paste(
      test,
      [...authorizationCode, ...elsewhere],
      { terminals: terminals as NonNullable<RunOptions["terminals"]> },
    );
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^eyJ\S+\n$/);
    assert.deepEqual(
      { uri: authorize.redirect_uri, mode: authorize.response_mode, opened: host.opened },
      { uri: elsewhere[1], mode: "query", opened: [] },
    );
  });
}

Deno.test("get-token says what is missing when the pipe ends without an address", async () => {
  await using test = await signInTest();
  const { code, stdout, stderr } = await test.run([...authorizationCode, ...elsewhere], {
    env: asWebApp,
    stdin: "",
  });
  assert.match(stderr, /^error: The address of the redirect was not given$/m);
  assert.deepEqual({ code, stdout }, { code: 4, stdout: "" });
});

const otherIssuer = (address: URL) => {
  address.searchParams.set("iss", "https://evil.example/v2.0");
  return [address.href];
};
Deno.test("get-token does not redeem a code that names another issuer (RFC 9207)", async () => {
  await using test = await signInTest();
  const argv = [...authorizationCode, ...elsewhere];
  const { code, stdout, stderr, forms } = await paste(test, argv, {}, otherIssuer);
  assert.match(stderr, /^error: The code was issued by "https:\/\/evil\.example\/v2\.0", but /m);
  assert.deepEqual({ code, stdout, forms }, { code: 2, stdout: "", forms: [] });
});

Deno.test("get-token accepts a code that names the issuer that was asked", async () => {
  await using test = await signInTest();
  const argv = [...authorizationCode, ...elsewhere];
  const { code, stderr } = await paste(test, argv, {}, (address) => {
    address.searchParams.set("iss", `${test.emulator.authority}/v2.0`);
    return [address.href];
  });
  assert.equal(code, 0, stderr);
});

// The id_token.

const now = Date.parse("2030-01-01T00:00:00Z");
const claims = {
  aud: webApp,
  exp: now / 1000 + 3600,
  tid: tenantId,
  oid: "c0ffee00-0000-4000-8000-0000000000d1",
  preferred_username: ada,
};
const idTokens: readonly [name: string, idToken: string | undefined, text: RegExp][] = [
  ["is missing", undefined, /is missing or can not be read/],
  ["is no JWT", "nonsense", /is missing or can not be read/],
  ["has the nonce of another sign-in", unsignedJwt({ ...claims, nonce: "other" }), /its nonce/],
  ["has no nonce", unsignedJwt(claims), /its nonce does not fit/],
  ["is for another app", unsignedJwt({ ...claims, aud: desktopApp }), /is for another app/],
];
for (const [name, idToken, text] of idTokens) {
  Deno.test(`get-token refuses an answer whose id_token ${name}`, async () => {
    const change = idToken === undefined
      ? { remove: ["id_token"] }
      : { set: { id_token: idToken } };
    await using test = await signInTest({
      faults: [{ endpoint: "token", action: "response", ...change }],
    });
    const argv = [...authorizationCode, ...elsewhere];
    const { code, stdout, stderr } = await paste(test, argv, { now });
    assert.match(stderr, text);
    assert.deepEqual({ code, stdout }, { code: 2, stdout: "" });
    assert.match((await test.runAlone(["cache", "list"])).stderr, /No tokens are cached/);
  });
}

// What to change in the registration.

const registration: readonly [
  name: string,
  flow: string,
  fault: Readonly<Record<string, unknown>>,
  text: RegExp,
][] = [
  [
    "7000218",
    "AuthorizationCode",
    { code: 7000218, error: "invalid_client", status: 401 },
    /which needs a credential: --client-secret-file PATH or --certificate PATH$/m,
  ],
  [
    "7000218",
    "InteractiveBrowser",
    { code: 7000218, error: "invalid_client", status: 401 },
    /move the redirect URI from "Web" to "Mobile and desktop applications"/,
  ],
  [
    "9002327",
    "AuthorizationCode",
    { code: 9002327, error: "invalid_request" },
    /from "Single-page application" to "Mobile and desktop/,
  ],
  [
    "9002327",
    "InteractiveBrowser",
    { code: 9002327, error: "invalid_request" },
    /from "Single-page application" to "Mobile and desktop/,
  ],
  [
    "700025",
    "AuthorizationCode",
    { code: 700025, error: "invalid_client", status: 401 },
    /from "Mobile and desktop applications" to "Web", or leave/,
  ],
  [
    "50011",
    "AuthorizationCode",
    { code: 50011, error: "invalid_request" },
    /add the redirect URI http:\/\/localhost:\d+\/callback, to the letter, under "Web"$/m,
  ],
  [
    "50011",
    "InteractiveBrowser",
    { code: 50011, error: "invalid_request" },
    /to the letter, under "Mobile and desktop applications"$/m,
  ],
];
for (const [name, flow, fault, text] of registration) {
  Deno.test(`AADSTS${name} in ${flow} says what to change in the registration`, async () => {
    const uri = `http://localhost:${freePort()}/callback`;
    const isWeb = flow === "AuthorizationCode";
    await using test = await signInTest({
      ...apps({ redirectUris: { web: [uri] } }),
      faults: [{ endpoint: "token", action: "aadsts", ...fault }],
    });
    const { code, stdout, stderr, page } = await test.run(
      ["get-token", "-f", flow, ...(isWeb ? ["--redirect-uri", uri] : [])],
      isWeb ? { env: asWebApp } : {},
    );
    assert.match(stderr, text);
    assert.match(
      stderr,
      /https:\/\/entra\.microsoft\.com, App registrations, c0ffee00-\S+, Authen/,
    );
    assert.match(page, new RegExp(`Sign-in failed[^]*AADSTS${name}`));
    assert.deepEqual({ code, stdout }, { code: 2, stdout: "" });
  });
}

Deno.test("a redirect URI of a single-page app is named as one by the emulator itself", async () => {
  const uri = `http://localhost:${freePort()}/callback`;
  await using test = await signInTest(apps({ redirectUris: { spa: [uri] } }));
  const { code, stderr } = await test.run([...authorizationCode, "--redirect-uri", uri], {
    env: { AZURE_CLIENT_ID: webApp },
  });
  assert.match(stderr, /AADSTS9002327[^]*from "Single-page application"/);
  assert.equal(code, 2);
});
