/** `entratool cache clear`. */

import { EntraToolError } from "../../errors.ts";
import { deleteTokens } from "../cached_tokens.ts";
import type { AppContext } from "../context.ts";
import { readEnvironment } from "../settings.ts";
import { userVault } from "../vault_access.ts";
import type { CacheFlags } from "./cache.ts";

export default async function cacheClear(this: AppContext, flags: CacheFlags): Promise<void> {
  const vault = userVault(this, await readEnvironment({}, this.host));
  if (!vault.storesAnything) {
    throw new EntraToolError(
      "storage",
      "vault_not_open",
      "No vault is open, so nothing can be removed from it",
      {
        hint:
          "Set ENTRATOOL_VAULT_KEY or ENTRATOOL_VAULT_PASSPHRASE to the one that it was made with",
      },
    );
  }
  const removed = await deleteTokens(vault, flags.profile);
  this.messages.note(`Removed ${removed} cached token${removed === 1 ? "" : "s"}`);
}
