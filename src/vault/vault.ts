/**
 * Encrypted entries on disk, shared by all processes of one user. Owns the folder `vault` in the config home:
 *
 *     vault/vault.json           which key the vault was made with
 *     vault/entries/<id>.entry   one encrypted entry; <id>.entry.bad is one that was set aside
 *     vault/locks/<id>.lock      what `withLock` locks; vault.lock is for the vault's creation
 *
 * Entries are replaced whole, so reading and writing need no lock. This is on the path of every cached token: nothing
 * is imported here that is not needed to read one.
 */

import { EntraToolError } from "../errors.ts";
import {
  ensurePrivateFolder,
  readFileIfPresent,
  removeFileIfPresent,
  storageError,
  sweepTemporaryFiles,
  writePrivateFile,
} from "../files/private_file.ts";
import type { Deadline } from "../host.ts";
import { lazily } from "../lazy_module.ts";
import { type Entry, entryId, importEntryKey, sealEntry, unsealEntry } from "./entry_file.ts";
import { readVaultFile, type VaultRecord, writeVaultFile } from "./vault_file.ts";
import { type KeyRefusal, vaultKeyId, type VaultKeySource } from "./vault_key.ts";

/** How long, in milliseconds, to wait while another process creates the vault: a person may be answering a prompt. */
const creationTimeout = 90_000;

/**
 * Named values, encrypted at rest.
 *
 * Every method @throws EntraToolError storage: `vault_key_mismatch`, `vault_key_<outcome>` when the source refuses the
 * key, `vault_unreadable`, `vault_newer`, or `storage_failed` with what the disk refused. Nothing was changed then.
 */
export interface Vault {
  /** False for the vault that keeps nothing. */
  readonly storesAnything: boolean;
  /** The value, or undefined when there is none or it was damaged. */
  read(name: string): Promise<unknown | undefined>;
  /** Stores a value that JSON can hold, over the one that is there; creates the vault if need be. */
  write(name: string, value: unknown): Promise<void>;
  /** Removes the entry, at once, whoever holds its lock. Resolves to false when there was none. */
  delete(name: string): Promise<boolean>;
  /** The entries whose name begins with the prefix, sorted by name. */
  list(prefix: string): Promise<readonly Entry[]>;
  /**
   * Runs the action while no other `withLock` with this name runs, in any process.
   *
   * Where the disk allows no lock, a vault that can be read is still of use: then the action runs all the same, and is told
   * what is in the way.
   *
   * @throws `deadline.signal.reason` when the wait was too long; the process must then end by `Deno.exit`.
   */
  withLock<T>(
    name: string,
    deadline: Deadline,
    action: (unlocked?: EntraToolError) => Promise<T>,
  ): Promise<T>;
}

export interface VaultOptions {
  /** The config home; the vault is a folder in it. */
  readonly home: string;
  readonly source: VaultKeySource | "none";
  /** Receives one line for each entry that was set aside. */
  warn(text: string): void;
}

/** Opens the vault: touches nothing, neither disk nor key, until a method is called. */
export function openVault(options: VaultOptions): Vault {
  const { source } = options;
  return source === "none" ? emptyVault : new EncryptedVault({ ...options, source });
}

const emptyVault: Vault = {
  storesAnything: false,
  read: () => Promise.resolve(undefined),
  write: () => Promise.resolve(),
  delete: () => Promise.resolve(false),
  list: () => Promise.resolve([]),
  withLock: (_name, _deadline, action) => action(),
};

class EncryptedVault implements Vault {
  readonly storesAnything = true;
  readonly #folder: string;
  readonly #source: VaultKeySource;
  readonly #warn: (text: string) => void;
  #key: Promise<CryptoKey | undefined> | undefined;
  #swept = false;

  constructor({ home, source, warn }: VaultOptions & { readonly source: VaultKeySource }) {
    this.#folder = `${home}/vault`;
    this.#source = source;
    this.#warn = warn;
  }

