/** `entratool inspect`: what may be typed. */

import { buildCommand } from "@stricli/core";
import type { AppContext } from "../context.ts";
import { valueFlag } from "../flag_groups.ts";
import { unmarkValue } from "../argv.ts";
import { oneOf } from "../parsers.ts";

export const inspectOutputs = ["pretty", "json", "yaml"] as const;

export interface InspectFlags {
  readonly output?: (typeof inspectOutputs)[number] | undefined;
}

export const inspectCommand = buildCommand<InspectFlags, [token?: string], AppContext>({
  loader: () => import("./inspect_run.ts"),
  parameters: {
    flags: {
      output: valueFlag(
        oneOf("an output format", inspectOutputs),
        "pretty|json|yaml",
        "How to print it (default pretty)",
      ),
    },
    aliases: { o: "output" },
    positional: {
      kind: "tuple",
      parameters: [{
        parse: unmarkValue,
        placeholder: "token",
        brief: "The token; - or nothing reads it from standard input",
        optional: true,
      }],
    },
  },
  docs: {
    brief: "Show what a token says of itself, without asking anybody",
    fullDescription:
      `Show what a token says of itself, without asking anybody. The signature is not checked.

EXAMPLES
  entratool get-token | entratool inspect
  entratool inspect -o json < token.txt

EXIT CODES
  0 the token is valid now by its own dates, 2 it has expired or is not valid yet (it is shown all the same),
  4 it is no token that can be read`,
  },
});
