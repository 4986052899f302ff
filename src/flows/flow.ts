/** What every flow is given and what it may touch. */

import type { ClientCredential } from "../credentials/credential.ts";
import type { Authority } from "../entra/authority.ts";
import type { Trace } from "../entra/transport.ts";
import type { Deadline, Host } from "../host.ts";
import type { FlowName } from "../names.ts";
import type { TokenSet } from "../token/token_set.ts";
import type { Person } from "../person.ts";
import type { SignInOptions } from "../token_request.ts";

/** A permission that a flow needs of Deno, for the permission sets of deno.json and the compiled binary. */
export interface FlowPermission {
  readonly name: "net" | "run";
  /** `authority`: the login host. `loopback`: this machine, for the redirect. `browser`: a program that opens a URL. */
  readonly scope: "authority" | "loopback" | "browser";
}

/** What a flow works with; a flow takes what it needs of it. */
export interface FlowInput {
  readonly flow: FlowName;
  readonly authority: Authority;
  readonly clientId: string;
  /** As asked for; empty for the flow's default. */
  readonly scopes: readonly string[];
  /** Undefined for a public client. */
  readonly credential: ClientCredential | undefined;
  readonly caCertificates: readonly string[];
  readonly deadline: Deadline;
  readonly trace: Trace;
  /** For error messages: the next command to type. */
  readonly profile: string | undefined;
  /** A claims request (OIDC Core §5.5), as JSON. */
  readonly claims: string | undefined;
  readonly signIn: SignInOptions;
  /** Undefined when nobody can take part. */
  readonly person: Person | undefined;
  /**
   * Returns the token if it is the one that is wanted; a flow that shows the person an outcome asks before it does.
   *
   * @throws EntraToolError refused when it is of another tenant or account
   */
  accept(token: TokenSet): TokenSet;
}

export type FlowHost = Pick<Host, "fetch" | "now" | "sleep" | "random">;

/** One module per flow exports this. */
export interface Flow {
  readonly permissions: readonly FlowPermission[];
  run(input: FlowInput, host: FlowHost): Promise<TokenSet>;
}
