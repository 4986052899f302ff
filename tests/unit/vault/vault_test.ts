import assert from "node:assert/strict";
import fc from "fast-check";
import { EntraToolError } from "../../../src/errors.ts";
import { entryId } from "../../../src/vault/entry_file.ts";
import { openVault, type Vault } from "../../../src/vault/vault.ts";
import type { KeyRefusal, VaultKeySource } from "../../../src/vault/vault_key.ts";
import { filesIn, inNewHome, keyInEnvironment, open, patient } from "../../fixtures/vault_home.ts";

const canary = "canary-of-a-secret";

async function entryPath(home: string, name: string): Promise<string> {
  return `${home}/vault/entries/${await entryId(name)}.entry`;
}

/** The error of each method, which all must refuse. */
async function refusals(vault: Vault): Promise<EntraToolError[]> {
  const methods = [
    () => vault.read("name"),
    () => vault.write("name", canary),
    () => vault.delete("name"),
    () => vault.list(""),
  ];
  const errors = [];
  for (const method of methods) {
    const error = await method().then(() => assert.fail("not refused"), (error) => error);
    assert(error instanceof EntraToolError, String(error));
    errors.push(error);
  }
  return errors;
}

function textOf({ message, detail: { hint, cause } }: EntraToolError): string {
  return [message, hint, cause].join("\n");
}

Deno.test("write() then read() gives any JSON value back, also to another process's vault", () =>
  inNewHome((home) =>
    fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary" }), fc.jsonValue(), async (name, value) => {
        await open(home).write(name, value);
        assert.deepEqual(await open(home).read(name), JSON.parse(JSON.stringify(value)));
      }),
      { numRuns: 50 },
    )
  ));

Deno.test("read(), list() and delete() of a vault that is not there find nothing and create nothing", () =>
  inNewHome(async (home) => {
    const vault = open(`${home}/config`);
    assert.equal(await vault.read("name"), undefined);
    assert.deepEqual(await vault.list(""), []);
    assert.equal(await vault.delete("name"), false);
    assert.deepEqual(await filesIn(home), {});
  }));

Deno.test("a vault that was absent at the first read is found once another process has made it", () =>
  inNewHome(async (home) => {
    const vault = open(home);
    assert.equal(await vault.read("name"), undefined);
    await open(home).write("name", 1);
    assert.equal(await vault.read("name"), 1);
  }));

Deno.test("delete() removes the entry and what was set aside of it", () =>
  inNewHome(async (home) => {
    const vault = open(home);
    await vault.write("name", 1);
    await vault.write("other", 2);
    await Deno.writeTextFile(`${await entryPath(home, "name")}.bad`, "");
    assert.equal(await vault.delete("name"), true);
    assert.equal(await vault.delete("name"), false);
    assert.equal(await vault.read("name"), undefined);
    assert.equal(await vault.read("other"), 2);
    assert.deepEqual(
      Object.keys(await filesIn(`${home}/vault/entries`)),
      [await entryPath(home, "other")],
    );
  }));

Deno.test("list() gives the entries with the prefix, sorted by name", () =>
  inNewHome(async (home) => {
    const vault = open(home);
    for (const name of ["token/b", "token/a", "secret/a", "token", "token/c"]) {
      await vault.write(name, name.length);
    }
    assert.deepEqual(await vault.list("token/"), [
      { name: "token/a", value: 7 },
      { name: "token/b", value: 7 },
      { name: "token/c", value: 7 },
    ]);
    assert.equal((await vault.list("")).length, 5);
  }));

Deno.test({
  name: "the vault's folders are 0700 and its files 0600",
  ignore: Deno.build.os === "windows",
  fn: () =>
    inNewHome(async (home) => {
      const vault = open(`${home}/config`);
      await vault.withLock("name", patient, () => vault.write("name", canary));
      const paths = Object.entries(await filesIn(home));
      assert.equal(paths.length, 8);
      for (const [path, content] of paths) {
        const mode = (await Deno.stat(path)).mode! & 0o777;
        assert.equal(mode, content === "folder" ? 0o700 : 0o600, path);
      }
    }),
});

Deno.test("names and values are nowhere on the disk in the clear", () =>
  inNewHome(async (home) => {
    await open(home).write("the-name", canary);
    const content = Object.entries(await filesIn(home)).flat().join("\n");
    for (const text of [canary, "the-name"]) {
      assert(!content.includes(text));
      assert(!content.includes(new TextEncoder().encode(text).toHex()));
    }
  }));

