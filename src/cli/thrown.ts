/** What ends a command, as text: an error with its hint and ids, or a bug of ours. */

import { EntraToolError } from "../errors.ts";
import type { Messages } from "../output/messages.ts";

/** The text for stderr, without the line break at its end. */
export function thrownText(error: unknown, messages: Messages): string {
  const lines = error instanceof EntraToolError ? messages.errorLines(error) : bugReport(error);
  return lines.map((line) => messages.safe(line)).join("\n");
}

/** A bug of ours: what it is, without a stack trace, and where to tell of it. */
function bugReport(error: unknown): readonly string[] {
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return [
    `error: Something went wrong that should not: ${what}`,
    "  This is a bug in entratool: please report it with the command that you typed, without its secrets",
  ];
}
