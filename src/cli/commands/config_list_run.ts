/** `entratool config list`. */

import { printableJson } from "../../output/printable.ts";
import { formatTable } from "../../output/table.ts";
import { configHome, readProfiles } from "../../profiles/profile_store.ts";
import type { AppContext } from "../context.ts";
import type { ListFlags } from "./config.ts";

export default async function configList(this: AppContext, flags: ListFlags): Promise<void> {
  const profiles = await readProfiles(configHome(this.host));
  if (flags.output === "json") {
    this.host.stdout.write(printableJson(profiles));
    return;
  }
  if (profiles.length === 0) {
    this.messages.note("There are no profiles yet; make one: entratool config create --help");
    return;
  }
  this.host.stdout.write(formatTable(
    ["NAME", "TENANT", "CLIENT ID", "CREDENTIAL", "FLOW"],
    profiles.map((profile) =>
      [
        profile.name,
        profile.tenantId,
        profile.clientId,
        profile.credential?.kind ?? "none",
        profile.defaultFlow ?? "automatic",
      ].map((cell) => this.messages.safe(cell))
    ),
  ));
}
