/** The commands, and one run of the program from argv to exit code. */

import { buildApplication, buildRouteMap, run } from "@stricli/core";
import { type FlagNames, normalizeArgv } from "./cli/argv.ts";
import { cacheRoutes } from "./cli/commands/cache.ts";
import { configRoutes } from "./cli/commands/config.ts";
import { emulatorCommand } from "./cli/commands/emulator.ts";
import { getTokenCommand } from "./cli/commands/get_token.ts";
import { inspectCommand } from "./cli/commands/inspect.ts";
import type { AppContext } from "./cli/context.ts";
import { applicationText } from "./cli/usage_errors.ts";
import { exitCodeOf, exitCodes } from "./errors.ts";
import type { Host } from "./host.ts";
import { Messages } from "./output/messages.ts";
import { Redactor } from "./output/redact.ts";
import { version } from "./version.ts";

export const routes = buildRouteMap<string, AppContext>({
  routes: {
    getToken: getTokenCommand,
    inspect: inspectCommand,
    config: configRoutes,
    cache: cacheRoutes,
    emulator: emulatorCommand,
  },
  docs: {
    brief: "Get Microsoft Entra ID access tokens, keep them safe, look into them",
    fullDescription: `Get Microsoft Entra ID access tokens, keep them safe, look into them.

EXAMPLES
  entratool get-token --emulator
  entratool get-token -p service-principal -f ClientCredentials
  entratool get-token --help`,
  },
});

/** Runs one command line; resolves to the exit code and never throws. */
export async function runApp(argv: readonly string[], host: Host): Promise<number> {
  const redactor = new Redactor();
  const messages = new Messages(host.stderr, redactor);
  const application = buildApplication(routes, {
    name: "entratool",
    versionInfo: { currentVersion: version },
    scanner: { caseStyle: "allow-kebab-for-camel", allowArgumentEscapeSequence: true },
    documentation: {
      disableAnsiColor: true,
      useAliasInUsageLine: false,
      onlyRequiredInUsageLine: true,
    },
    localization: { text: applicationText(messages) },
    determineExitCode: exitCodeOf,
  });
  const process: AppContext["process"] = {
    stdout: host.stdout,
    stderr: host.stderr,
    exitCode: null,
  };
  const context: AppContext = { process, host, messages, redactor };
  await run(application, normalizeArgv(argv, flagNames()), context);
  return exitCode(process.exitCode ?? 0);
}

/** Stricli's own codes are negative: −4 and −5 are mistakes in what was typed, the others are bugs. */
function exitCode(code: number): number {
  if (code >= 0) return code;
  return code === -4 || code === -5 ? exitCodes.usage : exitCodes.unexpected;
}

/** The flags of all commands together: a name takes a value everywhere or nowhere, which a test holds. */
export function flagNames(): FlagNames {
  const withValue = new Set<string>();
  const withoutValue = new Set<string>(["--help", "-h", "--help-all", "-H", "--version", "-v"]);
  const collect = (target: RoutingTarget): void => {
    if ("getAllEntries" in target) {
      for (const each of target.getAllEntries()) collect(each.target);
      return;
    }
    const { flags = {}, aliases = {} } = target.parameters;
    const short = new Map(Object.entries(aliases).map(([alias, name]) => [name, alias]));
    for (const [name, flag] of Object.entries(flags)) {
      const names = flag.kind === "boolean" || flag.kind === "counter" ? withoutValue : withValue;
      names.add(`--${name}`).add(
        `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
      );
      const alias = short.get(name);
      if (alias !== undefined) names.add(`-${alias}`);
    }
  };
  collect(routes);
  return { withValue, withoutValue };
}

type RoutingTarget = ReturnType<typeof routes.getAllEntries>[number]["target"];
