/**
 * `vault.json`: which key the vault was made with. It is the authority on that, holds no secret, and is written once;
 * one that cannot be understood is reported and never overwritten.
 */

import { EntraToolError } from "../errors.ts";
import { readFileIfPresent, storageError, writePrivateFile } from "../files/private_file.ts";
import type { KeyParameters } from "./vault_key.ts";

const currentVersion = 1;

/** What `vault.json` says about the key. */
export interface VaultRecord {
  /** By `vaultKeyId()`. */
  readonly keyId: string;
  /** The kind of the source that made the key. */
  readonly keySource: string;
  readonly keyParameters: KeyParameters;
}

/**
 * Reads `vault.json`; undefined when there is none.
 *
 * @throws EntraToolError storage: `vault_unreadable`, `vault_newer`, or what the disk refused.
 */
export async function readVaultFile(path: string): Promise<VaultRecord | undefined> {
  let content;
  try {
    content = await readFileIfPresent(path);
  } catch (error) {
    throw storageError(error, "read", path);
  }
  return content && parse(new TextDecoder().decode(content), path);
}

/** Writes `vault.json`. @throws EntraToolError storage: what the disk refused. */
export async function writeVaultFile(path: string, record: VaultRecord): Promise<void> {
  const text = JSON.stringify({ version: currentVersion, ...record }, undefined, 2) + "\n";
  try {
    await writePrivateFile(path, new TextEncoder().encode(text));
  } catch (error) {
    throw storageError(error, "write", path);
  }
}

function parse(text: string, path: string): VaultRecord {
  let record: unknown;
  try {
    record = JSON.parse(text);
  } catch {
    throw unreadable(path);
  }
  if (!isObject(record) || !Number.isInteger(record["version"])) throw unreadable(path);
  if (record["version"] as number > currentVersion) {
    throw new EntraToolError("storage", "vault_newer", `A newer entratool made ${path}`, {
      hint: "Update entratool; see what this one is: entratool --version",
    });
  }
  const { version, keyId, keySource, keyParameters } = record;
  const valid = version === currentVersion && typeof keyId === "string" &&
    typeof keySource === "string" && /^[a-z-]{1,40}$/.test(keySource) && isObject(keyParameters);
  if (!valid) throw unreadable(path);
  return { keyId, keySource, keyParameters };
}

function unreadable(path: string): EntraToolError {
  const folder = path.slice(0, path.lastIndexOf("/"));
  return new EntraToolError("storage", "vault_unreadable", `${path} is damaged`, {
    hint: `Restore that file, or remove the folder ${folder} to start over`,
  });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
