/** What `get-token` and `refresh` share: from flags to a printed token. */

import { type AcquiredToken, type AcquireOptions, acquireToken, isPersonal } from "../acquire.ts";
import { EntraToolError } from "../errors.ts";
import { lazily } from "../lazy_module.ts";
import { formatDuration } from "../output/duration.ts";
import { formatToken } from "../output/format_token.ts";
import { shellWord } from "../output/shell_word.ts";
import type { Person } from "../person.ts";
import { configHome } from "../profiles/profile_store.ts";
import type { TokenRequest } from "../token_request.ts";
import type { AppContext } from "./context.ts";
import {
  checkCredentialOwner,
  type Environment,
  profileWarnings,
  readEnvironment,
  resolveSettings,
  type Setting,
  type Settings,
} from "./settings.ts";
import type { TokenFlags } from "./token_flags.ts";
import { commandTrace } from "./trace.ts";
import { userVault } from "./vault_access.ts";

/** How a command uses the cache. */
export type CacheUse = AcquireOptions["cache"];

/** Prints the token that flags, environment and profile describe. @throws EntraToolError of every kind */
export async function printRequestedToken(
  context: AppContext,
  flags: TokenFlags,
  cache: CacheUse,
): Promise<void> {
  const env = await readEnvironment(flags, context.host);
  const settings = await resolveSettings(flags, env, () => configHome(context.host));
  rememberSecrets(settings, context);
  checkCredentialOwner(settings);
  await checkGivenFiles(flags);
  for (const text of profileWarnings(settings, env)) context.messages.warning(text);
  if (flags.clientSecret !== undefined) {
    context.messages.warning(
      "Other users of this machine can read --client-secret in the list of processes; --client-secret-file hides it",
    );
  }
  await printToken(context, await tokenRequest(settings, flags), flags, cache, env, settings);
}

/**
 * A cached token makes do without the credential; that a file is not there is said all the same.
 *
 * @throws EntraToolError usage naming the file
 */
async function checkGivenFiles(flags: TokenFlags): Promise<void> {
  const given = [
    ["client secret", flags.clientSecretFile],
    ["certificate", flags.certificate],
    ["certificate password", flags.certificatePasswordFile],
  ] as const;
  for (const [what, path] of given) {
    if (path === undefined || path === "-") continue;
    if (await Deno.stat(path).then(() => true, (error) => !isNotFound(error))) continue;
    throw new EntraToolError(
      "usage",
      "file_unreadable",
      `The ${what} can not be read from ${path}: there is no such file`,
      { hint: "Check the path" },
    );
  }
}

const isNotFound = (error: unknown) => error instanceof Deno.errors.NotFound;

/** The request that the settings describe. @throws EntraToolError usage when something essential is missing */
async function tokenRequest(settings: Settings, flags: TokenFlags): Promise<TokenRequest> {
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
    timeout: settings.timeout?.value,
    account: settings.account?.value,
    pins: pinsOf(settings),
    claims: flags.claims === undefined ? undefined : await readClaims(flags.claims),
    signIn: signInOptions(settings, flags),
  };
}

async function readClaims(text: string): Promise<string> {
  const { parseClaims } = await lazily<typeof import("../entra/claims_challenge.ts")>(
    import.meta.resolve("../entra/claims_challenge.ts"),
  );
  return parseClaims(text);
}

/** What the profile insists on. @throws EntraToolError usage when a flag asks for another account */
function pinsOf({ profile, account }: Settings): TokenRequest["pins"] {
  const { pinnedTenant: tenant, pinnedAccount } = profile ?? {};
  if (
    pinnedAccount !== undefined && account !== undefined &&
    account.value.toLowerCase() !== pinnedAccount.toLowerCase()
  ) {
    throw new EntraToolError(
      "usage",
      "account_pinned",
      `Profile "${profile?.name}" accepts only account "${pinnedAccount}", and "${account.value}" was asked for`,
      { hint: "Use another profile for the other account" },
    );
  }
  return {
    ...(tenant === undefined ? {} : { tenant }),
    ...(pinnedAccount === undefined ? {} : { account: pinnedAccount }),
  };
}

function signInOptions(settings: Settings, flags: TokenFlags): TokenRequest["signIn"] {
  const redirectUri = settings.redirectUri?.value;
  return {
    ...(redirectUri === undefined ? {} : { redirectUri }),
    ...(flags.port === undefined ? {} : { port: flags.port }),
    ...(flags.loginHint === undefined ? {} : { loginHint: flags.loginHint }),
    ...(flags.domainHint === undefined ? {} : { domainHint: flags.domainHint }),
    ...(flags.prompt === undefined ? {} : { prompt: flags.prompt }),
  };
}

/** The person at the terminal, if there is one and they may be asked; a cached token needs nobody. */
function whoCanSignIn(
  context: AppContext,
  request: TokenRequest,
  flags: TokenFlags,
): (() => Promise<Person>) | undefined {
  const { stdin, stderr } = context.host;
  if (!isPersonal(request) || flags.noInteraction || !(stderr.isTerminal() || stdin.isTerminal())) {
    return undefined;
  }
  return async () => {
    const { personAtTerminal } = await lazily<typeof import("./person.ts")>(
      import.meta.resolve("./person.ts"),
    );
    return personAtTerminal(context, { command: flags.browser, isWanted: !flags.noBrowser });
  };
}

