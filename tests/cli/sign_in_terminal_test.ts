/** People's flows in processes of their own at a real terminal, each under its own permission set of deno.json. */

import assert from "node:assert/strict";
import { type AtTerminal, startAtTerminal, terminalIsMissing } from "../fixtures/terminal.ts";
import { assertClosed } from "../flows/listening.ts";
import {
  ada,
  redirectOf,
  type SignInTest,
  signInTest,
  visit,
  webApp,
  webSecret,
} from "./sign_in_emulated.ts";

type Permissions = Record<string, true | readonly string[]>;

const root = new URL("../..", import.meta.url);
const configuration: { permissions: Record<string, Permissions> } & Record<string, unknown> = JSON
  .parse(await Deno.readTextFile(new URL("deno.json", root)));

/** Starts the program under the named set, or under a changed copy of it. */
async function start(
  test: SignInTest,
  set: string,
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
  change: (permissions: Permissions) => void = () => {},
): Promise<AtTerminal> {
  const permissions = { ...configuration.permissions[set] };
  change(permissions);
  const { imports, compilerOptions } = configuration;
  const config = `${test.home}/deno.json`;
  await Deno.writeTextFile(
    config,
    JSON.stringify({ imports, compilerOptions, permissions: { [set]: permissions } }),
  );
  return await startAtTerminal({
    denoArguments: [
      ...["run", "--quiet", "--no-prompt", "--no-lock", "--cached-only"],
      ...["--config", config, `-P=${set}`],
    ],
    argv: ["get-token", ...argv],
    env: { ...test.env, ...env },
  });
}

/** A machine where xdg-open writes down what it is given. */
async function withDisplay(test: SignInTest): Promise<Readonly<Record<string, string>>> {
  const text = `#!/bin/sh\necho "$1" >> ${test.home}/opened\n`;
  await Deno.writeTextFile(`${test.home}/xdg-open`, text, { mode: 0o700 });
  return { DISPLAY: ":0", PATH: `${test.home}:${Deno.env.get("PATH")}` };
}

const shownAddress = /http:\S+\/authorize\?\S+/;
const webFlags = ["-f", "AuthorizationCode", "--redirect-uri"];
const web = { AZURE_CLIENT_ID: webApp, AZURE_CLIENT_SECRET: webSecret };
const exampleUri = "http://localhost:8400/callback";

interface Case {
  readonly set: string;
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What the person does. */
  readonly person: (terminal: AtTerminal) => Promise<unknown>;
}

const visits = async (terminal: AtTerminal) => visit((await terminal.shows(shownAddress))[0]);
const flows: readonly Case[] = [
  { set: "interactive-browser", argv: ["-f", "InteractiveBrowser"], person: visits },
  {
    set: "authorization-code",
    argv: [...webFlags, exampleUri],
    env: web,
    person: visits,
  },
  { set: "device-code", argv: ["-f", "DeviceCode"], person: (t) => t.shows(/Code {5}\S+/) },
];

/** A second instead of Entra's five, as these processes keep real time. */
const quick = { deviceCode: { interval: 1 } };

for (const { set, argv, env, person } of flows) {
  Deno.test({
    name: `a person signs in at a real terminal under -P=${set}`,
    ignore: terminalIsMissing,
    fn: async () => {
      await using test = await signInTest(quick);
      const display = await withDisplay(test);
      await using terminal = await start(test, set, argv, { ...display, ...env });
      await person(terminal);
      const { code, stdout } = await terminal.end;
      assert.equal(code, 0, terminal.screen);
      assert.match(stdout, /^eyJ\S+\n$/);
      assert.ok(!terminal.screen.includes(stdout.trim()));
      assert.match(terminal.screen, new RegExp(`account {2}${ada}`));
      if (set === "device-code") assert.match(terminal.screen, /█▀/);
      else {
        const [address] = shownAddress.exec(terminal.screen)!;
        const opened = address.replace("response_mode=query", "response_mode=form_post");
        assert.equal(await Deno.readTextFile(`${test.home}/opened`), `${opened}\n`);
      }
    },
  });
}

