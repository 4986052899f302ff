/** Which value is used when several are given: seen in the request that is sent. */

import assert from "node:assert/strict";
import type { HttpRequest } from "../../src/host.ts";
import { runCli } from "./run_cli.ts";

const ids = {
  flag: "11111111-1111-4111-8111-111111111111",
  environment: "22222222-2222-4222-8222-222222222222",
  file: "33333333-3333-4333-8333-333333333333",
  profile: "44444444-4444-4444-8444-444444444444",
};

const vaultKey = new Uint8Array(32).fill(7).toBase64();

/** A folder with these profiles; the secret of each is its name with `-secret` behind it. */
async function homeWith(...profiles: readonly Readonly<Record<string, unknown>>[]) {
  const path = await Deno.makeTempDir({ prefix: "entratool-settings-" });
  for (const { name, tenantId, clientId, ...rest } of profiles) {
    const { code, stderr } = await runCli(
      ["config", "create", "-p", `${name}`, "--client-secret-file", "-"]
        .concat("--tenant", `${tenantId ?? "profile.example"}`)
        .concat("--client-id", `${clientId ?? ids.profile}`)
        .concat(Object.entries(rest).flatMap(([flag, value]) => [`--${flag}`, `${value}`])),
      {
        env: { ENTRATOOL_HOME: path, ENTRATOOL_VAULT_KEY: vaultKey },
        stdin: `${name}-secret`,
      },
    );
    assert.equal(code, 0, stderr);
  }
  return {
    path,
    async [Symbol.asyncDispose]() {
      await Deno.remove(path, { recursive: true });
    },
  };
}

/** Runs get-token with a network that answers nothing useful, and returns what was sent to it. */
async function sent(
  argv: readonly string[],
  { home, env }: { readonly home: string; readonly env?: Readonly<Record<string, string>> },
) {
  const requests: HttpRequest[] = [];
  const result = await runCli(["get-token", ...argv], {
    env: { ENTRATOOL_HOME: home, ENTRATOOL_VAULT_KEY: vaultKey, ...env },
    fetch: (request) => {
      requests.push(request);
      return Promise.resolve(Response.json({ error: "invalid_request" }, { status: 400 }));
    },
  });
  assert.equal(result.stdout, "");
  const [request] = requests;
  const url = request && new URL(request.url);
  const form = new URLSearchParams(request?.body);
  return {
    ...result,
    requests,
    host: url?.host,
    tenant: url?.pathname.split("/")[1],
    clientId: form.get("client_id"),
    secret: form.get("client_secret"),
    scope: form.get("scope"),
    ca: request?.caCertificates,
  };
}

/** For each setting: how each level gives it, and what is then sent. */
const settings: readonly {
  readonly name: "tenant" | "clientId" | "secret" | "scope" | "host";
  readonly flag: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly profile: Readonly<Record<string, string>>;
  readonly sent: Readonly<Record<"flag" | "environment" | "profile", string>>;
  readonly fallback?: string;
}[] = [
  {
    name: "tenant",
    flag: ["--tenant", "flag.example"],
    environment: { AZURE_TENANT_ID: "environment.example" },
    profile: { tenantId: "profile.example" },
    sent: { flag: "flag.example", environment: "environment.example", profile: "profile.example" },
  },
  {
    name: "clientId",
    flag: ["--client-id", ids.flag, "--client-secret", "s3cret"],
    environment: { AZURE_CLIENT_ID: ids.environment, AZURE_CLIENT_SECRET: "s3cret" },
    profile: { clientId: ids.profile },
    sent: ids,
  },
  {
    name: "secret",
    flag: ["--client-secret", "flag-secret"],
    // the secret of an app that the environment names
    environment: { AZURE_CLIENT_SECRET: "environment-secret", AZURE_CLIENT_ID: ids.profile },
    profile: {},
    sent: { flag: "flag-secret", environment: "environment-secret", profile: "chosen-secret" },
  },
  {
    name: "scope",
    flag: ["-s", "api://flag/.default"],
    environment: { ENTRATOOL_SCOPE: "api://environment/.default" },
    profile: { scope: "api://profile/.default" },
    sent: {
      flag: "api://flag/.default",
      environment: "api://environment/.default",
      profile: "api://profile/.default",
    },
    fallback: "https://graph.microsoft.com/.default",
  },
  {
    name: "host",
    flag: ["--cloud", "usgov", "--client-secret", "s3cret"],
    environment: {
      ENTRATOOL_CLOUD: "china",
      AZURE_CLIENT_ID: ids.profile,
      AZURE_CLIENT_SECRET: "s3cret",
    },
    profile: { cloud: "france" },
    sent: {
      flag: "login.microsoftonline.us",
      environment: "login.partner.microsoftonline.cn",
      profile: "login.sovcloud-identity.fr",
    },
    fallback: "login.microsoftonline.com",
  },
  {
    name: "host",
    flag: ["--authority", "https://flag.example", "--client-secret", "s3cret"],
    environment: {
      AZURE_AUTHORITY_HOST: "https://environment.example",
      AZURE_CLIENT_ID: ids.profile,
      AZURE_CLIENT_SECRET: "s3cret",
    },
    profile: { authority: "https://profile.example" },
    sent: { flag: "flag.example", environment: "environment.example", profile: "profile.example" },
    fallback: "login.microsoftonline.com",
  },
];

