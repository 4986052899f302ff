import assert from "node:assert/strict";
import fc from "fast-check";
import { exampleDirectory, parseDirectory, startEmulator } from "../../src/emulator/emulator.ts";
import { EntraToolError } from "../../src/errors.ts";
import { contoso, exampleWith, withEmulator } from "./emulated.ts";

const minimal = { tenants: [{ id: contoso.tenantId, domains: ["contoso.com"] }] };
const orders = { appId: contoso.ordersAppId, identifierUris: ["api://orders"], roles: ["Read"] };
const app = { clientId: contoso.clientId };
const ada = { id: contoso.clientId, userPrincipalName: "a@b.c" };
/** Made once with openssl; nothing here depends on its dates. */
const ellipticCertificate = `-----BEGIN CERTIFICATE-----
MIIBcjCCARegAwIBAgIUWvJOoejTIjN3/lcVgYhntTW4igQwCgYIKoZIzj0EAwIw
DTELMAkGA1UEAwwCZWMwIBcNMjYxMTIyMTc1MTE0WhgPMjEyNjEwMjkxNzUxMTRa
MA0xCzAJBgNVBAMMAmVjMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAED0r15c8A
lNiHblSk3kpEkMiEigQyGrLgQUkHtl7OpF3OHKX0ODYPQEA9m9izH9ePYLIhgFif
K5yQ57uLlH88WqNTMFEwHQYDVR0OBBYEFPPosY+Kw2VK2eYdQUaYQs0/bKi3MB8G
A1UdIwQYMBaAFPPosY+Kw2VK2eYdQUaYQs0/bKi3MA8GA1UdEwEB/wQFMAMBAf8w
CgYIKoZIzj0EAwIDSQAwRgIhAN7JemxahkQyjur1H2CVvYfeuaUoP+nNlCk8RSBP
W5FLAiEA4+gUzrYy/UzU8pSu3e0Q5Ks5aE7xB4qLbJtOQO7GVAs=
-----END CERTIFICATE-----
`;

