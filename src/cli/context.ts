/** What every command's run function finds in `this`. */

import type { Host } from "../host.ts";
import type { Messages } from "../output/messages.ts";
import type { Redactor } from "../output/redact.ts";

export interface AppContext {
  /** For Stricli, which writes help and usage errors. */
  readonly process: {
    readonly stdout: { write(text: string): void };
    readonly stderr: { write(text: string): void };
    /** What the process shall end with; null for success or whatever an error says. */
    exitCode: number | null;
  };
  readonly host: Host;
  readonly messages: Messages;
  /** Every secret that the run meets is added to it, before anything else is done with it. */
  readonly redactor: Redactor;
}
