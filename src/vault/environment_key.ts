/** The vault's key from the environment: `ENTRATOOL_VAULT_KEY`, `ENTRATOOL_VAULT_PASSPHRASE`, or explicitly none. */

import { EntraToolError } from "../errors.ts";
import type { Host } from "../host.ts";
import { lazily } from "../lazy_module.ts";
import { vaultKeyBytes, type VaultKeySource } from "./vault_key.ts";

const keyVariable = "ENTRATOOL_VAULT_KEY";
const passphraseVariable = "ENTRATOOL_VAULT_PASSPHRASE";

/**
 * Chooses the source of the vault's key. `none` when nothing shall be stored: `ENTRATOOL_VAULT_KEY=none`, or neither
 * variable is set. An empty variable is an error, since it is most often a secret that is missing in CI.
 *
 * @throws EntraToolError usage: `vault_key_ambiguous`, `vault_key_invalid`, `vault_passphrase_empty`.
 */
export function environmentKeySource(env: Host["env"]): VaultKeySource | "none" {
  const key = env(keyVariable);
  const passphrase = env(passphraseVariable);
  if (key !== undefined && passphrase !== undefined) {
    throw new EntraToolError(
      "usage",
      "vault_key_ambiguous",
      `Both ${keyVariable} and ${passphraseVariable} are set`,
      { hint: `Unset the one that the vault was not made with: unset ${passphraseVariable}` },
    );
  }
  if (passphrase !== undefined) return passphraseSource(passphrase);
  if (key === undefined || key === "none") return "none";
  return keySource(decodeKey(key));
}

function keySource(key: Uint8Array<ArrayBuffer>): VaultKeySource {
  return {
    kind: "environment",
    label: keyVariable,
    find: () => Promise.resolve({ outcome: "found", key }),
    create: () => Promise.resolve({ outcome: "found", key, parameters: {} }),
  };
}

function passphraseSource(passphrase: string): VaultKeySource {
  if (passphrase === "") {
    throw new EntraToolError(
      "usage",
      "vault_passphrase_empty",
      `${passphraseVariable} is set and empty`,
      { hint: `Set it to the passphrase of the vault, or unset it: unset ${passphraseVariable}` },
    );
  }
  // scrypt comes from node:crypto, which costs start-up time: only those who use it pay.
  const scrypt = () =>
    lazily<typeof import("./passphrase_key.ts")>(import.meta.resolve("./passphrase_key.ts"));
  return {
    kind: "passphrase",
    label: passphraseVariable,
    find: async (parameters) => (await scrypt()).findPassphraseKey(passphrase, parameters),
    create: async () => (await scrypt()).createPassphraseKey(passphrase),
  };
}

function decodeKey(text: string): Uint8Array<ArrayBuffer> {
  const invalid = (what: string) =>
    new EntraToolError("usage", "vault_key_invalid", `${keyVariable} ${what}`, {
      hint: `Make a key once and keep it: openssl rand -base64 ${vaultKeyBytes}`,
    });
  if (text.trim() === "") throw invalid("is set and empty");
  let key: Uint8Array<ArrayBuffer>;
  try {
    key = Uint8Array.fromBase64(text.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    throw invalid("is not base64"); // without a cause, which may quote the key
  }
  if (key.length !== vaultKeyBytes) {
    throw invalid(`holds ${key.length} bytes where ${vaultKeyBytes} belong`);
  }
  return key;
}
