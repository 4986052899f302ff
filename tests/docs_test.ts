/**
 * README and docs say what happens: every command line in their shell blocks is run, in order, in one configuration folder
 * per page, with Entra's host led to the emulator.
 */

import assert from "node:assert/strict";
import { exampleDirectory, parseDirectory, startEmulator } from "../src/emulator/emulator.ts";
import { denoHost } from "../src/host_deno.ts";
import { runApp } from "../src/app.ts";
import { FakeHost } from "./fakes/fake_host.ts";
import { visit } from "./cli/sign_in_emulated.ts";
import { opensslFolder, opensslIsMissing, selfSigned } from "./fixtures/openssl_certificates.ts";

const root = new URL("..", import.meta.url);
const pages = [
  "README.md",
  ...[...Deno.readDirSync(new URL("docs", root))].map(({ name }) => `docs/${name}`).sort(),
];
/** The client ids that the pages write: of a service, a desktop app and a web app. */
const documentedClientId = "11111111-2222-4333-8444-555555555555";
const desktopClientId = "22222222-3333-4444-8555-666666666666";
const webClientId = "33333333-4444-4555-8666-777777777777";
/** Pages whose commands find the profile that they have made. */
const pagesWithProfile = ["docs/client-credentials.md", "docs/settings.md", "docs/sign-in.md"];
/** In place of the 8400 of the pages, which may be taken on this machine. */
const port = freePort();
const secret = "documented-secret";

