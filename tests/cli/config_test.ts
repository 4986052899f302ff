/** `config …`: profiles made, shown, changed and deleted, and every mistake on the way. */

import assert from "node:assert/strict";
import { opensslFolder, opensslTest, whileValid } from "../fixtures/openssl_certificates.ts";
import { changeProfiles } from "../../src/profiles/profile_store.ts";
import { emulated } from "./emulated.ts";
import { type Result, runCli, runProcess } from "./run_cli.ts";

const clientId = "11111111-2222-4333-8444-555555555555";
const connection = ["--tenant", "contoso.com", "--client-id", clientId];
const made = Date.parse("2026-03-04T05:06:07Z");
const vaultKey = new Uint8Array(32).fill(9).toBase64();

/** A configuration folder, and the program in it with a vault and a clock. */
async function configured() {
  const parent = await Deno.makeTempDir({ prefix: "entratool-config-" });
  const home = `${parent}/home`;
  const run = (argv: readonly string[], options: { vault?: boolean; now?: number } = {}) =>
    runCli(argv, {
      env: {
        ENTRATOOL_HOME: home,
        ...(options.vault === false ? {} : { ENTRATOOL_VAULT_KEY: vaultKey }),
      },
      stdin: "s3cret\n",
      now: options.now ?? made,
      fetch: () => Promise.reject(new Error("a request was sent")),
    });
  return {
    home,
    run,
    create: (name: string, ...flags: readonly string[]) =>
      run(["config", "create", "-p", name, ...connection, ...flags]),
    profiles: async () => JSON.parse(await Deno.readTextFile(`${home}/profiles.json`)),
    async [Symbol.asyncDispose]() {
      await Deno.remove(parent, { recursive: true });
    },
  };
}

/** Exit code and first line, which must stand alone on stderr with its hints. */
function assertFails({ code, stdout, stderr }: Result, exitCode: number, message: RegExp): void {
  assert.deepEqual({ code, stdout }, { code: exitCode, stdout: "" }, stderr);
  assert.match(stderr, message);
  assert.match(stderr, /^error: .*\n(?: {2}.*\n)+$/, "one error with what to do about it");
}

Deno.test("config create writes a profile without its secret, for the user alone", async () => {
  await using test = await configured();
  const { code, stdout, stderr } = await test.create(
    "prod",
    ...["--client-secret-file", "-", "--cloud", "usgov", "-f", "client-credentials"],
    ...["-s", "api://orders/.default"],
  );
  assert.deepEqual({ code, stdout }, { code: 0, stdout: "" }, stderr);
  assert.equal(
    stderr,
    `Made profile "prod" in ${test.home}/profiles.json\n` +
      "  its secret is in the vault\n  try it: entratool get-token -p prod\n",
  );
  assert.deepEqual(await test.profiles(), {
    version: 1,
    profiles: [{
      name: "prod",
      tenantId: "contoso.com",
      clientId,
      cloud: "usgov",
      scopes: ["api://orders/.default"],
      defaultFlow: "ClientCredentials",
      createdAt: "2026-03-04T05:06:07.000Z",
      updatedAt: "2026-03-04T05:06:07.000Z",
      credential: { kind: "client-secret" },
    }],
  });
  if (Deno.build.os === "windows") return;
  const mode = async (path: string) => ((await Deno.stat(path)).mode ?? 0) & 0o777;
  assert.equal(await mode(test.home), 0o700);
  assert.equal(await mode(`${test.home}/profiles.json`), 0o600);
  assert.equal(await mode(`${test.home}/vault`), 0o700);
});

Deno.test("config create takes what it is not told from the environment, and the login host too", async () => {
  await using test = await emulated();
  const created = await runCli(["config", "create", "-p", "local"], { env: test.env });
  assert.equal(created.code, 0, created.stderr);
  const { ENTRATOOL_HOME = "", ENTRATOOL_VAULT_KEY = "" } = test.env;
  const env = { ENTRATOOL_HOME, ENTRATOOL_VAULT_KEY };
  const { code, stdout, stderr } = await runCli(["get-token"], { env });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^eyJ/);
  const alsoWith = await runCli(["get-token", "-p", "local"], { env: test.env });
  assert.equal(alsoWith.code, 0, alsoWith.stderr);
});

