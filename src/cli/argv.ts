/** Brings what was typed into a form that Stricli reads without surprises. */

/**
 * Marks a text as a flag's value, whatever it looks like. No argument of a process can hold a NUL, so nothing that was typed
 * is ever mistaken for a marked value.
 */
const mark = "\0";

/** Takes the mark of {@link normalizeArgv} off a value. */
export function unmarkValue(text: string): string {
  return text.startsWith(mark) ? text.slice(1) : text;
}

/** Whether it is a value that {@link normalizeArgv} found. */
export function isMarkedValue(text: string): boolean {
  return text.startsWith(mark);
}

/** What {@link normalizeArgv} has to know of the flags. */
export interface FlagNames {
  /** `--name` and `-n` of the flags that take a value. */
  readonly withValue: ReadonlySet<string>;
  /** Those of all other flags. */
  readonly withoutValue: ReadonlySet<string>;
}

/**
 * Separates flags from values and marks the values.
 *
 * Stricli alone takes `--flag=` and a value with line breaks for arguments, and a value that begins with a dash for flags.
 * Here `--flag VALUE`, `--flag=VALUE`, `-f VALUE`, `-fVALUE` and `-f=VALUE` all work, with any value; only a separate value
 * must not be the exact name of a flag, since then a value was forgotten. Nothing behind `--` is touched.
 *
 * A long flag that is not known loses its value, and becomes camel case: that is what Stricli compares when it looks for what
 * was meant.
 */
export function normalizeArgv(argv: readonly string[], flags: FlagNames): readonly string[] {
  const isFlag = (text: string) => flags.withValue.has(text) || flags.withoutValue.has(text);
  const result: string[] = [];
  for (let index = 0; index < argv.length; index++) {
    const argument = argv[index] ?? "";
    if (argument === "--") return [...result, ...argv.slice(index)];
    const attached = splitAttached(argument, flags);
    if (attached !== undefined) {
      result.push(attached.flag, mark + attached.value);
      continue;
    }
    result.push(isFlag(argument) ? argument : unknownFlag(argument, flags) ?? argument);
    const next = argv[index + 1];
    if (flags.withValue.has(argument) && next !== undefined && next !== "--" && !isFlag(next)) {
      result.push(mark + next);
      index++;
    }
  }
  return result;
}

/** The name of an unknown long flag; undefined for everything else. */
function unknownFlag(argument: string, { withoutValue }: FlagNames): string | undefined {
  const [name = ""] = argument.split("=", 1);
  if (!/^--[a-z][a-z\d.-]+$/.test(name) || withoutValue.has(name)) return undefined;
  return `--${name.slice(2).replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())}`;
}

function splitAttached(
  argument: string,
  flags: FlagNames,
): { readonly flag: string; readonly value: string } | undefined {
  const equals = argument.indexOf("=");
  const long = argument.startsWith("--");
  const flag = !long ? argument.slice(0, 2) : equals === -1 ? argument : argument.slice(0, equals);
  if (flag === argument || !flags.withValue.has(flag)) return undefined;
  const rest = argument.slice(flag.length);
  return { flag, value: rest.startsWith("=") ? rest.slice(1) : rest };
}

/** What is known of a flag here: whether it takes a value. */
export interface FlagKind {
  readonly kind: string;
}

/** `getToken` as people type it: `get-token`. */
export function typedName(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** The names of a command's flags, with those that every command has. */
export function namesOfFlags(
  flags: Readonly<Record<string, FlagKind>>,
  aliases: Readonly<Record<string, string>>,
): FlagNames {
  const withValue = new Set<string>();
  const withoutValue = new Set<string>(["--help", "-h", "--help-all", "-H", "--version", "-v"]);
  const setOf = (name: string) => flags[name]?.kind === "parsed" ? withValue : withoutValue;
  for (const name of Object.keys(flags)) setOf(name).add(`--${name}`).add(`--${typedName(name)}`);
  for (const [alias, name] of Object.entries(aliases)) setOf(name).add(`-${alias}`);
  return { withValue, withoutValue };
}
