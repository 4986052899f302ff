/** What all token requests of a person's flows have in common. */

import type { ResponseContext } from "../entra/token_endpoint.ts";
import type { FlowHost, FlowInput } from "./flow.ts";

/** The form fields that name the client, prove it if it is confidential, and ask for `client_info`. */
export async function clientFields(
  input: FlowInput,
  host: FlowHost,
): Promise<Readonly<Record<string, string>>> {
  return {
    client_id: input.clientId,
    // tells the home account (uid.utid), by which accounts are kept apart
    client_info: "1",
    ...(input.claims === undefined ? {} : { claims: input.claims }),
    ...await input.credential?.formParameters(input.authority.tokenEndpoint, host.now()),
  };
}

/** What error messages about this request name. */
export function responseContext(input: FlowInput, host: FlowHost): ResponseContext {
  return {
    host: input.authority.host,
    now: host.now(),
    profile: input.profile,
    clientId: input.clientId,
    authorityUrl: input.authority.url,
  };
}
