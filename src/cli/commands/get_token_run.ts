/** `entratool get-token`: resolve, acquire, print. */

import { type AcquiredToken, acquireToken } from "../../acquire.ts";
import { EntraToolError } from "../../errors.ts";
import { lazily } from "../../lazy_module.ts";
import { formatDuration } from "../../output/duration.ts";
import { formatToken } from "../../output/format_token.ts";
import { configHome } from "../../profiles/profile_store.ts";
import type { TokenRequest } from "../../token_request.ts";
import type { AppContext } from "../context.ts";
import {
  checkCredentialOwner,
  type Environment,
  readEnvironment,
  resolveSettings,
  type Settings,
} from "../settings.ts";
import { commandTrace } from "../trace.ts";
import { userVault } from "../vault_access.ts";
import type { GetTokenFlags } from "./get_token.ts";

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
      (request) => printToken.call(this, request, flags, "off", () => undefined),
    );
    return;
  }
  const env = await readEnvironment(flags, this.host);
  const home = () => configHome(this.host);
  const settings = await resolveSettings(flags, env, home);
  rememberSecrets(settings, this);
  checkCredentialOwner(settings);
  if (flags.clientSecret !== undefined) {
    this.messages.warning(
      "Other users of this machine can read --client-secret in the list of processes; --client-secret-file hides it",
    );
  }
  const cache = flags.noCache ? "off" : flags.force ? "renew" : "use";
  await printToken.call(this, tokenRequest(settings), flags, cache, env);
}

/** The request that the settings describe. @throws EntraToolError usage when something essential is missing */
function tokenRequest(settings: Settings): TokenRequest {
  const { profile, tenant, clientId, authority } = settings;
  const missing = [
    tenant === undefined && authority === undefined && "tenant (--tenant)",
    clientId === undefined && "client id (--client-id)",
  ].filter((each) => each !== false);
  if (missing.length > 0 || clientId === undefined) {
    throw new EntraToolError(
      "usage",
      "settings_missing",
      `Nothing says which ${missing.join(" and ")} to use`,
      {
        hint:
          "Give them as flags, as AZURE_TENANT_ID and AZURE_CLIENT_ID, or make a profile: entratool config create --help\n" +
          "To try it without a tenant: entratool get-token --emulator",
      },
    );
  }
  return {
    profile: profile?.name,
    tenant: tenant?.value,
    clientId: clientId.value,
    cloud: settings.cloud?.value,
    authority: authority?.value,
    flow: settings.flow.value,
    scopes: settings.scopes.value,
    credential: settings.credential?.value,
    caFile: settings.caFile?.value,
    timeout: settings.timeout.value,
  };
}

function rememberSecrets(settings: Settings, { redactor }: AppContext): void {
  const credential = settings.credential?.value;
  const secret = credential?.kind === "client-secret" ? credential.secret : credential?.password;
  if (secret?.from === "value") redactor.add(secret.value);
}

async function printToken(
  this: AppContext,
  request: TokenRequest,
  flags: GetTokenFlags,
  cache: "use" | "renew" | "off",
  env: Environment,
): Promise<void> {
  const { host, messages, redactor } = this;
  const warn = (text: string) => messages.warning(text);
  const vault = userVault(this, env);
  const acquired = await acquireToken(request, {
    cache,
    vault,
    host,
    redactor,
    trace: commandTrace(flags.verbose, messages, redactor),
    warn,
  });
  const text = await formatToken(acquired.token, flags.output ?? "token", {
    fromCache: acquired.fromCache,
    now: host.now(),
  });
  if (flags.file === undefined) host.stdout.write(text);
  else await writeTokenFile(flags.file, text);
  if (cache !== "off" && !vault.storesAnything) {
    messages.note(
      "Not cached, as there is no vault: set ENTRATOOL_VAULT_KEY (openssl rand -base64 32) or pass --no-cache",
    );
  }
  warnOfExpiry.call(this, acquired, flags.warnExpiry);
  if (host.stderr.isTerminal()) messages.lines(summary(acquired, host.now(), flags.file));
}

async function writeTokenFile(path: string, text: string): Promise<void> {
  const { writePrivateFile } = await import("../../files/private_file.ts");
  try {
    await writePrivateFile(path, new TextEncoder().encode(text));
  } catch (cause) {
    throw new EntraToolError(
      "storage",
      "file_not_written",
      `The token can not be written to ${path}`,
      {
        hint: "Check that the folder exists and that you may write there",
        cause,
      },
    );
  }
}

function warnOfExpiry(
  this: AppContext,
  { token }: AcquiredToken,
  minutes: number | undefined,
): void {
  const left = token.expiresAt - this.host.now() / 1000;
  if (minutes === undefined || left >= minutes * 60) return;
  this.messages.warning(`The token ends in ${formatDuration(left)}`);
}

/** A few words for a person at a terminal. */
function summary(
  { token, fromCache }: AcquiredToken,
  now: number,
  file: string | undefined,
): readonly string[] {
  const left = formatDuration(token.expiresAt - now / 1000);
  const until = new Date(token.expiresAt * 1000).toLocaleTimeString(undefined, {
    hour: "2-digit",
    minute: "2-digit",
  });
  return [
    `${token.flow} token of tenant ${token.tenantId}, ${fromCache ? "from the cache" : "new"}`,
    `  scopes   ${token.scopes.join(" ")}`,
    `  expires  in ${left}, at ${until}`,
    ...(file === undefined ? [] : [`  file     ${file}`]),
  ];
}
