/** `entratool config create`. */

import { EntraToolError } from "../../errors.ts";
import { isProfileName, type Profile, sameProfileName } from "../../profiles/profile.ts";
import {
  changeProfiles,
  configHome,
  profilesPath,
  readProfiles,
} from "../../profiles/profile_store.ts";
import type { AppContext } from "../context.ts";
import { checkCertificateFlags, pickCredential, pickLogin, readEnvironment } from "../settings.ts";
import { userVault } from "../vault_access.ts";
import type { ProfileFieldFlags } from "./config.ts";
import { checkProfile, fieldsOf, requiredName, takeCredential } from "./config_profile.ts";

export default async function configCreate(
  this: AppContext,
  flags: ProfileFieldFlags,
): Promise<void> {
  const name = requiredName(flags);
  if (!isProfileName(name)) {
    throw new EntraToolError("usage", "name_invalid", `"${name}" can not be a profile's name`, {
      hint: "Use up to 64 letters, digits, and . _ @ + - and begin with a letter or digit",
    });
  }
  const env = await readEnvironment(flags, this.host);
  const tenantId = flags.tenant ?? env("AZURE_TENANT_ID");
  const clientId = flags.clientId ?? env("AZURE_CLIENT_ID");
  if (tenantId === undefined || clientId === undefined) {
    throw new EntraToolError(
      "usage",
      "settings_missing",
      `A profile needs a ${tenantId === undefined ? "tenant" : "client id"}`,
      { hint: tenantId === undefined ? "Add --tenant GUID-or-domain" : "Add --client-id GUID" },
    );
  }
  const home = configHome(this.host);
  // said before a secret is asked for, and again when nobody else can make one
  checkNameIsFree(name, await readProfiles(home));
  const vault = userVault(this, env);
  const source = pickCredential(flags, env, undefined)?.value;
  checkCertificateFlags(flags, source);
  const [cloud, authority] = pickLogin(flags, env, undefined);
  const now = new Date(this.host.now()).toISOString();
  const bare: Profile = {
    name,
    tenantId,
    clientId,
    ...fieldsOf({ ...flags, cloud: cloud?.value, authority: authority?.value }),
    createdAt: now,
    updatedAt: now,
  };
  // what is wrong with the rest is said before a secret is asked for
  checkProfile(bare);
  const taken = source && await takeCredential(name, source, vault, this);
  const profile: Profile = taken === undefined ? bare : { ...bare, credential: taken.credential };
  checkProfile(profile);

  await changeProfiles(home, async (profiles) => {
    checkNameIsFree(name, profiles);
    if (taken?.secret !== undefined) await vault.write(taken.secret.entry, taken.secret.value);
    return [...profiles, profile];
  });
  this.messages.lines([
    `Made profile "${name}" in ${profilesPath(home)}`,
    ...(taken?.secret === undefined ? [] : ["  its secret is in the vault"]),
    `  try it: entratool get-token -p ${name}`,
  ]);
}

function checkNameIsFree(name: string, profiles: readonly Profile[]): void {
  if (!profiles.some((each) => sameProfileName(each.name, name))) return;
  throw new EntraToolError("usage", "profile_exists", `There is a profile "${name}" already`, {
    hint: `Change it: entratool config edit -p ${name}`,
  });
}
