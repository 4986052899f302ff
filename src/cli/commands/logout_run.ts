/** `entratool logout`. */

import { EntraToolError } from "../../errors.ts";
import { configHome } from "../../profiles/profile_store.ts";
import { type AppContext } from "../context.ts";
import { readEnvironment, resolveSettings } from "../settings.ts";
import { signOut } from "../signed_in.ts";
import { userVault } from "../vault_access.ts";
import type { LogoutFlags } from "./logout.ts";

export default async function logout(this: AppContext, flags: LogoutFlags): Promise<void> {
  if (flags.all && flags.profile !== undefined) {
    throw new EntraToolError("usage", "conflict", "--all and --profile exclude each other", {
      hint: "--all means everybody, of all profiles and of none",
    });
  }
  const env = await readEnvironment({}, this.host);
  const vault = userVault(this, env);
  if (!vault.storesAnything) {
    throw new EntraToolError(
      "storage",
      "vault_not_open",
      "No vault is open, so nobody can be signed out of it",
      {
        hint:
          "Set ENTRATOOL_VAULT_KEY or ENTRATOOL_VAULT_PASSPHRASE to the one that it was made with",
      },
    );
  }
  const settings = flags.all
    ? undefined
    : await resolveSettings({ profile: flags.profile }, env, () => configHome(this.host));
  const people = await signOut(vault, {
    profile: flags.all ? "every" : settings?.profile?.name,
    account: flags.account,
  });
  const names = [...new Set(people.map(({ username }) => username))];
  this.messages.note(
    names.length === 0 ? "Nobody was signed in" : `Signed out: ${names.join(", ")}`,
  );
  if (!flags.browser || settings === undefined) return;
  const { resolveAuthority } = await import("../../entra/authority.ts");
  const authority = resolveAuthority({
    tenant: settings.tenant?.value ?? "common",
    cloud: settings.cloud?.value,
    authority: settings.authority?.value,
  });
  const url = `${authority.url}/oauth2/v2.0/logout`;
  this.messages.lines(["To end the browser's session, open:", url]);
  await this.host.openBrowser(url, undefined);
}
