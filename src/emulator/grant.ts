/** What a grant is: the part of the token endpoint that answers one `grant_type`; each has a module of its own. */

import type { ClaimedClient } from "./client_authentication.ts";
import type { App, Tenant } from "./directory.ts";
import type { Call, Sts, TenantAlias } from "./route.ts";
import { StsError } from "./sts_error.ts";

/** A token request whose parameters are complete. */
export interface TokenRequest {
  readonly call: Call;
  readonly sts: Sts;
  readonly tenant: Tenant | TenantAlias;
  readonly client: ClaimedClient & { readonly clientId: string };
}

/** Answers token requests of one `grant_type`. @throws StsError for an error answer. */
export type Grant = (request: TokenRequest) => Promise<Readonly<Record<string, unknown>>>;

/**
 * The app registration that a request is about, as the tenant knows it.
 *
 * @throws StsError 700016 when the tenant does not know it, 7000112 when it is disabled.
 */
export function findApp(clientId: string, tenant: Tenant, sts: Sts): App {
  const app = sts.directory.apps.find((app) =>
    app.clientId === clientId.toLowerCase() && (app.tenantId === tenant.id || app.multiTenant)
  );
  if (app === undefined) throw new StsError(700016, { app: clientId, tenant: tenant.name });
  if (!app.enabled) {
    throw new StsError(7000112, { app: app.clientId, name: app.displayName });
  }
  return app;
}

/**
 * The app registration at a tenant or at `common` or `organizations`, where users of all tenants sign in.
 *
 * @throws StsError 50194 when the app is one tenant's own, 9002332 at `consumers`, and those of {@link findApp}.
 */
export function findAppAt(clientId: string, tenant: Tenant | TenantAlias, sts: Sts): App {
  if (typeof tenant !== "string") return findApp(clientId, tenant, sts);
  const known = sts.directory.apps.find((app) => app.clientId === clientId.toLowerCase());
  const home = sts.directory.tenants.find(({ id }) => id === known?.tenantId);
  if (home === undefined) throw new StsError(700016, { app: clientId, tenant });
  const app = findApp(clientId, home, sts);
  const details = { app: app.clientId, name: app.displayName };
  if (tenant === "consumers") throw new StsError(9002332, details);
  if (!app.multiTenant) throw new StsError(50194, details);
  return app;
}

/** How long the access token of an answer lives, as Entra says it. */
export function lifetimeMembers(lifetimeSeconds: number): Readonly<Record<string, number>> {
  // Entra counts one second for the way.
  const expiresIn = lifetimeSeconds - 1;
  return {
    expires_in: expiresIn,
    ext_expires_in: expiresIn,
    // Renewal before the end is asked for only with tokens that live for more than two hours.
    ...(expiresIn > 7200 ? { refresh_in: Math.floor(expiresIn / 2) } : {}),
  };
}
