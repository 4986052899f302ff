/** The commands, and what Stricli makes of a command line: the command that it calls, its help, or a usage error. */

import { buildApplication, buildRouteMap, type Command, type RouteMap, run } from "@stricli/core";
import { type FlagNames, namesOfFlags, normalizeArgv, typedName } from "./argv.ts";
import type { AppContext } from "./context.ts";
import { applicationText } from "./usage_errors.ts";
import { exitCodeOf, exitCodes } from "../errors.ts";
import { lazily } from "../lazy_module.ts";
import { version } from "../version.ts";

/** Where each command is specified; only the one that is called is loaded. */
const commands = {
  getToken: async () =>
    (await lazily<typeof import("./commands/get_token.ts")>(
      import.meta.resolve("./commands/get_token.ts"),
    )).getTokenCommand,
  refresh: async () =>
    (await lazily<typeof import("./commands/refresh.ts")>(
      import.meta.resolve("./commands/refresh.ts"),
    )).refreshCommand,
  logout: async () =>
    (await lazily<typeof import("./commands/logout.ts")>(
      import.meta.resolve("./commands/logout.ts"),
    )).logoutCommand,
  inspect: async () =>
    (await lazily<typeof import("./commands/inspect.ts")>(
      import.meta.resolve("./commands/inspect.ts"),
    )).inspectCommand,
  config: async () =>
    (await lazily<typeof import("./commands/config.ts")>(
      import.meta.resolve("./commands/config.ts"),
    )).configRoutes,
  cache: async () =>
    (await lazily<typeof import("./commands/cache.ts")>(
      import.meta.resolve("./commands/cache.ts"),
    )).cacheRoutes,
  emulator: async () =>
    (await lazily<typeof import("./commands/emulator.ts")>(
      import.meta.resolve("./commands/emulator.ts"),
    )).emulatorCommand,
} satisfies Record<string, () => Promise<Target>>;

type Target = RouteMap<AppContext> | Command<AppContext>;

/** The route map with the command of that name alone, or with all when there is none such (help, a typing error). */
export async function loadRoutes(name: string | undefined): Promise<RouteMap<AppContext>> {
  const entries = Object.entries(commands);
  const called = entries.filter(([command]) => typedName(command) === name);
  const targets = (called.length > 0 ? called : entries)
    .map(async ([command, load]) => [command, await load()] as const);
  return buildRouteMap<string, AppContext>({
    routes: Object.fromEntries(await Promise.all(targets)),
    docs: {
      brief: "Get Microsoft Entra ID access tokens, keep them safe, look into them",
      fullDescription: `Get Microsoft Entra ID access tokens, keep them safe, look into them.

EXAMPLES
  entratool get-token --emulator
  entratool get-token -p service-principal -f ClientCredentials
  entratool get-token --help`,
    },
  });
}

/** Runs a command line; resolves to the exit code. @throws what writing help throws */
export async function runCommandLine(
  argv: readonly string[],
  rest: Omit<AppContext, "process">,
): Promise<number> {
  const { host, messages } = rest;
  const routes = await loadRoutes(argv[0]);
  const names = flagNames(routes, argv);
  const application = buildApplication(routes, {
    name: "entratool",
    versionInfo: { currentVersion: version },
    scanner: { caseStyle: "allow-kebab-for-camel", allowArgumentEscapeSequence: true },
    documentation: {
      disableAnsiColor: true,
      useAliasInUsageLine: false,
      onlyRequiredInUsageLine: true,
    },
    localization: { text: applicationText(messages, longFlags(names)) },
    determineExitCode: exitCodeOf,
  });
  let help = "";
  const process: AppContext["process"] = {
    // only help and version come this way
    stdout: { write: (text) => void (help += text) },
    stderr: host.stderr,
    exitCode: null,
  };
  const context: AppContext = { process, ...rest };
  await run(application, normalizeArgv(argv, names), context);
  if (help !== "") host.stdout.write(await laidOut(help, calledCommand(routes, argv)));
  return exitCode(process.exitCode ?? 0);
}

async function laidOut(
  help: string,
  command: Command<AppContext> | undefined,
): Promise<string> {
  // the version comes the same way
  if (!help.startsWith("USAGE")) return help;
  const { formatHelp } = await lazily<typeof import("./help_text.ts")>(
    import.meta.resolve("./help_text.ts"),
  );
  return formatHelp(help, command?.parameters);
}

/** `--name` of each flag, as people type it. */
function longFlags({ withValue, withoutValue }: FlagNames): readonly string[] {
  return [...withValue, ...withoutValue].filter((name) => /^--[a-z\d-]+$/.test(name));
}

/** Stricli's own codes are negative: −4 and −5 are mistakes in what was typed, the others are bugs. */
function exitCode(code: number): number {
  if (code >= 0) return code;
  return code === -4 || code === -5 ? exitCodes.usage : exitCodes.unexpected;
}

/** The flags of the command that is called; none when it is not known. */
export function flagNames(routes: RouteMap<AppContext>, argv: readonly string[]): FlagNames {
  const { flags = {}, aliases = {} } = calledCommand(routes, argv)?.parameters ?? {};
  return namesOfFlags(flags, aliases);
}

function calledCommand(
  routes: RouteMap<AppContext>,
  argv: readonly string[],
): Command<AppContext> | undefined {
  let target: Target | undefined = routes;
  for (const name of argv) {
    if (target === undefined || !("getAllEntries" in target)) break;
    const entries: readonly {
      readonly name: { readonly original: string };
      readonly target: Target;
    }[] = target
      .getAllEntries();
    target = entries.find(({ name: { original } }) =>
      original === name || typedName(original) === name
    )?.target;
  }
  return target === undefined || "getAllEntries" in target ? undefined : target;
}
