/**
 * The `scope` parameter of requests for users: OpenID Connect's own scopes, and permissions of resources.
 *
 * @see https://learn.microsoft.com/entra/identity-platform/scopes-oidc
 */

import { type App, findResource, type Resource, type Tenant } from "./directory.ts";
import { graphAppId } from "./issuer.ts";
import { StsError } from "./sts_error.ts";

/** Scopes that belong to no resource. */
const openidScopes = ["openid", "profile", "email", "offline_access"] as const;
export type OpenidScope = typeof openidScopes[number];

/** What is asked for of one resource. */
export interface ResourceScopes {
  readonly resource: Resource;
  /** The resource as the scopes named it: the `aud` of a v1 token. */
  readonly audience: string;
  /** What the scopes had before their names: `api://orders/`, or nothing for Graph. */
  readonly prefix: string;
  /** Without the prefix; empty for `.default`. */
  readonly names: readonly string[];
  /** `.default`: whatever has been consented to, else whatever the app is registered for. */
  readonly isDefault: boolean;
}

export interface AskedScopes {
  readonly openid: readonly OpenidScope[];
  readonly resources: readonly ResourceScopes[];
}

/** Graph for directories without it: a token for nothing but OpenID Connect's scopes is one for Graph. */
const bareGraph: Resource = {
  appId: graphAppId,
  displayName: "Microsoft Graph",
  identifierUris: ["https://graph.microsoft.com"],
  accessTokenVersion: 1,
  scopes: [],
  roles: [],
  continuousAccess: false,
};

/**
 * Reads the parameter.
 *
 * @throws StsError 900144 when it is empty, 70011 when it is malformed or mixes `.default` with names, 500011 for an
 *   unknown resource, 650053 for an unknown permission, 650057 for `.default` of a resource the app is not registered
 *   for.
 */
export function readScopes(
  scope: string | null,
  app: App,
  tenant: Pick<Tenant, "name">,
  resources: readonly Resource[],
): AskedScopes {
  const asked = new Set((scope ?? "").split(" ").filter((part) => part !== ""));
  if (asked.size === 0) throw new StsError(900144, { parameter: "scope" });
  const isOpenid = (part: string): part is OpenidScope =>
    (openidScopes as readonly string[]).includes(part);
  const openid = [...asked].filter(isOpenid);
  const byResource = new Map<string, ResourceScopes>();
  for (const part of [...asked].filter((part) => !isOpenid(part))) {
    const found = readScope(part, app, tenant, resources);
    const earlier = byResource.get(found.resource.appId);
    if (earlier !== undefined && earlier.isDefault !== found.isDefault) {
      throw new StsError(70011, { scope: [...asked].join(" ") });
    }
    byResource.set(found.resource.appId, {
      ...(earlier ?? found),
      names: [...earlier?.names ?? [], ...found.names],
    });
  }
  return { openid, resources: [...byResource.values()] };
}

function readScope(
  part: string,
  app: App,
  tenant: Pick<Tenant, "name">,
  resources: readonly Resource[],
): ResourceScopes {
  const [, identifier, name = ""] = /^(?:(.*)\/)?([^/]+)$/.exec(part) ?? [];
  if (name === "" || identifier === "") throw new StsError(70011, { scope: part });
  const all = [...resources, bareGraph];
  const resource = findResource(all, identifier ?? graphAppId);
  if (resource === undefined) {
    throw new StsError(500011, { resource: identifier ?? part, tenant: tenant.name });
  }
  const isDefault = name === ".default";
  if (isDefault && !isRegisteredFor(app, resource)) {
    throw new StsError(650057, {
      app: app.clientId,
      name: app.displayName,
      asked: identifier ?? graphAppId,
      resource: resource.appId,
      registered: app.permissions.map((permission) => permission.resource).join(", "),
    });
  }
  if (!isDefault && !resource.scopes.includes(name)) {
    throw new StsError(650053, {
      name: app.displayName,
      scope: name,
      resource: resource.appId,
    });
  }
  return {
    resource,
    audience: identifier ?? graphAppId,
    prefix: identifier === undefined ? "" : `${identifier}/`,
    names: isDefault ? [] : [name],
    isDefault,
  };
}

/** An app may always ask for tokens for itself. */
function isRegisteredFor(app: App, resource: Resource): boolean {
  return app.clientId === resource.appId ||
    app.permissions.some((permission) => permission.resource === resource.appId);
}

/**
 * What an access token is for: the one resource that is asked for, else Graph.
 *
 * @throws StsError 700022 when there are several.
 */
export function singleResource(
  { openid, resources }: AskedScopes,
  known: readonly Resource[],
): ResourceScopes {
  const [first, second] = resources;
  if (second !== undefined) {
    const names = resources.map(({ prefix, names }) => prefix + (names[0] ?? ".default"));
    throw new StsError(700022, { scope: [...names, ...openid].join(" ") });
  }
  return first ?? {
    resource: findResource(known, graphAppId) ?? bareGraph,
    audience: graphAppId,
    prefix: "",
    names: [],
    isDefault: false,
  };
}
