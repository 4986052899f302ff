/** `entratool logout`. */

import { EntraToolError } from "../../errors.ts";
import { parseCloudName } from "../../names.ts";
import { configHome } from "../../profiles/profile_store.ts";
import type { AppContext } from "../context.ts";
import { readEnvironment, resolveSettings } from "../settings.ts";
import { signOut } from "../signed_in.ts";
import { requireVault, userVault } from "../vault_access.ts";
import type { LogoutFlags } from "./logout.ts";

export default async function logout(this: AppContext, flags: LogoutFlags): Promise<void> {
  if (flags.all && flags.profile !== undefined) {
    throw new EntraToolError("usage", "conflict", "--all and --profile exclude each other", {
      hint: "--all means everybody, of all profiles and of none",
    });
  }
  const env = await readEnvironment(flags, this.host);
  const vault = userVault(this, env);
  requireVault(vault, "nobody can be signed out of it");
  const settings = flags.all
    ? undefined
    : await resolveSettings({ profile: flags.profile }, env, () => configHome(this.host));
  const people = await signOut(vault, {
    profile: flags.all ? "every" : settings?.profile?.name,
    account: flags.account,
  }, this.host.deadline(60_000));
  const names = [...new Set(people.map(({ account }) => account.username))];
  this.messages.note(
    names.length === 0 ? "Nobody was signed in" : `Signed out: ${names.join(", ")}`,
  );
  if (!flags.browser) return;
  const logins = settings === undefined
    ? [...new Set(people.map(({ login }) => login))].map((login) => {
      const cloud = parseCloudName(login);
      return { tenant: "common", cloud, authority: cloud === undefined ? login : undefined };
    })
    : [{
      tenant: settings.tenant?.value ?? "common",
      cloud: settings.cloud?.value,
      authority: settings.authority?.value,
    }];
  const { resolveAuthority } = await import("../../entra/authority.ts");
  for (const login of logins) {
    const url = `${resolveAuthority(login).url}/oauth2/v2.0/logout`;
    this.messages.lines(["To end the browser's session, open:", url]);
    await this.host.openBrowser(url, undefined);
  }
}
