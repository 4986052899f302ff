/** Modules that most runs do without. */

/**
 * Imports a module that must cost nothing until now.
 *
 * Deno reads the whole graph of an `import("./name.ts")` when the program starts, even if it is never run: 5 ms of the
 * 12 that a cached token may take. It can't see through a variable. What wants to see these edges all the same (the
 * architecture test, the build) finds them by their form:
 *
 *     await lazily<typeof import("./name.ts")>(import.meta.resolve("./name.ts"))
 */
export function lazily<Module>(specifier: string): Promise<Module> {
  return import(specifier);
}
