/**
 * Holds the layers: what may import what, no cycles, and what a cached `get-token` loads.
 *
 * Reads the module graph as Deno resolves it. An edge that is only a type costs nothing at run time, but ties the layers
 * together all the same, so it counts for the layers and not for the start-up closure.
 */

import assert from "node:assert/strict";

interface Module {
  readonly specifier: string;
  readonly dependencies?: readonly {
    readonly specifier: string;
    readonly code?: { readonly specifier: string };
    readonly type?: { readonly specifier: string };
    readonly isDynamic?: boolean;
  }[];
}

interface Edge {
  readonly from: string;
  readonly to: string;
  readonly isDynamic: boolean;
}

const root = new URL("..", import.meta.url).href;

/** What each part may import of the others; itself always. `dynamic:` marks what must be loaded lazily. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  "main.ts": ["src/app.ts", "src/host_deno.ts"],
  "src/app.ts": [
    "src/cli",
    "src/errors.ts",
    "src/host.ts",
    "src/lazy_module.ts",
    "src/output",
    "src/version.ts",
  ],
  "src/host_deno.ts": [
    "src/abortable.ts",
    "src/errors.ts",
    "src/host.ts",
    "src/lazy_module.ts",
    "dynamic:src/host_browser.ts",
    "dynamic:src/host_network.ts",
    "dynamic:src/host_terminal.ts",
  ],
  "src/host_network.ts": [
    "src/errors.ts",
    "src/host.ts",
    "src/lazy_module.ts",
    "src/loopback.ts",
    "dynamic:src/host_diagnosis.ts",
  ],
  "src/host_browser.ts": ["src/host.ts"],
  "src/host_diagnosis.ts": ["src/errors.ts", "src/host.ts"],
  "src/host_terminal.ts": ["src/errors.ts"],
  "src/loopback.ts": [],
  "src/abortable.ts": [],
  "src/host.ts": [],
  "src/errors.ts": [],
  "src/names.ts": [],
  "src/person.ts": [],
  "src/version.ts": [],
  "src/token_request.ts": ["src/names.ts"],
  "src/lazy_module.ts": ["src/errors.ts"],
  "src/cli": [
    "src/accounts.ts",
    "src/acquire.ts",
    "src/emulator",
    "src/errors.ts",
    "src/files",
    "src/host.ts",
    "src/lazy_module.ts",
    "src/names.ts",
    "src/obtain.ts",
    "src/output",
    "src/person.ts",
    "src/profiles",
    "src/token",
    "src/token_request.ts",
    "src/vault",
    "src/version.ts",
    // trace.ts takes the shape of what it prints; config checks a profile as Entra will
    "src/entra",
    "src/credentials",
  ],
  "src/acquire.ts": [
    "src/accounts.ts",
    // the shape of a trace
    "src/entra",
    "src/errors.ts",
    "src/host.ts",
    "src/lazy_module.ts",
    "src/output",
    "src/person.ts",
    "src/token",
    "src/token_request.ts",
    "src/vault",
    "dynamic:src/obtain.ts",
  ],
  "src/accounts.ts": ["src/token", "src/token_request.ts", "src/vault"],
  "src/obtain.ts": [
    "src/accounts.ts",
    "src/credentials",
    "src/entra",
    "src/errors.ts",
    "src/files",
    "src/flows",
    "src/host.ts",
    "src/lazy_module.ts",
    "src/output",
    "src/person.ts",
    "src/token",
    "src/token_request.ts",
    "src/vault",
  ],
  "src/flows": [
    "src/abortable.ts",
    "src/credentials",
    "src/entra",
    "src/errors.ts",
    "src/host.ts",
    "src/lazy_module.ts",
    "src/loopback.ts",
    "src/names.ts",
    "src/person.ts",
    "src/token",
    "src/token_request.ts",
  ],
  "src/credentials": [
    "src/entra",
    "src/errors.ts",
    "src/files",
    "src/host.ts",
    "src/names.ts",
    "src/output",
    "src/token_request.ts",
    "src/vault",
  ],
  "src/entra": [
    "src/errors.ts",
    "src/host.ts",
    "src/loopback.ts",
    "src/names.ts",
    "src/token",
    "src/version.ts",
  ],
  "src/token": ["src/names.ts"],
  "src/vault": [
    "src/abortable.ts",
    "src/errors.ts",
    "src/files",
    "src/host.ts",
    "src/lazy_module.ts",
  ],
  "src/profiles": ["src/errors.ts", "src/files", "src/host.ts", "src/names.ts"],
  "src/files": ["src/abortable.ts", "src/errors.ts"],
  "src/output": ["src/errors.ts", "src/host.ts", "src/lazy_module.ts", "src/names.ts", "src/token"],
  "src/emulator": ["src/errors.ts"],
};

const modules = new Map<string, Module>();
const sources = new Map<string, string>();
/** The edges that `lazily` hides from Deno. */
const lazyEdges: Edge[] = [];
await readModules("main.ts");
const edges = [...[...modules.values()].flatMap(edgesOf).filter(isNotTypeOfLazy), ...lazyEdges];

