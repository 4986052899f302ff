/** What the emulator knows: tenants, app registrations, resources and users, and how they are found by name. */

import { isGuid } from "./checked_json.ts";
import type { FaultRule } from "./faults.ts";
import type { RegisteredCertificate } from "./registered_certificate.ts";

export interface Tenant {
  readonly id: string;
  readonly name: string;
  /** Verified domains, lower case. */
  readonly domains: readonly string[];
}

export interface ClientSecret {
  readonly value: string;
  /** Milliseconds since the epoch. */
  readonly expires?: number;
}

/** Entra's platforms, which decide how an app may redeem a code. */
export interface RedirectUris {
  readonly web: readonly string[];
  readonly spa: readonly string[];
  readonly publicClient: readonly string[];
}

/** What an administrator has granted to an app on one resource. */
export interface Permission {
  /** The resource's appId. */
  readonly resource: string;
  /** App roles, for app-only tokens. */
  readonly roles: readonly string[];
  /** Delegated scopes, for users' tokens. */
  readonly scopes: readonly string[];
}

export interface App {
  readonly clientId: string;
  readonly displayName: string;
  /** The home tenant's id. */
  readonly tenantId: string;
  /** Whether it is also known in every other tenant of the directory. */
  readonly multiTenant: boolean;
  readonly enabled: boolean;
  /** "Allow public client flows". */
  readonly publicClient: boolean;
  readonly secrets: readonly ClientSecret[];
  readonly certificates: readonly RegisteredCertificate[];
  readonly redirectUris: RedirectUris;
  readonly permissions: readonly Permission[];
}

export interface Resource {
  readonly appId: string;
  readonly displayName: string;
  /** As they are asked for in scopes, without a slash at the end. */
  readonly identifierUris: readonly string[];
  readonly accessTokenVersion: 1 | 2;
  readonly scopes: readonly string[];
  readonly roles: readonly string[];
  /** Whether tokens live long for clients with the capability `cp1` (continuous access evaluation). */
  readonly continuousAccess: boolean;
}

export interface User {
  readonly id: string;
  readonly tenantId: string;
  readonly userPrincipalName: string;
  readonly displayName: string;
}

/** Seconds; each token's lifetime is drawn at random between the two. */
export type LifetimeRange = readonly [minimum: number, maximum: number];

export interface TokenLifetimes {
  readonly accessToken: LifetimeRange;
  readonly continuousAccessToken: LifetimeRange;
}

export interface Directory {
  /** At least one. */
  readonly tenants: readonly [Tenant, ...Tenant[]];
  readonly apps: readonly App[];
  readonly resources: readonly Resource[];
  readonly users: readonly User[];
  readonly tokenLifetimes: TokenLifetimes;
  readonly faults: readonly FaultRule[];
}

/** The tenant with this id or verified domain; upper and lower case are alike. */
export function findTenant(
  directory: Pick<Directory, "tenants">,
  name: string,
): Tenant | undefined {
  const wanted = name.toLowerCase();
  return directory.tenants.find(({ id, domains }) => id === wanted || domains.includes(wanted));
}

/** The resource with this appId or identifier URI; a slash at the URI's end makes no difference to Entra. */
export function findResource(
  resources: readonly Resource[],
  identifier: string,
): Resource | undefined {
  const wanted = identifier.replace(/\/$/, "").toLowerCase();
  return resources.find(({ appId, identifierUris }) =>
    appId === wanted || identifierUris.some((uri) => uri.toLowerCase() === wanted)
  );
}

/** Whether a text has the form of a tenant: a GUID or a domain name. */
export function looksLikeTenant(name: string): boolean {
  return isGuid(name.toLowerCase()) || /^[a-z0-9-]+(\.[a-z0-9-]+)+$/i.test(name);
}