/** What is wrong, where it is said to be, and what is said. */
const mistakes: readonly (readonly [unknown, string, RegExp])[] = [
  [[], "", /Expected an object, found an array/],
  [null, "", /Expected an object, found null/],
  ["x", "", /Expected an object, found a string/],
  [{}, "", /The member "tenants" is missing/],
  [{ ...minimal, tenant: [] }, "", /Unknown member "tenant", expected one of tenants, apps/],
  [{ tenants: {} }, "tenants", /Expected an array, found an object/],
  [{ tenants: [] }, "tenants", /At least one tenant is needed/],
  [{ tenants: [{ id: "x", domains: [] }] }, "tenants[0].id", /Expected a GUID/],
  [{ tenants: [{ id: 1, domains: [] }] }, "tenants[0].id", /Expected a string, found a number/],
  [{ tenants: [{ id: contoso.tenantId }] }, "tenants[0]", /"domains" is missing/],
  [
    { tenants: [{ id: contoso.tenantId, domains: ["a b"] }] },
    "tenants[0].domains[0]",
    /Expected a domain name/,
  ],
  [{ tenants: [...minimal.tenants, ...minimal.tenants] }, "tenants", /Found "c0ffee00-.*" twice/],
  [{ ...minimal, apps: [{}] }, "apps[0]", /"clientId" is missing/],
  [{ ...minimal, apps: [app, app] }, "apps", /Found "c0ffee00-.*" twice/],
  [{ ...minimal, apps: [{ ...app, secret: "x" }] }, "apps[0]", /Unknown member "secret"/],
  [{ ...minimal, apps: [{ ...app, enabled: "no" }] }, "apps[0].enabled", /Expected true or false/],
  [{ ...minimal, apps: [{ ...app, tenant: "x.com" }] }, "apps[0].tenant", /No tenant has this/],
  [{ ...minimal, apps: [{ ...app, secrets: ["x"] }] }, "apps[0].secrets[0]", /found a string/],
  [
    { ...minimal, apps: [{ ...app, secrets: [{ value: " " }] }] },
    "apps[0].secrets[0].value",
    /The string is empty/,
  ],
  [
    { ...minimal, apps: [{ ...app, secrets: [{ value: "x", expires: "soon" }] }] },
    "apps[0].secrets[0].expires",
    /Expected a date/,
  ],
  [
    { ...minimal, apps: [{ ...app, certificates: ["x"] }] },
    "apps[0].certificates[0]",
    /Expected a certificate in PEM form/,
  ],
  [
    { ...minimal, apps: [{ ...app, certificates: [ellipticCertificate] }] },
    "apps[0].certificates[0]",
    /RSA keys only/,
  ],
  [
    { ...minimal, apps: [{ ...app, certificates: [{ path: "x.pem" }] }] },
    "apps[0].certificates[0].path",
    /A path can not be followed here/,
  ],
  [
    { ...minimal, apps: [{ ...app, redirectUris: { web: ["x"] } }] },
    "apps[0].redirectUris.web[0]",
    /Expected an absolute URI/,
  ],
  [
    { ...minimal, apps: [{ ...app, permissions: [{ resource: "api://x" }] }] },
    "apps[0].permissions[0].resource",
    /No resource has this/,
  ],
  [
    {
      ...minimal,
      resources: [orders],
      apps: [{ ...app, permissions: [{ resource: "api://orders", roles: ["Write"] }] }],
    },
    "apps[0].permissions[0].roles[0]",
    /has no such role/,
  ],
  [
    { ...minimal, resources: [{ ...orders, accessTokenVersion: 3 }] },
    "resources[0].accessTokenVersion",
    /Expected a number from 1 to 2, found 3/,
  ],
  [
    { ...minimal, resources: [{ ...orders, identifierUris: ["orders"] }] },
    "resources[0].identifierUris[0]",
    /Expected an absolute URI/,
  ],
  [
    { ...minimal, resources: [{ ...orders, scopes: ["a b"] }] },
    "resources[0].scopes[0]",
    /no white space/,
  ],
  [
    { ...minimal, users: [{ id: contoso.clientId, userPrincipalName: "ada" }] },
    "users[0].userPrincipalName",
    /Expected a name such as/,
  ],
  [
    { ...minimal, users: [{ ...ada, guestOf: ["x.com"] }] },
    "users[0].guestOf[0]",
    /No tenant has this/,
  ],
  [{ ...minimal, users: [{ ...ada, password: "" }] }, "users[0].password", /The string is empty/],
  [
    {
      ...minimal,
      resources: [orders],
      apps: [{ ...app, permissions: [{ resource: "api://orders", userConsent: ["Write"] }] }],
    },
    "apps[0].permissions[0].userConsent[0]",
    /has no such scope/,
  ],
  ...([
    [{}, "", /Give "autoApprove" or "autoDeny"/],
    [{ autoApprove: "a@b.c", autoDeny: "a@b.c" }, "", /Give "autoApprove" or "autoDeny"/],
    [{ autoApprove: "x@y.z" }, ".autoApprove", /No user has this/],
    [{ autoDeny: "x@y.z" }, ".autoDeny", /No user has this/],
    [{ autoDeny: "a@b.c", pendingPolls: -1 }, ".pendingPolls", /from 0 to 1000/],
  ] as const).map(([signIn, path, says]) =>
    [{ ...minimal, users: [ada], signIn }, `signIn${path}`, says] as const
  ),
  [{ ...minimal, deviceCode: { interval: 301 } }, "deviceCode.interval", /from 0 to 300/],
  [{ ...minimal, deviceCode: { lifetime: 0 } }, "deviceCode.lifetime", /from 1 to 86400/],
  [{ ...minimal, deviceCode: { slowDown: 1 } }, "deviceCode.slowDown", /Expected true or false/],
  [
    { ...minimal, refreshTokens: { rotation: "never" } },
    "refreshTokens.rotation",
    /Expected one of lenient, strict/,
  ],
  ...([
    [{}, "", /"require" is missing/],
    [{ require: "x" }, ".require", /Expected one of mfa, mfaRegistration, block, blockDeviceCode/],
    [{ require: "mfa", user: "x@y.z" }, ".user", /No user has this/],
    [{ require: "mfa", resource: "api://x" }, ".resource", /No resource has this/],
    [{ require: "mfa", at: ["token"] }, ".at[0]", /Expected one of authorize, authorization_code/],
    [{ require: "mfa", code: 1 }, ".code", /from 10000/],
    [{ require: "mfa", ms: 1 }, "", /Unknown member "ms"/],
  ] as const).map(([rule, path, says]) =>
    [{ ...minimal, conditionalAccess: [rule] }, `conditionalAccess[0]${path}`, says] as const
  ),
  [
    { ...minimal, tokenLifetimes: { refreshToken: 0 } },
    "tokenLifetimes.refreshToken",
    /from 1 to/,
  ],
  [{ ...minimal, tokenLifetimes: { idToken: 1 } }, "tokenLifetimes", /Unknown member "idToken"/],
  ...[[1], [2, 1], [1, 2, 3]].map((range) =>
    [
      { ...minimal, tokenLifetimes: { accessToken: range } },
      "tokenLifetimes.accessToken",
      /Expected \[minimum, maximum\]/,
    ] as const
  ),
  [
    { ...minimal, tokenLifetimes: { accessToken: [1.5, 2] } },
    "tokenLifetimes.accessToken[0]",
    /Expected a whole number/,
  ],
  ...([
    [{}, "", /"action" is missing/],
    [{ action: "explode" }, ".action", /Expected one of status, delay/],
    [{ action: "reset" }, "", /"endpoint" is missing/],
    [{ action: "reset", endpoint: "x" }, ".endpoint", /Expected one of token, keys/],
    [{ action: "reset", endpoint: "token", nth: 0 }, ".nth", /from 1 to/],
    [{ action: "reset", endpoint: "token", nth: 1, from: 1 }, "", /"nth" or "from", not both/],
    [{ action: "reset", endpoint: "token", ms: 1 }, "", /Unknown member "ms"/],
    [{ action: "reset", endpoint: "keys", clientId: contoso.clientId }, ".clientId", /no client/],
    [{ action: "reset", endpoint: "login", clientId: contoso.clientId }, ".clientId", /no client/],
    [{ action: "reset", endpoint: "authorize", grantType: "x" }, ".grantType", /have no grant/],
    [{ action: "status", endpoint: "any" }, "", /"status" is missing/],
    [{ action: "status", endpoint: "any", status: 200 }, ".status", /from 400 to 599/],
    [
      { action: "status", endpoint: "any", status: 429, retryAfter: "1\r\nX: y" },
      ".retryAfter",
      /printable ASCII/,
    ],
    [{ action: "status", endpoint: "any", status: 429, body: "xml" }, ".body", /json, html, empty/],
    [{ action: "delay", endpoint: "any" }, "", /"ms" is missing/],
    [{ action: "redirect", endpoint: "any", location: "x" }, ".location", /absolute URL/],
    [{ action: "aadsts", endpoint: "any", code: "50196" }, ".code", /Expected a whole number/],
    [{ action: "response", endpoint: "any", set: [] }, ".set", /Expected an object/],
    [{ action: "response", endpoint: "any", remove: "x" }, ".remove", /Expected an array/],
  ] as const).map(([rule, path, says]) =>
    [{ ...minimal, faults: [rule] }, `faults[0]${path}`, says] as const
  ),
];