Deno.test("config list, show and path print what there is", async () => {
  await using test = await configured();
  await test.create("prod", "--client-secret-file", "-");
  await test.create("bare");
  assert.equal(
    (await test.run(["config", "list"])).stdout,
    [
      "NAME  TENANT       CLIENT ID                             CREDENTIAL     FLOW",
      `prod  contoso.com  ${clientId}  client-secret  automatic`,
      `bare  contoso.com  ${clientId}  none           automatic`,
      "",
    ].join("\n"),
  );
  const { profiles } = await test.profiles();
  const list = await test.run(["config", "list", "-o", "json"]);
  assert.deepEqual(JSON.parse(list.stdout), profiles);
  const shown = await test.run(["config", "show", "-p", "PROD", "-o", "json"]);
  assert.deepEqual(JSON.parse(shown.stdout), profiles[0]);
  const table = await test.run(["config", "show", "-p", "prod"]);
  assert.match(table.stdout, /^FIELD +VALUE\nname +prod\n[^]*credential +kind client-secret\n/);
  assert.equal((await test.run(["config", "path"])).stdout, `${test.home}\n`);
});

Deno.test("config list without profiles prints nothing but a note how to make one", async () => {
  await using test = await configured();
  const { code, stdout, stderr } = await test.run(["config", "list"]);
  assert.deepEqual({ code, stdout }, { code: 0, stdout: "" });
  assert.match(stderr, /entratool config create --help/);
  assert.equal((await test.run(["config", "list", "-o", "json"])).stdout, "[]\n");
});

Deno.test("config show --origin tells where each value comes from", async () => {
  await using test = await configured();
  await test.create("prod", "--client-secret-file", "-");
  const { stdout } = await runCli(["config", "show", "-p", "prod", "--origin", "-o", "json"], {
    env: {
      ENTRATOOL_HOME: test.home,
      AZURE_TENANT_ID: "fabrikam.com",
      ENTRATOOL_TIMEOUT: "90s",
    },
  });
  assert.deepEqual(JSON.parse(stdout), [
    { name: "profile", value: "prod", origin: "--profile" },
    { name: "tenant", value: "fabrikam.com", origin: "AZURE_TENANT_ID" },
    { name: "client-id", value: clientId, origin: "profile prod" },
    { name: "cloud", value: "public", origin: "default" },
    { name: "flow", value: "ClientCredentials", origin: "default" },
    { name: "scope", value: "(Microsoft Graph)", origin: "default" },
    { name: "credential", value: "client secret (in the vault)", origin: "profile prod" },
    { name: "timeout", value: "90s", origin: "ENTRATOOL_TIMEOUT" },
  ]);
});

Deno.test("config edit changes what is given and leaves the rest", async () => {
  await using test = await configured();
  await test.create("prod", "--client-secret-file", "-", "--cloud", "usgov");
  await test.create("other", "--client-secret-file", "-");
  const before = await test.profiles();
  const { code, stderr } = await runCli(
    ["config", "edit", "-p", "Prod", "--tenant", "fabrikam.com", "-f", "DeviceCode"],
    // the environment is no wish to change a profile
    { env: { ENTRATOOL_HOME: test.home, AZURE_TENANT_ID: "x.com", AZURE_CLIENT_SECRET: "x" } },
  );
  assert.equal(code, 0, stderr);
  const rest = before.profiles[0];
  const [edited, other] = (await test.profiles()).profiles;
  assert.deepEqual(edited, {
    ...rest,
    tenantId: "fabrikam.com",
    defaultFlow: "DeviceCode",
    updatedAt: edited.updatedAt,
  });
  assert.ok(edited.updatedAt > rest.updatedAt);
  assert.deepEqual(other, before.profiles[1]);
});

