/** From a flow's name to its module, loaded when it is wanted. */

import type { FlowName } from "../names.ts";
import type { Flow } from "./flow.ts";

const flows: Readonly<Record<FlowName, () => Promise<Flow>>> = {
  ClientCredentials: async () => (await import("./client_credentials.ts")).clientCredentials,
  InteractiveBrowser: async () => (await import("./authorization_code.ts")).interactiveBrowser,
  AuthorizationCode: async () => (await import("./authorization_code.ts")).authorizationCode,
  DeviceCode: async () => (await import("./device_code.ts")).deviceCode,
};

/** Loads a flow. */
export function loadFlow(name: FlowName): Promise<Flow> {
  return flows[name]();
}
