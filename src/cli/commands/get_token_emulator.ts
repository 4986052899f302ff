/** `entratool get-token --emulator`: the whole way of a token, against an emulator that lives as long as the command. */

import { startEmulator } from "../../emulator/emulator.ts";
import { EntraToolError } from "../../errors.ts";
import { parseScopeList } from "../../token/scope_list.ts";
import type { TokenRequest } from "../../token_request.ts";
import type { GetTokenFlags } from "./get_token.ts";

/** What the emulator brings itself; giving it too would be asking for two things at once. */
const brought = [
  ["profile", "--profile"],
  ["tenant", "--tenant"],
  ["clientId", "--client-id"],
  ["clientSecretFile", "--client-secret-file"],
  ["clientSecret", "--client-secret"],
  ["certificate", "--certificate"],
  ["certificatePasswordFile", "--certificate-password-file"],
  ["assertionAlgorithm", "--assertion-algorithm"],
  ["sendX5c", "--send-x5c"],
  ["cloud", "--cloud"],
  ["authority", "--authority"],
  ["envFile", "--env-file"],
] as const;

/**
 * Starts an emulator, hands out a request that it will answer, and stops it.
 *
 * @throws EntraToolError usage when a flag names another tenant, app or credential
 */
export async function withThrowAwayEmulator(
  flags: GetTokenFlags,
  use: (request: TokenRequest) => Promise<void>,
): Promise<void> {
  const [, extra] = brought.find(([name]) => flags[name] !== undefined) ?? [];
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
      account: flags.account,
      pins: {},
      claims: undefined,
      signIn: {},
    });
  } finally {
    await emulator.close();
  }
}
