/**
 * Holds the permission sets of deno.json: they are what the flows declare, a flow runs under its own, and without one of its
 * entries it ends with an error that says which permission is missing.
 */

import assert from "node:assert/strict";
import { cloudNamed } from "../src/entra/cloud.ts";
import type { FlowPermission } from "../src/flows/flow.ts";
import { loadFlow } from "../src/flows/registry.ts";
import { cloudNames, type FlowName, flowNames } from "../src/names.ts";
import { emulated } from "./cli/emulated.ts";

const root = new URL("..", import.meta.url);

type PermissionSet = Readonly<Record<string, true | readonly string[]>>;
const configuration: { readonly permissions: Readonly<Record<string, PermissionSet>> } = JSON.parse(
  await Deno.readTextFile(new URL("deno.json", root)),
);

/** `ClientCredentials` as permission sets are named. */
function setName(flow: FlowName): string {
  return flow.replaceAll(/(?<!^)[A-Z]/g, "-$&").toLowerCase();
}

const loopback = ["localhost", "127.0.0.1", "[::1]"];

/** What each declared permission comes to; the emulator takes the place of an authority on loopback. */
const meaning: Readonly<Record<FlowPermission["scope"], readonly string[]>> = {
  authority: [...cloudNames.map((name) => `${cloudNamed(name).loginHost}:443`), ...loopback],
  loopback,
  browser: ["xdg-open", "open", "rundll32", "wslview", "powershell.exe"],
};

for (const flow of flowNames) {
  Deno.test(`the permission set ${setName(flow)} is what the flow declares`, async () => {
    const { permissions } = await loadFlow(flow);
    const set = configuration.permissions[setName(flow)];
    for (const name of ["net", "run"] as const) {
      const declared = permissions.filter((each) => each.name === name)
        .flatMap(({ scope }) => meaning[scope]);
      assert.deepEqual([...set?.[name] as readonly string[] ?? []], [...new Set(declared)], name);
    }
    // files and variables are the program's, whatever the flow; nothing else is ever needed
    const known = ["read", "write", "env", "net", "run", "sys"];
    assert.deepEqual(Object.keys(set ?? {}).filter((name) => !known.includes(name)), []);
  });
}

Deno.test("the default permission set has all that any flow has", async () => {
  const all = configuration.permissions["default"];
  for (const flow of flowNames) {
    for (const [name, entries] of Object.entries(configuration.permissions[setName(flow)] ?? {})) {
      const has = all?.[name];
      const missing = has === true || entries === true
        ? (has === true ? [] : [name])
        : entries.filter((each) => !has?.includes(each));
      assert.deepEqual(missing, [], `${flow}: ${name}`);
    }
  }
  assert.ok(await loadFlow("ClientCredentials"));
});

/** Runs `get-token` under a changed copy of the set; the configuration has a file of its own. */
async function getToken(change: (set: Record<string, true | readonly string[]>) => void) {
  await using test = await emulated();
  const set = { ...configuration.permissions["client-credentials"] };
  change(set);
  const { imports, compilerOptions } = JSON.parse(
    await Deno.readTextFile(new URL("deno.json", root)),
  );
  const config = `${test.home}/deno.json`;
  const permissions = { "client-credentials": set };
  await Deno.writeTextFile(config, JSON.stringify({ imports, compilerOptions, permissions }));
  const output = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-prompt", "--no-lock", "--cached-only", "--config", config],
      ...["-P=client-credentials", new URL("main.ts", root).href, "get-token"],
    ],
    env: { ...test.env, NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return {
    code: output.code,
    stdout: decoder.decode(output.stdout),
    stderr: decoder.decode(output.stderr),
  };
}

Deno.test("client credentials need no more than their permission set", async () => {
  const { code, stdout, stderr } = await getToken(() => {});
  assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
  assert.match(stdout, /^eyJ/);
});

const without = (name: string) => (set: Record<string, true | readonly string[]>) => {
  delete set[name];
};
const needed: readonly [name: string, change: Parameters<typeof getToken>[0], says: RegExp][] = [
  ["net", without("net"), /not allowed to connect to localhost:\d+\n.*--allow-net=localhost:\d+/],
  [
    "net to the emulator",
    (set) => set.net = (set.net as readonly string[]).filter((host) => host !== "localhost"),
    /not allowed to connect to localhost:\d+\n/,
  ],
  ["env", without("env"), /not allowed to read the variable \w+\n.*--allow-env/],
  [
    "env of ours",
    (set) => set.env = (set.env as readonly string[]).filter((name) => name !== "ENTRATOOL_*"),
    /not allowed to read the variable ENTRATOOL_\w+\n.*--allow-env/,
  ],
];
for (const [name, change, says] of needed) {
  Deno.test(`client credentials without the permission ${name} say so and end with 4`, async () => {
    const { code, stdout, stderr } = await getToken(change);
    assert.match(stderr, says);
    assert.deepEqual({ code, stdout }, { code: 4, stdout: "" });
  });
}

Deno.test("client credentials without the permission to write get their token, and say that it is not kept", async () => {
  const { code, stdout, stderr } = await getToken(without("write"));
  assert.match(stderr, /^warning: The token could not be cached/m);
  assert.equal(code, 0);
  assert.match(stdout, /^eyJ/);
});

Deno.test("client credentials without the permission to read say so", async () => {
  const { code, stdout, stderr } = await getToken(without("read"));
  assert.match(stderr, /^error: Deno was not allowed to read .*\n {2}.*: --allow-read$/m);
  assert.deepEqual({ code, stdout }, { code: 4, stdout: "" });
});
