import assert from "node:assert/strict";
import { EntraToolError } from "../../../src/errors.ts";
import { environmentKeySource } from "../../../src/vault/environment_key.ts";
import { vaultKeyId } from "../../../src/vault/vault_key.ts";

const key = new Uint8Array(32).map((_, index) => 255 - index * 5);

function choose(env: Record<string, string>) {
  return environmentKeySource((name) => env[name]);
}

async function keyFrom(env: Record<string, string>) {
  const source = choose(env);
  assert(source !== "none");
  const found = await source.find({});
  assert(found.outcome === "found");
  return found.key;
}

function usageError(env: Record<string, string>): EntraToolError {
  try {
    choose(env);
  } catch (error) {
    assert(error instanceof EntraToolError);
    assert.equal(error.failure, "usage");
    return error;
  }
  assert.fail("not refused");
}

Deno.test("environmentKeySource() takes base64 and base64url, with and without padding", async () => {
  const padded = key.toBase64();
  assert.match(padded, /[+/]/);
  const url = key.toBase64({ alphabet: "base64url", omitPadding: true });
  assert.match(url, /[-_]/);
  for (const text of [padded, padded.replace("=", ""), url, `${url}=`, `${padded}\n`]) {
    assert.deepEqual(await keyFrom({ ENTRATOOL_VAULT_KEY: text }), key);
  }
});

Deno.test("environmentKeySource() is none when told so and when nothing is set", () => {
  assert.equal(choose({}), "none");
  assert.equal(choose({ ENTRATOOL_VAULT_KEY: "none" }), "none");
});

Deno.test("environmentKeySource() refuses what is not a key, without repeating it", () => {
  const short = key.slice(1).toBase64();
  const messages = {
    "": "ENTRATOOL_VAULT_KEY is set and empty",
    " ": "ENTRATOOL_VAULT_KEY is set and empty",
    "not base64!": "ENTRATOOL_VAULT_KEY is not base64",
    None: "ENTRATOOL_VAULT_KEY holds 3 bytes where 32 belong",
    [short]: "ENTRATOOL_VAULT_KEY holds 31 bytes where 32 belong",
    [new Uint8Array(33).toBase64()]: "ENTRATOOL_VAULT_KEY holds 33 bytes where 32 belong",
  };
  for (const [text, message] of Object.entries(messages)) {
    const error = usageError({ ENTRATOOL_VAULT_KEY: text });
    assert.equal(error.code, "vault_key_invalid");
    assert.equal(error.message, message);
    assert.match(error.detail.hint!, /openssl rand -base64 32$/);
    assert.equal(error.detail.cause, undefined);
  }
});

Deno.test("environmentKeySource() refuses both variables at once and an empty passphrase", () => {
  for (const ENTRATOOL_VAULT_KEY of [key.toBase64(), "none", ""]) {
    for (const ENTRATOOL_VAULT_PASSPHRASE of ["correct horse", ""]) {
      const error = usageError({ ENTRATOOL_VAULT_KEY, ENTRATOOL_VAULT_PASSPHRASE });
      assert.equal(error.code, "vault_key_ambiguous");
    }
  }
  assert.equal(usageError({ ENTRATOOL_VAULT_PASSPHRASE: "" }).code, "vault_passphrase_empty");
});

Deno.test("a passphrase gives the same key with its parameters, and another one without them", async () => {
  const source = choose({ ENTRATOOL_VAULT_PASSPHRASE: "correct horse" });
  assert(source !== "none");
  const [created, again] = [await source.create(), await source.create()];
  assert(created.outcome === "found" && again.outcome === "found");
  assert.notDeepEqual(created.key, again.key);
  assert.equal(created.key.length, 32);
  const found = await source.find(JSON.parse(JSON.stringify(created.parameters)));
  assert.deepEqual(found, { outcome: "found", key: created.key });
});

Deno.test("a passphrase refuses parameters that are not scrypt's or cost too much", async () => {
  const source = choose({ ENTRATOOL_VAULT_PASSPHRASE: "correct horse" });
  assert(source !== "none");
  const valid = { salt: new Uint8Array(16).toBase64(), N: 16384, r: 8, p: 1 };
  assert.equal((await source.find(valid)).outcome, "found");
  const changes = [
    { salt: "" },
    { salt: 5 },
    { N: 2 ** 13 },
    { N: 2 ** 21 },
    { N: 16385 },
    { N: "16384" },
    { r: 0 },
    { r: 17 },
    { r: 1.5 },
    { p: 0 },
    { p: 17 },
  ];
  for (const change of [...changes, { salt: undefined }]) {
    const { outcome } = await source.find({ ...valid, ...change });
    assert.equal(outcome, "foreign", JSON.stringify(change));
  }
});

Deno.test("vaultKeyId() is stable and not a plain hash of the key", async () => {
  assert.equal(await vaultKeyId(new Uint8Array(32)), "fa5198d1798c06117de2afb9a09926ff");
  const plain = new Uint8Array(await crypto.subtle.digest("SHA-256", key)).toHex();
  assert(!plain.startsWith(await vaultKeyId(key)));
});