Deno.test("parseDirectory() says in which file, where and what is wrong", async (t) => {
  for (const [config, path, says] of mistakes) {
    const json = JSON.stringify(config);
    const where = path === "" ? "contoso.json: " : `contoso.json: ${path}: `;
    await t.step(`${where}${says.source}`, () => {
      assert.throws(() => parseDirectory(json, "contoso.json"), (error) => {
        assert.ok(error instanceof EntraToolError, String(error));
        assert.equal(error.failure, "usage");
        assert.equal(error.code, "emulator_config_invalid");
        assert.ok(error.message.startsWith(where), error.message);
        const problem = error.message.slice(where.length);
        assert.match(problem, says);
        assert.match(problem, /^[A-Z].*[^.]$/);
        return true;
      });
    });
  }
});

Deno.test("parseDirectory() does not quote a file that is no JSON", () => {
  assert.throws(() => parseDirectory('{"secrets": [{"value": "canary', "contoso.json"), {
    message: "contoso.json: The file is not valid JSON",
  });
});

Deno.test("parseDirectory() does not quote a secret", () => {
  const secrets = [{ value: "canary", canary: 1 }, { value: ["canary"] }, "canary"];
  for (const secret of secrets) {
    const json = JSON.stringify({ ...minimal, apps: [{ ...app, secrets: [secret] }] });
    assert.throws(() => parseDirectory(json, "c.json"), (error) => {
      assert.doesNotMatch(String(error).replace('member "canary"', ""), /canary/);
      return true;
    });
  }
});

