/** `entratool cache clear`. */

import { deleteTokens, existingProfile } from "../cached_tokens.ts";
import type { AppContext } from "../context.ts";
import { readEnvironment } from "../settings.ts";
import { requireVault, userVault } from "../vault_access.ts";
import type { CacheFlags } from "./cache.ts";

export default async function cacheClear(this: AppContext, flags: CacheFlags): Promise<void> {
  const vault = userVault(this, await readEnvironment(flags, this.host));
  requireVault(vault, "nothing can be removed from it");
  const removed = await deleteTokens(vault, await existingProfile(flags, this.host));
  this.messages.note(`Removed ${removed} cached token${removed === 1 ? "" : "s"}`);
}
