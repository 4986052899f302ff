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
