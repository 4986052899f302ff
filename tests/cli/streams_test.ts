/** Standard output and named files that are no ordinary ones: closed pipes, full disks, devices, links, folders. */

import assert from "node:assert/strict";
import { EntraToolError } from "../../src/errors.ts";
import { runApp } from "../../src/app.ts";
import { FakeHost } from "../fakes/fake_host.ts";
import { type Emulated, emulated } from "./emulated.ts";
import { type Result, runCli } from "./run_cli.ts";

const ignore = Deno.build.os === "windows";
const main = decodeURIComponent(new URL("../../main.ts", import.meta.url).pathname);

/** Runs a line of bash in which `entratool` is the program. */
async function bash(line: string, env: Readonly<Record<string, string>>): Promise<Result> {
  const run = `run --quiet --permission-set --no-prompt --cached-only "${main}" "$@"`;
  const script = `entratool() { "${Deno.execPath()}" ${run}; }\n${line}`;
  const output = await new Deno.Command("bash", {
    args: ["-c", script],
    env: { ...env, NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return {
    code: output.code,
    stdout: decoder.decode(output.stdout),
    stderr: decoder.decode(output.stderr),
  };
}

for (const command of ["get-token", "get-token -o json", "--help", "get-token --help"]) {
  Deno.test({
    name: `entratool ${command} ends quietly when nobody reads what it prints`,
    ignore,
    async fn() {
      await using test = await emulated();
      const line = `(sleep 0.5; entratool ${command}; echo $? >&2) | exec true`;
      const { stderr } = await bash(line, test.env);
      assert.equal(stderr, "0\n");
    },
  });

  Deno.test({
    name: `entratool ${command} says so when standard output can not be written`,
    ignore: Deno.build.os !== "linux",
    async fn() {
      await using test = await emulated();
      const { code, stderr } = await bash(`entratool ${command} > /dev/full`, test.env);
      assert.match(stderr, /^error: Standard output can not be written\n {2}[^\n]+\n$/);
      assert.equal(code, 7);
    },
  });
}

for (const [command, code] of [["get-token", 4], ["nonsense", 4], ["--help", 0]] as const) {
  Deno.test({
    name: `entratool ${command} ends with ${code} though standard error can not be written`,
    ignore: Deno.build.os !== "linux",
    async fn() {
      const line = `entratool ${command} 2> /dev/full`;
      assert.equal((await bash(line, { ENTRATOOL_HOME: "/nowhere" })).code, code);
    },
  });
}

for (const argv of [["get-token"], ["--help"], ["--version"], ["get-tokn"]]) {
  Deno.test(`runApp() does not throw when nothing of "${argv.join(" ")}" can be written`, async () => {
    await using test = await emulated();
    using host = new FakeHost({ env: test.env });
    host.stdout.write = () => {
      throw new EntraToolError(
        "storage",
        "stdout_not_written",
        "Standard output can not be written",
      );
    };
    const code = await runApp(argv, host);
    assert.equal(code, argv[0] === "get-tokn" ? 4 : 7);
    assert.doesNotMatch(host.stderrText, /bug|Unexpected|\bat /);
  });
}

// --file.

interface Place {
  /** Makes what is at the path, and returns what shows that it is still there. */
  make(test: Emulated, path: string): Promise<void>;
  check(test: Emulated, path: string): Promise<void>;
}

const isToken = async (path: string) => assert.match(await Deno.readTextFile(path), /^eyJ/);

const places: Readonly<Record<string, Place>> = {
  "a file": {
    make: (_, path) => Deno.writeTextFile(path, "old"),
    check: (_, path) => isToken(path),
  },
  "a link to a file": {
    async make({ home }, path) {
      await Deno.writeTextFile(`${home}/target`, "old");
      await Deno.symlink("target", path);
    },
    async check({ home }, path) {
      assert.ok((await Deno.lstat(path)).isSymlink);
      assert.ok((await Deno.lstat(`${home}/target`)).isFile);
      await isToken(`${home}/target`);
    },
  },
  "a link to nothing yet": {
    make: (_, path) => Deno.symlink("target", path),
    async check({ home }, path) {
      assert.ok((await Deno.lstat(path)).isSymlink);
      assert.equal((await Deno.lstat(`${home}/target`)).mode! & 0o777, 0o600);
      await isToken(`${home}/target`);
    },
  },
  "a link to a device": {
    make: (_, path) => Deno.symlink("/dev/null", path),
    async check(_, path) {
      assert.ok((await Deno.lstat(path)).isSymlink);
      assert.ok((await Deno.lstat("/dev/null")).isCharDevice);
    },
  },
};
for (const [name, { make, check }] of Object.entries(places)) {
  Deno.test({
    name: `get-token --file writes to ${name}`,
    ignore,
    async fn() {
      await using test = await emulated();
      const path = `${test.home}/token`;
      await make(test, path);
      const { code, stdout, stderr } = await runCli(["get-token", "--file", path], {
        env: test.env,
      });
      assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: "", stderr: "" });
      await check(test, path);
    },
  });
}

Deno.test({
  name: "get-token --file writes into a pipe",
  ignore,
  async fn() {
    await using test = await emulated();
    const fifo = `${test.home}/fifo`;
    await new Deno.Command("mkfifo", { args: [fifo] }).output();
    const [{ code }, text] = await Promise.all([
      runCli(["get-token", "--file", fifo], { env: test.env }),
      Deno.readTextFile(fifo),
    ]);
    assert.equal(code, 0);
    assert.match(text, /^eyJ/);
    assert.ok((await Deno.stat(fifo)).isFifo);
  },
});

Deno.test("get-token --file - prints the token", async () => {
  await using test = await emulated();
  const { code, stdout } = await runCli(["get-token", "--file", "-"], { env: test.env });
  assert.equal(code, 0);
  assert.match(stdout, /^eyJ/);
});

for (const name of ["a folder", "a folder that is not there"]) {
  Deno.test(`get-token --file refuses ${name}`, async () => {
    await using test = await emulated();
    const path = name === "a folder" ? test.home : `${test.home}/missing/token`;
    const { code, stdout, stderr } = await runCli(["get-token", "--file", path], { env: test.env });
    assert.ok(stderr.startsWith(`error: The token can not be written to ${path}`), stderr);
    assert.deepEqual({ code, stdout }, { code: 7, stdout: "" });
  });
}

Deno.test({
  name: "config keeps profiles.json a link",
  ignore,
  async fn() {
    await using test = await emulated();
    await Deno.writeTextFile(`${test.home}/dotfile`, '{"version":1,"profiles":[]}');
    await Deno.symlink("dotfile", `${test.home}/profiles.json`);
    const ids = ["--tenant", "contoso.com", "--client-id", test.env.AZURE_CLIENT_ID!];
    const { code, stderr } = await runCli(["config", "create", "-p", "mine", ...ids], {
      env: { ENTRATOOL_HOME: test.home },
    });
    assert.equal(code, 0, stderr);
    assert.ok((await Deno.lstat(`${test.home}/profiles.json`)).isSymlink);
    assert.match(await Deno.readTextFile(`${test.home}/dotfile`), /"mine"/);
  },
});

// A vault that can't be written.

/** Puts a file where a folder of the vault belongs: not even root can make it. */
async function block(test: Emulated, folder: string): Promise<void> {
  await Deno.mkdir(`${test.home}/vault`, { recursive: true });
  await Deno.remove(`${test.home}/vault/${folder}`, { recursive: true }).catch(() => {});
  await Deno.writeTextFile(`${test.home}/vault/${folder}`, "");
}

Deno.test({
  name: "get-token prints a token that it can not cache, with a warning",
  ignore,
  async fn() {
    await using test = await emulated();
    await runCli(["get-token", "-s", "api://orders/.default"], { env: test.env });
    // no file may grow: as on a full disk, and for root too
    const line = `trap "" XFSZ; ulimit -f 0; entratool get-token`;
    const { code, stdout, stderr } = await bash(line, test.env);
    assert.match(stderr, /^warning: The token could not be cached, so the next command [^\n]+\n$/);
    assert.equal(code, 0);
    assert.match(stdout, /^eyJ/);
  },
});

Deno.test({
  name: "get-token goes on where no lock can be made, and says so only when it makes a request",
  ignore,
  async fn() {
    await using test = await emulated();
    await block(test, "locks");
    const warning = /^warning: Other processes may ask for the same token now: [^\n]+\n$/;
    await Deno.remove(`${test.home}/vault/locks`);
    const first = await runCli(["get-token"], { env: test.env });
    await block(test, "locks");
    const cached = await runCli(["get-token"], { env: test.env });
    assert.deepEqual([cached.code, cached.stdout, cached.stderr], [0, first.stdout, ""]);
    const other = await runCli(["get-token", "-s", "api://orders/.default"], { env: test.env });
    assert.match(other.stderr, warning);
    assert.equal(other.code, 0);
    assert.match(other.stdout, /^eyJ/);
  },
});

Deno.test("after a secret was read from standard input there is no line to paste, and no bug", async () => {
  const host = new URL("../../src/host_deno.ts", import.meta.url).href;
  const program = `
    import { denoHost } from ${JSON.stringify(host)};
    const { stdin, stdout } = denoHost;
    const secret = new TextDecoder().decode(await stdin.readAll(100));
    stdout.write(secret + "," + await stdin.readLine(new AbortController().signal));
  `;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", program],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode("secret"));
  await writer.close();
  const { stdout } = await child.output();
  assert.equal(new TextDecoder().decode(stdout), "secret,undefined");
});
