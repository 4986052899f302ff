/**
 * People sign in with a real browser at the emulator, and see how it ends. The screenshots, light and dark, are for people
 * to look at: they are written to `screenshots/`.
 */

import assert from "node:assert/strict";
import {
  browse,
  type BrowserResult,
  type BrowserStep,
  chromiumIsMissing,
} from "../interop/program.ts";
import { ada, grace, signInTest } from "./sign_in_emulated.ts";

const screenshots = new URL("../../screenshots/", import.meta.url);

const chooseAda: BrowserStep = { click: `button[value="${ada}"]` };
const accept: BrowserStep = { click: { role: "button", name: "Accept" } };
const cancel: BrowserStep = { click: { role: "button", name: "Cancel" } };

interface Visit {
  readonly name: string;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly argv?: readonly string[];
  /** The steps between the sign-in page and the end, with a screenshot of each page. */
  readonly steps: (shot: (page: string) => BrowserStep) => readonly BrowserStep[];
  readonly code: number;
  /** What the last page says. */
  readonly text: RegExp;
}

const visits: readonly Visit[] = [
  {
    name: "accepts",
    argv: ["-s", "api://orders/Orders.Read"],
    steps: (shot) => [
      shot("1-choose-user"),
      chooseAda,
      { waitForText: "Permissions requested" },
      shot("2-consent"),
      accept,
      { waitForText: "Signed in" },
      shot("3-success"),
    ],
    code: 0,
    text: /Signed in[^]*You can close this window and return to the terminal\./,
  },
  {
    name: "declines",
    argv: ["-s", "api://orders/Orders.Read"],
    steps: (shot) => [
      chooseAda,
      { waitForText: "Permissions requested" },
      cancel,
      { waitForText: "Sign-in failed" },
      shot("4-declined"),
    ],
    code: 2,
    text: /Sign-in failed[^]*The sign-in was declined[^]*Return to the terminal/,
  },
  {
    name: "is refused at redemption",
    config: {
      faults: [{
        endpoint: "token",
        action: "aadsts",
        code: 53003,
        description: "Access has been blocked by <b>Conditional Access</b>.",
      }],
    },
    argv: ["-s", "api://orders/Orders.Read", "--login-hint", ada],
    steps: (shot) => [
      chooseAda,
      accept,
      { waitForText: "Sign-in failed" },
      shot("5-error"),
    ],
    code: 2,
    text: /Sign-in failed[^]*\(AADSTS53003\)[^]*<b>Conditional Access<\/b>/,
  },
  {
    name: "chooses another account than the one that is wanted",
    argv: ["-s", "api://orders/Orders.Read", "--account", grace],
    steps: () => [chooseAda, accept, { waitForText: "Sign-in failed" }],
    code: 2,
    text: /The token is of account "ada@\S+", but it was to be of "grace@/,
  },
];

for (const { name, config, argv = [], steps, code, text } of visits) {
  for (const colorScheme of ["light", "dark"] as const) {
    Deno.test({
      name: `a person ${name} with Chromium at the emulator, in ${colorScheme}`,
      ignore: chromiumIsMissing,
      fn: async () => {
        await Deno.mkdir(screenshots, { recursive: true });
        const shot = (page: string): BrowserStep => ({
          screenshot: new URL(`${page}-${colorScheme}.png`, screenshots).pathname,
        });
        await using test = await signInTest({ signIn: undefined, ...config });
        let visited: Promise<BrowserResult> | undefined;
        const outcome = await test.run(["get-token", "-f", "InteractiveBrowser", ...argv], {
          isRealTime: true,
          browser: async (url) => {
            visited = browse({ steps: [{ goto: url }, ...steps(shot)], colorScheme });
            await visited;
          },
        });
        assert.equal(outcome.code, code, outcome.stderr);
        const page = await visited!;
        assert.match(page.text, text);
        assert.deepEqual(page.policyViolations, []);
        // the code is neither in the address nor in the history's
        assert.doesNotMatch(page.url, /code=/);
        assert.ok(!page.text.includes(outcome.stdout.trim() || "eyJ"));
      },
    });
  }
}
