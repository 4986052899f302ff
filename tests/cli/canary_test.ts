/**
 * Secrets are planted everywhere and looked for in everything that comes out: nothing but a token may leave, by stdout. And
 * what strangers write reaches the terminal visible and harmless.
 */

import assert from "node:assert/strict";
import { opensslFolder, opensslTest } from "../fixtures/openssl_certificates.ts";
import { runCli, runProcess } from "./run_cli.ts";

/** Secrets with every kind of character that some layer writes in its own way. */
const canaries: readonly string[] = [
  "Zx8Q~canary.plain_secret-0123456789",
  `Zx"canary' quotes \\back\\slash & <tag> 100% a+b=c/d?e`,
  "Zx-canary-first-line\nZx-canary-second-line",
  "Zx-canary-Schlüssel-ключ-鍵-🔑",
  "-Zx-canary-leading-dash",
  "--Zx-canary-like-a-flag",
  "ZxCanaryOfLettersOnly",
];

/** What must not be found of a secret: whole, each line, as a flag, and as URLs, forms, JSON, HTML and base64 write it. */
function tracesOf(secret: string): readonly string[] {
  const bytes = new TextEncoder().encode(secret);
  return [
    secret,
    ...secret.split("\n"),
    ...secret.split("\n").map((line) => line.slice(0, 12)),
    secret.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
    encodeURIComponent(secret),
    new URLSearchParams({ "": secret }).toString().slice(1),
    JSON.stringify(secret).slice(1, -1),
    escapeHtml(secret),
    bytes.toBase64().replace(/=+$/, ""),
    bytes.toBase64({ alphabet: "base64url", omitPadding: true }),
  ];
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

function assertNoTrace(text: string, secret: string, where: string): void {
  const lowerCase = text.toLowerCase();
  for (const trace of tracesOf(secret)) {
    assert.ok(
      !lowerCase.includes(trace.toLowerCase()),
      `${where} holds ${JSON.stringify(trace)}:\n${text}`,
    );
  }
}

/** Searches every file below the folder, and their names. */
async function assertNotOnDisk(folder: string, secrets: readonly string[]): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) {
      await assertNotOnDisk(path, secrets);
      continue;
    }
    const content = new TextDecoder().decode(await Deno.readFile(path));
    for (const secret of secrets) assertNoTrace(`${name}\n${content}`, secret, path);
  }
}

const clientId = "c0ffee00-0000-4000-8000-0000000000a1";
const connection = ["--tenant", "contoso.com", "--client-id", clientId];
const vaultKey = new TextEncoder().encode("Zx-vault-key-canary-of-32-bytes!").toBase64();

/** A token that is no JWT: nothing but our knowledge that it is one can hide it. */
const opaqueToken = "Zx-opaque-canary-token-0123456789";

/** What a server may do with what it was sent: the secret or assertion, and the body that held it. */
const echoes: Readonly<Record<string, (sent: string, body: string) => Response>> = {
  "the description": (sent) =>
    refusal({ error_description: `AADSTS7000215: Invalid secret: ${sent}. Trace ID: 1` }),
  "the end of the description": (sent) => refusal({ error_description: `You sent ${sent}` }),
  "the error's name": (sent) => refusal({ error: sent }),
  "every id": (sent) => refusal({ trace_id: sent, correlation_id: sent, timestamp: sent }),
  "an unknown field": (sent) => refusal({ received: sent, [sent]: "name" }),
  "the body as it came": (_, body) => new Response(body, { status: 400 }),
  "an HTML page": (sent) => page(`You sent ${escapeHtml(sent)}, which is wrong`),
  "an HTML page, cut off": (sent) => page(`${"-".repeat(75)} You sent ${escapeHtml(sent)}`),
  "a server error": (sent) => new Response(`oops: ${sent}`, { status: 500 }),
  "base64": (sent) => refusal({ error_description: `${btoa(utf8(sent))} was sent` }),
  "base64 of more": (sent) => page(btoa(utf8(`id:${sent}:end`))),
  "JSON in text": (sent) => page(JSON.stringify({ client_secret: sent })),
  "a redirect": (sent) => Response.redirect(`http://127.0.0.1/?was=${encodeURIComponent(sent)}`),
  "the token's type": (sent) =>
    Response.json({ access_token: opaqueToken, token_type: sent, expires_in: 3600 }),
  "half a response": (sent) => new Response(`{"access_token":"${opaqueToken}","scope":"${sent}`),
  "a response without expiry": () =>
    Response.json({ access_token: opaqueToken, token_type: "Bearer", refresh_token: opaqueToken }),
};

