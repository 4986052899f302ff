/** What a route is: the shape that every endpoint of the emulator has, and what it is handed. */

import {
  type AutomaticSignIn,
  type Directory,
  findTenant,
  looksLikeTenant,
  type Tenant,
} from "./directory.ts";
import type { FaultEndpoint } from "./faults.ts";
import type { Issuer } from "./issuer.ts";
import type { SignInState } from "./sign_in_state.ts";
import { type RequestIds, StsError } from "./sts_error.ts";

/** The emulated service, as routes see it. */
export interface Sts {
  /** `http://localhost:PORT`; the base of every URL in an answer. */
  readonly origin: string;
  readonly directory: Directory;
  readonly issuer: Issuer;
  readonly state: SignInState;
  /** Answers in people's place; absent when they answer themselves. */
  readonly automaticSignIn?: AutomaticSignIn;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** One request, taken apart. */
export interface Call {
  readonly request: Request;
  readonly url: URL;
  /** The first segment of the path, still unchecked: a tenant id, a domain, `common` ... */
  readonly tenantName: string;
  /** The form of a POST; empty when the body is no form. */
  readonly form: URLSearchParams;
  readonly ids: RequestIds;
}

export interface Route {
  /** What fault rules and the log call it. */
  readonly endpoint: Exclude<FaultEndpoint, "any">;
  readonly methods: readonly string[];
  /** What follows `/{tenant}` in the path; the whole path where no tenant is named. */
  readonly path: string;
  /** @throws StsError for an error answer. */
  handle(call: Call, sts: Sts): Promise<Response>;
  /** How an error is answered; as JSON unless told. */
  readonly refuse?: (error: StsError, call: Call, sts: Sts) => Response;
}

/** The tenants that stand for many. */
export type TenantAlias = "common" | "organizations" | "consumers";

const consumersTenantId = "9188040d-6c67-4c5b-b112-36a304b66dad";

/**
 * The tenant that the path names.
 *
 * @throws StsError 900023 for a name of no known form, 90002 for an unknown tenant.
 */
export function resolveTenant(call: Call, sts: Sts): Tenant | TenantAlias {
  const name = call.tenantName.toLowerCase();
  if (name === "common" || name === "organizations" || name === "consumers") return name;
  if (name === consumersTenantId) return "consumers";
  if (!looksLikeTenant(name)) throw new StsError(900023, { tenant: call.tenantName });
  const tenant = findTenant(sts.directory, name);
  if (tenant === undefined) throw new StsError(90002, { tenant: call.tenantName });
  return tenant;
}
