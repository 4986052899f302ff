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
import type { Messages } from "../output/messages.ts";
import { ValueError } from "./parsers.ts";
import { thrownText } from "./thrown.ts";

/** A name as it is typed; Stricli sets some of its suggestions in backticks. */
const typed = (name: string) =>
  name.replaceAll("`", "").replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/**
 * The texts of the application, for this run.
 *
 * @param flags `--name` of each flag that the called command has
 */
export function applicationText(messages: Messages, flags: readonly string[]): ApplicationText {
  const show = (lines: readonly string[]) => lines.map((line) => messages.safe(line)).join("\n");
  const usage = (what: string, hint = "Add --help to see what can be typed") =>
    show([`error: ${what}`, `  ${hint}`]);
  const thrown = (error: unknown) => thrownText(error, messages);
  return {
    ...text_en,
    exceptionWhileParsingArguments: (error) => usage(...usageProblem(error, flags)),
    exceptionWhileLoadingCommandFunction: thrown,
    exceptionWhileLoadingCommandContext: thrown,
    exceptionWhileRunningCommand: thrown,
    commandErrorResult: thrown,
    noCommandRegisteredForInput: ({ input, corrections }) =>
      usage(...commandNotFound(input, corrections)),
  };
}

/** An input that is long or like nothing that is known may be a secret, and is not repeated. */
function commandNotFound(input: string, corrections: readonly string[]): [string, string?] {
  if (input === "help") return ['There is no command "help"', "Type entratool --help"];
  if (input.startsWith("-")) return flagNotFound(input.replace(/^-+/, ""), ["--help", "--version"]);
  return corrections.length > 0
    ? [`There is no command "${input}"`, didYouMean(corrections.map((name) => `"${typed(name)}"`))]
    : ["There is no such command", "entratool --help lists them"];
}

const didYouMean = (names: readonly string[]) => `Did you mean ${names.join(" or ")}?`;

function flagNotFound(input: string, flags: readonly string[]): [string, string?] {
  const name = typed(input);
  const near = nearest(name, flags.map((flag) => flag.slice(2)));
  // a flag that takes a secret, and the secret without a space between them
  const mayBeSecret = /^client-secret./.test(name) || !/^[a-z][a-z\d-]{0,31}$/.test(name);
  return [
    near.length > 0 && !mayBeSecret ? `There is no flag --${name}` : "There is no such flag",
    ...(near.length > 0 ? [didYouMean(near.map((each) => `--${each}`))] as const : [] as const),
  ];
}

/** The names that may have been meant: those with the fewest typing errors, else those that have the input as words. */
function nearest(input: string, names: readonly string[]): readonly string[] {
  const allowed = Math.min(2, Math.floor(input.length / 3));
  const distances = names.map((name) => [name, distance(input, name)] as const);
  const least = Math.min(...distances.map(([, each]) => each));
  if (least <= allowed) {
    return distances.filter(([, each]) => each === least).map(([name]) => name);
  }
  const words = input.split("-").filter((word) => word !== "" && word !== "no");
  return input.length < 3 ? [] : names.filter((name) => {
    const own = name.split("-");
    return words.length > 0 && words.every((word) => own.includes(word));
  }).slice(0, 3);
}

/** How many letters have to be added, left out, replaced or swapped with their neighbour. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      next[j] = Math.min(
        (last[j] ?? 0) + 1,
        (next[j - 1] ?? 0) + 1,
        (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1),
        isSwap ? (before[j - 2] ?? 0) + 1 : Infinity,
      );
    }
    [before, last] = [last, next];
  }
  return last[b.length] ?? 0;
}

function usageProblem(
  error: unknown,
  flags: readonly string[],
): [what: string, hint?: string] {
  if (error instanceof FlagNotFoundError) return flagNotFound(error.input, flags);
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
        FlagNotFoundError: ({ input }) => flagNotFound(input, flags)[0],
      },
    ),
  ];
}
