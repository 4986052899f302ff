/** What a command asks for, before anything is read or sent. */

import type { AssertionAlgorithm, CloudName, FlowName } from "./names.ts";

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
  /** Milliseconds. */
  readonly timeout: number;
}
