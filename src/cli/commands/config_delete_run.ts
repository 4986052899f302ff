/** `entratool config delete`. */

import { EntraToolError } from "../../errors.ts";
import { type Profile, secretEntryName, secretNames } from "../../profiles/profile.ts";
import { changeProfiles, configHome, findProfile } from "../../profiles/profile_store.ts";
import type { AppContext } from "../context.ts";
import { readEnvironment } from "../settings.ts";
import { userVault } from "../vault_access.ts";
import type { DeleteFlags } from "./config.ts";
import { deleteTokens } from "../cached_tokens.ts";
import { signOut } from "../signed_in.ts";
import { requiredName } from "./config_profile.ts";

export default async function configDelete(this: AppContext, flags: DeleteFlags): Promise<void> {
  const name = requiredName(flags);
  const vault = userVault(this, await readEnvironment(flags, this.host));
  const home = configHome(this.host);
  let removed = 0;
  await changeProfiles(home, async (profiles) => {
    const profile = findProfile(profiles, name);
    if (!vault.storesAnything) await refuseToLeaveSecrets(profile, home);
    // secrets first: if that fails, the profile is still there to try again with
    for (const secret of secretNames) await vault.delete(secretEntryName(profile.name, secret));
    removed = await deleteTokens(vault, profile.name);
    const whom = { profile: profile.name, account: undefined };
    await signOut(vault, whom, this.host.deadline(60_000));
    return profiles.filter((each) => each !== profile);
  });
  this.messages.note(
    `Deleted profile "${name}"${
      removed === 0 ? "" : ` and ${removed} cached token${removed === 1 ? "" : "s"}`
    }`,
  );
}

/** Without its key the vault can't be searched: what lies in it would stay there, with nobody to remember it. */
async function refuseToLeaveSecrets({ name, credential }: Profile, home: string): Promise<void> {
  const holdsSecret = credential?.kind === "client-secret" || credential?.passwordInVault === true;
  const vaultExists = await Deno.stat(`${home}/vault`).then(() => true, () => false);
  if (!holdsSecret || !vaultExists) return;
  throw new EntraToolError(
    "storage",
    "vault_not_open",
    `Profile "${name}" has a secret in the vault, which is not open`,
    {
      hint: [
        "Set ENTRATOOL_VAULT_KEY or ENTRATOOL_VAULT_PASSPHRASE, then delete it",
        `If the key is lost, remove the folder ${home}/vault first`,
      ].join("\n"),
    },
  );
}
