import assert from "node:assert/strict";
import { type Launcher, launchers, openBrowser } from "../../src/host_browser.ts";

const url = "https://login.example/authorize?a=1&state=it's";

function machine(os: "linux" | "macos" | "windows", env: Readonly<Record<string, string>> = {}) {
  return { os, env: (name: string) => env[name] };
}

const xdg: Launcher = ["xdg-open", url];
const rundll32: Launcher = ["rundll32", "url.dll,FileProtocolHandler", url];
const cases: readonly (readonly [
  name: string,
  machine: ReturnType<typeof machine>,
  command: string | undefined,
  expected: readonly Launcher[],
])[] = [
  ["open on macOS", machine("macos"), undefined, [["open", url]]],
  ["rundll32 on Windows, with no shell between", machine("windows"), undefined, [rundll32]],
  ["xdg-open with an X display", machine("linux", { DISPLAY: ":0" }), undefined, [xdg]],
  ["xdg-open with Wayland", machine("linux", { WAYLAND_DISPLAY: "wayland-0" }), undefined, [xdg]],
  ["nothing without a display", machine("linux"), undefined, []],
  ["nothing where the display is empty", machine("linux", { DISPLAY: "" }), undefined, []],
  ["wslview, then PowerShell, in WSL", machine("linux", { WSL_DISTRO_NAME: "Ubuntu" }), undefined, [
    ["wslview", url],
    [
      "powershell.exe",
      "-NoProfile",
      "-NonInteractive",
      "-Command",
      `Start-Process '${url.replace("'", "''")}'`,
    ],
  ]],
  [
    "the list in BROWSER first, with %s for the address",
    machine("linux", { BROWSER: "firefox --new-tab %s::w3m", DISPLAY: ":0" }),
    undefined,
    [["firefox", "--new-tab", url], ["w3m", url], xdg],
  ],
  [
    "BROWSER without a display",
    machine("linux", { BROWSER: "code-browser" }),
    undefined,
    [["code-browser", url]],
  ],
  [
    "BROWSER on Windows, where a colon follows the drive",
    machine("windows", { BROWSER: "C:\\firefox.exe" }),
    undefined,
    [["C:\\firefox.exe", url], rundll32],
  ],
  [
    "--browser and nothing else",
    machine("linux", { BROWSER: "firefox", DISPLAY: ":0" }),
    "chromium --incognito",
    [["chromium", "--incognito", url]],
  ],
];
for (const [name, host, command, expected] of cases) {
  Deno.test(`launchers() gives ${name}`, () => {
    assert.deepEqual(launchers(url, command, host), expected);
  });
}

/** A program that does this; the address is its last argument. */
async function script(text: string) {
  const folder = await Deno.makeTempDir({ prefix: "entratool-browser-" });
  const path = `${folder}/browser`;
  await Deno.writeTextFile(path, `#!/bin/sh\n${text}\n`, { mode: 0o700 });
  return {
    path,
    folder,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

const isWindows = Deno.build.os === "windows";

Deno.test({
  name: "openBrowser() goes on to the next launcher when one fails or is not there",
  ignore: isWindows,
  fn: async () => {
    await using broken = await script("exit 3");
    await using working = await script('echo "$1" > "$(dirname "$0")/opened"');
    const host = machine("linux", {
      BROWSER: `/nowhere/firefox:${broken.path}:${working.path}`,
    });
    assert.equal(await openBrowser(url, undefined, host), true);
    assert.equal(await Deno.readTextFile(`${working.folder}/opened`), `${url}\n`);
    assert.equal(await openBrowser(url, broken.path, host), false);
    assert.equal(await openBrowser(url, undefined, machine("linux")), false);
  },
});

Deno.test({
  name: "what a launcher prints and reads never gets into ours",
  ignore: isWindows,
  fn: async () => {
    await using noisy = await script("echo noise; echo noise >&2; cat");
    const module = new URL("../../src/host_browser.ts", import.meta.url);
    const program = `import { openBrowser } from ${JSON.stringify(module.href)};
      await openBrowser("https://login.example", ${JSON.stringify(noisy.path)}, {
        os: "linux",
        env: () => undefined,
      });`;
    const main = `${noisy.folder}/main.ts`;
    await Deno.writeTextFile(main, program);
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-prompt", "--allow-run", main],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    await child.stdin.close();
    const { code, stdout, stderr } = await child.output();
    const decoder = new TextDecoder();
    assert.deepEqual([code, decoder.decode(stdout), decoder.decode(stderr)], [0, "", ""]);
  },
});
