/** The vault under many processes at once, and under processes that are killed. */

import assert from "node:assert/strict";
import { EntraToolError } from "../../../src/errors.ts";
import { environmentKeySource } from "../../../src/vault/environment_key.ts";
import { openVault } from "../../../src/vault/vault.ts";
import { filesIn, inNewHome, keyInEnvironment, open, patient } from "../../fixtures/vault_home.ts";

const program = new URL("../../fixtures/vault_process.ts", import.meta.url).href;
/** Modules that are loaded on demand are read by the program, not by Deno. */
const modules = decodeURIComponent(new URL("../../../src", import.meta.url).pathname);

function command(home: string, args: string[], env: Record<string, string> = keyInEnvironment) {
  return new Deno.Command(Deno.execPath(), {
    // The permissions that the vault needs, and no more.
    args: [
      "run",
      "--no-prompt",
      `--allow-read=${home},${modules}`,
      `--allow-write=${home}`,
      "--allow-env=ENTRATOOL_VAULT_KEY,ENTRATOOL_VAULT_PASSPHRASE",
      program,
      home,
      ...args,
    ],
    env: { ...env, NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  });
}

/** Runs the process to its end and hands back its stdout. Fails on anything on stderr. */
async function run(home: string, args: string[], env?: Record<string, string>): Promise<string> {
  const child = command(home, args, env).spawn();
  await child.stdin.close();
  const { success, stdout, stderr } = await child.output();
  assert.equal(new TextDecoder().decode(stderr), "");
  assert(success);
  return new TextDecoder().decode(stdout).trim();
}

/** A process that holds the lock already. */
async function holder(home: string, name: string): Promise<Deno.ChildProcess> {
  const child = command(home, ["hold", name]).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  assert.equal(new TextDecoder().decode(value), "held\n");
  reader.releaseLock();
  return child;
}

async function end(child: Deno.ChildProcess): Promise<void> {
  await child.stdin.close().catch(() => {});
  await Promise.all([child.stdout.cancel(), child.stderr.cancel()]);
  await child.status;
}

Deno.test("20 processes that write the same and different entries at once all succeed", () =>
  inNewHome(async (home) => {
    const numbers = Array.from({ length: 20 }, (_, index) => String(index));
    await Promise.all(
      numbers.map((number) => run(home, ["write", "shared", number, `own ${number}`, number])),
    );

    const vault = open(home);
    assert(numbers.includes(await vault.read("shared") as string));
    const own = await vault.list("own ");
    assert.deepEqual(own.map(({ value }) => value).sort(), [...numbers].sort());
    assert.deepEqual(
      Object.keys(await filesIn(home)).filter((path) => /\.(tmp|bad)$/.test(path)),
      [],
    );
  }));

Deno.test("processes that create the vault with a passphrase at once end with one vault", () =>
  inNewHome(async (home) => {
    const env = { ENTRATOOL_VAULT_PASSPHRASE: "correct horse" };
    for (let round = 0; round < 5; round++) {
      const names = ["a", "b", "c"];
      await Promise.all(names.map((name) => run(home, ["write", name, name], env)));
      for (const name of names) {
        assert.equal(await run(home, ["read", name], env), JSON.stringify(name));
      }
      await Deno.remove(`${home}/vault`, { recursive: true });
    }
  }));

Deno.test("a vault survives SIGKILL of a writer at any moment", () =>
  inNewHome(async (home) => {
    const warnings: string[] = [];
    let stored = -1;
    for (let kill = 0; kill < 150; kill++) {
      const child = command(home, ["churn", String(stored + 1)]).spawn();
      const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
      let output = "";
      const readMore = async () => {
        const { value, done } = await reader.read();
        output += value ?? "";
        return !done;
      };
      // Kills some writers while they start, the others at a random moment after some writes.
      const writes = kill % 10 === 0 ? 0 : 1 + Math.floor(Math.random() * 4);
      while (output.split("\n").length <= writes && await readMore());
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 4));
      child.kill("SIGKILL");
      while (await readMore());
      await Promise.all([child.stdin.close().catch(() => {}), child.stderr.cancel(), child.status]);
      stored = Number(output.split("\n").at(-2) || stored);

      const vault = open(home, warnings);
      for (let number = Math.max(0, stored - 4); number <= stored; number++) {
        const value = await vault.read(`slot ${number % 5}`) as { number: number; filler: string };
        // The killed write may have been completed, unless it was never reported.
        assert([number, number + 5].includes(value.number), `${value.number} where ${number} was`);
        assert(value.number <= stored + 1);
        assert.equal(value.filler.length, (value.number * 7919) % 100_000);
        assert.equal(value.filler.replaceAll(String(value.number % 10), ""), "");
      }
      await vault.write("after", kill);
      assert.equal(await vault.read("after"), kill);
    }
    assert(stored > 150, `only ${stored} writes`);
    assert.deepEqual(warnings, []);
  }));

