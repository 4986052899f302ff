/** The interactive browser flow, from argv to the page that the person ends on. */

import assert from "node:assert/strict";
import { assertClosed } from "../flows/listening.ts";
import { ada, authorizeUrl, grace, redirectOf, signInTest, visit } from "./sign_in_emulated.ts";

const interactive = ["get-token", "-f", "InteractiveBrowser"];

function freePort(): number {
  using probe = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (probe.addr as Deno.NetAddr).port;
}

Deno.test("get-token signs in with the browser when no credential is configured", async () => {
  await using test = await signInTest();
  const { code, stdout, stderr, authorize, page, forms } = await test.run(["get-token"]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^eyJ\S+\n$/);
  assert.match(page, /<h1>Signed in<\/h1>/);
  const { state, nonce, code_challenge, redirect_uri, ...rest } = authorize;
  for (const random of [state, nonce, code_challenge]) assert.match(random!, /^[\w-]{43}$/);
  assert.match(redirect_uri!, /^http:\/\/localhost:\d+$/);
  assert.deepEqual(rest, {
    client_id: test.env.AZURE_CLIENT_ID,
    response_type: "code",
    scope: "https://graph.microsoft.com/.default openid profile offline_access",
    response_mode: "form_post",
    code_challenge_method: "S256",
    client_info: "1",
    prompt: "select_account",
  });
  const [redemption] = forms;
  assert.deepEqual(Object.keys(redemption!).sort(), [
    "client_id",
    "client_info",
    "code",
    "code_verifier",
    "grant_type",
    "path",
    "redirect_uri",
    "scope",
  ]);
  assert.equal(redemption!.redirect_uri, redirect_uri);
  await assertClosed(Number(new URL(redirect_uri!).port));
});

Deno.test("get-token prints the address before anything is opened", async () => {
  await using test = await signInTest();
  let shownBefore = false;
  await test.run(interactive, {
    prepare: (host) => {
      const open = host.openBrowser.bind(host);
      host.openBrowser = (url) => {
        shownBefore = host.stderrText.includes(`\n${url}\n`);
        return open(url);
      };
    },
  });
  assert.ok(shownBefore);
});

const reaching: readonly [flags: string[], parameters: Record<string, string | undefined>][] = [
  [["--login-hint", ada], { login_hint: ada, prompt: undefined }],
  [["--account", ada], { login_hint: ada, prompt: undefined }],
  [["--domain-hint", "contoso.com"], { domain_hint: "contoso.com" }],
  [["--prompt", "login"], { prompt: "login" }],
  [["--prompt", "consent", "--login-hint", ada], { prompt: "consent", login_hint: ada }],
  [["-s", "api://orders/Orders.Read"], {
    scope: "api://orders/Orders.Read openid profile offline_access",
  }],
];
for (const [flags, parameters] of reaching) {
  Deno.test(`get-token ${flags.join(" ")} reaches the authorize request`, async () => {
    await using test = await signInTest();
    const { code, stderr, authorize } = await test.run([...interactive, ...flags]);
    assert.equal(code, 0, stderr);
    for (const [name, value] of Object.entries(parameters)) assert.equal(authorize[name], value);
  });
}

Deno.test("get-token --port listens there and says so to the server", async () => {
  await using test = await signInTest();
  const port = freePort();
  const { code, stderr, authorize } = await test.run([...interactive, "--port", `${port}`]);
  assert.equal(code, 0, stderr);
  assert.equal(authorize.redirect_uri, `http://localhost:${port}`);
});

Deno.test("get-token --redirect-uri keeps the URI and takes --port for one without a port", async () => {
  await using test = await signInTest();
  const port = freePort();
  const { code, stderr, authorize } = await test.run([
    ...interactive,
    "--redirect-uri",
    "http://127.0.0.1",
    "--port",
    `${port}`,
  ]);
  assert.equal(code, 0, stderr);
  assert.equal(authorize.redirect_uri, `http://127.0.0.1:${port}`);
});

Deno.test("get-token refuses a --port that is not the redirect URI's", async () => {
  await using test = await signInTest();
  const flags = ["--redirect-uri", "http://localhost:8400/callback", "--port", "8401"];
  const { code, stdout, stderr } = await test.run([...interactive, ...flags]);
  assert.match(stderr, /^error: --port 8401 is not the port of the redirect URI http:\/\/loc/);
  assert.deepEqual({ code, stdout }, { code: 4, stdout: "" });
});