for (const { name, flag, environment, profile, sent: expected, fallback } of settings) {
  Deno.test(`${name} comes from ${flag[0]}, then ${Object.keys(environment)[0]}, then the profile`, async () => {
    await using test = await homeWith({ name: "chosen", ...profile }, { name: "other" });
    const home = test.path;
    const all = await sent(["-p", "chosen", ...flag], { home, env: environment });
    assert.equal(all[name], expected.flag, all.stderr);
    const withoutFlag = await sent(["-p", "chosen"], { home, env: environment });
    assert.equal(withoutFlag[name], expected.environment, withoutFlag.stderr);
    const ofProfile = await sent(["-p", "chosen"], { home });
    assert.equal(ofProfile[name], expected.profile, ofProfile.stderr);
    if (fallback !== undefined) {
      assert.equal((await sent(["-p", "other"], { home }))[name], fallback);
    }
    const empty = Object.fromEntries(Object.keys(environment).map((variable) => [variable, ""]));
    const withEmpty = await sent(["-p", "chosen"], { home, env: empty });
    assert.equal(withEmpty[name], expected.profile, "an empty variable counts as not set");
  });
}

Deno.test("the environment's secret is not sent for a profile's app that has its own", async () => {
  await using test = await homeWith({ name: "only" });
  const env = { AZURE_CLIENT_SECRET: "of-another-app" };
  const { secret, stderr } = await sent(["-p", "only"], { home: test.path, env });
  assert.equal(secret, "only-secret");
  assert.match(stderr, /^warning: AZURE_CLIENT_SECRET is not used: /);
});

Deno.test("a CA file is read from --ca-file, then ENTRATOOL_CA_FILE", async () => {
  await using test = await homeWith({ name: "only" });
  const file = async (name: string) => {
    const path = `${test.path}/${name}.pem`;
    await Deno.writeTextFile(path, `-----BEGIN CERTIFICATE-----\n${name}\n`);
    return path;
  };
  const env = { ENTRATOOL_CA_FILE: await file("environment") };
  const flag = ["--ca-file", await file("flag")];
  const first = async (argv: readonly string[], variables: Readonly<Record<string, string>>) =>
    (await sent(argv, { home: test.path, env: variables })).ca?.join().match(/\n(\w+)\n/)?.[1];
  assert.equal(await first(flag, env), "flag");
  assert.equal(await first([], env), "environment");
  assert.equal(await first([], {}), undefined);
});

Deno.test("the time limit comes from --timeout, then ENTRATOOL_TIMEOUT, then is a minute", async () => {
  await using test = await homeWith({ name: "only" });
  const cases: readonly (readonly [readonly string[], Readonly<Record<string, string>>, string])[] =
    [
      [["--timeout", "5s"], { ENTRATOOL_TIMEOUT: "2m" }, "5"],
      [[], { ENTRATOOL_TIMEOUT: "2m" }, "120"],
      [[], { ENTRATOOL_TIMEOUT: "" }, "60"],
    ];
  for (const [argv, env, seconds] of cases) {
    const waits = (retryAfter: number) =>
      runCli(["get-token", "--verbose", ...argv], {
        env: { ENTRATOOL_HOME: test.path, ENTRATOOL_VAULT_KEY: vaultKey, ...env },
        fetch: () =>
          Promise.resolve(
            new Response("{}", { status: 429, headers: { "retry-after": `${retryAfter}` } }),
          ),
      });
    const limit = Number(seconds);
    assert.notDeepEqual((await waits(limit - 1)).host.sleeps, [], `less than ${seconds} s`);
    assert.deepEqual((await waits(limit)).host.sleeps, [], `${seconds} s`);
  }
});