Deno.test("parseDirectory() reads the least and the example", () => {
  const least = parseDirectory(JSON.stringify(minimal), "x");
  assert.deepEqual(least.tenants, [
    { id: contoso.tenantId, name: "contoso.com", domains: ["contoso.com"] },
  ]);
  assert.deepEqual(least.apps, []);
  assert.deepEqual(least.tokenLifetimes, {
    accessToken: [3600, 5400],
    continuousAccessToken: [72000, 86400],
    authorizationCode: 600,
    refreshToken: 7776000,
    spaRefreshToken: 86400,
  });
  assert.deepEqual(least.deviceCode, { interval: 5, lifetime: 900, slowDown: false });
  assert.deepEqual(least.refreshTokens, { rotation: "lenient" });
  assert.equal(least.automaticSignIn, undefined);
  const example = parseDirectory(exampleDirectory(), "x");
  assert.equal(example.users.length, 3);
  assert.equal(example.resources.length, 3);
});

Deno.test("parseDirectory() reads certificates from text and from files", async () => {
  const { generateRsaKey, selfSigned } = await import(
    "../../src/emulator/certificate_authority.ts"
  );
  const der = await selfSigned("x", await generateRsaKey());
  const pem = `-----BEGIN CERTIFICATE-----\n${der.toBase64()}\n-----END CERTIFICATE-----\n`;
  const json = JSON.stringify({
    ...minimal,
    apps: [{ ...app, certificates: [pem, { path: "client.pem" }] }],
  });
  const read: string[] = [];
  const { apps } = parseDirectory(json, "x", (path) => {
    read.push(path);
    return pem;
  });
  assert.deepEqual(read, ["client.pem"]);
  assert.deepEqual(apps[0]?.certificates[0], apps[0]?.certificates[1]);
  assert.throws(
    () =>
      parseDirectory(json, "x", () => {
        throw new Deno.errors.NotFound("x");
      }),
    { message: "x: apps[0].certificates[1].path: The file can not be read" },
  );
});