Deno.test("get-token says which port is taken, and opens nothing", async () => {
  await using test = await signInTest();
  using other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = other.addr as Deno.NetAddr;
  const { code, stderr, host } = await test.run([...interactive, "--port", `${port}`]);
  assert.match(stderr, new RegExp(`^error: Port ${port}, where the sign-in must end, is in use`));
  assert.deepEqual({ code, opened: host.opened }, { code: 4, opened: [] });
});

for (
  const [name, flags, hasBrowser] of [
    ["when none works", [], false],
    ["with --no-browser", ["--no-browser"], true],
  ] as const
) {
  Deno.test(`get-token says that no browser was opened ${name}, and the address works`, async () => {
    await using test = await signInTest();
    let visited: Promise<string> | undefined;
    const { code, stderr, host } = await test.run([...interactive, ...flags], {
      hasBrowser,
      prepare: (host) => {
        const write = host.stderr.write;
        host.stderr.write = (text) => {
          write(text);
          if (/No browser was opened/.test(text)) visited = visit(authorizeUrl(host.stderrText)!);
        };
      },
    });
    assert.match(stderr, /^No browser was opened\. Waiting for the sign-in\.$/m);
    assert.equal(code, 0, stderr);
    assert.match(await visited!, /Signed in/);
    assert.equal(host.opened.length, hasBrowser ? 0 : 1);
  });
}

Deno.test("get-token hands --browser to the machine", async () => {
  await using test = await signInTest();
  const commands: (string | undefined)[] = [];
  await test.run([...interactive, "--browser", "firefox --private-window"], {
    prepare: (host) => {
      const open = host.openBrowser.bind(host);
      Object.assign(host, {
        openBrowser: (url: string, command: string | undefined) => {
          commands.push(command);
          return open(url);
        },
      });
    },
  });
  assert.deepEqual(commands, ["firefox --private-window"]);
});

// The pasted address: a person on SSH, whose browser ends on a page that can not be reached.

/** What the person pastes, made of the address that they were shown. */
type Paste = (address: URL) => Promise<readonly string[]>;

async function paste(lines: Paste, argv: readonly string[] = interactive) {
  await using test = await signInTest();
  const typed: string[] = [];
  const waiting: ((line: string) => void)[] = [];
  const outcome = await test.run(argv, {
    hasBrowser: false,
    terminals: ["stdin", "stderr"],
    prepare: (host) => {
      let isShown = false;
      host.stdin.readLine = async (signal) => {
        if (!isShown) {
          isShown = true;
          typed.push(...await lines(authorizeUrl(host.stderrText)!));
        }
        const line = typed.shift();
        if (line !== undefined) return line;
        return await new Promise((resolve, reject) => {
          waiting.push(resolve);
          signal.addEventListener("abort", () => reject(signal.reason), { once: true });
        });
      };
    },
  });
  return outcome;
}

const forged = async (address: URL) => {
  const url = new URL(await redirectOf(address));
  url.searchParams.set("state", "f".repeat(43));
  return url.href;
};
const codeOf = async (address: URL) =>
  new URL(await redirectOf(address)).searchParams.get("code") ?? "";

const pastes: readonly [name: string, lines: Paste, refusals: number][] = [
  ["the address", async (address) => [await redirectOf(address)], 0],
  ["the address in quotes", async (address) => [`'${await redirectOf(address)}'`], 0],
  ["empty lines, then the address", async (address) => ["", " ", await redirectOf(address)], 0],
  ["the bare code", async (address) => [await codeOf(address)], 0],
  ["garbage, then the address", async (address) => ["what?", await redirectOf(address)], 1],
  [
    "another sign-in's address, then this one's",
    async (address) => [await forged(address), await redirectOf(address)],
    1,
  ],
];
for (const [name, lines, refusals] of pastes) {
  Deno.test(`get-token takes ${name} from the terminal`, async () => {
    const { code, stdout, stderr } = await paste(lines);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^eyJ/);
    assert.equal(stderr.split("That is not the answer to this sign-in").length - 1, refusals);
  });
}

