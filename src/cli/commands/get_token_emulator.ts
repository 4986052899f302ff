/** `entratool get-token --emulator`: the whole way of a token, against an emulator that lives as long as the command. */

import { startEmulator } from "../../emulator/emulator.ts";
import { EntraToolError } from "../../errors.ts";
import { parseScopeList } from "../../token/scope_list.ts";
import type { TokenRequest } from "../../token_request.ts";
import type { GetTokenFlags } from "./get_token.ts";

/**
 * The flags that mean something to it. Every other one would be passed over: the emulator brings tenant, app and credential,
 * and nothing is cached.
 */
const meaningful: ReadonlySet<string> = new Set<keyof GetTokenFlags>([
  "emulator",
  "file",
  "flow",
  "noCache",
  "output",
  "scope",
  "showIdToken",
  "showRefreshToken",
  "timeout",
  "verbose",
  "warnExpiry",
]);

/**
 * Starts an emulator, hands out a request that it will answer, and stops it.
 *
 * @throws EntraToolError usage when there is a flag that it would pass over
 */
export async function withThrowAwayEmulator(
  flags: GetTokenFlags,
  use: (request: TokenRequest) => Promise<void>,
): Promise<void> {
  const [surplus] = Object.entries(flags)
    .find(([name, value]) => value !== undefined && !meaningful.has(name)) ?? [];
  const extra = surplus &&
    `--${surplus.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  if (extra !== undefined) {
    throw new EntraToolError(
      "usage",
      "conflict",
      `--emulator brings its own settings, so ${extra} has no place`,
      {
        hint: `Leave ${extra} out, or run "entratool emulator" and use it like a tenant`,
      },
    );
  }
  const emulator = await startEmulator();
  try {
    const { seed } = emulator;
    if (seed?.clientSecret === undefined) throw new Error("the emulator has no app with a secret");
    await use({
      profile: undefined,
      tenant: seed.tenantId,
      clientId: seed.clientId,
      cloud: undefined,
      authority: emulator.origin,
      flow: flags.flow ?? "ClientCredentials",
      scopes: parseScopeList(flags.scope ?? []),
      credential: {
        kind: "client-secret",
        secret: { from: "value", value: seed.clientSecret },
      },
      caFile: undefined,
      timeout: flags.timeout,
      account: undefined,
      pins: {},
      claims: undefined,
      signIn: {},
    });
  } finally {
    await emulator.close();
  }
}
