/** What the emulator knows: tenants, app registrations, resources and users, and how they are found by name. */

import { isGuid } from "./checked_json.ts";
import type { ConditionalAccessRule } from "./conditional_access.ts";
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
export const platforms = ["web", "spa", "publicClient"] as const;
export type Platform = typeof platforms[number];
export type RedirectUris = Readonly<Record<Platform, readonly string[]>>;

/** What an app is registered for on one resource. */
export interface Permission {
  /** The resource's appId. */
  readonly resource: string;
  /** App roles that an administrator has granted, for app-only tokens. */
  readonly roles: readonly string[];
  /** Delegated scopes that an administrator has granted for all users. */
  readonly scopes: readonly string[];
  /** Delegated scopes that each user consents to. */
  readonly userConsent: readonly string[];
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
  readonly enabled: boolean;
  /** Asked for at sign-in; without one, choosing the user is enough. */
  readonly password?: string;
  /** The ids of other tenants in which the user is a guest. */
  readonly guestOf: readonly string[];
}

/** Seconds; each token's lifetime is drawn at random between the two. */
export type LifetimeRange = readonly [minimum: number, maximum: number];

export interface TokenLifetimes {
  readonly accessToken: LifetimeRange;
  readonly continuousAccessToken: LifetimeRange;
  /** Seconds; of refresh tokens since their last use, but for a SPA's, which count from the sign-in. */
  readonly authorizationCode: number;
  readonly refreshToken: number;
  readonly spaRefreshToken: number;
}

/** Sign-ins that answer themselves, so that no test needs a browser. */
export interface AutomaticSignIn {
  readonly answer: "approve" | "deny";
  readonly user: User;
  /** How often a device code is still pending before the answer is there. */
  readonly pendingPolls: number;
}

export interface DeviceCodeSettings {
  /** Seconds between polls, as clients are told. */
  readonly interval: number;
  /** Seconds. */
  readonly lifetime: number;
  /** Whether polls that come too soon are answered `slow_down`; Entra itself takes no notice. */
  readonly slowDown: boolean;
}

export interface RefreshTokenSettings {
  /** Whether a refresh token that has been used stays valid, as Entra's do, or is refused. */
  readonly rotation: "lenient" | "strict";
}

export interface Directory {
  /** At least one. */
  readonly tenants: readonly [Tenant, ...Tenant[]];
  readonly apps: readonly App[];
  readonly resources: readonly Resource[];
  readonly users: readonly User[];
  readonly tokenLifetimes: TokenLifetimes;
  readonly automaticSignIn?: AutomaticSignIn;
  readonly deviceCode: DeviceCodeSettings;
  readonly refreshTokens: RefreshTokenSettings;
  readonly conditionalAccess: readonly ConditionalAccessRule[];
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

/** The user with this user principal name; upper and lower case are alike. */
export function findUser(users: readonly User[], userPrincipalName: string): User | undefined {
  const wanted = userPrincipalName.toLowerCase();
  return users.find((user) => user.userPrincipalName.toLowerCase() === wanted);
}

/** Whether a text has the form of a tenant: a GUID or a domain name. */
export function looksLikeTenant(name: string): boolean {
  return isGuid(name.toLowerCase()) || /^[a-z0-9-]+(\.[a-z0-9-]+)+$/i.test(name);
}