Deno.test("a malformed variable is named, and its value is not repeated", async () => {
  await using test = await homeWith({ name: "only" });
  for (const name of ["ENTRATOOL_FLOW", "ENTRATOOL_CLOUD", "ENTRATOOL_TIMEOUT"]) {
    const env = { [name]: "s3cret in the wrong place" };
    const { code, stderr, requests } = await sent([], { home: test.path, env });
    assert.deepEqual({ code, requests }, { code: 4, requests: [] });
    assert.match(stderr, new RegExp(`^error: ${name}: the value is not `));
    assert.match(stderr, new RegExp(`unset ${name}`));
    assert.doesNotMatch(stderr, /s3cret/);
  }
});

Deno.test("--env-file lies beneath the real environment and above the profile", async () => {
  await using test = await homeWith({ name: "only" });
  const path = `${test.path}/settings.env`;
  await Deno.writeTextFile(
    path,
    [
      "# made by hand",
      `AZURE_CLIENT_ID=${ids.file}`,
      "export AZURE_TENANT_ID='file.example' # quoted",
      'AZURE_CLIENT_SECRET="file secret=1"',
      "ENTRATOOL_SCOPE=",
      "",
      'ENTRATOOL_NOTE="two',
      'lines"',
    ].join("\n"),
  );
  const home = test.path;
  const fromFile = await sent(["--env-file", path], { home });
  assert.deepEqual(
    [fromFile.clientId, fromFile.tenant, fromFile.secret, fromFile.scope],
    [ids.file, "file.example", "file secret=1", "https://graph.microsoft.com/.default"],
  );
  const env = { AZURE_CLIENT_ID: ids.environment, AZURE_TENANT_ID: "" };
  const mixed = await sent(["--env-file", path], { home, env });
  assert.deepEqual([mixed.clientId, mixed.tenant], [ids.environment, "file.example"]);
  assert.equal((await sent([], { home })).clientId, ids.profile, "no file is read unasked");
});