/** Damages bytes in one of the ways that disks and people do; hands back undefined when nothing changed. */
const damage = fc.oneof(
  fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })).map(([at, mask]) => (bytes: Uint8Array) =>
    bytes.map((byte, index) => index === at % bytes.length ? byte ^ mask : byte)
  ),
  fc.nat().map((length) => (bytes: Uint8Array) => bytes.slice(0, length % bytes.length)),
  fc.uint8Array({ minLength: 1 }).map((more) => (bytes: Uint8Array) =>
    new Uint8Array([...bytes, ...more])
  ),
  fc.uint8Array().map((garbage) => () => garbage),
);

Deno.test("a damaged entry counts as absent and is set aside with one warning", () =>
  inNewHome(async (home) => {
    await open(home).write("other", "intact");
    const path = await entryPath(home, "name");
    await fc.assert(
      fc.asyncProperty(damage, fc.boolean(), async (damaged, byList) => {
        const warnings: string[] = [];
        const vault = open(home, warnings);
        await vault.write("name", canary);
        const bytes = damaged(await Deno.readFile(path));
        await Deno.writeFile(path, bytes);

        if (byList) assert.deepEqual(await vault.list(""), [{ name: "other", value: "intact" }]);
        assert.equal(await vault.read("name"), undefined);
        assert.equal(await vault.read("name"), undefined);
        assert.deepEqual(await Deno.readFile(`${path}.bad`), bytes);
        assert.deepEqual(warnings, [
          `A damaged vault entry counts as absent and was moved to ${path}.bad`,
        ]);
      }),
      { numRuns: 300 },
    );
  }));

Deno.test("a damaged entry that cannot be moved away counts as absent with a warning", () =>
  inNewHome(async (home) => {
    const warnings: string[] = [];
    const vault = open(home, warnings);
    await vault.write("name", canary);
    const path = await entryPath(home, "name");
    await Deno.writeTextFile(path, "garbage");
    await Deno.mkdir(`${path}.bad`);
    assert.equal(await vault.read("name"), undefined);
    assert.deepEqual(warnings, [
      `A damaged vault entry counts as absent and could not be moved away: ${path}`,
    ]);
  }));

Deno.test("a damaged entry that is replaced while it is read is not set aside", () =>
  inNewHome(async (home) => {
    await open(home).write("name", "new");
    const path = await entryPath(home, "name");
    const intact = await Deno.readFile(path);
    await Deno.writeTextFile(path, "garbage");
    const slow: VaultKeySource = {
      kind: "environment",
      label: "slow",
      async find() {
        // The entry is read in the meantime.
        for (let round = 0; round < 5; round++) await Deno.readFile(path);
        await Deno.writeFile(path, intact);
        return { outcome: "found", key: new Uint8Array(32).fill(7) };
      },
      create: () => assert.fail(),
    };
    const vault = openVault({ home, source: slow, warn: assert.fail });
    assert.equal(await vault.read("name"), "new");
  }));

Deno.test("an entry copied over another one does not decrypt", () =>
  inNewHome(async (home) => {
    const warnings: string[] = [];
    const vault = open(home, warnings);
    await vault.write("mine", 1);
    await vault.write("yours", 2);
    await Deno.copyFile(await entryPath(home, "yours"), await entryPath(home, "mine"));
    assert.equal(await vault.read("mine"), undefined);
    assert.equal(await vault.read("yours"), 2);
    assert.equal(warnings.length, 1);
  }));

Deno.test("writing the same value twice gives different bytes", () =>
  inNewHome(async (home) => {
    const path = await entryPath(home, "name");
    await open(home).write("name", 1);
    const first = await Deno.readFile(path);
    await open(home).write("name", 1);
    assert.notDeepEqual((await Deno.readFile(path)).slice(4, 16), first.slice(4, 16));
  }));

Deno.test("any other key is refused and changes nothing", () =>
  inNewHome(async (home) => {
    await open(home).write("name", canary);
    const before = await filesIn(home);
    const key = new Uint8Array(32).fill(7);
    const otherKey = fc.oneof(
      fc.nat(255).map((bit) => key.map((b, index) => index === bit >> 3 ? b ^ 1 << (bit & 7) : b)),
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
    );
    await fc.assert(
      fc.asyncProperty(otherKey, async (bytes) => {
        const ENTRATOOL_VAULT_KEY = bytes.toBase64();
        for (const error of await refusals(open(home, [], { ENTRATOOL_VAULT_KEY }))) {
          assert.equal(error.code, "vault_key_mismatch");
          assert.equal(error.failure, "storage");
          assert.match(error.message, /another key than ENTRATOOL_VAULT_KEY$/);
          assert(error.detail.hint?.includes(`remove the folder ${home}/vault to start over`));
          assert(!textOf(error).includes(ENTRATOOL_VAULT_KEY));
        }
      }),
      { numRuns: 50 },
    );
    assert.deepEqual(await filesIn(home), before);
  }));

