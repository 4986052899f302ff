/** `entratool emulator`: what may be typed. */

import { buildCommand } from "@stricli/core";
import type { AppContext } from "../context.ts";
import { switchFlag, valueFlag } from "../flag_groups.ts";
import { parsePort, parseText } from "../parsers.ts";

export interface EmulatorFlags {
  readonly port?: number | undefined;
  readonly tls?: boolean | undefined;
  readonly tenant?: string | undefined;
  readonly config?: string | undefined;
  readonly example?: boolean | undefined;
}

export const emulatorCommand = buildCommand<EmulatorFlags, [], AppContext>({
  loader: () => import("./emulator_run.ts"),
  parameters: {
    flags: {
      port: valueFlag(parsePort, "PORT", "Port on this machine (default any free one)"),
      tls: switchFlag(
        "Serve https, with a certificate authority made for this run and written to a file",
      ),
      tenant: valueFlag(
        parseText,
        "ID",
        "Tenant to suggest: its GUID, or a domain of the configuration",
      ),
      config: valueFlag(parseText, "FILE", "JSON file with tenants, apps, users and faults"),
      example: switchFlag(
        "Print the configuration that it has without --config, as a start for your own",
      ),
    },
  },
  docs: {
    brief: "Run a local stand-in for Entra, for tests and for trying things without a tenant",
    fullDescription:
      `Run a local stand-in for Entra, for tests and for trying things without a tenant.

It listens on this machine only. What to set to use it is printed on standard output, then each request on
standard error, without secrets. Ctrl-C ends it.

EXAMPLES
  entratool emulator
  entratool emulator --port 8443 --tls
  entratool emulator --example > directory.json
  entratool emulator --config directory.json`,
  },
});