const without = (name: string) => (permissions: Permissions) => void delete permissions[name];
const withoutHost = (host: string) => (permissions: Permissions) => {
  permissions.net = (permissions.net as readonly string[]).filter((each) => each !== host);
};
const withoutVariable = (name: string) => (permissions: Permissions) => {
  permissions.env = (permissions.env as readonly string[]).filter((each) => each !== name);
};
const needed: readonly (readonly [name: string, change: (permissions: Permissions) => void])[] = [
  ["net", without("net")],
  ["net to the emulator's name", withoutHost("localhost")],
  ["env", without("env")],
  ["env of ours", withoutVariable("ENTRATOOL_*")],
  ["read", without("read")],
];
for (const { set, argv, env } of flows) {
  const all = set === "device-code"
    ? needed
    : [...needed, ["net to loopback", withoutHost("127.0.0.1")] as const];
  for (const [name, change] of all) {
    Deno.test({
      name: `-P=${set} without ${name} ends with an error that says so`,
      ignore: terminalIsMissing,
      fn: async () => {
        await using test = await signInTest(quick);
        await using terminal = await start(test, set, [...argv, "--timeout", "5s"], env, change);
        // what the browser can not redeem without the network
        terminal.shows(shownAddress).then(([address]) => visit(address)).catch(() => {});
        const { code, stdout } = await terminal.end;
        assert.match(terminal.screen, /^error: .*not allowed/m);
        assert.deepEqual({ code, stdout }, { code: 4, stdout: "" });
      },
    });
  }
}

Deno.test({
  name: "-P=interactive-browser without run says that no browser was opened, and the address works",
  ignore: terminalIsMissing,
  fn: async () => {
    await using test = await signInTest();
    const display = await withDisplay(test);
    const argv = ["-f", "InteractiveBrowser"];
    await using terminal = await start(test, "interactive-browser", argv, display, without("run"));
    await terminal.shows(/No browser was opened/);
    await visits(terminal);
    assert.equal((await terminal.end).code, 0);
  },
});

Deno.test({
  name: "a person pastes the address at a real terminal, after a mistake",
  ignore: terminalIsMissing,
  fn: async () => {
    await using test = await signInTest();
    const elsewhere = "https://shop.contoso.com/signin-oidc";
    const argv = [...webFlags, elsewhere];
    await using terminal = await start(test, "authorization-code", argv, web);
    const [address] = await terminal.shows(shownAddress);
    await terminal.shows(/press Enter/);
    await terminal.type("no address\n");
    await terminal.shows(/That is not the answer to this sign-in/);
    await terminal.type(`${await redirectOf(address)}\n`);
    const { code, stdout } = await terminal.end;
    assert.equal(code, 0, terminal.screen);
    assert.match(stdout, /^eyJ/);
  },
});

for (
  const [set, argv, env] of [
    ["interactive-browser", ["-f", "InteractiveBrowser"], {}],
    ["authorization-code", [...webFlags, exampleUri], web],
    ["authorization-code", [...webFlags, "https://shop.contoso.com/signin-oidc"], web],
    ["device-code", ["-f", "DeviceCode"], {}],
  ] as const
) {
  Deno.test({
    name: `Ctrl-C at get-token ${argv.join(" ")} leaves no listener, no lock and no process`,
    ignore: terminalIsMissing,
    fn: async () => {
      await using test = await signInTest({ signIn: { autoApprove: ada, pendingPolls: 1000 } });
      await using terminal = await start(test, set, argv, env);
      await terminal.shows(/Waiting for the sign-in|press Enter|Valid {4}for/);
      const [address] = shownAddress.exec(terminal.screen) ?? [];
      await terminal.type("\u0003");
      const { code, stdout } = await terminal.end;
      assert.match(terminal.screen, /error: Cancelled/);
      assert.deepEqual({ code, stdout }, { code: 130, stdout: "" });
      const redirect = address && new URL(address).searchParams.get("redirect_uri");
      if (redirect?.startsWith("http:")) await assertClosed(Number(new URL(redirect).port));
      assert.deepEqual(await processesWith(test.home), []);
      // the next one does not wait for a lock: with nobody there it ends at once
      const next = await test.runAlone(["get-token", ...argv], { env });
      assert.equal(next.code, 6, next.stderr);
    },
  });
}

/** The commands of this machine's processes that have this text in their arguments. */
async function processesWith(text: string): Promise<readonly string[]> {
  const { stdout } = await new Deno.Command("ps", { args: ["-eo", "args"] }).output();
  return new TextDecoder().decode(stdout).split("\n").filter((line) => line.includes(text));
}
