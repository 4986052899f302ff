/** `entratool config …`: what may be typed. */

import { buildCommand, buildRouteMap } from "@stricli/core";
import { type CloudName, type FlowName, flowNames } from "../../names.ts";
import type { AppContext } from "../context.ts";
import {
  type ConnectionFlags,
  connectionFlags,
  listFlag,
  type ListOutput,
  listOutputFlag,
  profileFlags,
  signInFlags,
  switchFlag,
  unmarked,
  valueFlag,
} from "../flag_groups.ts";
import { parseAuthority, parseCloud, parseFlow, parseScope, parseText } from "../parsers.ts";

export interface NameFlags {
  readonly profile?: string | undefined;
}

const nameFlags = { profile: valueFlag(parseText, "NAME", "The profile's name") };

export interface ProfileFieldFlags extends NameFlags, ConnectionFlags {
  readonly redirectUri?: string | undefined;
  readonly pinTenant?: string | undefined;
  readonly pinAccount?: string | undefined;
  readonly flow?: FlowName | undefined;
  readonly scope?: readonly string[] | undefined;
}

const profileFieldFlags = {
  ...nameFlags,
  ...connectionFlags,
  redirectUri: signInFlags.redirectUri,
  pinTenant: valueFlag(parseText, "GUID", "Accept only tokens of this tenant"),
  pinAccount: valueFlag(parseText, "NAME", "Accept only tokens of this account: a user name"),
  flow: valueFlag(parseFlow, "FLOW", `Flow to use when none is chosen: ${flowNames.join(", ")}`),
  scope: listFlag(parseScope, "SCOPE", "Scope to ask for when none is given"),
};

/** In an edit an empty value removes what the profile has. */
export interface EditFlags extends Omit<ProfileFieldFlags, "cloud" | "flow"> {
  readonly cloud?: CloudName | "" | undefined;
  readonly flow?: FlowName | "" | undefined;
}

const orEmpty = <T>(parse: (text: string) => T) => (text: string) => text === "" ? "" : parse(text);
const text = orEmpty(parseText);

const editFlags = {
  ...profileFieldFlags,
  clientSecretFile: { ...connectionFlags.clientSecretFile, parse: unmarked(text) },
  certificate: { ...connectionFlags.certificate, parse: unmarked(text) },
  sendX5c: { ...connectionFlags.sendX5c, withNegated: true },
  cloud: { ...connectionFlags.cloud, parse: unmarked(orEmpty(parseCloud)) },
  authority: { ...connectionFlags.authority, parse: unmarked(orEmpty(parseAuthority)) },
  redirectUri: { ...profileFieldFlags.redirectUri, parse: unmarked(text) },
  pinTenant: { ...profileFieldFlags.pinTenant, parse: unmarked(text) },
  pinAccount: { ...profileFieldFlags.pinAccount, parse: unmarked(text) },
  flow: { ...profileFieldFlags.flow, parse: unmarked(orEmpty(parseFlow)) },
  scope: { ...profileFieldFlags.scope, parse: unmarked(orEmpty(parseScope)) },
};

const profileAliases = { p: "profile", f: "flow", s: "scope" } as const;

const create = buildCommand<ProfileFieldFlags, [], AppContext>({
  loader: () => import("./config_create_run.ts"),
  parameters: { flags: profileFieldFlags, aliases: profileAliases },
  docs: {
    brief: "Make a profile",
    fullDescription: `Make a profile: a name for a tenant, an app and how it proves itself.

A client secret or certificate password goes into the vault and nowhere else. The certificate itself stays where it
is; it is opened at once to see that it can be used.

EXAMPLES
  entratool config create -p service-principal --tenant contoso.onmicrosoft.com --client-id 11111111-2222-4333-8444-555555555555 --client-secret-file -
  entratool config create -p nightly --tenant contoso.onmicrosoft.com --client-id 11111111-2222-4333-8444-555555555555 --certificate app.pfx`,
  },
});

const edit = buildCommand<EditFlags, [], AppContext>({
  loader: () => import("./config_edit_run.ts"),
  parameters: { flags: editFlags, aliases: profileAliases },
  docs: {
    brief: "Change what is given of a profile",
    fullDescription:
      `Change what is given of a profile, and leave the rest as it is. An empty value removes what the profile has.

A new client secret or certificate takes the place of the old one. Another client id or login host needs the matching
client secret too.

EXAMPLES
  entratool config edit -p service-principal --client-secret-file new-secret.txt
  entratool config edit -p service-principal -s api://orders/.default
  entratool config edit -p service-principal --flow= --scope=`,
  },
});

export interface ListFlags {
  readonly output?: ListOutput | undefined;
}

const list = buildCommand<ListFlags, [], AppContext>({
  loader: () => import("./config_list_run.ts"),
  parameters: { flags: { output: listOutputFlag }, aliases: { o: "output" } },
  docs: {
    brief: "List the profiles",
    fullDescription: `List the profiles.

EXAMPLES
  entratool config list
  entratool config list -o json`,
  },
});

export interface ShowFlags extends NameFlags, ListFlags {
  readonly envFile?: string | undefined;
  readonly origin?: boolean | undefined;
}

const show = buildCommand<ShowFlags, [], AppContext>({
  loader: () => import("./config_show_run.ts"),
  parameters: {
    flags: {
      profile: profileFlags.profile,
      envFile: connectionFlags.envFile,
      output: listOutputFlag,
      origin: switchFlag("Show what would be in force now, and where each value comes from"),
    },
    aliases: { p: "profile", o: "output" },
  },
  docs: {
    brief: "Show a profile, without its secrets",
    fullDescription:
      `Show a profile, without its secrets: the one that is named, or that get-token would use.

EXAMPLES
  entratool config show
  entratool config show -p service-principal
  entratool config show -p service-principal --origin`,
  },
});

export interface DeleteFlags extends NameFlags {
  readonly envFile?: string | undefined;
}

const remove = buildCommand<DeleteFlags, [], AppContext>({
  loader: () => import("./config_delete_run.ts"),
  parameters: {
    flags: { ...nameFlags, envFile: connectionFlags.envFile },
    aliases: { p: "profile" },
  },
  docs: {
    brief: "Delete a profile with its secrets and cached tokens",
    fullDescription: `Delete a profile with its secrets and cached tokens.

EXAMPLES
  entratool config delete -p service-principal`,
  },
});

const path = buildCommand<Record<never, never>, [], AppContext>({
  loader: () => import("./config_path_run.ts"),
  parameters: {},
  docs: {
    brief: "Print the folder of profiles and vault",
    fullDescription: `Print the folder of profiles and vault.

EXAMPLES
  entratool config path`,
  },
});

export const configRoutes = buildRouteMap<string, AppContext>({
  routes: { create, edit, list, show, delete: remove, path },
  docs: {
    brief: "Make, show, change and delete profiles",
    fullDescription: `Make, show, change and delete profiles.

EXAMPLES
  entratool config list
  entratool config show -p service-principal
  entratool config create --help`,
  },
});