Deno.test("a vault survives SIGKILL of its creator at any moment", () =>
  inNewHome(async (parent) => {
    for (let kill = 0; kill < 40; kill++) {
      const home = `${parent}/${kill}`;
      const events = Deno.watchFs(parent, { recursive: false });
      const child = command(home, ["churn"]).spawn();
      for await (const _created of events) break;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 5));
      child.kill("SIGKILL");
      await end(child);

      const warnings: string[] = [];
      const vault = open(home, warnings);
      const slot = await vault.read("slot 0") as { number: number } | undefined;
      assert.equal((slot?.number ?? 0) % 5, 0);
      await vault.write("name", kill);
      assert.equal(await open(home, warnings).read("name"), kill);
      assert.deepEqual(warnings, []);
    }
  }));

Deno.test("withLock() lets one process in at a time", () =>
  inNewHome(async (home) => {
    const file = `${home}/counter`;
    await Deno.writeTextFile(file, "0");
    await Promise.all(Array.from({ length: 20 }, () => run(home, ["count", file, "20"])));
    assert.equal(await Deno.readTextFile(file), "400");
  }));

Deno.test("withLock() waits for a process that holds the lock, and no longer when that is killed", () =>
  inNewHome(async (home) => {
    const child = await holder(home, "name");
    let killed = false;
    const entered = open(home).withLock("name", patient, () => Promise.resolve(killed));
    await open(home).withLock("other name", patient, () => Promise.resolve());
    killed = true;
    child.kill("SIGKILL");
    assert.equal(await entered, true);
    await end(child);
  }));

Deno.test("withLock() stops waiting at the deadline, and does not keep the lock afterwards", () =>
  inNewHome(async (home) => {
    const child = await holder(home, "name");
    const tooLate = new EntraToolError("network", "timeout", "Timed out");
    const deadline = new AbortController();
    // Fires once the wait has begun, which is when somebody listens to it.
    deadline.signal.addEventListener = function (...args: unknown[]) {
      EventTarget.prototype.addEventListener.apply(this, args as never);
      setTimeout(() => deadline.abort(tooLate));
    };
    let ran = false;
    const waiting = open(home).withLock(
      "name",
      { at: 0, signal: deadline.signal },
      () => Promise.resolve(ran = true),
    );
    await assert.rejects(waiting, (error) => error === tooLate);
    await assert.rejects(
      open(home).withLock("name", { at: 0, signal: deadline.signal }, () => Promise.resolve()),
      (error) => error === tooLate,
    );

    await end(child);
    await open(home).withLock("name", patient, () => Promise.resolve());
    assert.equal(ran, false);
  }));

Deno.test("a passphrase opens the vault in another process; another passphrase does not", () =>
  inNewHome(async (home) => {
    const passphrase = "caf\u00e9 au lait";
    await run(home, ["write", "name", "value"], { ENTRATOOL_VAULT_PASSPHRASE: passphrase });
    const decomposed = { ENTRATOOL_VAULT_PASSPHRASE: passphrase.normalize("NFD") };
    assert.equal(await run(home, ["read", "name"], decomposed), '"value"');

    const source = environmentKeySource((name) =>
      name === "ENTRATOOL_VAULT_PASSPHRASE" ? "cafe au lait" : undefined
    );
    const vault = openVault({ home, source, warn: assert.fail });
    await assert.rejects(vault.read("name"), { failure: "storage", code: "vault_key_mismatch" });
  }));