Deno.test("a passphrase is refused by a vault with a key, and the other way round", () =>
  inNewHome(async (home) => {
    const passphrase = { ENTRATOOL_VAULT_PASSPHRASE: "correct horse" };
    for (const [mine, other] of [[keyInEnvironment, passphrase], [passphrase, keyInEnvironment]]) {
      await open(home, [], mine).write("name", canary);
      const before = await filesIn(home);
      for (const error of await refusals(open(home, [], other))) {
        assert.equal(error.code, "vault_key_mismatch");
        assert.match(error.message, /another kind of key/);
      }
      assert.deepEqual(await filesIn(home), before);
      await Deno.remove(`${home}/vault`, { recursive: true });
    }
  }));

Deno.test("vault.json that cannot be understood is reported and nothing is touched", () =>
  inNewHome(async (home) => {
    await open(home).write("name", canary);
    const path = `${home}/vault/vault.json`;
    const valid = JSON.parse(await Deno.readTextFile(path));
    const contents: [string, string][] = [
      ["vault_unreadable", ""],
      ["vault_unreadable", "garbage"],
      ["vault_unreadable", "null"],
      ["vault_unreadable", "[]"],
      ["vault_unreadable", "{}"],
      ["vault_unreadable", JSON.stringify({ ...valid, version: "1" })],
      ["vault_unreadable", JSON.stringify({ ...valid, version: 0 })],
      ["vault_unreadable", JSON.stringify({ ...valid, keyId: 5 })],
      ["vault_unreadable", JSON.stringify({ ...valid, keySource: "\u001b[31m" })],
      ["vault_unreadable", JSON.stringify({ ...valid, keyParameters: [] })],
      ["vault_newer", JSON.stringify({ version: 2 })],
    ];
    for (const [code, content] of contents) {
      await Deno.writeTextFile(path, content);
      const before = await filesIn(home);
      for (const error of await refusals(open(home))) {
        assert.equal(error.code, code, content);
        assert.equal(error.failure, "storage");
        assert(error.message.includes(path));
        assert(error.detail.hint);
      }
      assert.deepEqual(await filesIn(home), before);
    }
  }));

Deno.test({
  name: "what the disk refuses is a storage error that names the path",
  // Windows says "not found" where a file is in the place of a folder.
  ignore: Deno.build.os === "windows",
  fn: async (test) => {
    const cases: Record<string, { path: string; folder?: true; methods: string[] }> = {
      "the config home is below a file": { path: "", methods: ["read", "write", "list", "delete"] },
      "vault is a file": { path: "/vault", methods: ["read", "write", "list", "delete"] },
      "vault.json is a folder": { path: "/vault/vault.json", folder: true, methods: ["read"] },
      "entries is a file": { path: "/vault/entries", methods: ["read", "write", "list", "delete"] },
      "the entry is a folder": {
        path: await entryPath("", "name"),
        folder: true,
        methods: ["read", "write"],
      },
    };
    for (const [name, { path, folder, methods }] of Object.entries(cases)) {
      await test.step(name, () =>
        inNewHome(async (parent) => {
          const home = `${parent}/config`;
          await open(home).write("other", 1);
          const blocked = home + path;
          await Deno.remove(blocked, { recursive: true }).catch(() => {});
          if (folder) await Deno.mkdir(blocked);
          else await Deno.writeTextFile(blocked, "");
          const before = await filesIn(parent);
          const vault = open(home);
          const actions: Record<string, () => Promise<unknown>> = {
            read: () => vault.read("name"),
            write: () => vault.write("name", canary),
            list: () => vault.list(""),
            delete: () => vault.delete("name"),
          };
          for (const method of methods) {
            await assert.rejects(actions[method]!(), (error) => {
              assert(error instanceof EntraToolError, `${method}: ${error}`);
              assert.equal(error.failure, "storage");
              assert(error.message.includes(blocked), error.message);
              assert(error.detail.hint, error.message);
              assert(!textOf(error).includes(canary));
              return true;
            });
          }
          assert.deepEqual(await filesIn(parent), before);
        }));
    }
  },
});

