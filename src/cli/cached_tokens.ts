/** The cached tokens in the vault, as a list and to be removed. */

import { type CachedToken, readCachedToken, tokenEntryPrefix } from "../acquire.ts";
import type { Host } from "../host.ts";
import { configHome, findProfile, readProfiles } from "../profiles/profile_store.ts";
import { sameProfileName } from "../profiles/profile.ts";
import type { Vault } from "../vault/vault.ts";

/** The tokens of one profile, or all, each with its entry's name; entries of another form are left out. */
export async function listTokens(
  vault: Vault,
  profile: string | undefined,
): Promise<readonly (CachedToken & { readonly entry: string })[]> {
  return (await vault.list(tokenEntryPrefix)).flatMap(({ name, value }) => {
    const cached = readCachedToken(value);
    const wanted = cached !== undefined &&
      (profile === undefined ||
        (cached.profile !== null && sameProfileName(cached.profile, profile)));
    return wanted ? [{ ...cached, entry: name }] : [];
  });
}

/** The profile that is named, if one is. @throws EntraToolError profile_not_found when there is none of that name */
export async function existingProfile(
  { profile }: { readonly profile?: string | undefined },
  host: Host,
): Promise<string | undefined> {
  return profile === undefined
    ? undefined
    : findProfile(await readProfiles(configHome(host)), profile).name;
}

/** Removes the tokens of one profile, or all, with entries of another form; resolves to their number. */
export async function deleteTokens(vault: Vault, profile: string | undefined): Promise<number> {
  const names = profile === undefined
    ? (await vault.list(tokenEntryPrefix)).map(({ name }) => name)
    : (await listTokens(vault, profile)).map(({ entry }) => entry);
  let removed = 0;
  for (const name of names) if (await vault.delete(name)) removed++;
  return removed;
}
