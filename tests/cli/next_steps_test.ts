/** What is said after a failure fits to where the settings came from, and can be typed. */

import assert from "node:assert/strict";
import { runCli } from "./run_cli.ts";

const clientId = "11111111-2222-4333-8444-555555555555";
const vaultKey = new Uint8Array(32).fill(3).toBase64();
const connection = ["--tenant", "contoso.com", "--client-id", clientId];

/** A folder with a profile, and the program in it; Entra refuses every request with this code. */
async function refused(code: number) {
  const home = await Deno.makeTempDir({ prefix: "entratool-steps-" });
  const run = (argv: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    runCli(argv, {
      env: { ENTRATOOL_HOME: home, ENTRATOOL_VAULT_KEY: vaultKey, ...env },
      stdin: "s3cret\n",
      fetch: () =>
        Promise.resolve(
          Response.json(
            {
              error: "invalid_client",
              error_codes: [code],
              error_description: `AADSTS${code}: no`,
            },
            { status: 401 },
          ),
        ),
    });
  const create = ["config", "create", "-p", "prod", ...connection, "--client-secret-file", "-"];
  assert.equal((await run(create)).code, 0);
  return {
    run,
    async [Symbol.asyncDispose]() {
      await Deno.remove(home, { recursive: true });
    },
  };
}

const wrongSecret: readonly (readonly [
  claim: string,
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  hint: string,
])[] = [
  ["a profile", ["-p", "prod"], {}, "entratool config edit -p prod --client-secret-file PATH"],
  [
    "a variable",
    [],
    { AZURE_TENANT_ID: "a.com", AZURE_CLIENT_ID: clientId, AZURE_CLIENT_SECRET: "wr0ng" },
    "Correct AZURE_CLIENT_SECRET, which it came from",
  ],
  [
    "a flag",
    [...connection, "--client-secret-file", "-", "-s", "api://orders/.default"],
    {},
    `entratool get-token --tenant contoso.com --client-id ${clientId} -s api://orders/.default ` +
    "--client-secret-file PATH",
  ],
  [
    "a flag beside a profile",
    ["-p", "prod", "--client-secret", "wr0ng"],
    {},
    "entratool get-token -p prod --client-secret-file PATH",
  ],
];

for (const [claim, argv, env, hint] of wrongSecret) {
  Deno.test(`a wrong secret of ${claim} is corrected there`, async () => {
    await using test = await refused(7000215);
    const { code, stdout, stderr } = await test.run(["get-token", ...argv], env);
    assert.deepEqual([code, stdout], [2, ""]);
    assert.ok(stderr.includes(`  ${hint}\n`), stderr);
    assert.doesNotMatch(stderr, /wr0ng|s3cret|NAME/);
  });
}

Deno.test("a wrong client id of a profile is changed together with its secret", async () => {
  await using test = await refused(700016);
  const { stderr } = await test.run(["get-token", "-p", "prod"]);
  assert.match(stderr, /config edit -p prod --client-id GUID --client-secret-file PATH\n/);
  const env = { AZURE_TENANT_ID: "a.com", AZURE_CLIENT_ID: clientId, AZURE_CLIENT_SECRET: "x" };
  const ofVariable = await test.run(["get-token"], env);
  assert.match(ofVariable.stderr, /Correct AZURE_CLIENT_ID, which it came from\n/);
});

Deno.test("a wrong cloud is not answered with the same one", async () => {
  await using test = await refused(900439);
  const get = ["get-token", ...connection, "--client-secret-file", "-"];
  assert.match((await test.run(get)).stderr, /--cloud usgov\n/);
  const usgov = await test.run([...get, "--cloud", "usgov"]);
  assert.match(usgov.stderr, /--cloud public\n/);
  assert.doesNotMatch(usgov.stderr, /--cloud usgov/);
});

Deno.test("no credential is called that, and not only a missing sign-in", async () => {
  await using test = await refused(0);
  const env = { AZURE_TENANT_ID: "a.com", AZURE_CLIENT_ID: clientId, AZURE_CLIENT_SECRET: "" };
  const { code, stdout, stderr } = await test.run(["get-token"], env);
  assert.deepEqual([code, stdout], [6, ""]);
  assert.match(stderr, /^error: A person must sign in, as no client secret or certificate is /);
  assert.match(stderr, /AZURE_CLIENT_SECRET is set and empty/);
  assert.match(
    stderr,
    new RegExp(
      `entratool get-token --tenant a.com --client-id ${clientId} --client-secret-file PATH`,
    ),
  );
  const chosen = await test.run(["get-token", ...connection, "-f", "ClientCredentials"]);
  assert.equal(chosen.code, 4);
  assert.match(chosen.stderr, /--tenant contoso.com .*--client-secret-file PATH\n/);
});

Deno.test("a vault that is not open is called that", async () => {
  await using test = await refused(0);
  const { code, stderr } = await test.run(["get-token", "-p", "prod"], {
    ENTRATOOL_VAULT_KEY: "none",
  });
  assert.equal(code, 7);
  assert.equal(
    stderr,
    'error: The client secret of profile "prod" is in the vault, and no vault is open\n' +
      "  Set ENTRATOOL_VAULT_KEY or ENTRATOOL_VAULT_PASSPHRASE to the one that it was made with\n",
  );
});

Deno.test("a wait for another process is called that", async () => {
  const home = await Deno.makeTempDir({ prefix: "entratool-steps-" });
  const env = {
    ENTRATOOL_HOME: home,
    ENTRATOOL_VAULT_KEY: vaultKey,
    AZURE_CLIENT_SECRET: "s3cret",
  };
  const asked = Promise.withResolvers<void>();
  const stop = new AbortController();
  const first = runCli(["get-token", ...connection], {
    env: { ...env, AZURE_CLIENT_ID: clientId, AZURE_TENANT_ID: "contoso.com" },
    fetch: () => {
      asked.resolve();
      if (stop.signal.aborted) return Promise.reject(new TypeError("stopped"));
      return new Promise((_, reject) => {
        stop.signal.addEventListener("abort", () => reject(new TypeError("stopped")));
      });
    },
  });
  await asked.promise;
  const second = await runCli(["get-token", ...connection, "--timeout", "1"], { env });
  stop.abort();
  await first;
  await Deno.remove(home, { recursive: true });
  assert.deepEqual([second.code, second.stdout], [5, ""]);
  assert.match(second.stderr, /^error: .*: another entratool process is getting this token/);
});
