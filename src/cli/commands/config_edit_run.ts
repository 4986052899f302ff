/** `entratool config edit`. */

import { EntraToolError } from "../../errors.ts";
import { type Profile, secretEntryName, secretNames } from "../../profiles/profile.ts";
import { changeProfiles, configHome, findProfile } from "../../profiles/profile_store.ts";
import type { AppContext } from "../context.ts";
import { checkCertificateFlags, pickCredential, readEnvironment } from "../settings.ts";
import { userVault } from "../vault_access.ts";
import type { ProfileFieldFlags } from "./config.ts";
import { checkProfile, fieldsOf, requiredName, takeCredential } from "./config_profile.ts";

export default async function configEdit(
  this: AppContext,
  flags: ProfileFieldFlags,
): Promise<void> {
  const name = requiredName(flags);
  const env = await readEnvironment(flags, this.host);
  const fields = fieldsOf(flags);
  // the environment is no wish to change a profile: only flags name what to replace
  const source = pickCredential(flags, () => undefined, undefined)?.value;
  checkCertificateFlags(flags, source);
  if (source === undefined && Object.keys(fields).length === 0) {
    throw new EntraToolError("usage", "nothing_to_change", "No flag says what to change", {
      hint: "For example --client-secret-file PATH; all of them: entratool config edit --help",
    });
  }
  const vault = userVault(this, env);
  await changeProfiles(configHome(this.host), async (profiles) => {
    const current = findProfile(profiles, name);
    const taken = source && await takeCredential(current.name, source, vault, this);
    const edited: Profile = {
      ...withoutReplaced(current, fields),
      ...fields,
      ...(taken === undefined ? {} : { credential: taken.credential }),
      updatedAt: new Date(this.host.now()).toISOString(),
    };
    checkProfile(edited);
    if (taken?.secret !== undefined) await vault.write(taken.secret.entry, taken.secret.value);
    if (taken !== undefined) {
      // what the profile no longer speaks of would stay in the vault for ever
      const old = secretNames.map((secret) => secretEntryName(current.name, secret))
        .filter((entry) => entry !== taken.secret?.entry);
      for (const entry of old) await vault.delete(entry);
    }
    return profiles.map((each) => each === current ? edited : each);
  });
  this.messages.note(`Changed profile "${name}"`);
}

/** Cloud and authority say the same thing in two ways: a new one replaces both. */
function withoutReplaced(profile: Profile, fields: Partial<Profile>): Profile {
  if (fields.cloud === undefined && fields.authority === undefined) return profile;
  const { cloud: _cloud, authority: _authority, ...rest } = profile;
  return rest;
}
