/** What `get-token` prints, where, and what it says beside it. Field names and their order are a contract. */

import assert from "node:assert/strict";
import { parse as parseYaml } from "yaml";
import { emulated } from "./emulated.ts";
import { runCli } from "./run_cli.ts";

const now = Date.parse("2026-03-04T05:06:07Z");
const accessToken = "opaque-token_with.every-kind+of/character==";

/** A machine whose network answers every token request with this; no vault. */
function getToken(
  argv: readonly string[],
  options: Partial<Parameters<typeof runCli>[1]> & { readonly response?: object } = {},
) {
  const { response, ...rest } = options;
  return runCli(
    ["get-token", "--tenant", "contoso.com", "--client-id", clientId, ...argv],
    {
      env: { ENTRATOOL_HOME: "/nowhere/to/be/seen", AZURE_CLIENT_SECRET: "s3cret" },
      now,
      fetch: () =>
        Promise.resolve(Response.json({
          token_type: "Bearer",
          access_token: accessToken,
          expires_in: 3599,
          ...response,
        })),
      ...rest,
    },
  );
}

const clientId = "11111111-2222-4333-8444-555555555555";

const golden: Readonly<Record<string, string>> = {
  token: `${accessToken}\n`,
  header: `Authorization: Bearer ${accessToken}\n`,
  env: `export ENTRA_ACCESS_TOKEN=${accessToken}\n`,
  json: `{
  "token_type": "Bearer",
  "access_token": "${accessToken}",
  "expires_in": 3599,
  "expires_on": 1772604366,
  "expires_at": "2026-03-04T06:06:06Z",
  "scope": "https://graph.microsoft.com/.default",
  "tenant_id": "contoso.com",
  "account": null,
  "from_cache": false
}
`,
  yaml: `token_type: Bearer
access_token: ${accessToken}
expires_in: 3599
expires_on: 1772604366
expires_at: 2026-03-04T06:06:06Z
scope: https://graph.microsoft.com/.default
tenant_id: contoso.com
account: null
from_cache: false
`,
};

for (const [format, text] of Object.entries(golden)) {
  Deno.test(`get-token -o ${format} prints exactly this`, async () => {
    const { code, stdout, stderr } = await getToken(["-o", format, "--no-cache"]);
    assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: text, stderr: "" });
  });
}

Deno.test("get-token prints the bare token unless told otherwise, and formats in any case", async () => {
  assert.equal((await getToken([])).stdout, golden.token);
  assert.equal((await getToken(["-o", "JSON"])).stdout, golden.json);
});

Deno.test("JSON and YAML say the same, and that a token comes from the cache", async () => {
  await using test = await emulated();
  const get = async (format: string) =>
    (await runCli(["get-token", "-o", format], { env: test.env, now })).stdout;
  const fresh = JSON.parse(await get("json"));
  assert.equal(fresh.from_cache, false);
  assert.equal(fresh.tenant_id, test.env.AZURE_TENANT_ID);
  const cached = JSON.parse(await get("json"));
  assert.deepEqual(cached, { ...fresh, from_cache: true });
  assert.deepEqual(parseYaml(await get("yaml")), cached);
});

Deno.test("a token is never said to live longer than it does", async () => {
  const cases = [[1, 890, 0], [2, 890, 1], [3600, 0, 3600], [3600, 1, 3599]] as const;
  for (const [lifetime, milliseconds, left] of cases) {
    const { stdout } = await getToken(["-o", "json"], {
      response: { expires_in: lifetime },
      now: now + milliseconds,
    });
    const { expires_in, expires_on } = JSON.parse(stdout);
    assert.deepEqual([expires_in, expires_on], [left, now / 1000 + lifetime]);
  }
});