Deno.test("get-token with a listener reads nothing that is piped in: it is another program's", async () => {
  await using test = await signInTest();
  const { code, stderr } = await test.run(interactive, {
    stdin: "line of somebody's loop\n",
    prepare: (host) => {
      host.stdin.readLine = () => Promise.reject(new Error("stdin was read"));
    },
  });
  assert.equal(code, 0, stderr);
  assert.doesNotMatch(stderr, /paste/i);
});

Deno.test("the address that is shown has an answer to paste; the one that is opened keeps the code out of sight", async () => {
  await using test = await signInTest();
  const { code, authorize, host } = await test.run(interactive, { terminals: ["stdin", "stderr"] });
  const [opened = ""] = host.opened;
  const { response_mode, ...rest } = Object.fromEntries(new URL(opened).searchParams);
  assert.deepEqual({ ...rest, response_mode: "query" }, authorize);
  assert.deepEqual({ code, response_mode }, { code: 0, response_mode: "form_post" });
});

// How it fails.

Deno.test("get-token ends with 2 when the person declines, and the page says so", async () => {
  await using test = await signInTest({ signIn: { autoDeny: ada } });
  const { code, stdout, stderr, page } = await test.run(interactive);
  assert.match(stderr, /^error: The sign-in was declined$/m);
  assert.match(stderr, /^ {2}Start again, and accept on the sign-in page$/m);
  assert.match(page, /<h1>Sign-in failed<\/h1>\s*<p>The sign-in was declined<\/p>/);
  assert.deepEqual({ code, stdout }, { code: 2, stdout: "" });
});

Deno.test("get-token shows an error at redemption on the page as well", async () => {
  await using test = await signInTest({
    faults: [{ endpoint: "token", action: "aadsts", code: 53003 }],
  });
  const { code, stdout, stderr, page } = await test.run(interactive);
  assert.match(stderr, /^error: Conditional Access blocked the token \(AADSTS53003\)$/m);
  assert.match(page, /Sign-in failed[^]*Conditional Access blocked the token \(AADSTS53003\)/);
  assert.deepEqual({ code, stdout }, { code: 2, stdout: "" });
});

Deno.test("get-token redeems a code once, whatever the server answers", async () => {
  await using test = await signInTest({
    faults: [{ endpoint: "token", action: "status", status: 503 }],
  });
  const { code, forms, page } = await test.run(interactive);
  assert.deepEqual({ code, requests: forms.length }, { code: 5, requests: 1 });
  assert.match(page, /Sign-in failed/);
});

Deno.test("get-token shows no success for an account that the profile does not accept, and stores nothing", async () => {
  await using test = await signInTest();
  const { code, stdout, stderr, page } = await test.run([...interactive, "--account", grace]);
  assert.match(
    stderr,
    /^error: The token is of account "ada@contoso.onmicrosoft.com", but it was to be of "grace@/m,
  );
  assert.match(page, /Sign-in failed/);
  assert.deepEqual({ code, stdout }, { code: 2, stdout: "" });
  assert.match((await test.runAlone(["cache", "list"])).stderr, /No tokens are cached/);
});

Deno.test("two get-token at once sign in once", async () => {
  await using test = await signInTest();
  const [first, second] = await Promise.all([test.run(interactive), test.run(interactive)]);
  assert.equal(first.code, 0, first.stderr);
  assert.equal(second.stdout, first.stdout);
  assert.equal(first.host.opened.length + second.host.opened.length, 1);
});

Deno.test("get-token tells how to go on when nobody signs in in time", async () => {
  await using test = await signInTest();
  const { code, stdout, stderr } = await test.run([...interactive, "--timeout", "0.2s"], {
    hasBrowser: false,
  });
  assert.match(stderr, /If the browser shows AADSTS50011, register the redirect URI http:\/\/loc/);
  assert.deepEqual({ code, stdout }, { code: 5, stdout: "" });
});

Deno.test("Ctrl-C ends a sign-in with 130 and leaves nothing that listens", async () => {
  await using test = await signInTest();
  const { code, stdout, stderr, authorize } = await test.run(interactive, {
    prepare: (host) => {
      host.openBrowser = () => {
        host.cancel();
        return Promise.resolve(true);
      };
    },
  });
  assert.match(stderr, /^error: Cancelled$/m);
  assert.deepEqual({ code, stdout }, { code: 130, stdout: "" });
  await assertClosed(Number(new URL(authorize.redirect_uri!).port));
  // the lock is free as well
  assert.equal((await test.run(interactive)).code, 0);
});
