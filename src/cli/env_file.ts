/** Dotenv files, read only when `--env-file` names one. */

import { parseEnv } from "node:util";
import { EntraToolError } from "../errors.ts";

/** @throws EntraToolError usage when the file can't be read */
export async function readEnvFile(
  path: string,
): Promise<Readonly<Record<string, string | undefined>>> {
  try {
    return parseEnv(await Deno.readTextFile(path));
  } catch (cause) {
    throw new EntraToolError(
      "usage",
      "env_file_unreadable",
      `The file of --env-file can not be read: ${path}`,
      {
        hint: "Check the path and its mode",
        cause,
      },
    );
  }
}
