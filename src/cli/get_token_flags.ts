/** The flags of `get-token`, apart from its specification: whoever only reads them needs no Stricli. */

import { switchFlag } from "./flag_groups.ts";
import { tokenFlagAliases, type TokenFlags, tokenFlags } from "./token_flags.ts";

export interface GetTokenFlags extends TokenFlags {
  readonly force?: boolean | undefined;
  readonly noCache?: boolean | undefined;
  readonly emulator?: boolean | undefined;
}

export const getTokenFlags = {
  force: switchFlag("Get a new token even if a cached one is fresh"),
  noCache: switchFlag("Neither read nor write the cache"),
  emulator: switchFlag(
    "Get the token from a throw-away emulator on this machine: no tenant needed",
  ),
  ...tokenFlags,
};

export const getTokenAliases = tokenFlagAliases;