opensslTest("a new credential leaves nothing of the old one in the vault", async () => {
  await using test = await configured();
  const openssl = await opensslFolder();
  const pem = `${openssl.path}/edited.pem`;
  await openssl.write("edited.pem", await openssl.concatenated("app.key", "app.crt"));
  const entries = async () =>
    (await Array.fromAsync(Deno.readDir(`${test.home}/vault/entries`))).length;
  await test.create("prod", "--client-secret-file", "-");
  assert.equal(await entries(), 1);
  const { code, stderr } = await test.run(["config", "edit", "-p", "prod", "--certificate", pem], {
    now: whileValid,
  });
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^Certificate of .*CN=app.*, valid until \d{4}-.*\n {2}thumbprint [0-9A-F]/);
  assert.deepEqual((await test.profiles()).profiles[0].credential, {
    kind: "certificate",
    path: pem,
    passwordInVault: false,
    algorithm: "PS256",
    sendX5c: false,
  });
  assert.equal(await entries(), 0);
});

opensslTest("a certificate that can not be used is not taken into a profile", async () => {
  await using test = await configured();
  const openssl = await opensslFolder();
  await openssl.write(
    "garbage.pem",
    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
  );
  const cases = [["garbage.pem", /can not be read/], ["app.crt", /no private key/], [
    "absent.pem",
    /there is no such file/,
  ]] as const;
  for (const [name, message] of cases) {
    const flags = ["--certificate", `${openssl.path}/${name}`];
    assertFails(await test.create("prod", ...flags), 4, message);
  }
  await assert.rejects(test.profiles(), Deno.errors.NotFound);
});

Deno.test("config delete removes secrets and tokens of that profile only", async () => {
  await using test = await emulated();
  const run = (...argv: string[]) => runCli(argv, { env: test.env });
  for (const name of ["one", "two"]) {
    assert.equal((await run("config", "create", "-p", name)).code, 0);
    assert.equal((await run("get-token", "-p", name)).code, 0);
  }
  const entries = async () =>
    (await Array.fromAsync(Deno.readDir(`${test.home}/vault/entries`))).length;
  assert.equal(await entries(), 4);
  const { code, stdout, stderr } = await run("config", "delete", "-p", "ONE");
  assert.deepEqual({ code, stdout }, { code: 0, stdout: "" }, stderr);
  assert.equal(stderr, 'Deleted profile "ONE" and 1 cached token\n');
  assert.equal(await entries(), 2);
  const requests = test.emulator.requests.length;
  assert.equal((await run("get-token", "-p", "two")).code, 0);
  assert.equal(test.emulator.requests.length, requests, "the other's token is still cached");
  assertFails(await run("get-token", "-p", "one"), 3, /There is no profile "one"/);
});

Deno.test("without a vault no secret is taken, and the message says how to make one", async () => {
  await using test = await configured();
  const create = ["config", "create", "-p", "prod", ...connection, "--client-secret-file", "-"];
  assertFails(
    await test.run(create, { vault: false }),
    7,
    /export ENTRATOOL_VAULT_KEY=\$\(openssl rand -base64 32\)\n.*ENTRATOOL_VAULT_PASSPHRASE=/,
  );
  await assert.rejects(test.profiles(), Deno.errors.NotFound);
  await test.run(create);
  assertFails(
    await test.run(["config", "delete", "-p", "prod"], { vault: false }),
    7,
    /Profile "prod" has a secret in the vault, which is not open/,
  );
  assert.equal((await test.profiles()).profiles.length, 1);
});

