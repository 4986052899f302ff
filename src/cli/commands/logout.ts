/** `entratool logout`: what may be typed. */

import { buildCommand } from "@stricli/core";
import type { AppContext } from "../context.ts";
import { accountFlag, connectionFlags, switchFlag, valueFlag } from "../flag_groups.ts";
import { parseText } from "../parsers.ts";

export interface LogoutFlags {
  readonly profile?: string | undefined;
  readonly account?: string | undefined;
  readonly all?: boolean | undefined;
  readonly browser?: boolean | undefined;
  readonly envFile?: string | undefined;
}

export const logoutCommand = buildCommand<LogoutFlags, [], AppContext>({
  loader: () => import("./logout_run.ts"),
  parameters: {
    flags: {
      profile: valueFlag(parseText, "NAME", "The profile whose people are signed out"),
      account: accountFlag("Only this account"),
      all: switchFlag("Everybody, of all profiles and of none"),
      browser: switchFlag("End the browser's session too, by opening Entra's sign-out page"),
      envFile: connectionFlags.envFile,
    },
    aliases: { p: "profile" },
  },
  docs: {
    brief: "Remove the tokens of people who are signed in",
    fullDescription:
      `Remove the tokens of people who are signed in: refresh tokens and access tokens. Profiles and secrets stay.

An access token that was handed out stays valid until it ends; that is Entra's rule.

EXAMPLES
  entratool logout -p desktop-app
  entratool logout -p desktop-app --account ada@contoso.com
  entratool logout -p desktop-app --browser
  entratool logout --all`,
  },
});
