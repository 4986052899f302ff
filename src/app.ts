/** One run of the program from argv to exit code. */

import type { AppContext } from "./cli/context.ts";
import { getTokenAliases, getTokenFlags } from "./cli/get_token_flags.ts";
import { parsePlainFlags } from "./cli/plain_flags.ts";
import { thrownText } from "./cli/thrown.ts";
import { exitCodeOf } from "./errors.ts";
import type { Host } from "./host.ts";
import { lazily } from "./lazy_module.ts";
import { Messages } from "./output/messages.ts";
import { Redactor } from "./output/redact.ts";

/** Runs one command line; resolves to the exit code and never throws. */
export async function runApp(argv: readonly string[], host: Host): Promise<number> {
  const redactor = new Redactor();
  const messages = new Messages(host.stderr, redactor);
  try {
    return await runCommand(argv, { host, messages, redactor });
  } catch (error) {
    host.stderr.write(`${thrownText(error, messages)}\n`);
    return exitCodeOf(error);
  }
}

/**
 * The command that is called most, and that has to be fast, does without Stricli as long as there is nothing to explain: that
 * saves a third of the time of a cached token.
 */
async function runCommand(
  argv: readonly string[],
  context: Omit<AppContext, "process">,
): Promise<number> {
  const [command, ...rest] = argv;
  const flags = command === "get-token"
    ? parsePlainFlags(rest, getTokenFlags, getTokenAliases)
    : undefined;
  if (flags !== undefined) {
    const { default: getToken } = await import("./cli/commands/get_token_run.ts");
    const { stdout, stderr } = context.host;
    await getToken.call({ process: { stdout, stderr, exitCode: null }, ...context }, flags);
    return 0;
  }
  const { runCommandLine } = await lazily<typeof import("./cli/command_line.ts")>(
    import.meta.resolve("./cli/command_line.ts"),
  );
  return await runCommandLine(argv, context);
}