  async read(name: string): Promise<unknown | undefined> {
    const [key, [id, sealed]] = await Promise.all([this.#openKey(), this.#load(name)]);
    return key && sealed && (await this.#unseal(key, id, sealed))?.value;
  }

  async write(name: string, value: unknown): Promise<void> {
    const [key, id] = await Promise.all([this.#openOrCreateKey(), entryId(name)]);
    const path = this.#entryPath(id);
    const sealed = await sealEntry(key, id, { name, value });
    await attempt("write", path, async () => {
      await ensurePrivateFolder(`${this.#folder}/entries`);
      await writePrivateFile(path, sealed);
    });
    await this.#sweep();
  }

  async delete(name: string): Promise<boolean> {
    const [key, id] = await Promise.all([this.#openKey(), entryId(name)]);
    if (key === undefined) return false;
    const path = this.#entryPath(id);
    return await attempt("remove", path, async () => {
      await removeFileIfPresent(`${path}.bad`);
      return await removeFileIfPresent(path);
    });
  }

  async list(prefix: string): Promise<readonly Entry[]> {
    const key = await this.#openKey();
    if (key === undefined) return [];
    const entries = await Promise.all((await this.#ids()).map(async (id) => {
      const sealed = await this.#loadById(id);
      return sealed && await this.#unseal(key, id, sealed);
    }));
    return entries
      .filter((entry) => entry !== undefined)
      .filter((entry) => entry.name.startsWith(prefix))
      .sort((a, b) => a.name < b.name ? -1 : 1);
  }

  async withLock<T>(
    name: string,
    deadline: Deadline,
    action: (unlocked?: EntraToolError) => Promise<T>,
  ): Promise<T> {
    const path = await this.#lockPath(await entryId(name)).catch(asStorageError);
    const lock = path instanceof EntraToolError
      ? path
      : await (await fileLocks()).acquireFileLock(path, deadline.signal).catch(asStorageError);
    if (lock instanceof EntraToolError) return await action(lock);
    using _held = lock;
    return await action();
  }

  /**
   * The key of the existing vault; undefined when there is no vault yet. The source is asked once: its refusal stands
   * for the whole run, so that a person is not prompted again.
   */
  async #openKey(): Promise<CryptoKey | undefined> {
    this.#key ??= this.#findKey();
    const key = await this.#key;
    if (key === undefined) this.#key = undefined;
    return key;
  }

  async #findKey(): Promise<CryptoKey | undefined> {
    const record = await readVaultFile(this.#vaultFile);
    if (record === undefined) return undefined;
    const found = await this.#source.find(record.keyParameters);
    if (found.outcome === "foreign") throw this.#mismatch(record);
    if (found.outcome !== "found") throw refused(found);
    const [keyId, key] = await Promise.all([vaultKeyId(found.key), importEntryKey(found.key)]);
    if (keyId !== record.keyId) throw this.#mismatch(record);
    return key;
  }

  async #openOrCreateKey(): Promise<CryptoKey> {
    // The creator opens what it created as everybody else does: a key that can't be found again shows at once.
    let key: CryptoKey | undefined;
    while ((key = await this.#openKey()) === undefined) await this.#create();
    return key;
  }

  /** Writes vault.json unless another process was faster. */
  async #create(): Promise<void> {
    const waiting = new AbortController();
    const timer = setTimeout(() => waiting.abort(this.#busy()), creationTimeout);
    try {
      await this.#locked("vault", waiting.signal, async () => {
        if (await readVaultFile(this.#vaultFile) !== undefined) return;
        const created = await this.#source.create();
        if (created.outcome !== "found") throw refused(created);
        await writeVaultFile(this.#vaultFile, {
          keyId: await vaultKeyId(created.key),
          keySource: this.#source.kind,
          keyParameters: created.parameters,
        });
      });
    } finally {
      clearTimeout(timer);
    }
  }

  async #locked<T>(id: string, signal: AbortSignal, action: () => Promise<T>): Promise<T> {
    return await (await fileLocks()).withFileLock(await this.#lockPath(id), signal, action);
  }

  async #lockPath(id: string): Promise<string> {
    const folder = `${this.#folder}/locks`;
    await attempt("create", folder, () => ensurePrivateFolder(folder));
    return `${folder}/${id}.lock`;
  }

  async #load(name: string): Promise<[id: string, sealed: Uint8Array<ArrayBuffer> | undefined]> {
    const id = await entryId(name);
    return [id, await this.#loadById(id)];
  }

  #loadById(id: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const path = this.#entryPath(id);
    return attempt("read", path, () => readFileIfPresent(path));
  }

  /** Decrypts what was read; sets a damaged entry aside, which then counts as absent. */
  async #unseal(
    key: CryptoKey,
    id: string,
    sealed: Uint8Array<ArrayBuffer>,
  ): Promise<Entry | undefined> {
    const entry = await unsealEntry(key, id, sealed);
    if (entry !== undefined) return entry;
    // Another process may have replaced the damaged entry by now: that one must not be set aside.
    const current = await this.#loadById(id);
    if (current === undefined) return undefined;
    if (!sameBytes(current, sealed)) return await this.#unseal(key, id, current);
    await this.#setAside(this.#entryPath(id));
    return undefined;
  }

  async #setAside(path: string): Promise<void> {
    try {
      await Deno.rename(path, `${path}.bad`);
      this.#warn(`A damaged vault entry counts as absent and was moved to ${path}.bad`);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return; // another process was faster, and says so
      this.#warn(`A damaged vault entry counts as absent and could not be moved away: ${path}`);
    }
  }

  async #ids(): Promise<string[]> {
    const folder = `${this.#folder}/entries`;
    const ids: string[] = [];
    try {
      for await (const { name, isFile } of Deno.readDir(folder)) {
        const id = /^([0-9a-f]{64})\.entry$/.exec(name)?.[1];
        if (id !== undefined && isFile) ids.push(id);
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw storageError(error, "read", folder);
    }
    return ids;
  }

  async #sweep(): Promise<void> {
    if (this.#swept) return;
    this.#swept = true;
    await sweepTemporaryFiles(this.#folder);
    await sweepTemporaryFiles(`${this.#folder}/entries`);
  }

  get #vaultFile(): string {
    return `${this.#folder}/vault.json`;
  }

  #entryPath(id: string): string {
    return `${this.#folder}/entries/${id}.entry`;
  }

  #mismatch({ keySource }: VaultRecord): EntraToolError {
    const { kind, label } = this.#source;
    const message = keySource === kind
      ? `The vault in ${this.#folder} was made with another key than ${label}`
      : `The vault in ${this.#folder} was made with another kind of key (${keySource}) than ${label}`;
    return new EntraToolError("storage", "vault_key_mismatch", message, {
      hint: `Correct ${label}, or remove the folder ${this.#folder} to start over`,
    });
  }

  #busy(): EntraToolError {
    const seconds = creationTimeout / 1000;
    const message =
      `Another process has been creating the vault in ${this.#folder} for too long (${seconds} s)`;
    return new EntraToolError("storage", "vault_busy", message, {
      hint: "End the other entratool process, then try again",
    });
  }
}

function refused({ outcome, message, hint }: KeyRefusal): EntraToolError {
  return new EntraToolError("storage", `vault_key_${outcome}`, message, { hint });
}

/** What the disk refused, as a value; anything else is thrown on. */
function asStorageError(error: unknown): EntraToolError {
  if (error instanceof EntraToolError && error.failure === "storage") return error;
  throw error;
}

async function attempt<T>(verb: string, path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw storageError(error, verb, path);
  }
}

/** A cached token needs no lock. */
function fileLocks() {
  return lazily<typeof import("./lock.ts")>(import.meta.resolve("./lock.ts"));
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
