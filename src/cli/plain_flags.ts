/** Reads a command line in which nothing needs to be explained; everything else is left to Stricli. */

import { isMarkedValue, namesOfFlags, normalizeArgv, typedName } from "./argv.ts";
import type { switchFlag, valueFlag } from "./flag_groups.ts";

type Flag =
  | ReturnType<typeof switchFlag>
  | (ReturnType<typeof valueFlag<unknown>> & { readonly variadic?: true });

/** What the flags' values are, by the parsers of their definitions. */
export type FlagValues<Flags extends Readonly<Record<string, Flag>>> = {
  readonly [Name in keyof Flags]?: Flags[Name] extends
    { readonly parse: (text: string) => infer Value }
    ? (Flags[Name] extends { readonly variadic: true } ? readonly Value[] : Value) | undefined
    : boolean | undefined;
};

/**
 * The values of the flags, as Stricli would read them; a test holds the two equal.
 *
 * Undefined when there is anything but known flags, each given once or as often as it may be, with values that can be read:
 * then Stricli has to say what is wrong, or to print the help.
 */
export function parsePlainFlags<Flags extends Readonly<Record<string, Flag>>>(
  argv: readonly string[],
  flags: Flags,
  aliases: Readonly<Record<string, string>>,
): FlagValues<Flags> | undefined {
  const keys = new Map<string, string>();
  for (const key of Object.keys(flags)) keys.set(`--${typedName(key)}`, key);
  for (const [alias, key] of Object.entries(aliases)) keys.set(`-${alias}`, key);
  const words = normalizeArgv(argv, namesOfFlags(flags, aliases));
  const values: Record<string, unknown> = {};
  for (let index = 0; index < words.length; index++) {
    const key = keys.get(words[index] ?? "");
    const flag = key === undefined ? undefined : flags[key];
    if (key === undefined || flag === undefined) return undefined;
    const isRepeatable = flag.kind === "parsed" && flag.variadic === true;
    if (key in values && !isRepeatable) return undefined;
    if (flag.kind === "boolean") {
      values[key] = true;
      continue;
    }
    const text = words[++index];
    if (text === undefined || !isMarkedValue(text)) return undefined;
    try {
      const value = flag.parse(text);
      values[key] = isRepeatable ? [...(values[key] as unknown[] ?? []), value] : value;
    } catch {
      return undefined;
    }
  }
  return values as FlagValues<Flags>;
}