/** `typeof import("./name.ts")` in `lazily` is an edge of its own to Deno. */
function isNotTypeOfLazy({ from, to }: Edge): boolean {
  return !lazyEdges.some((lazy) => lazy.from === from && lazy.to === to);
}

/** Reads what a module and all behind it import, through literal imports and through `lazily`. */
async function readModules(start: string): Promise<void> {
  for (const module of await readGraph(start)) {
    const path = module.specifier.slice(root.length);
    if (modules.has(path)) continue;
    modules.set(path, module);
    const source = await Deno.readTextFile(new URL(module.specifier));
    sources.set(path, source);
    const lazy =
      /lazily<\s*typeof import\("([^"]+)"\)\s*>\(\s*import\.meta\.resolve\(\s*"([^"]+)",?\s*\),?\s*\)/g;
    const code = source.replaceAll(/\/\*[^]*?\*\//g, "");
    for (const [, type, specifier = ""] of code.matchAll(lazy)) {
      assert.equal(type, specifier, `${path}: lazily() is typed as another module`);
      if (!specifier.startsWith(".")) continue;
      const to = new URL(specifier, module.specifier).href.slice(root.length);
      lazyEdges.push({ from: path, to, isDynamic: true });
      if (!modules.has(to)) await readModules(to);
    }
  }
}

async function readGraph(start: string): Promise<readonly Module[]> {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", start],
    cwd: new URL(root),
    stdout: "piped",
    stderr: "inherit",
  }).output();
  assert.equal(code, 0);
  const graph: { modules: readonly Module[] } = JSON.parse(new TextDecoder().decode(stdout));
  return graph.modules.filter(({ specifier }) => specifier.startsWith(root));
}

function edgesOf({ specifier, dependencies = [] }: Module): readonly Edge[] {
  return dependencies.flatMap((dependency) => {
    const to = dependency.code?.specifier ?? dependency.type?.specifier;
    if (to === undefined || !to.startsWith(root)) return [];
    return [{
      from: specifier.slice(root.length),
      to: to.slice(root.length),
      isDynamic: dependency.isDynamic ?? false,
    }];
  });
}

/** `src/cli/commands/config.ts` belongs to `src/cli`, `src/app.ts` to itself. */
function layerOf(path: string): string {
  const [first, second, third] = path.split("/");
  return third === undefined ? path : `${first}/${second}`;
}

function dependenciesOf(path: string, isWanted: (edge: Edge) => boolean): readonly string[] {
  return edges.filter((edge) => edge.from === path && isWanted(edge)).map(({ to }) => to);
}

Deno.test("every module imports only what its layer may", () => {
  const violations = edges.flatMap(({ from, to, isDynamic }) => {
    const [fromLayer, toLayer] = [layerOf(from), layerOf(to)];
    const may = allowed[fromLayer];
    if (may === undefined) return [`${from} belongs to no layer of this test`];
    const fits = fromLayer === toLayer || may.includes(toLayer) ||
      (isDynamic && may.includes(`dynamic:${toLayer}`));
    return fits ? [] : [`${from} imports ${to}`];
  });
  assert.deepEqual(violations, []);
});

