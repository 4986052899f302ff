/** `entratool get-token`: what may be typed. */

import { buildCommand } from "@stricli/core";
import type { AppContext } from "../context.ts";
import { getTokenAliases, type GetTokenFlags, getTokenFlags } from "../get_token_flags.ts";

export const getTokenCommand = buildCommand<GetTokenFlags, [], AppContext>({
  loader: () => import("./get_token_run.ts"),
  parameters: { flags: getTokenFlags, aliases: getTokenAliases },
  docs: {
    brief: "Print an access token, from the cache while it is fresh",
    fullDescription: `Print an access token, from the cache while it is fresh.

Standard output holds the token and nothing else, and is empty on failure. Settings come from flags, then
the environment (the variables in brackets), then the profile.

EXAMPLES
  entratool get-token --emulator
  entratool get-token -p service-principal -f ClientCredentials
  entratool get-token -p desktop-app -f InteractiveBrowser
  entratool get-token -p iot-device -f DeviceCode
  entratool get-token -p webapp -f AuthorizationCode
  entratool get-token -p service-principal -s api://orders/.default -o json
  entratool get-token --tenant contoso.onmicrosoft.com --client-id 11111111-2222-4333-8444-555555555555 --client-secret-file secret.txt
  curl -H "$(entratool get-token -o header)" https://graph.microsoft.com/v1.0/organization

EXIT CODES
  0 success, 2 refused by Entra, 3 profile not found, 4 bad arguments or configuration, 5 network or timeout,
  6 a person must sign in, 7 storage, 130 cancelled`,
  },
});
