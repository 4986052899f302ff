/** Modules that most runs do without. */

import { EntraToolError } from "./errors.ts";

/**
 * Imports a module that must cost nothing until now.
 *
 * Deno reads the whole graph of an `import("./name.ts")` when the program starts, even if it is never run: 5 ms of the
 * 12 that a cached token may take. It can't see through a variable. What wants to see these edges all the same (the
 * architecture test, the build) finds them by their form:
 *
 *     await lazily<typeof import("./name.ts")>(import.meta.resolve("./name.ts"))
 *
 * @throws EntraToolError usage without the permission to read the module
 */
export async function lazily<Module>(specifier: string): Promise<Module> {
  try {
    return await import(specifier);
  } catch (cause) {
    // to Deno such a module is a file like any other
    if (!(cause instanceof TypeError && cause.message.startsWith("Requires read access"))) {
      throw cause;
    }
    throw new EntraToolError(
      "usage",
      "read_not_allowed",
      "Deno was not allowed to read a part of entratool itself",
      { hint: "Add it to the permissions: --allow-read", cause },
    );
  }
}
