/** The device authorization grant (RFC 8628): the person signs in on any device, with a short code. */

import { userScopes } from "../entra/scope.ts";
import {
  readJsonResponse,
  readTokenResponse,
  type TokenResponse,
} from "../entra/token_endpoint.ts";
import type { Answer } from "../entra/transport.ts";
import { EntraToolError } from "../errors.ts";
import type { TokenSet } from "../token/token_set.ts";
import type { Person } from "../person.ts";
import type { Flow, FlowHost, FlowInput } from "./flow.ts";
import { userTokenSet } from "./received_token.ts";
import { clientFields, post, responseContext } from "./token_request_fields.ts";

/** A public client whose registration allows public client flows. */
export const deviceCode: Flow = {
  permissions: [{ name: "net", scope: "authority" }],
  run: signInWithDeviceCode,
};

/** What the device authorization endpoint answers (RFC 8628 §3.2). */
interface DeviceAuthorization {
  readonly deviceCode: string;
  readonly userCode: string;
  readonly verificationUri: string;
  /** Entra's own sentence, which names both. */
  readonly message: string;
  /** When the code ends, milliseconds since the epoch. */
  readonly expiresAt: number;
  /** Seconds between two polls. */
  readonly interval: number;
}

/** Where RFC 8628 §3.2 leaves it open. */
const defaultInterval = 5;
/** What `slow_down` adds to the interval, in seconds (RFC 8628 §3.5). */
const slowDown = 5;

async function signInWithDeviceCode(input: FlowInput, host: FlowHost): Promise<TokenSet> {
  const { person, authority } = input;
  if (person === undefined) throw new Error("a sign-in was started with nobody to take part");
  // a device code is for public clients: a credential would be refused (AADSTS700025)
  const request: FlowInput = { ...input, credential: undefined };
  const { asked, scopes } = userScopes(input.scopes, authority.cloud);
  const device = await authorizeDevice(request, scopes, host);
  await showCode(person, device, host.now());
  const response = await poll(request, device, host);
  return userTokenSet(response, {
    flow: input.flow,
    authority,
    asked,
    now: host.now(),
    clientId: input.clientId,
    nonce: undefined,
  });
}

async function authorizeDevice(
  input: FlowInput,
  scopes: readonly string[],
  host: FlowHost,
): Promise<DeviceAuthorization> {
  const answer = await post(
    {
      url: `${input.authority.url}/oauth2/v2.0/devicecode`,
      form: () =>
        Promise.resolve({
          client_id: input.clientId,
          scope: scopes.join(" "),
          ...(input.claims === undefined ? {} : { claims: input.claims }),
        }),
      retryAfter: "any_failure",
    },
    input,
    host,
  );
  const fields = readJsonResponse(answer, responseContext(input, host));
  const text = (name: string) => {
    const value = fields[name];
    if (typeof value === "string" && value !== "") return value;
    throw new EntraToolError(
      "network",
      "device_response_invalid",
      `The device code response of ${input.authority.host} is not usable: ${name} is missing`,
      { hint: "Run the command again with --verbose to see the response without its secrets" },
    );
  };
  const seconds = (name: string, fallback: number) => {
    const value = Number(fields[name]);
    return Number.isFinite(value) && value >= 1 && value <= 86_400 ? value : fallback;
  };
  const userCode = text("user_code");
  const verificationUri = text("verification_uri");
  return {
    deviceCode: text("device_code"),
    userCode,
    verificationUri,
    message: typeof fields.message === "string" && fields.message !== ""
      ? fields.message
      : `To sign in, open ${verificationUri} and enter the code ${userCode}.`,
    expiresAt: host.now() + seconds("expires_in", 900) * 1000,
    interval: seconds("interval", defaultInterval),
  };
}