Deno.test("parseDirectory() throws nothing but EntraToolError, whatever it is given", () => {
  const onlyOurs = (text: string) => {
    try {
      parseDirectory(text, "fuzz.json");
    } catch (error) {
      assert.ok(error instanceof EntraToolError, String(error));
    }
  };
  fc.assert(fc.property(fc.string(), onlyOurs));
  fc.assert(fc.property(fc.json(), onlyOurs));
  // The example with any value in the place of any of its own: deep enough to reach every reader.
  const example = JSON.parse(exampleDirectory());
  example.faults = [
    { endpoint: "token", action: "status", status: 429, retryAfter: 1, body: "json", nth: 1 },
    { endpoint: "any", action: "response", set: { a: 1 }, remove: ["b"], from: 2 },
    { endpoint: "token", action: "aadsts", code: 50196, suberror: "x", claims: "{}" },
    { endpoint: "token", action: "redirect", location: "https://x.example", status: 307 },
  ];
  example.tokenLifetimes = { accessToken: [1, 2], authorizationCode: 1, refreshToken: 2 };
  example.signIn = { autoApprove: example.users[0].userPrincipalName, pendingPolls: 1 };
  example.deviceCode = { interval: 1, lifetime: 2, slowDown: true };
  example.refreshTokens = { rotation: "strict" };
  example.conditionalAccess = [
    { require: "mfa", user: example.users[0].userPrincipalName, at: ["authorize"] },
    { require: "block", resource: "api://orders", code: 53003, suberror: "x", claims: "{}" },
  ];
  example.apps[0].certificates = ["x", { path: "y" }];
  const places: (string | number)[][] = [];
  const collect = (value: unknown, path: (string | number)[]) => {
    places.push(path);
    if (typeof value !== "object" || value === null) return;
    for (const [name, member] of Object.entries(value)) collect(member, [...path, name]);
  };
  collect(example, []);
  fc.assert(
    fc.property(fc.constantFrom(...places), fc.jsonValue(), (path, value) => {
      if (path.length === 0) return onlyOurs(JSON.stringify(value));
      const copy = structuredClone(example);
      const parent = path.slice(0, -1).reduce((node, name) => node[name], copy);
      parent[path.at(-1)!] = value;
      onlyOurs(JSON.stringify(copy));
    }),
    { numRuns: 2000 },
  );
});

Deno.test("startEmulator() takes any GUID as tenant when there is no configuration", async () => {
  const tenantId = "11111111-2222-3333-4444-555555555555";
  await withEmulator({ tenantId }, (emulator) => {
    assert.equal(emulator.tenantId, tenantId);
    assert.equal(emulator.authority, `${emulator.origin}/${tenantId}`);
    return Promise.resolve();
  });
  await assert.rejects(startEmulator({ tenantId: "contoso" }), { code: "emulator_tenant_invalid" });
});

Deno.test("startEmulator() takes a tenant of the configuration, by domain too, and no other", async () => {
  const options = exampleWith({});
  await withEmulator({ ...options, tenantId: "Contoso.COM" }, (emulator) => {
    assert.equal(emulator.tenantId, contoso.tenantId);
    return Promise.resolve();
  });
  await assert.rejects(startEmulator({ ...options, tenantId: "fabrikam.com" }), {
    code: "emulator_tenant_unknown",
  });
});

Deno.test("the seed is an app that can have a token", async () => {
  await withEmulator({}, (emulator) => {
    assert.deepEqual(emulator.seed, {
      tenantId: contoso.tenantId,
      clientId: contoso.clientId,
      clientSecret: contoso.secret,
      scope: "https://graph.microsoft.com/.default",
    });
    return Promise.resolve();
  });
  const apps = [
    { clientId: contoso.publicClientId, enabled: false, secrets: [{ value: "a" }] },
    { clientId: contoso.ordersAppId, secrets: [{ value: "b", expires: "2020-01-01" }] },
    {
      clientId: contoso.clientId,
      secrets: [{ value: "c", expires: "2020-01-01" }, { value: "d" }],
      permissions: [{ resource: "api://orders" }],
    },
  ];
  await withEmulator(exampleWith({ apps }), (emulator) => {
    assert.equal(emulator.seed?.clientSecret, "d");
    assert.equal(emulator.seed?.scope, "api://orders/.default");
    return Promise.resolve();
  });
  await withEmulator(exampleWith({ apps: [] }), (emulator) => {
    assert.equal(emulator.seed, undefined);
    return Promise.resolve();
  });
});