Deno.test("an --env-file that is not there is an error", async () => {
  for (const path of ["/nowhere/settings.env", "/"]) {
    const { code, stdout, stderr } = await runCli(["get-token", "--env-file", path]);
    assert.deepEqual({ code, stdout }, { code: 4, stdout: "" });
    assert.match(stderr, /The file of --env-file can not be read: \//);
  }
});

Deno.test("the profile is the one named, else default, else the only one", async () => {
  await using one = await homeWith({ name: "alone" });
  await using three = await homeWith({ name: "first" }, { name: "Default" }, { name: "third" });
  const secretOf = async (home: string, argv: readonly string[], env = {}) =>
    (await sent(argv, { home, env })).secret;
  assert.equal(await secretOf(one.path, []), "alone-secret");
  assert.equal(await secretOf(three.path, []), "Default-secret");
  assert.equal(await secretOf(three.path, ["-p", "FIRST"]), "first-secret");
  assert.equal(await secretOf(three.path, [], { ENTRATOOL_PROFILE: "third" }), "third-secret");
  const both = { ENTRATOOL_PROFILE: "third" };
  assert.equal(await secretOf(three.path, ["-p", "first"], both), "first-secret");
});

Deno.test("no profile is used when tenant and client are known without", async () => {
  await using test = await homeWith({ name: "default", scope: "api://profile/.default" });
  const env = {
    AZURE_TENANT_ID: "environment.example",
    AZURE_CLIENT_ID: ids.environment,
    AZURE_CLIENT_SECRET: "environment-secret",
  };
  const { clientId, scope } = await sent([], { home: test.path, env });
  assert.deepEqual([clientId, scope], [ids.environment, "https://graph.microsoft.com/.default"]);
  const named = await sent(["-p", "default"], { home: test.path, env });
  assert.equal(named.scope, "api://profile/.default");
});

Deno.test("of several profiles one has to be named: exit code 3 lists them", async () => {
  await using test = await homeWith({ name: "one" }, { name: "two" });
  const unnamed = await sent([], { home: test.path });
  assert.deepEqual([unnamed.code, unnamed.requests], [3, []]);
  assert.equal(
    unnamed.stderr,
    'error: There are 2 profiles, none of them named "default"\n  Choose one with -p: one, two\n',
  );
  for (const argv of [["-p", "three"], []]) {
    const env = { ENTRATOOL_PROFILE: "three" };
    const unknown = await sent(argv, { home: test.path, env });
    assert.deepEqual([unknown.code, unknown.requests], [3, []]);
    assert.equal(unknown.stderr, 'error: There is no profile "three"\n  There are: one, two\n');
  }
});

Deno.test("without any profile the settings that are missing are named", async () => {
  await using test = await homeWith();
  const { code, stderr } = await sent(["--tenant", "contoso.com"], { home: test.path });
  assert.equal(code, 4);
  assert.match(stderr, /^error: Nothing says which client id \(--client-id\) to use\n/);
});

const elsewhere: readonly (readonly [
  name: string,
  argv: readonly string[],
  env?: Readonly<Record<string, string>>,
])[] = [
  ["--client-id", ["--client-id", ids.flag]],
  ["--authority", ["--authority", "https://evil.example"]],
  ["--cloud", ["--cloud", "china"]],
  ["AZURE_CLIENT_ID", [], { AZURE_CLIENT_ID: ids.environment }],
  ["AZURE_AUTHORITY_HOST", [], { AZURE_AUTHORITY_HOST: "https://evil.example" }],
  ["ENTRATOOL_CLOUD", [], { ENTRATOOL_CLOUD: "usgov" }],
];

for (const [name, argv, env = {}] of elsewhere) {
  Deno.test(`a profile's secret is never sent where ${name} points`, async () => {
    await using test = await homeWith({ name: "only" });
    const overridden = await sent(["-p", "only", ...argv], { home: test.path, env });
    assert.deepEqual([overridden.code, overridden.requests], [4, []]);
    assert.match(
      overridden.stderr,
      new RegExp(`^error: ${name} overrides profile "only", whose credential must not be sent`),
    );
    const owned = await sent(["-p", "only", ...argv, "--client-secret", "own-secret"], {
      home: test.path,
      env,
    });
    assert.equal(owned.secret, "own-secret");
  });
}

Deno.test("a profile's secret is not sent to the authority when only a cloud is its own", async () => {
  await using test = await homeWith({ name: "only", cloud: "usgov" });
  const other = await sent(["--authority", "https://login.microsoftonline.us"], {
    home: test.path,
  });
  assert.deepEqual([other.code, other.requests], [4, []]);
  const same = await sent(["--cloud", "usgov", "--client-id", ids.profile], { home: test.path });
  assert.equal(same.secret, "only-secret", "naming what the profile says anyway is no override");
});

const conflicts: readonly (readonly [argv: string, names: string, env?: Record<string, string>])[] =
  [
    ["--force --no-cache", "--force and --no-cache"],
    ["--cloud public --authority https://a.example", "--cloud and --authority"],
    ["--client-secret s3cret --client-secret-file f", "--client-secret-file and --client-secret"],
    ["--client-secret s3cret --certificate f", "--client-secret and --certificate"],
    ["--client-secret-file - --certificate f", "--client-secret-file and --certificate"],
    ["", "ENTRATOOL_CLOUD and AZURE_AUTHORITY_HOST", {
      ENTRATOOL_CLOUD: "public",
      AZURE_AUTHORITY_HOST: "https://a.example",
    }],
  ];

for (const [argv, names, env = {}] of conflicts) {
  Deno.test(`${names} exclude each other`, async () => {
    await using test = await homeWith();
    const { code, stderr, requests } = await sent(argv.split(" ").filter(Boolean), {
      home: test.path,
      env: { AZURE_TENANT_ID: "a.example", AZURE_CLIENT_ID: ids.environment, ...env },
    });
    assert.deepEqual({ code, requests }, { code: 4, requests: [] });
    assert.match(stderr, new RegExp(`^error: ${names} exclude each other\n`, "m"));
  });
}

Deno.test("--emulator tolerates nothing that it brings itself", async () => {
  const extras = [
    ["--profile", "x"],
    ["--tenant", "x"],
    ["--client-id", "x"],
    ["--client-secret-file", "x"],
    ["--client-secret", "s3cret"],
    ["--certificate", "x"],
    ["--certificate-password-file", "x"],
    ["--send-x5c"],
    ["--cloud", "public"],
    ["--authority", "https://x.example"],
    ["--env-file", "x"],
    ["--account", "x"],
    ["--claims", "{}"],
    ["--redirect-uri", "http://localhost"],
    ["--domain-hint", "x"],
    ["--ca-file", "x"],
    ["--force"],
  ];
  for (const extra of extras) {
    const { code, stdout, stderr } = await runCli(["get-token", "--emulator", ...extra]);
    assert.deepEqual({ code, stdout }, { code: 4, stdout: "" }, stderr);
    assert.match(stderr, new RegExp(`so ${extra[0]} has no place\n`));
  }
});

Deno.test("what only concerns a certificate is refused beside a secret or nothing", async () => {
  await using test = await homeWith();
  const env = { AZURE_TENANT_ID: "a.example", AZURE_CLIENT_ID: ids.environment };
  const flags = [
    ["--certificate-password-file", "f"],
    ["--assertion-algorithm", "RS256"],
    ["--send-x5c"],
  ];
  for (const flag of flags) {
    for (const AZURE_CLIENT_SECRET of ["", "s3cret"]) {
      const { code, stderr, requests } = await sent(flag, {
        home: test.path,
        env: { ...env, AZURE_CLIENT_SECRET },
      });
      assert.deepEqual({ code, requests }, { code: 4, requests: [] });
      assert.match(stderr, new RegExp(`^error: ${flag[0]} is about a certificate, and `));
    }
  }
});

Deno.test("a secret on the command line is warned of, and no other", async () => {
  await using test = await homeWith({ name: "only" });
  const warned = await sent(["--client-secret", "s3cret"], { home: test.path });
  assert.match(warned.stderr, /^warning: Other users of this machine can read --client-secret /);
  assert.doesNotMatch((await sent([], { home: test.path })).stderr, /warning/);
});

Deno.test("a line of --env-file that is no assignment is named and not repeated", async () => {
  await using test = await homeWith({ name: "only" });
  const path = `${test.path}/broken.env`;
  const broken: readonly (readonly [content: string | Uint8Array, message: RegExp])[] = [
    ["A=1\n\nhunter2\n", /^error: Line 3 of the file of --env-file is no assignment: /],
    ["A='1\n2'\nhunter2", /^error: Line 3 /],
    ["A=hunter2\0", /^error: Line 1 /],
    [new Uint8Array([0xff, 0xfe, 0x41]), /^error: The file of --env-file is not UTF-8 text: /],
  ];
  for (const [content, message] of broken) {
    await Deno.writeFile(
      path,
      typeof content === "string" ? new TextEncoder().encode(content) : content,
    );
    const { code, stderr, requests } = await sent(["--env-file", path], { home: test.path });
    assert.deepEqual({ code, requests }, { code: 4, requests: [] });
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, /hunter2/);
  }
});

