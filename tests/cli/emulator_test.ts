/** `entratool emulator` and `get-token --emulator` as a user runs them, in processes of their own. */

import assert from "node:assert/strict";
import { decodeJwt } from "jose";
import { runApp } from "../../src/app.ts";
import { FakeHost } from "../fakes/fake_host.ts";
import { browse, chromiumIsMissing } from "../interop/program.ts";
import { runCli, runProcess, spawnCli } from "./run_cli.ts";

interface RunningEmulator extends AsyncDisposable {
  /** What it told to set. */
  readonly env: Readonly<Record<string, string>>;
  readonly child: Deno.ChildProcess;
  /** Standard error, when it has ended. */
  readonly log: Promise<string>;
}

/** Starts `entratool emulator` and waits until it has printed all that is to be set. */
async function runEmulator(home: string, ...flags: string[]): Promise<RunningEmulator> {
  const child = spawnCli(["emulator", ...flags], { env: { ENTRATOOL_HOME: home } });
  const log = new Response(child.stderr).text();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!/AZURE_CLIENT_SECRET=.*\n/.test(text)) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`the emulator ended early: ${await log}`);
    text += value;
  }
  reader.releaseLock();
  const pairs = [...text.matchAll(/^export (\w+)=(.*)$/gm)].map((
    [, name = "", value = ""],
  ) => [name, value]);
  return {
    env: Object.fromEntries(pairs),
    child,
    log,
    async [Symbol.asyncDispose]() {
      try {
        child.kill("SIGKILL");
      } catch {
        // it has ended
      }
      await child.status;
      await log;
    },
  };
}

