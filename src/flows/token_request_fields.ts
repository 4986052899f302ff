/** What the flows' requests have in common. */

import { isServersHiccup, type ResponseContext } from "../entra/token_endpoint.ts";
import { type Answer, type Exchange, postForm } from "../entra/transport.ts";
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

/** Posts a form of this flow's. @throws EntraToolError as {@link postForm} */
export function post(
  request: Pick<Exchange, "url" | "form" | "retryAfter">,
  { deadline, caCertificates, trace }: FlowInput,
  host: FlowHost,
): Promise<Answer> {
  return postForm(
    { ...request, deadline, caCertificates, trace, isPassing: isServersHiccup },
    host,
  );
}
