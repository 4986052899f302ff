/** `entratool get-token --emulator`: the whole way of a token, against an emulator that lives as long as the command. */

import {
  type Directory,
  exampleDirectory,
  parseDirectory,
  startEmulator,
} from "../../emulator/emulator.ts";
import { EntraToolError } from "../../errors.ts";
import type { FlowName } from "../../names.ts";
import { parseScopeList } from "../../token/scope_list.ts";
import type { TokenRequest } from "../../token_request.ts";
import type { GetTokenFlags } from "../get_token_flags.ts";

/**
 * The flags that mean something to it. Every other one would be passed over: the emulator brings tenant, app and credential,
 * and nothing is cached.
 */
const meaningful: ReadonlySet<string> = new Set<keyof GetTokenFlags>([
  "browser",
  "emulator",
  "file",
  "flow",
  "loginHint",
  "noBrowser",
  "noCache",
  "noInteraction",
  "output",
  "port",
  "prompt",
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
  const flow = flags.flow ?? "ClientCredentials";
  const directory = parseDirectory(exampleDirectory(), "example directory");
  const { clientId, secret, redirectUri } = appFor(flow, directory);
  const emulator = await startEmulator({ directory });
  try {
    await use({
      profile: undefined,
      tenant: emulator.tenantId,
      clientId,
      cloud: undefined,
      authority: emulator.origin,
      flow,
      scopes: parseScopeList(flags.scope ?? []),
      credential: secret === undefined
        ? undefined
        : { kind: "client-secret", secret: { from: "value", value: secret } },
      caFile: undefined,
      timeout: flags.timeout,
      account: undefined,
      pins: {},
      claims: undefined,
      signIn: {
        ...(redirectUri === undefined ? {} : { redirectUri }),
        ...(flags.port === undefined ? {} : { port: flags.port }),
        ...(flags.loginHint === undefined ? {} : { loginHint: flags.loginHint }),
        ...(flags.prompt === undefined ? {} : { prompt: flags.prompt }),
      },
    });
  } finally {
    await emulator.close();
  }
}

interface ChosenApp {
  readonly clientId: string;
  readonly secret?: string;
  readonly redirectUri?: string;
}

/** The app of the example directory that is registered for the flow. */
function appFor(flow: FlowName, { apps }: Directory): ChosenApp {
  const isForPeople = flow === "InteractiveBrowser" || flow === "DeviceCode";
  const app = apps.find(({ publicClient, secrets }) =>
    isForPeople ? publicClient : secrets.length > 0
  );
  if (app === undefined) throw new Error(`the example directory has no app for ${flow}`);
  const [secret] = app.secrets;
  const [redirectUri] = app.redirectUris.web;
  return {
    clientId: app.clientId,
    ...(isForPeople || secret === undefined ? {} : { secret: secret.value }),
    ...(flow === "AuthorizationCode" && redirectUri !== undefined ? { redirectUri } : {}),
  };
}
