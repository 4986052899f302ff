/** A user's sign-in at an app: what codes, device codes and refresh tokens carry from the browser to the tokens. */

import type { App, Directory, Platform, Tenant, User } from "./directory.ts";
import { issuerUrl } from "./issuer.ts";
import { StsError } from "./sts_error.ts";

export interface SignIn {
  readonly user: User;
  /** The tenant that the tokens are for: the user's own, or one in which the user is a guest. */
  readonly tenant: Tenant;
  readonly app: App;
  /** Of the redirect URI: it decides how the app must prove itself. */
  readonly platform: Platform;
  /** How it began: some policies follow a sign-in by device code for as long as it is refreshed. */
  readonly protocol: "authorization_code" | "device_code";
  /** Milliseconds since the epoch. */
  readonly authenticatedAt: number;
  /** `amr`: `pwd`, `mfa`. */
  readonly methods: readonly string[];
  readonly sessionId: string;
  /** Authentication contexts that were asked for and met: `acrs`. */
  readonly contexts: readonly string[];
}

/** Whether the user has an account in the tenant: as a member or as a guest. */
export function isMember(user: User, tenant: Tenant): boolean {
  return user.tenantId === tenant.id || user.guestOf.includes(tenant.id);
}

/** The user's own tenant. */
export function homeTenant(user: User, directory: Pick<Directory, "tenants">): Tenant {
  return directory.tenants.find(({ id }) => id === user.tenantId) ?? directory.tenants[0];
}

/** The refusal of a user who is none of the tenant's. */
export function unknownAccount(user: User, tenant: Tenant, app: App): StsError {
  return new StsError(50020, {
    user: user.userPrincipalName,
    provider: issuerUrl(1, "", user.tenantId),
    tenant: tenant.name,
    app: app.clientId,
    name: app.displayName,
  });
}