Deno.test("the graph is whole", () => {
  const files = [
    "src/flows/client_credentials.ts",
    "src/credentials/pfx.ts",
    "src/emulator/emulator.ts",
  ];
  for (const file of files) assert.ok(modules.has(file), file);
});

Deno.test("no module imports itself by a detour", () => {
  // a dynamic import closes no cycle: it happens when everything is loaded
  const done = new Set<string>();
  const visit = (path: string, above: readonly string[]): void => {
    assert.ok(!above.includes(path), [...above, path].join(" → "));
    if (done.has(path)) return;
    for (const to of dependenciesOf(path, (edge) => !edge.isDynamic)) {
      if (isValueImport(path, to)) visit(to, [...above, path]);
    }
    done.add(path);
  };
  visit("main.ts", []);
});

Deno.test("a command's specification loads its run file only when the command runs", () => {
  const eager = edges.filter(({ to, isDynamic }) => to.endsWith("_run.ts") && !isDynamic);
  assert.deepEqual(eager, []);
});

Deno.test("the emulator is loaded only on demand", () => {
  const eager = edges.filter(({ from, to }) =>
    layerOf(to) === "src/emulator" && layerOf(from) !== "src/emulator" &&
    !["src/cli/commands/emulator_run.ts", "src/cli/commands/get_token_emulator.ts"].includes(from)
  );
  assert.deepEqual(eager, []);
});

Deno.test("only the cli knows Stricli, and Deno is used only where it belongs", () => {
  const mayUseDeno =
    /^(main|src\/host_deno|src\/host_browser|src\/host_(?:network|diagnosis)|src\/host_terminal|src\/flows\/redirect_listener)\.ts$|^src\/(vault|files|profiles|emulator|cli)\//;
  for (const [path, source] of sources) {
    if (!path.startsWith("src/cli/")) {
      assert.ok(!source.includes("@stricli/core"), `${path} imports Stricli`);
    }
    if (!mayUseDeno.test(path)) assert.ok(!/\bDeno\./.test(source), `${path} uses Deno directly`);
  }
});

Deno.test("a cached get-token loads no flow, no Entra module, no credential, no emulator and no library", () => {
  const loaded = startupClosure("src/cli/commands/get_token_run.ts");
  const forbidden = [...loaded].filter((path) =>
    /^src\/(flows|entra|credentials|emulator|keychain)\/|^src\/obtain\.ts$/.test(path) ||
    (path.endsWith("_run.ts") && path !== "src/cli/commands/get_token_run.ts")
  );
  assert.deepEqual(forbidden, []);
  const libraries = [...loaded].filter((path) => /^(npm|node|jsr|https):/.test(path));
  assert.deepEqual(libraries, []);
});

/** All that is loaded, without type-only imports, when main.ts starts and then one run file is imported. */
function startupClosure(runFile: string): ReadonlySet<string> {
  const seen = new Set<string>();
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    const module = modules.get(path);
    for (const dependency of module?.dependencies ?? []) {
      const to = dependency.code?.specifier;
      if (to === undefined || dependency.isDynamic) continue;
      if (!to.startsWith(root)) seen.add(to);
      else if (isValueImport(path, to.slice(root.length))) visit(to.slice(root.length));
    }
  };
  visit("main.ts");
  visit(runFile);
  return seen;
}

/** Whether a module really imports another one, and not only its types, which are erased (`import type`: lint sees to it). */
function isValueImport(from: string, to: string): boolean {
  const name = to.split("/").at(-1) ?? "";
  const statements = sources.get(from)?.match(/^(?:import|export)\b[^;]*?from\s+"[^"]+";/gm) ?? [];
  return statements.some((statement) =>
    statement.includes(`/${name}"`) && !/^(?:import|export)\s+type\b/.test(statement)
  );
}
