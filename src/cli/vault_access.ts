/** How commands get at the vault. */

import { EntraToolError } from "../errors.ts";
import type { Deadline } from "../host.ts";
import { configHome } from "../profiles/profile_store.ts";
import { environmentKeySource } from "../vault/environment_key.ts";
import { openVault, type Vault } from "../vault/vault.ts";
import type { AppContext } from "./context.ts";
import type { Environment } from "./settings.ts";

/**
 * The user's vault with the key that the environment names.
 *
 * It is opened when it is first used, so that a command that needs none runs whatever the key is. Its methods @throws
 * EntraToolError usage when the environment's key is malformed.
 */
export function userVault({ host, messages, redactor }: AppContext, env: Environment): Vault {
  // an empty variable is an error here and not the same as none: it is most often a secret that is missing in CI
  const keyVariable: Environment = (name) => host.env(name) ?? env(name);
  for (const name of ["ENTRATOOL_VAULT_KEY", "ENTRATOOL_VAULT_PASSPHRASE"]) {
    const value = keyVariable(name);
    if (value !== undefined && value !== "none") redactor.add(value);
  }
  return new DeferredVault(() => {
    const source = environmentKeySource(keyVariable);
    return openVault({
      // what stores nothing needs no place: a container may have no home at all
      home: source === "none" ? "" : configHome(host),
      source,
      warn: (text) => messages.warning(text),
    });
  });
}

/** @throws EntraToolError storage when nothing is open, so that what `doing` says can not be done */
export function requireVault(vault: Vault, doing: string): void {
  if (vault.storesAnything) return;
  throw new EntraToolError("storage", "vault_not_open", `No vault is open, so ${doing}`, {
    hint: "Set ENTRATOOL_VAULT_KEY or ENTRATOOL_VAULT_PASSPHRASE to the one that it was made with",
  });
}

class DeferredVault implements Vault {
  readonly #open: () => Vault;
  #opened: Vault | undefined;

  constructor(open: () => Vault) {
    this.#open = open;
  }

  get #vault(): Vault {
    return this.#opened ??= this.#open();
  }

  get storesAnything(): boolean {
    return this.#vault.storesAnything;
  }

  // async, so that a key that can't be used rejects like everything else that goes wrong

  async read(name: string): Promise<unknown | undefined> {
    return await this.#vault.read(name);
  }

  async write(name: string, value: unknown): Promise<void> {
    await this.#vault.write(name, value);
  }

  async delete(name: string): Promise<boolean> {
    return await this.#vault.delete(name);
  }

  async list(prefix: string): ReturnType<Vault["list"]> {
    return await this.#vault.list(prefix);
  }

  /** As the vault's, but the error of a wait that was too long says that it was one. */
  async withLock<T>(
    name: string,
    deadline: Deadline,
    action: (unlocked?: EntraToolError) => Promise<T>,
  ): Promise<T> {
    let isWaiting = true;
    try {
      return await this.#vault.withLock(name, deadline, (unlocked) => {
        isWaiting = false;
        return action(unlocked);
      });
    } catch (error) {
      throw isWaiting ? waitedTooLong(error) : error;
    }
  }
}

function waitedTooLong(error: unknown): unknown {
  if (!(error instanceof EntraToolError) || error.code !== "timeout") return error;
  return new EntraToolError(
    "network",
    "timeout",
    `${error.message}: another entratool process is getting this token and has not ended`,
    { hint: "Wait for it or end it, or allow more time with --timeout 2m", cause: error },
  );
}
