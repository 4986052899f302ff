/** The flags of the commands that print a token. */

import type { FlowName, OutputFormat } from "../names.ts";
import {
  type ConnectionFlags,
  connectionFlags,
  listFlag,
  type NetworkFlags,
  networkFlags,
  type ProfileFlags,
  profileFlags,
  type SignInFlags,
  signInFlags,
  switchFlag,
  valueFlag,
} from "./flag_groups.ts";
import { parseFlow, parseMinutes, parseOutputFormat, parseScope, parseText } from "./parsers.ts";

export interface TokenFlags extends ProfileFlags, ConnectionFlags, NetworkFlags, SignInFlags {
  readonly flow?: FlowName | undefined;
  readonly scope?: readonly string[] | undefined;
  readonly claims?: string | undefined;
  readonly output?: OutputFormat | undefined;
  readonly file?: string | undefined;
  readonly showRefreshToken?: boolean | undefined;
  readonly showIdToken?: boolean | undefined;
  readonly warnExpiry?: number | undefined;
}

export const tokenFlags = {
  ...profileFlags,
  flow: valueFlag(
    parseFlow,
    "FLOW",
    "ClientCredentials, InteractiveBrowser, DeviceCode or AuthorizationCode [ENTRATOOL_FLOW]",
  ),
  scope: listFlag(
    parseScope,
    "SCOPE",
    "Scope; several by spaces, commas or repetition (default Microsoft Graph's .default) [ENTRATOOL_SCOPE]",
  ),
  claims: valueFlag(
    parseText,
    "CLAIMS",
    "Claims that an API demands: JSON, base64, or its whole WWW-Authenticate header",
  ),
  output: valueFlag(parseOutputFormat, "FORMAT", "token (default), json, yaml, header or env"),
  file: valueFlag(
    parseText,
    "PATH",
    "Write to this file, readable by you alone, in place of stdout",
  ),
  showRefreshToken: switchFlag("Include the refresh token in json and yaml"),
  showIdToken: switchFlag("Include the id_token in json and yaml"),
  warnExpiry: valueFlag(parseMinutes, "MINUTES", "Warn when the token ends sooner: 30, 90m or 2h"),
  ...signInFlags,
  ...connectionFlags,
  ...networkFlags,
};

export const tokenFlagAliases = { p: "profile", f: "flow", s: "scope", o: "output" } as const;