async function showCode(person: Person, device: DeviceAuthorization, now: number): Promise<void> {
  const minutes = Math.max(1, Math.round((device.expiresAt - now) / 60_000));
  const until = new Date(device.expiresAt).toLocaleTimeString(undefined, {
    hour: "2-digit",
    minute: "2-digit",
  });
  person.tell([
    device.message,
    "",
    `  Address  **${device.verificationUri}**`,
    `  Code     **${device.userCode}**`,
    `  Valid    for ${minutes} minute${minutes === 1 ? "" : "s"}, until ${until}`,
    "",
  ]);
  if (!person.hasTerminal) return;
  const { renderUnicodeCompact } = await import("uqr");
  person.tell([...renderUnicodeCompact(device.verificationUri, { border: 2 }).split("\n"), ""]);
}

/**
 * Asks until the person is done, never earlier than told (RFC 8628 §3.5).
 *
 * A lost connection or a server's hiccup does not end a sign-in that is under way.
 */
async function poll(
  input: FlowInput,
  device: DeviceAuthorization,
  host: FlowHost,
): Promise<TokenResponse> {
  let interval = device.interval;
  let wait = interval;
  for (;;) {
    const left = device.expiresAt - host.now();
    await host.sleep(Math.min(wait * 1000, left), input.deadline.signal);
    if (host.now() >= device.expiresAt) throw expired();
    let answer: Answer | undefined;
    try {
      answer = await post(
        {
          url: input.authority.tokenEndpoint,
          form: async () => ({
            grant_type: "urn:ietf:params:oauth:grant-type:device_code",
            device_code: device.deviceCode,
            ...await clientFields(input, host),
          }),
          retryAfter: "unsent",
        },
        input,
        host,
      );
      return readTokenResponse(answer, responseContext(input, host));
    } catch (error) {
      if (afterPoll(error, input) === "slower") interval += slowDown;
    }
    wait = Math.max(interval, (answer?.retryAfter ?? 0) / 1000);
  }
}

/** Whether to go on; throws what ends the sign-in. */
function afterPoll(error: unknown, input: FlowInput): "go_on" | "slower" {
  if (!(error instanceof EntraToolError) || input.deadline.signal.aborted) throw error;
  // what came was the token, broken: the code is used up
  if (error.code === "token_response_invalid") throw error;
  // RFC 8628 §3.5: after a connection timeout, poll less often
  if (error.failure === "network") return "slower";
  switch (error.detail.oauth?.error) {
    case "authorization_pending":
      return "go_on";
    case "slow_down":
      return "slower";
    case "authorization_declined":
    case "access_denied":
      throw new EntraToolError("refused", error.code, "The sign-in was declined", {
        ...error.detail,
        hint: "Start again, and accept on the sign-in page",
        isHintExact: true,
      });
    case "expired_token":
    case "code_expired":
      throw expired(error);
    case undefined:
      throw error;
    default:
      throw withPassingFlow(error, input);
  }
}

function expired(cause?: EntraToolError): EntraToolError {
  return new EntraToolError(
    "interaction",
    cause?.code ?? "device_code_expired",
    "The code expired before the sign-in was done",
    {
      ...cause?.detail,
      hint: "Start again, and enter the new code soon",
      isHintExact: true,
    },
  );
}

/** Conditional Access codes that mean: not with a device code, where the device that polls proves nothing. */
const needsBrowser = new Set([
  "AADSTS50097",
  "AADSTS53000",
  "AADSTS53001",
  "AADSTS53003",
  "AADSTS530003",
  "AADSTS530036",
]);

/** Conditional Access may bar this flow and let another pass. */
function withPassingFlow(error: EntraToolError, input: FlowInput): EntraToolError {
  if (!needsBrowser.has(error.code)) return error;
  const { profile, authority, clientId, scopes } = input;
  const command = [
    "entratool get-token",
    profile === undefined
      ? `--tenant ${authority.tenant} --client-id ${clientId}`
      : `-p ${profile}`,
    "-f InteractiveBrowser",
    ...scopes.map((scope) => `-s ${scope}`),
  ].join(" ");
  return new EntraToolError(error.failure, error.code, error.message, {
    ...error.detail,
    hint:
      `A policy bars the device code flow here; on a managed device the browser passes:\n${command}`,
    isHintExact: true,
  });
}