/** How {@link commandLine} differs from what was typed. */
interface CommandLineOptions {
  /** `flow`, `scope`, `tenant`, …, or `credential`: what is about to be given anew. */
  readonly without?: readonly string[];
  /** In place of the one that was typed. */
  readonly flow?: TokenRequest["flow"];
}

/** A command that asks for the same token, with all that the profile does not say. */
export function commandLine(
  request: TokenRequest,
  settings: Settings | undefined,
  flags: TokenFlags,
  { without = [], flow }: CommandLineOptions = {},
): string {
  const { profile, credential } = request;
  const word = (name: string, value: string | undefined, setting?: Setting<unknown>) => {
    const isKnown = setting?.origin.kind === "profile" || setting?.origin.kind === "default";
    if (value === undefined || isKnown || without.includes(name)) return [];
    return [`--${name} ${shellWord(value)}`];
  };
  const isOfFlag = settings?.credential?.origin.kind === "flag" && !without.includes("credential");
  const wanted = flow ?? (settings?.flow.origin.kind === "flag" ? request.flow : undefined);
  return [
    "entratool get-token",
    ...(settings === undefined ? ["--emulator"] : []),
    ...(profile === undefined ? [] : [`-p ${profile}`]),
    ...(settings === undefined ? [] : [
      ...word("tenant", request.tenant, settings.tenant),
      ...word("client-id", request.clientId, settings.clientId),
      ...word("authority", request.authority, settings.authority),
      ...word("cloud", request.cloud, settings.cloud),
    ]),
    ...(isOfFlag && credential?.kind === "client-secret"
      ? word("client-secret-file", flags.clientSecretFile ?? "PATH")
      : []),
    ...(isOfFlag && credential?.kind === "certificate"
      ? [
        ...word("certificate", flags.certificate),
        ...word("certificate-password-file", flags.certificatePasswordFile),
      ]
      : []),
    ...(wanted === undefined || without.includes("flow") ? [] : [`-f ${wanted}`]),
    ...(without.includes("scope")
      ? []
      : (flags.scope ?? []).map((each) => `-s ${shellWord(each)}`)),
    ...word("claims", flags.claims),
    ...word("redirect-uri", flags.redirectUri),
    ...word("account", flags.account),
  ].join(" ");
}

function rememberSecrets(settings: Settings, { redactor }: AppContext): void {
  const credential = settings.credential?.value;
  const secret = credential?.kind === "client-secret" ? credential.secret : credential?.password;
  if (secret?.from === "value") redactor.add(secret.value);
}

/**
 * Acquires the token and prints it as the flags want it.
 *
 * @param settings where the request came from; undefined for the emulator's own
 * @throws EntraToolError of every kind; then nothing is printed
 */
export async function printToken(
  context: AppContext,
  request: TokenRequest,
  flags: TokenFlags,
  cache: CacheUse,
  env: Environment,
  settings?: Settings,
): Promise<void> {
  const { host, messages, redactor } = context;
  const vault = userVault(context, env);
  const acquired = await acquireToken(request, {
    cache,
    vault,
    host,
    redactor,
    trace: commandTrace(flags.verbose, messages, redactor),
    person: whoCanSignIn(context, request, flags),
    signInCommand: () => commandLine(request, settings, flags, { flow: request.flow }),
    warn: (text) => messages.warning(text),
  }).catch(async (error) => {
    if (settings === undefined) throw error;
    const { withOwnHint } = await lazily<typeof import("./next_steps.ts")>(
      import.meta.resolve("./next_steps.ts"),
    );
    throw withOwnHint(error, { request, settings, flags, vault, host });
  });
  const text = await formatToken(acquired.token, flags.output ?? "token", {
    fromCache: acquired.fromCache,
    now: host.now(),
    show: {
      refreshToken: flags.showRefreshToken ?? false,
      idToken: flags.showIdToken ?? false,
    },
  });
  if (flags.file === undefined || flags.file === "-") host.stdout.write(text);
  else await writeTokenFile(flags.file, text);
  if (cache !== "off" && !vault.storesAnything) {
    messages.note(
      "Not cached, as there is no vault: set ENTRATOOL_VAULT_KEY (openssl rand -base64 32) or pass --no-cache",
    );
  }
  warnOfExpiry(context, acquired, flags.warnExpiry);
  if (host.stderr.isTerminal()) messages.lines(summary(acquired, host.now(), flags.file));
}

async function writeTokenFile(path: string, text: string): Promise<void> {
  const { writeNamedFile } = await import("../files/private_file.ts");
  try {
    await writeNamedFile(path, new TextEncoder().encode(text));
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
  { host, messages }: AppContext,
  { token }: AcquiredToken,
  minutes: number | undefined,
): void {
  const left = token.expiresAt - host.now() / 1000;
  if (minutes === undefined || left >= minutes * 60) return;
  messages.warning(`The token ends in ${formatDuration(left)}`);
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
    ...(token.account === undefined ? [] : [`  account  ${token.account.username}`]),
    `  scopes   ${token.scopes.join(" ")}`,
    `  expires  in ${left}, at ${until}`,
    ...(file === undefined ? [] : [`  file     ${file}`]),
  ];
}
