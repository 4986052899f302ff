/** `entratool refresh`. */

import type { AppContext } from "../context.ts";
import { printRequestedToken } from "../print_token.ts";
import type { TokenFlags } from "../token_flags.ts";

export default async function refresh(this: AppContext, flags: TokenFlags): Promise<void> {
  // a sign-in is get-token's: who refreshes wants what is there renewed, in the same person's name
  await printRequestedToken(this, { ...flags, noInteraction: true }, "renew");
}
