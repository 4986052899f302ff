/** The flags that several commands share, and the way every flag is made. */

import { unmarkValue } from "./argv.ts";
import {
  oneOf,
  parseAuthority,
  parseCloud,
  parseDuration,
  parsePort,
  parseSecret,
  parseText,
} from "./parsers.ts";
import {
  type AssertionAlgorithm,
  assertionAlgorithms,
  type CloudName,
  type Prompt,
  prompts,
} from "../names.ts";

/** The parser of a flag, for values as `normalizeArgv` marks them. */
export function unmarked<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => parse(unmarkValue(text));
}

/** A flag with a value. */
export function valueFlag<T>(parse: (text: string) => T, placeholder: string, brief: string) {
  return {
    kind: "parsed",
    parse: unmarked(parse),
    placeholder,
    brief,
    optional: true,
  } as const;
}

/** A flag with a value that may be given several times. */
export function listFlag<T>(parse: (text: string) => T, placeholder: string, brief: string) {
  return { ...valueFlag(parse, placeholder, brief), variadic: true } as const;
}

/** A flag without a value. */
export function switchFlag(brief: string) {
  return { kind: "boolean", brief, optional: true, withNegated: false } as const;
}

export interface ProfileFlags {
  readonly profile?: string | undefined;
}

export const profileFlags = {
  profile: valueFlag(parseText, "NAME", "Profile to use, in place of ENTRATOOL_PROFILE"),
};

/** Whom to ask for a token, and as whom. */
export interface ConnectionFlags {
  readonly tenant?: string | undefined;
  readonly clientId?: string | undefined;
  readonly clientSecretFile?: string | undefined;
  readonly clientSecret?: string | undefined;
  readonly certificate?: string | undefined;
  readonly certificatePasswordFile?: string | undefined;
  readonly assertionAlgorithm?: AssertionAlgorithm | undefined;
  readonly sendX5c?: boolean | undefined;
  readonly cloud?: CloudName | undefined;
  readonly authority?: string | undefined;
  readonly envFile?: string | undefined;
}

export const connectionFlags = {
  tenant: valueFlag(parseText, "ID", "Tenant: a GUID or a domain [AZURE_TENANT_ID]"),
  clientId: valueFlag(parseText, "GUID", "Application (client) id [AZURE_CLIENT_ID]"),
  clientSecretFile: valueFlag(
    parseText,
    "PATH",
    "File with the client secret, - for standard input [AZURE_CLIENT_SECRET holds the secret itself]",
  ),
  clientSecret: valueFlag(
    parseSecret,
    "SECRET",
    "Client secret; other users of this machine can see it: prefer --client-secret-file",
  ),
  certificate: valueFlag(
    parseText,
    "PATH",
    "PEM or PFX file with certificate and key [AZURE_CLIENT_CERTIFICATE_PATH]",
  ),
  certificatePasswordFile: valueFlag(
    parseText,
    "PATH",
    "File with the password of the certificate's key, - for standard input [AZURE_CLIENT_CERTIFICATE_PASSWORD]",
  ),
  assertionAlgorithm: valueFlag(
    oneOf("an algorithm", assertionAlgorithms),
    "PS256|RS256",
    "How to sign with the certificate (default PS256)",
  ),
  sendX5c: switchFlag(
    "Send the certificate chain, for subject name and issuer trust [AZURE_CLIENT_SEND_CERTIFICATE_CHAIN]",
  ),
  cloud: valueFlag(
    parseCloud,
    "NAME",
    "public, usgov, china, france, germany or singapore [ENTRATOOL_CLOUD]",
  ),
  authority: valueFlag(
    parseAuthority,
    "URL",
    "Login host outside the known clouds [AZURE_AUTHORITY_HOST]",
  ),
  envFile: valueFlag(parseText, "PATH", "Read variables from a dotenv file; real ones win"),
};

/** Whose token it shall be. */
export function accountFlag(brief: string) {
  return valueFlag(parseText, "NAME", brief);
}

/** How a person signs in. */
export interface SignInFlags {
  readonly account?: string | undefined;
  readonly redirectUri?: string | undefined;
  readonly port?: number | undefined;
  readonly loginHint?: string | undefined;
  readonly domainHint?: string | undefined;
  readonly prompt?: Prompt | undefined;
  readonly browser?: string | undefined;
  readonly noBrowser?: boolean | undefined;
  readonly noInteraction?: boolean | undefined;
}

export const signInFlags = {
  account: accountFlag(
    "Whose token, when several people are signed in: a user name [ENTRATOOL_ACCOUNT]",
  ),
  redirectUri: valueFlag(
    parseText,
    "URL",
    "Redirect URI as it is registered (default http://localhost)",
  ),
  port: valueFlag(parsePort, "PORT", "Port of http://localhost (default any free one)"),
  loginHint: valueFlag(parseText, "NAME", "User name to fill in on the sign-in page"),
  domainHint: valueFlag(parseText, "DOMAIN", "Skip the question for the organization"),
  prompt: valueFlag(oneOf("a prompt", prompts), "PROMPT", prompts.join(", ")),
  browser: valueFlag(parseText, "COMMAND", "Program to open the sign-in page with [BROWSER]"),
  noBrowser: switchFlag("Only print the address of the sign-in page"),
  noInteraction: switchFlag("Never ask a person to sign in: end with exit code 6 instead"),
};

/** How to talk to the network. */
export interface NetworkFlags {
  readonly timeout?: number | undefined;
  readonly caFile?: string | undefined;
  readonly verbose?: boolean | undefined;
}

export const networkFlags = {
  timeout: valueFlag(
    parseDuration,
    "30s|2m",
    "Time for everything (default 60s, and 20m where a person signs in) [ENTRATOOL_TIMEOUT]",
  ),
  caFile: valueFlag(
    parseText,
    "PATH",
    "Trust these PEM certificates beside the system's [ENTRATOOL_CA_FILE]",
  ),
  verbose: switchFlag("Show requests and responses on stderr, without their secrets"),
};

export const listOutputs = ["table", "json"] as const;
export type ListOutput = (typeof listOutputs)[number];

export const listOutputFlag = valueFlag(
  oneOf("an output format", listOutputs),
  "table|json",
  "How to print it (default table)",
);