async function withHome(test: (home: string) => Promise<void>): Promise<void> {
  const home = await Deno.makeTempDir({ prefix: "entratool-emulator-" });
  try {
    await test(home);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

for (const flags of [[], ["--tls"]]) {
  Deno.test(`what emulator ${flags.join(" ")} prints is all that get-token needs`, async () => {
    await withHome(async (home) => {
      await using emulator = await runEmulator(home, ...flags);
      const result = await runProcess(["get-token"], {
        env: { ...emulator.env, ENTRATOOL_HOME: home, ENTRATOOL_VAULT_KEY: "none" },
      });
      assert.equal(result.code, 0, result.stderr);
      assert.equal(decodeJwt(result.stdout.trim()).appid, emulator.env.AZURE_CLIENT_ID);
    });
  });
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test({
    name: `${signal} ends the emulator with exit code 0 and frees its port`,
    // Windows knows no such signals between processes
    ignore: Deno.build.os === "windows",
    fn: async () => {
      await withHome(async (home) => {
        await using emulator = await runEmulator(home);
        emulator.child.kill(signal);
        assert.equal((await emulator.child.status).code, 0, await emulator.log);
        const port = Number(new URL(emulator.env.AZURE_AUTHORITY_HOST ?? "").port);
        Deno.listen({ hostname: "127.0.0.1", port }).close();
      });
    },
  });
}

Deno.test("the emulator logs each request on stderr, without its secret", async () => {
  await withHome(async (home) => {
    await using emulator = await runEmulator(home);
    const env = {
      ...emulator.env,
      ENTRATOOL_HOME: home,
      AZURE_CLIENT_SECRET: "wrong-secret-canary",
    };
    assert.equal((await runProcess(["get-token"], { env })).code, 2);
    emulator.child.kill("SIGTERM");
    const log = await emulator.log;
    assert.match(
      log,
      /POST \/c0ffee00\S+\/oauth2\/v2\.0\/token 401 \d+ms client_credentials \S+ AADSTS7000215/,
    );
    assert.ok(!log.includes("wrong-secret-canary"));
  });
});

Deno.test("a port that is taken is exit code 4 and says so", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  const { code, stdout, stderr } = await runCli(["emulator", "--port", String(port)]);
  assert.deepEqual({ code, stdout }, { code: 4, stdout: "" });
  assert.match(stderr, new RegExp(`${port}`));
});

Deno.test("a mistake in the configuration is exit code 4 and names its place", async () => {
  await withHome(async (home) => {
    const file = `${home}/directory.json`;
    await Deno.writeTextFile(
      file,
      `{"tenants":[{"id":"c0ffee00-0000-4000-8000-000000000001","domain":[]}]}`,
    );
    const { code, stdout, stderr } = await runCli(["emulator", "--config", file]);
    assert.deepEqual({ code, stdout }, { code: 4, stdout: "" });
    assert.ok(stderr.includes(file) && stderr.includes("tenants[0]"), stderr);
    const missing = await runCli(["emulator", "--config", `${home}/none.json`]);
    assert.equal(missing.code, 4);
    assert.ok(missing.stderr.includes("none.json"), missing.stderr);
  });
});

Deno.test("emulator --example prints a configuration that --config takes", async () => {
  await withHome(async (home) => {
    const example = await runCli(["emulator", "--example"]);
    assert.equal(example.code, 0);
    await Deno.writeTextFile(`${home}/directory.json`, example.stdout);
    await using emulator = await runEmulator(home, "--config", `${home}/directory.json`);
    assert.equal(emulator.env.AZURE_CLIENT_SECRET, "emulator-secret");
  });
});

Deno.test("get-token --emulator prints a token, leaves no trace and needs no configuration", async () => {
  await withHome(async (home) => {
    const result = await runProcess(["get-token", "--emulator", "-s", "api://orders/.default"], {
      env: { ENTRATOOL_HOME: home },
    });
    assert.deepEqual({ code: result.code, stderr: result.stderr }, { code: 0, stderr: "" });
    assert.equal(decodeJwt(result.stdout.trim()).ver, "2.0");
    assert.deepEqual([...Deno.readDirSync(home)], []);
  });
});

Deno.test({
  name: "each emulator --tls has a certificate file of its own, and takes it away",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await withHome(async (home) => {
      await using first = await runEmulator(home, "--tls");
      await using second = await runEmulator(home, "--tls");
      for (const emulator of [first, second]) {
        const result = await runProcess(["get-token"], {
          env: { ...emulator.env, ENTRATOOL_HOME: home, ENTRATOOL_VAULT_KEY: "none" },
        });
        assert.equal(result.code, 0, result.stderr);
      }
      for (const emulator of [first, second]) {
        emulator.child.kill("SIGTERM");
        await emulator.child.status;
      }
      assert.deepEqual([...Deno.readDirSync(home)].map(({ name }) => name), []);
    });
  },
});

for (const flow of ["InteractiveBrowser", "AuthorizationCode"]) {
  Deno.test({
    name: `get-token --emulator -f ${flow} lets a person sign in with a browser`,
    ignore: chromiumIsMissing,
    fn: async () => {
      const page = Promise.withResolvers<string>();
      const { code, stdout, stderr } = await runCli([
        "get-token",
        "--emulator",
        "-f",
        flow,
        "-o",
        "json",
      ], {
        terminals: ["stderr"],
        isRealTime: true,
        browser: async (url) => {
          const { text } = await browse({
            steps: [{ goto: url }, { click: { role: "button", name: "Ada" } }, {
              waitForText: "Signed in",
            }],
          });
          page.resolve(text);
        },
      });
      assert.equal(code, 0, stderr);
      assert.match(JSON.parse(stdout).account, /^ada@/);
      assert.match(await page.promise, /return to the terminal/);
    },
  });
}

Deno.test("get-token --emulator -f DeviceCode shows a code and ends with 130 on Ctrl-C", async () => {
  using host = new FakeHost({ terminals: ["stderr"], isRealTime: true });
  const running = runApp(["get-token", "--emulator", "-f", "DeviceCode"], host);
  while (!/Code {5}/.test(host.stderrText)) await new Promise((resolve) => setTimeout(resolve, 10));
  host.cancel();
  assert.equal(await running, 130);
  assert.equal(host.stdoutText, "");
});
