/** `entratool get-token`. */

import { EntraToolError } from "../../errors.ts";
import { lazily } from "../../lazy_module.ts";
import type { AppContext } from "../context.ts";
import { printRequestedToken, printToken } from "../print_token.ts";
import type { GetTokenFlags } from "../get_token_flags.ts";

export default async function getToken(this: AppContext, flags: GetTokenFlags): Promise<void> {
  if (flags.force && flags.noCache) {
    throw new EntraToolError("usage", "conflict", "--force and --no-cache exclude each other", {
      hint: "--force renews the cached token, --no-cache leaves the cache alone",
    });
  }
  if (flags.emulator) {
    const { withThrowAwayEmulator } = await lazily<typeof import("./get_token_emulator.ts")>(
      import.meta.resolve("./get_token_emulator.ts"),
    );
    await withThrowAwayEmulator(
      flags,
      (request) => printToken(this, request, flags, "off", () => undefined),
    );
    return;
  }
  // a claims challenge says that the cached token is not enough
  const isNewWanted = flags.force || flags.claims !== undefined;
  await printRequestedToken(this, flags, flags.noCache ? "off" : isNewWanted ? "renew" : "use");
}
