/** Dotenv files, read only when `--env-file` names one. */

import { parseEnv } from "node:util";
import { EntraToolError } from "../errors.ts";

/** @throws EntraToolError usage when the file can't be read, or a line of it is no assignment */
export async function readEnvFile(
  path: string,
): Promise<Readonly<Record<string, string | undefined>>> {
  const text = await readText(path);
  const line = firstBadLine(text);
  if (line === undefined) return parseEnv(text);
  throw new EntraToolError(
    "usage",
    "env_file_invalid",
    `Line ${line} of the file of --env-file is no assignment: ${path}`,
    { hint: "Write NAME=value, or begin the line with # if it is a comment" },
  );
}

async function readText(path: string): Promise<string> {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await Deno.readFile(path));
  } catch (cause) {
    const isBinary = cause instanceof TypeError;
    throw new EntraToolError(
      "usage",
      "env_file_unreadable",
      `The file of --env-file ${isBinary ? "is not UTF-8 text" : "can not be read"}: ${path}`,
      { hint: isBinary ? "Save it as UTF-8 text" : "Check the path and its mode", cause },
    );
  }
}

/**
 * The number of the first line that `parseEnv` would pass over in silence: most often a misspelt setting. A value between
 * quotes may go over several lines.
 */
function firstBadLine(text: string): number | undefined {
  const lines = text.split(/\r\n|\r|\n/);
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? "";
    if (/^\s*(#|$)/.test(line)) continue;
    const [, value] = /^\s*(?:export\s+)?[A-Za-z_][\w.-]*\s*=\s*(.*)$/.exec(line) ?? [];
    if (value === undefined || /\0/.test(line)) return index + 1;
    const quote = /^["'`]/.exec(value)?.[0];
    if (quote === undefined || value.indexOf(quote, 1) !== -1) continue;
    const end = lines.findIndex((each, other) => other > index && each.includes(quote));
    // a quote that is never closed is part of the value
    if (end !== -1) index = end;
  }
  return undefined;
}