const refusal = (fields: object) =>
  Response.json({ error: "invalid_client", ...fields }, { status: 401 });
const page = (text: string) =>
  new Response(`<html><body>${text}`, { headers: { "content-type": "text/html" } });
const utf8 = (text: string) => String.fromCharCode(...new TextEncoder().encode(text));

/** A server for the length of a test. */
function serve(answer: (form: URLSearchParams, body: string) => Response) {
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    async (request) => {
      const body = await request.text();
      return answer(new URLSearchParams(body), body);
    },
  );
  return {
    env: { AZURE_AUTHORITY_HOST: `http://127.0.0.1:${server.addr.port}` },
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

async function tempFolder() {
  const path = await Deno.makeTempDir({ prefix: "entratool-canary-" });
  return {
    path,
    async [Symbol.asyncDispose]() {
      await Deno.remove(path, { recursive: true });
    },
  };
}

/** The ways to hand a client secret to get-token. */
const ways: Readonly<
  Record<
    string,
    (secret: string, file: string) => {
      readonly argv: readonly string[];
      readonly env?: Readonly<Record<string, string>>;
      readonly stdin?: string;
    }
  >
> = {
  "a flag": (secret) => ({ argv: [...connection, "--client-secret", secret] }),
  "a flag with =": (secret) => ({ argv: [...connection, `--client-secret=${secret}`] }),
  "a file": (_, file) => ({ argv: [...connection, "--client-secret-file", file] }),
  "standard input": (secret) => ({
    argv: [...connection, "--client-secret-file", "-"],
    stdin: `${secret}\n`,
  }),
  "the environment": (secret) => ({ argv: connection, env: { AZURE_CLIENT_SECRET: secret } }),
  "the vault": () => ({ argv: ["-p", "canary"], env: { ENTRATOOL_VAULT_KEY: vaultKey } }),
};

for (const secret of canaries) {
  Deno.test(`a client secret never comes out: ${JSON.stringify(secret)}`, async () => {
    await using home = await tempFolder();
    await using files = await tempFolder();
    const file = `${files.path}/secret.txt`;
    await Deno.writeTextFile(file, `${secret}\n`);
    let echo: keyof typeof echoes = "";
    let sent: string | null = null;
    await using server = serve((form, body) => {
      sent = form.get("client_secret");
      return echoes[echo]!(sent ?? "", body);
    });
    const base = { ENTRATOOL_HOME: home.path, ...server.env };
    const made = await runCli(
      ["config", "create", "-p", "canary", ...connection, "--client-secret-file", file],
      { env: { ...base, ENTRATOOL_VAULT_KEY: vaultKey } },
    );
    // no secret has a line break in it, so that one is refused before it is stored or sent
    const isSendable = !secret.includes("\n");
    assert.equal(made.code, isSendable ? 0 : 4, made.stderr);
    assertNoTrace(made.stderr + made.stdout, secret, "config create");

    for (const [wayName, way] of Object.entries(ways)) {
      for (echo of Object.keys(echoes)) {
        for (const verbose of [[], ["--verbose"]]) {
          const { argv, env, stdin } = way(secret, file);
          sent = null;
          const { code, stdout, stderr } = await runCli(["get-token", ...argv, ...verbose], {
            env: { ...base, ...env },
            ...(stdin === undefined ? {} : { stdin }),
            terminals: ["stderr"],
          });
          const where = `stderr (by ${wayName}, server echoes in ${echo}, ${verbose})`;
          assert.equal(sent, isSendable ? secret : null, where);
          assert.ok(code !== 0 && code !== 1, `${where}: ${code}\n${stderr}`);
          assert.equal(stdout, "", where);
          for (const canary of [secret, opaqueToken, vaultKey]) {
            assertNoTrace(stderr, canary, where);
          }
        }
      }
    }
    await assertNotOnDisk(home.path, [secret, opaqueToken, vaultKey]);
  });
}

opensslTest("neither an assertion nor its certificate's password ever comes out", async () => {
  const password = 'Zx-canary "Zertifikat" + пароль';
  const openssl = await opensslFolder();
  await openssl.run(
    ...["pkcs12", "-export", "-in", "app.crt", "-inkey", "app.key", "-out", "canary.pfx"],
    ...["-passout", `pass:${password}`],
  );
  await using home = await tempFolder();
  await openssl.write("canary-password.txt", password);
  await openssl.write("wrong-password.txt", `${password}!`);
  let echo: keyof typeof echoes = "";
  let assertion = "";
  await using server = serve((form, body) => {
    assertion = form.get("client_assertion") ?? "";
    return echoes[echo]!(assertion, body);
  });
  const file = (name: string) => `${openssl.path}/${name}`;
  const env = { ENTRATOOL_HOME: home.path, ENTRATOOL_VAULT_KEY: vaultKey, ...server.env };
  const certificate = [...connection, "--certificate", file("canary.pfx")];
  const right = ["--certificate-password-file", file("canary-password.txt")];
  const made = await runCli(["config", "create", "-p", "canary", ...certificate, ...right], {
    env,
  });
  assert.equal(made.code, 0, made.stderr);
  const ways: readonly (readonly string[])[] = [[...certificate, ...right], ["-p", "canary"]];
  for (const argv of ways) {
    for (echo of Object.keys(echoes)) {
      for (const verbose of [[], ["--verbose"]]) {
        const { code, stdout, stderr } = await runCli(["get-token", ...argv, ...verbose], { env });
        const where = `stderr (server echoes in ${echo}, ${verbose})`;
        assert.ok(code !== 0 && code !== 1, `${where}: ${code}\n${stderr}`);
        assert.equal(stdout, "", where);
        assertNoTrace(stderr, password, where);
        const [head = "", claims = "", signature = ""] = assertion.split(".");
        for (const part of [`${head}.${claims}`, claims, signature, assertion]) {
          assertNoTrace(stderr, part, where);
        }
        await assertNotOnDisk(home.path, [password, assertion, vaultKey]);
      }
    }
  }
  const wrong = ["--certificate-password-file", file("wrong-password.txt")];
  for (const command of [["get-token"], ["config", "create", "-p", "other"]]) {
    const { code, stdout, stderr } = await runCli([...command, ...certificate, ...wrong], { env });
    assert.deepEqual({ code, stdout }, { code: 4, stdout: "" });
    assertNoTrace(made.stderr + stderr, password, command.join(" "));
  }
});

Deno.test("the vault's passphrase and the token that it protects stay out of everything else", async () => {
  const passphrase = "Zx canary passphrase, quite long";
  const secret = "Zx8Q~canary-secret-in-the-vault";
  await using home = await tempFolder();
  await using server = serve(() =>
    Response.json({ access_token: opaqueToken, token_type: "Bearer", expires_in: 3600 })
  );
  const env = {
    ENTRATOOL_HOME: home.path,
    ENTRATOOL_VAULT_PASSPHRASE: passphrase,
    ...server.env,
  };
  const runs: readonly (readonly string[])[] = [
    ["config", "create", "-p", "canary", ...connection, "--client-secret-file", "-"],
    ["get-token", "-p", "canary", "--verbose", "--file", `${home.path}/../token-${Date.now()}`],
    ["config", "list"],
    ["config", "list", "-o", "json"],
    ["config", "show", "-p", "canary"],
    ["config", "show", "-p", "canary", "-o", "json"],
    ["config", "show", "-p", "canary", "--origin"],
    ["config", "show", "-p", "canary", "--origin", "-o", "json"],
    ["cache", "list"],
    ["cache", "list", "-o", "json"],
    ["config", "edit", "-p", "canary", "-s", "api://orders/.default"],
    ["cache", "clear"],
    ["config", "delete", "-p", "canary"],
  ];
  for (const argv of runs) {
    const { code, stdout, stderr } = await runCli(argv, {
      env,
      stdin: secret,
      terminals: ["stderr"],
    });
    assert.equal(code, 0, stderr);
    for (const canary of [passphrase, secret, opaqueToken]) {
      assertNoTrace(stdout + stderr, canary, argv.join(" "));
      await assertNotOnDisk(home.path, [canary]);
    }
    const file = argv[argv.indexOf("--file") + 1];
    if (argv.includes("--file") && file !== undefined) {
      assert.equal(await Deno.readTextFile(file), `${opaqueToken}\n`);
      await Deno.remove(file);
    }
  }
});

Deno.test("config show --origin names the places of secrets and not the secrets", async () => {
  await using home = await tempFolder();
  const canaries = {
    AZURE_CLIENT_SECRET: "Zx8Q~canary-of-the-environment",
    AZURE_CLIENT_CERTIFICATE_PASSWORD: "Zx-canary-password",
    ENTRATOOL_VAULT_KEY: vaultKey,
  };
  const env = {
    ENTRATOOL_HOME: home.path,
    AZURE_TENANT_ID: "contoso.com",
    AZURE_CLIENT_ID: clientId,
    ...canaries,
  };
  const { AZURE_CLIENT_SECRET: _, ...withCertificate } = {
    ...env,
    AZURE_CLIENT_CERTIFICATE_PATH: "/app.pfx",
  };
  for (const environment of [env, withCertificate]) {
    for (const output of ["table", "json"]) {
      const { code, stdout, stderr } = await runCli(["config", "show", "--origin", "-o", output], {
        env: environment,
      });
      assert.equal(code, 0, stderr);
      for (const canary of Object.values(canaries)) {
        assertNoTrace(stdout + stderr, canary, output);
      }
    }
  }
});

Deno.test("a login host with a password or a query is refused without repeating it", async () => {
  const canary = "Zx-canary-in-a-url";
  for (const host of [`https://user:${canary}@login.example`, `https://a.example/?key=${canary}`]) {
    for (const argv of [["get-token", ...connection], ["config", "show", "--origin"]]) {
      const { code, stdout, stderr } = await runCli(argv, {
        env: { ENTRATOOL_HOME: "/nowhere", AZURE_AUTHORITY_HOST: host },
      });
      assert.deepEqual({ code, stdout }, { code: 4, stdout: "" });
      assert.match(
        stderr,
        /AZURE_AUTHORITY_HOST: the value has a user name, a query or a fragment/,
      );
      assertNoTrace(stderr, canary, argv.join(" "));
    }
  }
});

Deno.test("a mistake on the command line never repeats a secret that stands beside it", async () => {
  await using home = await tempFolder();
  const env = { ENTRATOOL_HOME: home.path };
  for (const secret of canaries) {
    const commandLines: readonly (readonly string[])[] = [
      ["get-token", "--client-secret", secret, "--client-secret", secret],
      ["get-token", `--client-secret=${secret}`, `--client-secret=${secret}`],
      ["get-token", "--client-secret", secret, "--no-such-flag"],
      ["get-token", "--clientsecret", secret],
      ["get-token", `--clientsecret=${secret}`],
      ["get-token", `--no-such-flag=${secret}`],
      ["get-token", `--client-secret${secret}`],
      ["get-token", `--${secret}`],
      ["get-token", `-x${secret}`],
      ["get-token", secret],
      ["get-token", "--", "--client-secret", secret],
      ["get-token", "--client-secret", secret, "extra"],
      ["get-token", "--client-secret", secret, "--tenant"],
      ["get-token", "--client-secret", secret, "--client-secret-file", "-"],
      ["get-token", "--client-secret", secret, "--emulator"],
      ["get-token", "--client-secret", secret, "--force", "--no-cache"],
      ["get-token", "--client-secret", secret, "--cloud", "public", "--authority", "https://a"],
      ["get-token", "--client-secret", secret],
      ["get-token", `--verbose=${secret}`],
      ["get-token", `--no-cache=${secret}`],
      ["get-token", "-f", secret],
      ["get-token", "-o", secret],
      ["get-token", "--cloud", secret],
      ["get-token", "--timeout", secret],
      ["get-token", "--warn-expiry", secret],
      ["get-token", "--assertion-algorithm", secret],
      ["get-token", ...connection, "--authority", `ftp://user:${secret}@host`],
      ["get-token", ...connection, "--authority", `https://user:${secret}@host`],
      ["get-token", ...connection, "--authority", `https://host/?secret=${secret}`],
      ["emulator", "--port", secret],
      ["config", "show", "-p", "x", "-o", secret],
      ["config", "create", "--client-secret", secret],
      ["config", "create", "-p", "x y", "--client-secret", secret],
      ["config", "create", "-p", "x", ...connection, "--client-secret", secret],
      ["config", "edit", "-p", "x", "--client-secret", secret],
      ["config", secret],
      ["--client-secret", secret, "get-token"],
      [secret],
    ];
    for (const argv of commandLines) {
      const { code, stdout, stderr } = await runCli(argv, { env });
      assert.ok([3, 4, 6, 7].includes(code), `${JSON.stringify(argv)}: ${code}\n${stderr}`);
      assert.equal(stdout, "", JSON.stringify(argv));
      assertNoTrace(stderr, secret, JSON.stringify(argv));
    }
  }
  await assertNotOnDisk(home.path, canaries);
});

Deno.test("a malformed vault key is not repeated", async () => {
  for (const key of ["Zx canary key! that is no base64", btoa("Zx-canary-too-short")]) {
    const { code, stdout, stderr } = await runCli(["cache", "list"], {
      env: { ENTRATOOL_HOME: "/nowhere", ENTRATOOL_VAULT_KEY: key },
    });
    assert.deepEqual({ code, stdout }, { code: 4, stdout: "" });
    assertNoTrace(stderr, key, "stderr");
  }
});

Deno.test("a process of its own keeps quiet about the secret, too", async () => {
  await using home = await tempFolder();
  const secret = "Zx8Q~canary-of-a-process";
  await using server = serve((_, body) => page(body));
  const { code, stdout, stderr } = await runProcess(
    ["get-token", ...connection, "--client-secret-file", "-", "--verbose"],
    { env: { ENTRATOOL_HOME: home.path, ...server.env }, stdin: secret },
  );
  assert.deepEqual({ code, stdout }, { code: 5, stdout: "" });
  assertNoTrace(stderr, secret, "stderr");
});

/** Colours, a bell, a reversed file name, an 8-bit control sequence, invisible characters, a line of one's own. */
const hostile =
  "\u001b[31mred\u0007 \u202egpj.exe \u009b2J \u200bhidden\u{e0041}\u00ad\u2066 \u2028\r\nerror: forged";

/** Only line feeds may remain of all that a terminal obeys or hides, and what was there is still to be seen. */
function assertHarmless(text: string, where: string): void {
  const rest = text.replaceAll("\n", "");
  const found = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.exec(rest);
  assert.equal(found, null, `${where}: ${JSON.stringify(found?.[0])} in ${JSON.stringify(text)}`);
  assert.ok(!/^error: forged/m.test(text), `${where}: a line of its own\n${text}`);
  assert.match(text, /\\(u\{1b\}|u001b|e)\[31mred/, where);
}

Deno.test("what a server writes reaches the terminal visible and harmless", async () => {
  await using home = await tempFolder();
  let echo: keyof typeof echoes = "";
  await using server = serve((_, body) => echoes[echo]!(hostile, body));
  const echoing = ["the description", "the error's name", "every id", "an HTML page"];
  for (echo of [...echoing, "the token's type", "a server error", "an unknown field"]) {
    for (const verbose of [[], ["--verbose"]]) {
      const onlyVerbose = echo === "an unknown field" || echo === "the token's type";
      if (onlyVerbose && verbose.length === 0) continue;
      const { code, stdout, stderr } = await runCli(
        ["get-token", ...connection, "--client-secret", "secret", ...verbose],
        { env: { ENTRATOOL_HOME: home.path, ...server.env } },
      );
      assert.ok(code === 2 || code === 5, stderr);
      assert.equal(stdout, "");
      // the description ends for us at its first line break
      assertHarmless(stderr, `${echo} ${verbose}`);
    }
  }
});

/** An unsigned token. */
function jwt(claims: object): string {
  const part = (value: object) =>
    new TextEncoder().encode(JSON.stringify(value)).toBase64({
      alphabet: "base64url",
      omitPadding: true,
    });
  return `${part({ alg: "none", typ: hostile })}.${part(claims)}.none`;
}

Deno.test("what a token and its response say reaches the terminal visible and harmless", async () => {
  await using home = await tempFolder();
  const token = jwt({ tid: hostile, [hostile]: hostile, list: [hostile] });
  await using server = serve(() =>
    Response.json({
      access_token: token,
      token_type: "Bearer",
      expires_in: 3600,
      scope: hostile.replaceAll(/\s/g, ""),
    })
  );
  const env = { ENTRATOOL_HOME: home.path, ENTRATOOL_VAULT_KEY: vaultKey, ...server.env };
  const got = (output: string) =>
    runCli(["get-token", ...connection, "--client-secret", "secret", "-o", output], {
      env,
      terminals: ["stderr"],
    });
  assertHarmless((await got("token")).stderr, "summary");
  for (const output of ["json", "yaml"]) assertHarmless((await got(output)).stdout, output);
  for (const output of ["table", "json"]) {
    const { stdout } = await runCli(["cache", "list", "-o", output], { env });
    assertHarmless(stdout, `cache list -o ${output}`);
  }
  for (const output of ["pretty", "json", "yaml"]) {
    const { code, stdout } = await runCli(["inspect", "-o", output], { stdin: token });
    assert.equal(code, 0);
    assertHarmless(stdout, `inspect -o ${output}`);
  }
});

Deno.test("names of files, profiles and flags reach the terminal visible and harmless", async () => {
  await using home = await tempFolder();
  await Deno.mkdir(`${home.path}/config`);
  const profile = {
    name: "odd",
    tenantId: hostile,
    clientId: hostile,
    scopes: [hostile],
    createdAt: hostile,
    updatedAt: hostile,
  };
  await Deno.writeTextFile(
    `${home.path}/config/profiles.json`,
    JSON.stringify({ version: 1, profiles: [profile] }),
  );
  const broken = `${home.path}/${hostile.replaceAll("/", "")}`;
  await Deno.mkdir(broken);
  await Deno.writeTextFile(`${broken}/profiles.json`, "{");
  const odd = { env: { ENTRATOOL_HOME: `${home.path}/config` } };
  const runs: readonly (readonly [readonly string[], typeof odd?])[] = [
    [["get-token", ...connection, "--client-secret-file", hostile]],
    [["get-token", ...connection, "--certificate", hostile]],
    [["get-token", ...connection, "--client-secret", "secret", "--ca-file", hostile]],
    [["get-token", ...connection, "--client-secret", "secret", "--authority", hostile]],
    [["get-token", ...connection, "--client-secret", "secret", "-s", hostile]],
    [["get-token", "--env-file", hostile]],
    [["get-token", "--emulator", "--file", `${home.path}/nowhere/${hostile}`]],
    [["get-token", "--client-id", clientId, "--tenant", hostile, "--client-secret", "secret"]],
    [["config", "show", "-p", hostile], odd],
    [["config", "create", "-p", hostile]],
    [["config", "show", "-p", "odd"], odd],
    [["config", "show", "-p", "odd", "-o", "json"], odd],
    [["config", "show", "-p", "odd", "--origin"], odd],
    [["config", "show", "-p", "odd", "--origin", "-o", "json"], odd],
    [["config", "list"], odd],
    [["config", "list", "-o", "json"], odd],
    [["config", "list"], { env: { ENTRATOOL_HOME: broken } }],
    [["emulator", "--config", hostile]],
  ];
  for (const [argv, options] of runs) {
    const { stdout, stderr } = await runCli(
      argv,
      options ?? { env: { ENTRATOOL_HOME: home.path } },
    );
    assertHarmless(stdout + stderr, JSON.stringify(argv));
  }
});
