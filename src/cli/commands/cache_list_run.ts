/** `entratool cache list`. */

import { formatDuration, formatUtc } from "../../output/duration.ts";
import { printableJson } from "../../output/printable.ts";
import { formatTable } from "../../output/table.ts";
import { existingProfile, listTokens } from "../cached_tokens.ts";
import type { AppContext } from "../context.ts";
import { readEnvironment } from "../settings.ts";
import { requireVault, userVault } from "../vault_access.ts";
import type { CacheListFlags } from "./cache.ts";

export default async function cacheList(this: AppContext, flags: CacheListFlags): Promise<void> {
  const { host, messages } = this;
  const vault = userVault(this, await readEnvironment(flags, host));
  requireVault(vault, "nothing is cached that could be listed");
  const tokens = await listTokens(vault, await existingProfile(flags, host));
  if (flags.output === "json") {
    const list = tokens.map(({ profile, clientId, token }) => ({
      profile,
      client_id: clientId,
      tenant_id: token.tenantId,
      account: token.account?.username ?? null,
      flow: token.flow,
      scope: token.scopes.join(" "),
      expires_on: token.expiresAt,
      expires_at: formatUtc(token.expiresAt),
    }));
    host.stdout.write(printableJson(list));
    return;
  }
  if (tokens.length === 0) {
    messages.note("No tokens are cached");
    return;
  }
  const now = host.now() / 1000;
  host.stdout.write(formatTable(
    ["PROFILE", "TENANT", "CLIENT ID", "ACCOUNT", "SCOPES", "EXPIRES"],
    tokens.map(({ profile, clientId, token }) =>
      [
        profile ?? "-",
        token.tenantId,
        clientId,
        token.account?.username ?? "app",
        token.scopes.join(" "),
        token.expiresAt > now ? `in ${formatDuration(token.expiresAt - now)}` : "expired",
      ].map((cell) => messages.safe(cell))
    ),
  ));
}