Deno.test("write() sweeps temporary files that are older than an hour", () =>
  inNewHome(async (home) => {
    await open(home).write("name", 1);
    const temporary = () => `${crypto.randomUUID()}.tmp`;
    const folders = [`${home}/vault`, `${home}/vault/entries`];
    const old = folders.map((folder) => `${folder}/x.${temporary()}`);
    const fresh = folders.map((folder) => `${folder}/x.${temporary()}`);
    const foreign = `${home}/vault/entries/notes.tmp`;
    for (const path of [...old, ...fresh, foreign]) await Deno.writeTextFile(path, "");
    const twoHoursAgo = Date.now() / 1000 - 7200;
    for (const path of [...old, foreign]) await Deno.utime(path, twoHoursAgo, twoHoursAgo);
    await open(home).write("name", 2);
    const left = await filesIn(home);
    for (const path of old) assert(!(path in left));
    for (const path of [...fresh, foreign]) assert(path in left);
  }));

Deno.test("a source that makes a random key is asked for one, however many vaults are created at once", () =>
  inNewHome(async (home) => {
    let created = 0;
    let stored: Uint8Array<ArrayBuffer> | undefined;
    const source: VaultKeySource = {
      kind: "memory",
      label: "memory",
      find: () => Promise.resolve({ outcome: "found", key: stored! }),
      async create() {
        created++;
        const key = crypto.getRandomValues(new Uint8Array(32));
        await new Promise((resolve) => setTimeout(resolve));
        stored = key;
        return { outcome: "found", key, parameters: { item: "entratool" } };
      },
    };
    const vaults = Array.from(
      { length: 10 },
      () => openVault({ home, source, warn: assert.fail }),
    );
    await Promise.all(vaults.map((vault, index) => vault.write(`name ${index}`, index)));
    assert.equal(created, 1);
    assert.equal((await vaults[0]!.list("")).length, 10);
  }));

Deno.test("a source that refuses the key is asked once, and its own words are the error", () =>
  inNewHome(async (home) => {
    await open(home).write("name", canary);
    const outcomes: KeyRefusal["outcome"][] = [
      "missing",
      "locked",
      "unavailable",
      "denied",
      "timeout",
    ];
    for (const outcome of outcomes) {
      let asked = 0;
      const refuse = () => {
        asked++;
        return Promise.resolve({ outcome, message: "No key", hint: "Unlock it" });
      };
      const source = { kind: "keychain", label: "the keychain", find: refuse, create: refuse };
      for (const error of await refusals(openVault({ home, source, warn: assert.fail }))) {
        assert.equal(error.failure, "storage");
        assert.equal(error.code, `vault_key_${outcome}`);
        assert.equal(error.message, "No key");
        assert.equal(error.detail.hint, "Unlock it");
      }
      assert.equal(asked, 1);

      const elsewhere = `${home}/elsewhere`;
      const vault = openVault({ home: elsewhere, source, warn: assert.fail });
      await assert.rejects(vault.write("name", canary), { code: `vault_key_${outcome}` });
      assert(!(`${elsewhere}/vault/vault.json` in await filesIn(elsewhere)));
    }
  }));

Deno.test("withLock() of one process lets one action in at a time and passes its outcome on", () =>
  inNewHome(async (home) => {
    const vault = open(home);
    let inside = 0;
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        vault.withLock("name", patient, async () => {
          assert.equal(++inside, 1);
          await new Promise((resolve) => setTimeout(resolve));
          inside--;
          return index;
        })),
    );
    assert.deepEqual(results, Array.from({ length: 20 }, (_, index) => index));
    const own = new Error("own");
    await assert.rejects(
      vault.withLock("name", patient, () => Promise.reject(own)),
      (error) => error === own,
    );
    assert.equal(await vault.withLock("name", patient, () => Promise.resolve("free")), "free");
  }));

Deno.test("the vault without a key keeps nothing and touches nothing", () =>
  inNewHome(async (home) => {
    for (const env of [{}, { ENTRATOOL_VAULT_KEY: "none" }]) {
      const vault = open(home, [], env);
      assert.equal(vault.storesAnything, false);
      await vault.write("name", canary);
      assert.equal(await vault.read("name"), undefined);
      assert.deepEqual(await vault.list(""), []);
      assert.equal(await vault.delete("name"), false);
      assert.equal(await vault.withLock("name", patient, () => Promise.resolve(5)), 5);
    }
    assert.deepEqual(await filesIn(home), {});
    assert.equal(open(home).storesAnything, true);
  }));

Deno.test("withLock() runs the action where no lock can be made, and says what is in the way", () =>
  inNewHome(async (home) => {
    await open(home).write("name", 1);
    await Deno.remove(`${home}/vault/locks`, { recursive: true });
    await Deno.writeTextFile(`${home}/vault/locks`, "");
    const unlocked = await open(home).withLock("name", patient, (why) => Promise.resolve(why));
    assert.equal(unlocked?.failure, "storage");
    assert.ok(unlocked.message.includes(`${home}/vault/locks`));
    assert.equal(await open(home).read("name"), 1);
  }));
