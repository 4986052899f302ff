/** The person at the terminal, as the flows see them. */

import type { Person } from "../person.ts";
import type { AppContext } from "./context.ts";

/** How the address is opened. */
export interface BrowserChoice {
  /** The program; undefined for the system's. */
  readonly command: string | undefined;
  /** Whether to open anything at all. */
  readonly isWanted: boolean;
}

/** The person at this terminal, who reads stderr and types on stdin. */
export function personAtTerminal({ host, messages }: AppContext, browser: BrowserChoice): Person {
  const hasTerminal = host.stderr.isTerminal();
  const emphasis = hasTerminal && !host.env("NO_COLOR");
  return {
    hasTerminal,
    canType: host.stdin.isTerminal(),
    tell: (lines) => messages.prominent(lines, emphasis),
    openBrowser: (url) =>
      browser.isWanted ? host.openBrowser(url, browser.command) : Promise.resolve(false),
    readLine: (signal) => host.stdin.readLine(signal),
  };
}
