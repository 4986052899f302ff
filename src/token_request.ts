/** What a command asks for, before anything is read or sent. */

import type { AssertionAlgorithm, CloudName, FlowName, Prompt } from "./names.ts";

/** Where a secret is; it is read when it is needed. */
export type SecretSource =
  | { readonly from: "value"; readonly value: string }
  /** `-` is standard input. */
  | { readonly from: "file"; readonly path: string }
  | { readonly from: "vault"; readonly entry: string };

/** Where the app's credential is. */
export type CredentialSource =
  | { readonly kind: "client-secret"; readonly secret: SecretSource }
  | {
    readonly kind: "certificate";
    readonly path: string;
    readonly password: SecretSource | undefined;
    readonly algorithm: AssertionAlgorithm;
    readonly sendX5c: boolean;
  };

/** A request for a token, as the settings give it. */
export interface TokenRequest {
  /** The name of the profile, undefined without one. */
  readonly profile: string | undefined;
  readonly tenant: string | undefined;
  readonly clientId: string;
  readonly cloud: CloudName | undefined;
  readonly authority: string | undefined;
  readonly flow: FlowName;
  /** Empty for the flow's default. */
  readonly scopes: readonly string[];
  readonly credential: CredentialSource | undefined;
  readonly caFile: string | undefined;
  /** Milliseconds; undefined for the usual: a minute, and twenty where a person takes part. */
  readonly timeout: number | undefined;
  /** Whose token it shall be: a user name or a home account id. */
  readonly account: string | undefined;
  /** The only tenant and account whose tokens the profile accepts. */
  readonly pins: Pins;
  /** A claims request (OIDC Core §5.5), as JSON. */
  readonly claims: string | undefined;
  readonly signIn: SignInOptions;
}

/** What a profile insists on. */
export interface Pins {
  /** A GUID. */
  readonly tenant?: string;
  /** A user name or a home account id. */
  readonly account?: string;
}

/** How a person signs in. */
export interface SignInOptions {
  /** The registered redirect URI; undefined for `http://localhost`. */
  readonly redirectUri?: string;
  /** The port of `http://localhost`, if it has to be a certain one. */
  readonly port?: number;
  readonly loginHint?: string;
  readonly domainHint?: string;
  readonly prompt?: Prompt;
}