/** The `entratool` command lines of a page's shell blocks: arguments, without redirections. */
function commandLines(markdown: string): readonly (readonly string[])[] {
  const blocks = [...markdown.matchAll(/```sh\n([^]*?)```/g)].map(([, text = ""]) =>
    text.replaceAll("\\\n", " ")
  );
  const lines = blocks.flatMap((block) => block.split("\n"));
  return lines.flatMap((line) => {
    const commands = line.replace(/\s+#.*$/, "").matchAll(/(?:^|\$\(|\| )entratool ([^|)]*)/g);
    return [...commands].map(([, text = ""]) => {
      const words = text.replace(/\s[<>]\s*\S+/, "").match(/'[^']*'|\S+/g) ?? [];
      return words.map((word) => word.replace(/^'(.*)'$/, "$1"));
    });
  });
}

for (const page of pages) {
  const markdown = await Deno.readTextFile(new URL(page, root));
  const lines = commandLines(markdown);
  Deno.test({
    name: `${page}: its ${lines.length} commands do what it says`,
    ignore: opensslIsMissing,
    fn: async () => {
      const folder = await Deno.makeTempDir({ prefix: "entratool-docs-" });
      const emulator = await startEmulator({ directory: await documentedDirectory(folder) });
      try {
        for (const argv of lines) await runDocumented(page, argv, folder, emulator.origin);
      } finally {
        await emulator.close();
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

/** A directory with the app, the secret and the certificate that the pages speak of; their files lie in the folder. */
async function documentedDirectory(folder: string) {
  const openssl = await opensslFolder();
  await selfSigned(openssl, "documented");
  await Deno.writeFile(
    `${folder}/app.pem`,
    await openssl.concatenated("documented.key", "documented.crt"),
  );
  await Deno.writeTextFile(`${folder}/secret.txt`, `${secret}\n`);
  await Deno.writeTextFile(`${folder}/new-secret.txt`, `${secret}\n`);
  await Deno.writeTextFile(`${folder}/directory.json`, exampleDirectory());
  const directory = JSON.parse(exampleDirectory().replaceAll(":8400", `:${port}`));
  Object.assign(directory.apps[0], {
    clientId: documentedClientId,
    secrets: [{ value: secret }],
    certificates: [await openssl.text("documented.crt")],
  });
  const named = (name: string) =>
    directory.apps.find(({ displayName }: { displayName: string }) => displayName === name);
  Object.assign(named("Desktop app"), { clientId: desktopClientId });
  Object.assign(named("Web shop"), { clientId: webClientId, secrets: [{ value: secret }] });
  directory.signIn = { autoApprove: "ada@contoso.onmicrosoft.com" };
  return parseDirectory(JSON.stringify(directory), "documented directory");
}

async function runDocumented(
  page: string,
  argv: readonly string[],
  folder: string,
  origin: string,
): Promise<void> {
  const emulated = (url: string) => url.replace("https://login.microsoftonline.com", origin);
  // the files that the pages name lie in the folder
  // and a port that they name may be taken on this machine
  const inFolder = argv.map((word) => word.replace(/(^|:)8400\b/, `$1${port}`)).map((word) =>
    /^[\w-]+\.(?:txt|pem|json)$/.test(word) ? `${folder}/${word}` : word
  );
  using host = new FakeHost({
    env: {
      ENTRATOOL_HOME: `${folder}/home`,
      ENTRATOOL_VAULT_KEY: "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
      // pages without a profile of their own leave these to the reader
      ...(pagesWithProfile.includes(page) || argv.includes("-p") ? {} : {
        AZURE_TENANT_ID: "contoso.onmicrosoft.com",
        AZURE_CLIENT_ID: documentedClientId,
        AZURE_CLIENT_SECRET: secret,
      }),
    },
    stdin: argv.includes("-") ? secret : argv[0] === "inspect" ? await tokenOf(folder, origin) : "",
    // somebody reads, and signs in when asked to
    terminals: page === "docs/sign-in.md" ? ["stderr"] : [],
    browser: async (url) => void await visit(emulated(url)),
    fetch: (request) => denoHost.fetch({ ...request, url: emulated(request.url) }),
  });
  host.interrupt();
  const code = await runApp(inFolder, host);
  const what = `${page}: entratool ${argv.join(" ")}\n${host.stderrText}`;
  if (argv.includes("nightly") && argv[0] === "get-token") {
    // the assertion is made out to Microsoft's host, and the emulator is as strict about that as Entra
    assert.match(host.stderrText, /AADSTS700023/, what);
  } else {
    assert.equal(code, 0, what);
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** A token to be inspected. */
async function tokenOf(folder: string, origin: string): Promise<string> {
  using host = new FakeHost({
    env: {
      ENTRATOOL_HOME: `${folder}/home`,
      AZURE_AUTHORITY_HOST: origin,
      AZURE_TENANT_ID: "contoso.onmicrosoft.com",
      AZURE_CLIENT_ID: documentedClientId,
      AZURE_CLIENT_SECRET: secret,
    },
  });
  assert.equal(await runApp(["get-token", "--no-cache"], host), 0, host.stderrText);
  return host.stdoutText;
}

Deno.test("the pages have commands to run", async () => {
  const counts = await Promise.all(
    pages.map(async (page) => commandLines(await Deno.readTextFile(new URL(page, root))).length),
  );
  assert.ok(counts.reduce((sum, count) => sum + count, 0) >= 20, `found ${counts}`);
});

Deno.test("README's first command prints a signed token, and the second is the one that CI runs", async () => {
  const readme = await Deno.readTextFile(new URL("README.md", root));
  const commands = [...readme.matchAll(/^npx --yes deno@([\d.]+) task (\S[^#\n]*?)\s+#/gm)];
  assert.deepEqual(commands.map(([, , task]) => task), ["start get-token --emulator", "test"]);
  assert.match(
    await Deno.readTextFile(new URL(".ci/run", root)),
    /^npx --yes deno@2\.9\.6 task test /m,
  );
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--cwd", root.pathname, ...(commands[0]?.[2] ?? "").split(" ")],
    stdout: "piped",
    stderr: "null",
  }).output();
  assert.ok(success);
  assert.match(new TextDecoder().decode(stdout), /^eyJ[\w-]+\.[\w-]+\.[\w-]+\n$/);
});

Deno.test("every relative link of README and docs leads to a file", async () => {
  for (const page of [...pages, "CHANGELOG.md", ".github/CONTRIBUTING.md", ".github/SECURITY.md"]) {
    const markdown = await Deno.readTextFile(new URL(page, root));
    for (const [, target = ""] of markdown.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
      await assert.doesNotReject(
        Deno.stat(new URL(target, new URL(page, root))),
        `${page} links to ${target}`,
      );
    }
  }
});

Deno.test({
  name: "scripts/entratool works from any folder, through a link, with paths relative to it",
  ignore: Deno.build.os === "windows",
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "entratool-script-" });
    try {
      await Deno.mkdir(`${folder}/bin`);
      const script = decodeURIComponent(new URL("scripts/entratool", root).pathname);
      await Deno.symlink(script, `${folder}/bin/linked`);
      await Deno.symlink("linked", `${folder}/bin/entratool`);
      const { code, stdout, stderr } = await new Deno.Command("sh", {
        args: ["-c", "entratool get-token --emulator --file token.txt"],
        cwd: folder,
        env: {
          PATH: `${folder}/bin:${Deno.execPath().replace(/\/[^/]*$/, "")}:${Deno.env.get("PATH")}`,
          ENTRATOOL_HOME: `${folder}/home`,
        },
      }).output();
      const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
      assert.deepEqual([code, text(stdout), text(stderr)], [0, "", ""]);
      assert.match(await Deno.readTextFile(`${folder}/token.txt`), /^eyJ/);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
