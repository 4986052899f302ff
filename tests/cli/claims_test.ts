/** Claims challenges: the forms in which they come, and their way through every flow. */

import assert from "node:assert/strict";
import { ada, signInTest, webApp, webSecret } from "./sign_in_emulated.ts";

const claims = '{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}';
const base64 = btoa(claims);
const header =
  `Bearer realm="", authorization_uri="https://login.example/authorize", error="insufficient_claims", claims="${base64}"`;

const forms: readonly [name: string, text: string, meant?: string][] = [
  ["JSON", claims],
  ["JSON on several lines", JSON.stringify(JSON.parse(claims), undefined, 2)],
  ["JSON that mentions claims", '{"x":"a, claims=b"}', '{"x":"a, claims=b"}'],
  ["base64", base64],
  [
    "base64url without padding",
    base64.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, ""),
  ],
  ["a WWW-Authenticate header", header],
  ["the header with its name", `WWW-Authenticate: ${header}`],
  ["the header's parameter alone", `claims="${base64}"`],
  ["a header with several challenges", `Basic realm="x", ${header}, Bearer realm="y"`],
];
for (const [name, text, meant = claims] of forms) {
  Deno.test(`get-token --claims takes ${name}`, async () => {
    await using test = await signInTest();
    const { code, stderr, authorize, forms } = await test.run(["get-token", "--claims", text]);
    assert.equal(code, 0, stderr);
    assert.equal(authorize.claims, meant);
    assert.equal(forms[0]?.claims, meant);
  });
}

for (
  const [text, message] of [
    ["nonsense", /^error: The claims can not be read/m],
    ["[1]", /^error: The claims can not be read/m],
    ["Bearer realm=x", /^error: The WWW-Authenticate header holds no claims$/m],
  ] as const
) {
  Deno.test(`get-token refuses --claims ${text}, and asks nobody`, async () => {
    await using test = await signInTest();
    const { code, stdout, stderr, host } = await test.run(["get-token", "--claims", text]);
    assert.match(stderr, message);
    assert.deepEqual({ code, stdout, opened: host.opened }, { code: 4, stdout: "", opened: [] });
  });
}

const webRedirect = "http://localhost/callback";
const flows: readonly [
  flow: string,
  env: Record<string, string | undefined>,
  paths: readonly string[],
][] = [
  ["InteractiveBrowser", {}, ["token"]],
  ["DeviceCode", {}, ["devicecode", "token"]],
  ["ClientCredentials", {
    AZURE_CLIENT_ID: "c0ffee00-0000-4000-8000-0000000000a1",
    AZURE_CLIENT_SECRET: "emulator-secret",
  }, ["token"]],
];
for (const [flow, env, paths] of flows) {
  Deno.test(`get-token -f ${flow} --claims skips the cache and sends the claims with every request`, async () => {
    await using test = await signInTest();
    const argv = ["get-token", "-f", flow];
    const plain = await test.run(argv, { env });
    assert.equal(plain.code, 0, plain.stderr);
    assert.ok(plain.forms.every((form) => form.claims === undefined));
    const stepped = await test.run([...argv, "--claims", header], { env });
    assert.equal(stepped.code, 0, stepped.stderr);
    assert.notEqual(stepped.stdout, plain.stdout);
    // a person's goes by refresh token first
    const isPersonal = flow !== "ClientCredentials";
    assert.deepEqual(stepped.forms.map(({ grant_type, claims }) => ({ grant_type, claims })), [
      { grant_type: isPersonal ? "refresh_token" : "client_credentials", claims },
    ]);
    // and is the cached token from now on
    assert.equal((await test.runAlone(argv, { env })).stdout, stepped.stdout);

    const afresh = await test.run([...argv, "--no-cache", "--claims", header], { env });
    assert.equal(afresh.code, 0, afresh.stderr);
    assert.deepEqual(afresh.forms.map((form) => form.path), paths);
    assert.ok(afresh.forms.every((form) => form.claims === claims));
    if (flow === "InteractiveBrowser") assert.equal(afresh.authorize.claims, claims);
  });
}

Deno.test("get-token -f AuthorizationCode --claims sends the claims to both endpoints", async () => {
  using probe = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = probe.addr as Deno.NetAddr;
  probe.close();
  await using test = await signInTest();
  const env = { AZURE_CLIENT_ID: webApp, AZURE_CLIENT_SECRET: webSecret };
  const argv = ["get-token", "-f", "AuthorizationCode", "--redirect-uri"];
  const uri = webRedirect.replace("/callback", `:${port}/callback`);
  const { code, stderr, authorize, forms } = await test.run(
    [...argv, uri, "--claims", claims],
    { env },
  );
  assert.equal(code, 0, stderr);
  assert.deepEqual([authorize.claims, forms[0]?.claims], [claims, claims]);
});

Deno.test("what a refused refresh demands is asked for in the sign-in, beside what the API demands", async () => {
  const demanded = '{"access_token":{"acrs":{"essential":true,"values":["c1"]}}}';
  await using test = await signInTest({
    faults: [{
      endpoint: "token",
      grantType: "refresh_token",
      action: "aadsts",
      code: 50076,
      error: "invalid_grant",
      suberror: "basic_action",
      claims: demanded,
    }],
  });
  await test.run(["get-token"]);
  const stepped = await test.run(["get-token", "--claims", claims]);
  assert.equal(stepped.code, 0, stepped.stderr);
  const both = {
    access_token: {
      nbf: { essential: true, value: "1604106651" },
      acrs: { essential: true, values: ["c1"] },
    },
  };
  assert.deepEqual(JSON.parse(stepped.authorize.claims!), both);
  assert.deepEqual(JSON.parse(stepped.forms.at(-1)!.claims!), both);
});

Deno.test("a policy's challenge is met by the sign-in that it leads to", async () => {
  await using test = await signInTest({
    conditionalAccess: [{ require: "mfa", user: ada, at: ["refresh_token"] }],
  });
  await test.run(["get-token"]);
  const alone = await test.runAlone(["get-token", "--force"]);
  assert.match(alone.stderr, /^error: A person must sign in: Multi-factor/m);
  const person = await test.run(["get-token", "--force"]);
  assert.equal(person.code, 0, person.stderr);
  assert.match(person.authorize.claims!, /"capolids"/);
});

Deno.test("get-token without a person repeats --claims in the command to type", async () => {
  await using test = await signInTest();
  const { code, stderr } = await test.runAlone(["get-token", "--claims", claims]);
  assert.ok(stderr.includes(`--claims '${claims}'`), stderr);
  assert.equal(code, 6);
});
