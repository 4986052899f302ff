/** `entratool cache …`: what may be typed. */

import { buildCommand, buildRouteMap } from "@stricli/core";
import type { AppContext } from "../context.ts";
import { connectionFlags, type ListOutput, listOutputFlag, valueFlag } from "../flag_groups.ts";
import { parseText } from "../parsers.ts";

export interface CacheFlags {
  readonly envFile?: string | undefined;
  readonly profile?: string | undefined;
}

export interface CacheListFlags extends CacheFlags {
  readonly output?: ListOutput | undefined;
}

const profile = valueFlag(parseText, "NAME", "Only the tokens of this profile");

const list = buildCommand<CacheListFlags, [], AppContext>({
  loader: () => import("./cache_list_run.ts"),
  parameters: {
    flags: { profile, output: listOutputFlag, envFile: connectionFlags.envFile },
    aliases: { p: "profile", o: "output" },
  },
  docs: {
    brief: "List the cached tokens, without showing them",
    fullDescription: `List the cached tokens, without showing them.

EXAMPLES
  entratool cache list
  entratool cache list -p service-principal -o json`,
  },
});

const clear = buildCommand<CacheFlags, [], AppContext>({
  loader: () => import("./cache_clear_run.ts"),
  parameters: {
    flags: { profile, envFile: connectionFlags.envFile },
    aliases: { p: "profile" },
  },
  docs: {
    brief: "Remove cached tokens",
    fullDescription: `Remove cached tokens. Profiles and their secrets stay.

EXAMPLES
  entratool cache clear
  entratool cache clear -p service-principal`,
  },
});

export const cacheRoutes = buildRouteMap<string, AppContext>({
  routes: { list, clear },
  docs: {
    brief: "List and remove cached tokens",
    fullDescription: `List and remove cached tokens.

EXAMPLES
  entratool cache list
  entratool cache clear -p service-principal`,
  },
});