Deno.test("who names a profile is told of each variable that overrides it", async () => {
  await using test = await homeWith({ name: "only" });
  const env = {
    AZURE_TENANT_ID: "environment.example",
    AZURE_CLIENT_ID: ids.environment,
    AZURE_CLIENT_SECRET: "environment-secret",
    ENTRATOOL_CLOUD: "usgov",
  };
  const named = await sent(["-p", "only"], { home: test.path, env });
  assert.deepEqual(
    named.stderr.match(/^warning: \w+ overrides/gm),
    Object.keys(env).map((name) => `warning: ${name} overrides`).toSorted((a, b) => {
      const order = ["TENANT", "CLIENT_ID", "CLOUD", "SECRET"];
      const rank = (text: string) => order.findIndex((each) => text.includes(each));
      return rank(a) - rank(b);
    }),
  );
  const chosen = { ...env, ENTRATOOL_PROFILE: "only" };
  assert.doesNotMatch((await sent([], { home: test.path, env: chosen })).stderr, /warning/);
  const same = { AZURE_TENANT_ID: "profile.example", AZURE_CLIENT_ID: ids.profile };
  const agreeing = await sent(["-p", "only"], { home: test.path, env: same });
  assert.doesNotMatch(agreeing.stderr, /warning/);
});

Deno.test("a file that is not there is refused, though a cached token needs none", async () => {
  await using test = await homeWith();
  const absent = `${test.path}/absent`;
  for (const flag of ["--client-secret-file", "--certificate"]) {
    const { code, stderr } = await sent(
      ["--tenant", "a.example", "--client-id", ids.flag, flag, absent],
      { home: test.path },
    );
    assert.equal(code, 4);
    assert.match(
      stderr,
      /^error: The (?:client secret|certificate) can not be read from .*: there is no such file/,
    );
  }
});

Deno.test("a huge value is not repeated whole", async () => {
  await using test = await homeWith();
  const huge = "x".repeat(100_000);
  const { code, stderr } = await sent([
    "--tenant",
    huge,
    "--client-id",
    ids.flag,
    "-f",
    "ClientCredentials",
    "--client-secret",
    "s3cret",
  ], {
    home: test.path,
  });
  assert.equal(code, 4);
  assert.ok(stderr.length < 2000, `${stderr.length}`);
});
