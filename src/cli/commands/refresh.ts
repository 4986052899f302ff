/** `entratool refresh`: what may be typed. */

import { buildCommand } from "@stricli/core";
import type { AppContext } from "../context.ts";
import { tokenFlagAliases, type TokenFlags, tokenFlags } from "../token_flags.ts";

export const refreshCommand = buildCommand<TokenFlags, [], AppContext>({
  loader: () => import("./refresh_run.ts"),
  parameters: { flags: tokenFlags, aliases: tokenFlagAliases },
  docs: {
    brief: "Print a new access token, whatever is in the cache",
    fullDescription: `Print a new access token, whatever is in the cache, and keep it.

For a person it comes by their refresh token, without a sign-in; nobody is asked to sign in. For client credentials it comes
by a new request.

EXAMPLES
  entratool refresh -p desktop-app
  entratool refresh -p service-principal -o json

EXIT CODES
  as get-token; 6 when the person has to sign in again`,
  },
});