const mistakes: readonly (readonly [
  claim: string,
  argv: readonly string[],
  exitCode: number,
  message: RegExp,
])[] = [
  ["a name is needed", ["create", ...connection], 4, /The profile's name is missing/],
  ["a tenant is needed", ["create", "-p", "x", "--client-id", clientId], 4, /needs a tenant/],
  ["a client id is needed", ["create", "-p", "x", "--tenant", "a.com"], 4, /needs a client id/],
  ["a taken name is refused in any case", ["create", "-p", "TAKEN", ...connection], 4, /already/],
  [
    "a client id has to be a GUID",
    ["create", "-p", "x", "--tenant", "a.com", "--client-id", "app"],
    4,
    /is not a GUID/,
  ],
  [
    "a tenant has to be one",
    ["create", "-p", "x", "--tenant", "a b", "--client-id", clientId],
    4,
    /neither a GUID nor a domain/,
  ],
  [
    "an authority has to be https",
    ["create", "-p", "x", ...connection, "--authority", "http://a.com"],
    4,
    /is not https/,
  ],
  [
    "a scope has to fit the flow",
    ["create", "-p", "x", ...connection, "-f", "ClientCredentials", "-s", "User.Read"],
    4,
    /Write -s https:\/\/graph\.microsoft\.com\/\.default/,
  ],
  [
    "client credentials need one tenant",
    ["create", "-p", "x", "--tenant", "common", "--client-id", clientId, "-f", "ClientCredentials"],
    4,
    /need one tenant/,
  ],
  [
    "a flag about a certificate needs one",
    ["create", "-p", "x", ...connection, "--send-x5c"],
    4,
    /--send-x5c is about a certificate, and none is given/,
  ],
  [
    "an edit that passes over a flag is refused",
    ["edit", "-p", "taken", "--tenant", "b.com", "--assertion-algorithm", "RS256"],
    4,
    /--assertion-algorithm is about a certificate/,
  ],
  ["an edit needs a change", ["edit", "-p", "taken"], 4, /No flag says what to change/],
  ["an edit needs a profile", ["edit", "-p", "absent", "--tenant", "b.com"], 3, /There is no/],
  ["show needs a profile", ["show", "-p", "absent"], 3, /There are: taken/],
  [
    "a certificate of a profile has a path",
    ["create", "-p", "x", ...connection, "--certificate", "-"],
    4,
    /standard input has none/,
  ],
  [
    "standard input is read once",
    ["create", "-p", "x", ...connection, "--certificate", "-", "--certificate-password-file", "-"],
    4,
    /^error: --certificate - and --certificate-password-file - exclude each other/,
  ],
  ["delete needs a profile", ["delete", "-p", "absent"], 3, /There are: taken/],
];

for (const [claim, argv, exitCode, message] of mistakes) {
  Deno.test(`${claim}: config ${argv.join(" ")}`, async () => {
    await using test = await configured();
    await test.create("taken");
    const before = await test.profiles();
    assertFails(await test.run(["config", ...argv]), exitCode, message);
    assert.deepEqual(await test.profiles(), before);
  });
}

Deno.test("a name that would need quotes or a path is refused", async () => {
  await using test = await configured();
  const names = [
    " x",
    "a b",
    "../x",
    "a/b",
    ".x",
    "-x",
    "x;y",
    "$x",
    "x\n",
    "x".repeat(65),
    "é\u202e",
  ];
  for (const name of names) {
    assertFails(await test.create(name), 4, /can not be a profile's name/);
  }
  for (const name of ["x", "é", "日本", "user@contoso.com", "a_b-c.d+e", "x".repeat(64)]) {
    const { code, stderr } = await test.create(name);
    assert.equal(code, 0, stderr);
  }
});

const profile = {
  name: "a",
  tenantId: "a.com",
  clientId,
  createdAt: "2026-01-01T00:00:00Z",
  updatedAt: "2026-01-01T00:00:00Z",
};
const file = (...profiles: readonly object[]) => JSON.stringify({ version: 1, profiles });
const certificate = {
  kind: "certificate",
  path: "/a.pem",
  passwordInVault: false,
  algorithm: "PS256",
  sendX5c: false,
};

const unreadable: readonly (readonly [claim: string, content: string | Uint8Array, why: RegExp])[] =
  [
    ["empty", "", /is not valid JSON/],
    ["cut off", file(profile).slice(0, -5), /is not valid JSON/],
    ["not UTF-8", new Uint8Array([0x7b, 0xff, 0x7d]), /is not valid JSON/],
    ["of a newer version", '{"version":2,"profiles":[]}', /by a newer version .*\n {2}Update/],
    ["without a version", '{"profiles":[]}', /needs "version": 1 and a list "profiles"/],
    ["without profiles", '{"version":1}', /needs "version": 1 and a list "profiles"/],
    ["null", "null", /is not a profiles file/],
    ["a list", "[]", /is not a profiles file/],
    ["another program's", '{"name":"x","version":"1.0.0"}', /is not a profiles file/],
    ["with a profile that is a string", file([]), /position 1: the profile is not an object/],
    ["with a missing field", file({ ...profile, clientId: undefined }), /"clientId" is missing/],
    ["with a wrong type", file({ ...profile, scopes: "x" }), /"scopes" is not a list of strings/],
    ["with a bad name", file({ ...profile, name: "../x" }), /"name" is not a profile name/],
    ["with an unknown cloud", file({ ...profile, cloud: "mars" }), /"cloud" has an unknown value/],
    ["with a misspelt field", file({ ...profile, scope: ["x"] }), /not known: "scope"/],
    ["with one name twice", file(profile, { ...profile, name: "A" }), /position 2: "name" is the/],
    [
      "with an unknown credential",
      file({ ...profile, credential: { kind: "password" } }),
      /"credential.kind" is unknown/,
    ],
    [
      "with a bad certificate",
      file({ ...profile, credential: { ...certificate, algorithm: "none" } }),
      /"credential.algorithm" is unknown/,
    ],
    [
      "with a secret in it",
      file({ ...profile, credential: { kind: "client-secret", secret: "x" } }),
      /not known: "secret"/,
    ],
  ];

for (const [claim, content, why] of unreadable) {
  Deno.test(`a profiles.json that is ${claim} is reported with its path and left alone`, async () => {
    await using test = await configured();
    await Deno.mkdir(test.home);
    const path = `${test.home}/profiles.json`;
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    await Deno.writeFile(path, bytes);
    const runs = [
      ["list"],
      ["show", "-p", "a"],
      ["create", "-p", "b", ...connection],
      ["edit", "-p", "a", "--tenant", "b.com"],
      ["delete", "-p", "a"],
    ];
    for (const argv of runs) {
      const result = await test.run(["config", ...argv]);
      assertFails(result, 7, why);
      assert.ok(result.stderr.startsWith(`error: ${path} `), result.stderr);
    }
    assertFails(await test.run(["get-token"]), 7, why);
    assert.deepEqual(await Deno.readFile(path), bytes);
  });
}

Deno.test("a folder in the place of profiles.json is reported with its path", async () => {
  await using test = await configured();
  await Deno.mkdir(`${test.home}/profiles.json`, { recursive: true });
  assertFails(await test.run(["config", "list"]), 7, /profiles\.json can not be read: /);
  assertFails(await test.create("x"), 7, /profiles\.json can not be read: /);
});

Deno.test("a configuration folder that can not be made is reported", async () => {
  await using test = await configured();
  await Deno.writeTextFile(test.home, "a file in its place");
  const { code, stdout, stderr } = await test.create("x");
  assert.deepEqual({ code, stdout }, { code: 7, stdout: "" });
  assert.match(stderr, /profiles\.json can not be (?:read|written): /);
  await Deno.remove(test.home);
});

Deno.test("processes that make profiles at once lose none", async () => {
  await using test = await configured();
  const names = Array.from({ length: 12 }, (_, index) => `profile-${index}`);
  const results = await Promise.all(
    names.map((name) =>
      runProcess(["config", "create", "-p", name, ...connection, "--client-secret-file", "-"], {
        env: { ENTRATOOL_HOME: test.home, ENTRATOOL_VAULT_KEY: vaultKey },
        stdin: name,
      })
    ),
  );
  assert.deepEqual(results.filter(({ code }) => code !== 0), []);
  const { profiles } = await test.profiles();
  assert.deepEqual(profiles.map(({ name }: { name: string }) => name).sort(), names.toSorted());
  const files = await Array.fromAsync(Deno.readDir(test.home), ({ name }) => name);
  assert.deepEqual(files.filter((name) => name.endsWith(".tmp")), []);
});

Deno.test("config show without a name shows the profile that get-token would use", async () => {
  await using test = await configured();
  const none = await test.run(["config", "show"]);
  assertFails(none, 3, /There are no profiles yet/);
  await test.create("only");
  assert.match((await test.run(["config", "show"])).stdout, /^name +only$/m);
  await test.create("other");
  assertFails(await test.run(["config", "show"]), 3, /There are 2 profiles/);
  const inUse = await runCli(["config", "show"], {
    env: { ENTRATOOL_HOME: test.home, AZURE_TENANT_ID: "a.com", AZURE_CLIENT_ID: clientId },
  });
  assertFails(inUse, 3, /No profile is in use/);
});

Deno.test("an empty value removes what the profile has", async () => {
  await using test = await configured();
  await test.create(
    "prod",
    ...["--client-secret-file", "-", "-s", "api://orders/.default", "-f", "ClientCredentials"],
    ...["--redirect-uri", "http://localhost:8400/cb", "--pin-account", "ada@contoso.com"],
    ...["--pin-tenant", clientId, "--cloud", "public"],
  );
  const shown = (await test.run(["config", "show", "-p", "prod"])).stdout;
  for (const name of ["redirectUri", "pinnedAccount", "pinnedTenant"]) {
    assert.match(shown, new RegExp(`^${name} `, "m"));
  }
  const empty = ["scope", "flow", "redirect-uri", "pin-account", "pin-tenant", "cloud"]
    .flatMap((name) => [`--${name}`, ""]);
  const { code, stderr } = await test.run(["config", "edit", "-p", "prod", ...empty]);
  assert.equal(code, 0, stderr);
  const entries = async () =>
    (await Array.fromAsync(Deno.readDir(`${test.home}/vault/entries`))).length;
  const [{ updatedAt: _, ...bare }] = (await test.profiles()).profiles;
  assert.deepEqual(bare, {
    name: "prod",
    tenantId: "contoso.com",
    clientId,
    createdAt: "2026-03-04T05:06:07.000Z",
    credential: { kind: "client-secret" },
  });
  assert.equal(await entries(), 1);
  const edited = await test.run(["config", "edit", "-p", "prod", "--client-secret-file", ""]);
  assert.equal(edited.code, 0, edited.stderr);
  assert.equal((await test.profiles()).profiles[0].credential, undefined);
  assert.equal(await entries(), 0);
});

const elsewhere = [
  ["--client-id", "99999999-2222-4333-8444-555555555555"],
  ["--cloud", "usgov"],
  ["--authority", "https://login.example"],
] as const;

for (const [flag, value] of elsewhere) {
  Deno.test(`config edit ${flag} does not lead a profile's secret elsewhere`, async () => {
    await using test = await configured();
    await test.create("prod", "--client-secret-file", "-");
    const before = await test.profiles();
    const edit = ["config", "edit", "-p", "prod", flag, value];
    assertFails(
      await test.run(edit),
      4,
      /the client secret of profile "prod" would be sent elsewhere\n.*--client-secret-file PATH/,
    );
    assert.deepEqual(await test.profiles(), before);
    const withSecret = await test.run([...edit, "--client-secret-file", "-"]);
    assert.equal(withSecret.code, 0, withSecret.stderr);
    const same = await test.run(["config", "edit", "-p", "prod", flag, value, "-f", "DeviceCode"]);
    assert.equal(same.code, 0, "what the profile says already leads nowhere else");
  });
}

opensslTest("config edit changes how a certificate is used without naming it again", async () => {
  await using test = await configured();
  const openssl = await opensslFolder();
  const pem = `${openssl.path}/again.pem`;
  await openssl.write("again.pem", await openssl.concatenated("app.key", "app.crt"));
  const run = async (...argv: string[]) => {
    const { code, stderr } = await test.run(argv, { now: whileValid });
    assert.equal(code, 0, stderr);
    return (await test.profiles()).profiles[0].credential;
  };
  const made = await run("config", "create", "-p", "prod", ...connection, "--certificate", pem);
  const edit = (...flags: string[]) => run("config", "edit", "-p", "prod", ...flags);
  assert.deepEqual(await edit("--send-x5c"), { ...made, sendX5c: true });
  assert.deepEqual(await edit("--assertion-algorithm", "RS256"), {
    ...made,
    sendX5c: true,
    algorithm: "RS256",
  });
  assert.deepEqual(await edit("--certificate", pem), {
    ...made,
    sendX5c: true,
    algorithm: "RS256",
  });
  assert.deepEqual(await edit("--no-send-x5c"), { ...made, algorithm: "RS256" });
  assert.deepEqual(await edit("--certificate-password-file", "-"), {
    ...made,
    algorithm: "RS256",
    passwordInVault: true,
  });
});

opensslTest(
  "a certificate in place of a secret leaves none in the vault, and both thumbprints are shown",
  async () => {
    await using test = await configured();
    const openssl = await opensslFolder();
    const pem = `${openssl.path}/kept.pem`;
    await openssl.write("kept.pem", await openssl.concatenated("app.key", "app.crt"));
    await test.create("prod", "--client-secret-file", "-");
    const entries = async () =>
      (await Array.fromAsync(Deno.readDir(`${test.home}/vault/entries`))).length;
    assert.equal(await entries(), 1);
    const { code, stderr } = await test.run(
      ["config", "edit", "-p", "prod", "--certificate", pem],
      {
        now: whileValid,
      },
    );
    assert.equal(code, 0, stderr);
    assert.match(stderr, /SHA-1.*\n.*SHA-256/);
    assert.equal(await entries(), 0);
  },
);

Deno.test("no secret is asked for when the name is taken or the rest is wrong", async () => {
  await using test = await configured();
  await test.create("prod");
  const ask = (argv: readonly string[]) =>
    runCli(argv, {
      env: { ENTRATOOL_HOME: test.home, ENTRATOOL_VAULT_KEY: vaultKey },
      stdin: "s3cret\n",
      terminals: ["stdin", "stderr"],
    });
  const secret = ["--client-secret-file", "-"];
  const taken = await ask(["config", "create", "-p", "prod", ...connection, ...secret]);
  assertFails(taken, 4, /There is a profile "prod" already/);
  const wrong = await ask(["config", "edit", "-p", "prod", "--client-id", "no", ...secret]);
  assertFails(wrong, 4, /is not a GUID/);
});

Deno.test("a secret is asked for at a terminal, once and without an echo", async () => {
  await using test = await configured();
  const create = ["config", "create", "-p", "prod", ...connection, "--client-secret-file", "-"];
  const options = {
    env: { ENTRATOOL_HOME: test.home, ENTRATOOL_VAULT_KEY: vaultKey },
    terminals: ["stdin", "stderr"],
  } as const;
  const cancelled = await runCli(create, options);
  assert.deepEqual([cancelled.code, cancelled.stdout], [130, ""]);
  const { code, stdout, stderr } = await runCli(create, { ...options, stdin: "typed-secret\n" });
  assert.deepEqual([code, stdout], [0, ""]);
  assert.match(stderr, /^Client secret: Made profile "prod"/);
  assert.doesNotMatch(stderr, /typed-secret/);
});

Deno.test("a secret with a line break in it is refused", async () => {
  await using test = await configured();
  const create = ["config", "create", "-p", "prod", ...connection, "--client-secret-file", "-"];
  const result = await runCli(create, {
    env: { ENTRATOOL_HOME: test.home, ENTRATOOL_VAULT_KEY: vaultKey },
    stdin: "first-line\nsecond-line\n",
  });
  assertFails(result, 4, /The client secret has a line break in it/);
  assert.doesNotMatch(result.stderr, /first-line|second-line/);
});

Deno.test("what is no longer needed is removed after the profiles are written", async () => {
  await using test = await configured();
  await test.create("prod");
  let seen: unknown;
  await changeProfiles(test.home, () => Promise.resolve([]), {
    afterwards: async () => void (seen = await test.profiles()),
  });
  assert.deepEqual(seen, { version: 1, profiles: [] });
});

Deno.test("a wait for another process that changes profiles comes to an end", async () => {
  await using test = await configured();
  await test.create("prod");
  using held = await Deno.open(`${test.home}/profiles.json.lock`, { write: true });
  await held.lock(true);
  const begin = Date.now();
  await assert.rejects(
    changeProfiles(test.home, (profiles) => Promise.resolve(profiles), { patience: 100 }),
    /Another process has been changing .*profiles\.json for 0\.1 seconds/,
  );
  assert.ok(Date.now() - begin < 5000);
});
