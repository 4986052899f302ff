/**
 * What Stricli says when it can't go on, in our words: nothing of what was typed is repeated but what looks like the name of
 * a flag or command and not like a misplaced secret, no stack traces, suggestions as they are typed.
 */

import {
  type ApplicationText,
  ArgumentParseError,
  FlagNotFoundError,
  formatMessageForArgumentScannerError,
  text_en,
} from "@stricli/core";
import { EntraToolError } from "../errors.ts";
import type { Messages } from "../output/messages.ts";
import { ValueError } from "./parsers.ts";

/** A name as it is typed; Stricli sets some of its suggestions in backticks. */
const typed = (name: string) =>
  name.replaceAll("`", "").replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** The texts of the application, for this run. */
export function applicationText(messages: Messages): ApplicationText {
  const show = (lines: readonly string[]) => lines.map((line) => messages.safe(line)).join("\n");
  const usage = (what: string, hint = "Add --help to see what can be typed") =>
    show([`error: ${what}`, `  ${hint}`]);
  const thrown = (error: unknown) =>
    show(error instanceof EntraToolError ? messages.errorLines(error) : bugReport(error));
  return {
    ...text_en,
    exceptionWhileParsingArguments: (error) => usage(...usageProblem(error)),
    exceptionWhileLoadingCommandFunction: thrown,
    exceptionWhileLoadingCommandContext: thrown,
    exceptionWhileRunningCommand: thrown,
    commandErrorResult: thrown,
    noCommandRegisteredForInput: ({ input, corrections }) =>
      usage(
        corrections.length > 0 ? `There is no command "${input}"` : "There is no such command",
        corrections.length > 0
          ? `Did you mean ${corrections.map((name) => `"${typed(name)}"`).join(" or ")}?`
          : "entratool --help lists them",
      ),
  };
}

/** Names the flag, unless it may be a flag and its secret value without a space between them. */
function flagNotFound(input: string): string {
  const name = typed(input);
  return /^(?!client-secret)[a-z][a-z-]{0,31}$/.test(name)
    ? `There is no flag --${name}`
    : "There is no such flag";
}

function usageProblem(error: unknown): [what: string, hint?: string] {
  if (error instanceof FlagNotFoundError) {
    const corrections = error.corrections.map((name) => `--${typed(name)}`);
    return [
      flagNotFound(error.input),
      ...(corrections.length > 0
        ? [`Did you mean ${corrections.join(" or ")}?`] as const
        : [] as const),
    ];
  }
  if (error instanceof ArgumentParseError) {
    const why = error.exception instanceof ValueError
      ? error.exception.message
      : "the value can not be read";
    return [`--${error.externalFlagNameOrPlaceholder}: ${why}`];
  }
  if (!(error instanceof Error)) return ["The command line can not be read"];
  // the other messages of Stricli quote values, which may be secrets
  return [
    formatMessageForArgumentScannerError(
      error as Parameters<typeof formatMessageForArgumentScannerError>[0],
      {
        AliasNotFoundError: ({ input }) => `There is no flag -${input}`,
        InvalidNegatedFlagSyntaxError: ({ externalFlagName }) =>
          `--${externalFlagName} takes no value`,
        UnexpectedFlagError: ({ externalFlagName }) =>
          `--${externalFlagName} was given more than once`,
        UnexpectedPositionalError: ({ expectedCount }) =>
          expectedCount === 0
            ? "There is an argument too many: this command takes only flags, and values with spaces need quotes"
            : `There is an argument too many: this command takes ${expectedCount}`,
        UnsatisfiedFlagError: ({ externalFlagName }) => `--${externalFlagName} needs a value`,
        UnsatisfiedPositionalError: ({ placeholder }) => `The argument ${placeholder} is missing`,
        EnumValidationError: ({ externalFlagName, values }) =>
          `--${externalFlagName}: use one of ${values.join(", ")}`,
        ArgumentParseError: ({ externalFlagNameOrPlaceholder }) =>
          `--${externalFlagNameOrPlaceholder}: the value can not be read`,
        FlagNotFoundError: ({ input }) => flagNotFound(input),
      },
    ),
  ];
}

/** A bug of ours: what it is, without a stack trace, and where to tell of it. */
function bugReport(error: unknown): readonly string[] {
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return [
    `error: Something went wrong that should not: ${what}`,
    "  This is a bug in entratool: please report it with the command that you typed, without its secrets",
  ];
}
