/** From a flow's name to its module, loaded when it is wanted. */

import { lazily } from "../lazy_module.ts";
import type { FlowName } from "../names.ts";
import type { Flow } from "./flow.ts";

const flows: Readonly<Record<FlowName, () => Promise<Flow>>> = {
  ClientCredentials: async () =>
    (await lazily<typeof import("./client_credentials.ts")>(
      import.meta.resolve("./client_credentials.ts"),
    )).clientCredentials,
  InteractiveBrowser: async () => (await authorizationCodeModule()).interactiveBrowser,
  AuthorizationCode: async () => (await authorizationCodeModule()).authorizationCode,
  DeviceCode: async () =>
    (await lazily<typeof import("./device_code.ts")>(import.meta.resolve("./device_code.ts")))
      .deviceCode,
};

function authorizationCodeModule() {
  return lazily<typeof import("./authorization_code.ts")>(
    import.meta.resolve("./authorization_code.ts"),
  );
}

/** Loads a flow. */
export function loadFlow(name: FlowName): Promise<Flow> {
  return flows[name]();
}
