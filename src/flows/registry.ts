/** From a flow's name to its module, loaded when it is wanted. */

import { EntraToolError } from "../errors.ts";
import type { FlowName } from "../names.ts";
import type { Flow } from "./flow.ts";

const flows: Readonly<Partial<Record<FlowName, () => Promise<Flow>>>> = {
  ClientCredentials: async () => (await import("./client_credentials.ts")).clientCredentials,
};

/**
 * Loads a flow.
 *
 * @throws EntraToolError usage for a flow that this version does not have
 */
export function loadFlow(name: FlowName): Promise<Flow> {
  const load = flows[name];
  if (load !== undefined) return load();
  throw new EntraToolError(
    "usage",
    "flow_unavailable",
    `This version does not have the ${name} flow`,
    {
      hint: `It has ${
        Object.keys(flows).join(", ")
      }: configure a client secret or a certificate for it`,
    },
  );
}