Deno.test({
  name: "a shell takes the token from -o env unchanged",
  ignore: Deno.build.os === "windows",
  async fn() {
    const odd = `it's $HOME "and" \`more\``.replaceAll(" ", "");
    for (const token of [accessToken, odd, "plain", "~root", "a:~root", "a~b", "!x*?[a]"]) {
      const { stdout } = await getToken(["-o", "env"], { response: { access_token: token } });
      const shell = await new Deno.Command("sh", {
        args: ["-c", `eval "$1"; printf %s "$ENTRA_ACCESS_TOKEN"`, "sh", stdout],
      }).output();
      assert.equal(new TextDecoder().decode(shell.stdout), token);
    }
  },
});

Deno.test("--file takes the place of stdout, for the user alone", async () => {
  const folder = await Deno.makeTempDir({ prefix: "entratool-output-" });
  try {
    const path = `${folder}/token.json`;
    await Deno.writeTextFile(path, "an older and much longer content".repeat(100), { mode: 0o666 });
    const { code, stdout, stderr } = await getToken(["-o", "json", "--file", path, "--no-cache"]);
    assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: "", stderr: "" });
    assert.equal(await Deno.readTextFile(path), golden.json);
    if (Deno.build.os !== "windows") {
      assert.equal(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
    }
    const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
    assert.deepEqual(names, ["token.json"], "nothing else is left behind");

    const failed = await getToken(["--file", path], {
      fetch: () => Promise.resolve(Response.json({ error: "invalid_client" }, { status: 401 })),
    });
    assert.equal(failed.code, 2);
    assert.equal(await Deno.readTextFile(path), golden.json, "a failure leaves the file alone");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("--file in a folder that is not there is exit code 7", async () => {
  const path = `/entratool-absent-${crypto.randomUUID()}/token`;
  const { code, stdout, stderr } = await getToken(["--file", path]);
  assert.deepEqual({ code, stdout }, { code: 7, stdout: "" });
  assert.equal(
    stderr,
    `error: The token can not be written to ${path}\n` +
      "  Check that the folder exists and that you may write there\n",
  );
});

const expiry: readonly (readonly [minutes: string, warned: boolean])[] = [
  ["0", false],
  ["59", false],
  ["60", true],
  ["1440", true],
];

for (const [minutes, warned] of expiry) {
  Deno.test(`--warn-expiry ${minutes} ${warned ? "warns" : "is silent"} an hour before the end`, async () => {
    const { code, stdout, stderr } = await getToken(["--no-cache", "--warn-expiry", minutes]);
    assert.deepEqual([code, stdout], [0, golden.token]);
    assert.equal(stderr, warned ? "warning: The token ends in 59 minutes\n" : "");
  });
}

Deno.test("a summary goes to stderr when it is a terminal, and only then", async () => {
  const { code, stdout, stderr } = await getToken(["--no-cache"], {
    terminals: ["stdout", "stderr"],
  });
  assert.deepEqual([code, stdout], [0, golden.token]);
  assert.match(
    stderr,
    /^ClientCredentials token of tenant contoso\.com, new\n {2}scopes {3}https:\/\/graph\.microsoft\.com\/\.default\n {2}expires {2}in 59 minutes, at \d+:\d+.*\n$/,
  );
  assert.equal((await getToken(["--no-cache"], { terminals: ["stdout", "stdin"] })).stderr, "");
});

Deno.test("that nothing is cached is said when caching was wanted, and only then", async () => {
  const noted = await getToken([]);
  assert.match(noted.stderr, /^Not cached, as there is no vault: set ENTRATOOL_VAULT_KEY .*\n$/);
  assert.equal((await getToken(["--no-cache"])).stderr, "");
  const emulator = await runCli(["get-token", "--emulator"]);
  assert.deepEqual([emulator.code, emulator.stderr], [0, ""], "even without any folder to keep it");
  await using test = await emulated();
  assert.equal((await runCli(["get-token"], { env: test.env })).stderr, "");
});

Deno.test("every failure leaves stdout empty, whatever the format", async () => {
  for (const format of Object.keys(golden)) {
    const { code, stdout } = await getToken(["-o", format], { response: { expires_in: "soon" } });
    assert.deepEqual([code, stdout], [5, ""]);
  }
});
