/** How commands get at the vault. */

import { configHome } from "../profiles/profile_store.ts";
import { environmentKeySource } from "../vault/environment_key.ts";
import { openVault, type Vault } from "../vault/vault.ts";
import type { AppContext } from "./context.ts";
import type { Environment } from "./settings.ts";

/**
 * Opens the user's vault with the key that the environment names.
 *
 * @throws EntraToolError usage when the environment's key is malformed
 */
export function userVault({ host, messages, redactor }: AppContext, env: Environment): Vault {
  // an empty variable is an error here and not the same as none: it is most often a secret that is missing in CI
  const keyVariable: Environment = (name) => host.env(name) ?? env(name);
  for (const name of ["ENTRATOOL_VAULT_KEY", "ENTRATOOL_VAULT_PASSPHRASE"]) {
    const value = keyVariable(name);
    if (value !== undefined && value !== "none") redactor.add(value);
  }
  const source = environmentKeySource(keyVariable);
  return openVault({
    // what stores nothing needs no place: a container may have no home at all
    home: source === "none" ? "" : configHome(host),
    source,
    warn: (text) => messages.warning(text),
  });
}
