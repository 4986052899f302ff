/** Reads the emulator's configuration, a JSON file, and checks it strictly. */

import { type JsonNode, parseJson } from "./checked_json.ts";
import { readConditionalAccessRule } from "./conditional_access.ts";
import {
  type App,
  type AutomaticSignIn,
  type ClientSecret,
  type DeviceCodeSettings,
  type Directory,
  findResource,
  findTenant,
  findUser,
  type LifetimeRange,
  type Permission,
  type Platform,
  type RedirectUris,
  type RefreshTokenSettings,
  type Resource,
  type Tenant,
  type TokenLifetimes,
  type User,
} from "./directory.ts";
import { readFaultRule } from "./faults.ts";
import { readCertificate, type ReadText } from "./registered_certificate.ts";

export type { ReadText } from "./registered_certificate.ts";

/**
 * Reads the emulator's configuration.
 *
 * `?` marks what may be left out; any member that is not listed is refused. `exampleDirectory()` is an example.
 *
 * ```jsonc
 * {
 *   "tenants": [{ "id": GUID, "name"?: string, "domains": [string] }],      // at least one
 *   "resources"?: [{
 *     "appId": GUID, "displayName"?: string,
 *     "identifierUris": [string],                                          // "api://orders"
 *     "accessTokenVersion"?: 1 | 2,                                        // 1, as in Entra's manifest
 *     "scopes"?: [string], "roles"?: [string],
 *     "continuousAccess"?: boolean                                         // false
 *   }],
 *   "apps"?: [{
 *     "clientId": GUID, "displayName"?: string,
 *     "tenant"?: string,                                                   // id or domain; the first tenant
 *     "multiTenant"?: boolean, "enabled"?: boolean, "publicClient"?: boolean,  // false, true, false
 *     "secrets"?: [{ "value": string, "expires"?: ISO 8601 date }],
 *     "certificates"?: [PEM | { "path": string }],                         // relative to this file
 *     "redirectUris"?: { "web"?: [string], "spa"?: [string], "publicClient"?: [string] },
 *     "permissions"?: [{
 *       "resource": appId or identifier URI,
 *       "roles"?: [string], "scopes"?: [string],                           // granted by an administrator
 *       "userConsent"?: [string]                                           // scopes each user consents to
 *     }]
 *   }],
 *   "users"?: [{
 *     "id": GUID, "tenant"?: string, "userPrincipalName": string, "displayName"?: string,
 *     "password"?: string,                                                 // asked for at sign-in
 *     "enabled"?: boolean,                                                 // true
 *     "guestOf"?: [string]                                                 // other tenants
 *   }],
 *   "signIn"?: {                                                           // without a page
 *     "autoApprove": userPrincipalName | "autoDeny": userPrincipalName,
 *     "pendingPolls"?: number                                              // of a device code: 0
 *   },
 *   "tokenLifetimes"?: {                                                   // seconds, [minimum, maximum]
 *     "accessToken"?: [number, number],                                    // [3600, 5400]
 *     "continuousAccessToken"?: [number, number],                          // [72000, 86400]
 *     "authorizationCode"?: number, "refreshToken"?: number, "spaRefreshToken"?: number  // 600, 7776000, 86400
 *   },
 *   "deviceCode"?: { "interval"?: number, "lifetime"?: number, "slowDown"?: boolean },  // 5, 900, false
 *   "refreshTokens"?: { "rotation"?: "lenient" | "strict" },               // lenient
 *   "conditionalAccess"?: [{
 *     "require": "mfa" | "mfaRegistration" | "block" | "blockDeviceCode",
 *     "user"?: userPrincipalName, "clientId"?: GUID, "resource"?: appId or identifier URI,  // all must match
 *     "at"?: ["authorize" | "authorization_code" | "device_code" | "refresh_token"],        // all of them
 *     "code"?: number, "error"?, "status"?, "description"?, "suberror"?, "claims"?          // instead of the usual answer
 *   }],
 *   "faults"?: [{
 *     "endpoint": "token" | "keys" | "configuration" | "instance" | "authorize" | "login" | "devicecode"
 *               | "devicelogin" | "logout" | "any",
 *     "clientId"?: GUID,                                                   // only this client's requests
 *     "grantType"?: string,                                                // only these token requests
 *     "nth"?: number, "from"?: number,                                     // neither: every request
 *     "action": one of
 *       "status"    with "status", "retryAfter"?: seconds or text, "body"?: "json" | "html" | "empty"
 *       "delay"     with "ms"
 *       "slow"      with "bytes"?: 1, "ms"?: 100
 *       "reset"
 *       "truncate"  with "bytes"?: 20
 *       "html"
 *       "huge"      with "bytes"?: 67108864
 *       "redirect"  with "location", "status"?: 302
 *       "aadsts"    with "code", "error"?, "status"?, "description"?, "suberror"?, "claims"?
 *       "response"  with "set"?: { any members }, "remove"?: [string]
 *   }]
 * }
 * ```
 *
 * @param source what messages call the text: the file's name
 * @throws EntraToolError usage naming the file, the JSON path and what is wrong; never a secret's value.
 */
export function parseDirectory(json: string, source: string, readText?: ReadText): Directory {
  const root = parseJson(json, source).object([
    "tenants",
    "apps",
    "resources",
    "users",
    "signIn",
    "tokenLifetimes",
    "deviceCode",
    "refreshTokens",
    "conditionalAccess",
    "faults",
  ]);
  const [first, ...others] = root.required("tenants").list(readTenant);
  if (first === undefined) throw root.required("tenants").error("At least one tenant is needed");
  const tenants: Directory["tenants"] = [first, ...others];
  unique(root.required("tenants"), tenants.flatMap(({ id, domains }) => [id, ...domains]));

  const resources = root.optional("resources", (node) => {
    const all = node.list(readResource);
    unique(node, all.flatMap(({ appId, identifierUris }) => [appId, ...identifierUris]));
    return all;
  }, []);
  const apps = root.optional("apps", (node) => {
    const all = node.list((item) => readApp(item, tenants, resources, readText));
    unique(node, all.map(({ clientId }) => clientId));
    return all;
  }, []);
  const users = root.optional("users", (node) => {
    const all = node.list((item) => readUser(item, tenants));
    unique(node, all.map(({ id }) => id));
    unique(node, all.map(({ userPrincipalName }) => userPrincipalName.toLowerCase()));
    return all;
  }, []);
  return {
    tenants,
    resources,
    apps,
    users,
    tokenLifetimes: root.optional("tokenLifetimes", readLifetimes, readLifetimes()),
    ...root.optional("signIn", (node) => ({ automaticSignIn: readSignIn(node, users) }), {}),
    deviceCode: root.optional("deviceCode", readDeviceCode, readDeviceCode()),
    refreshTokens: root.optional("refreshTokens", readRefreshTokens, { rotation: "lenient" }),
    conditionalAccess: root.optional(
      "conditionalAccess",
      (node) => node.list((item) => readConditionalAccessRule(item, users, resources)),
      [],
    ),
    faults: root.optional("faults", (node) => node.list(readFaultRule), []),
  };
}

function readTenant(node: JsonNode): Tenant {
  const tenant = node.object(["id", "name", "domains"]);
  const domains = tenant.required("domains").list((item) => {
    const domain = item.text().toLowerCase();
    if (!/^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(domain)) throw item.error("Expected a domain name");
    return domain;
  });
  const id = tenant.required("id").guid();
  return { id, name: tenant.optional("name", (item) => item.text(), domains[0] ?? id), domains };
}

function readResource(node: JsonNode): Resource {
  const resource = node.object([
    "appId",
    "displayName",
    "identifierUris",
    "accessTokenVersion",
    "scopes",
    "roles",
    "continuousAccess",
  ]);
  const identifierUris = resource.required("identifierUris").list((item) => {
    const uri = item.text();
    if (!URL.canParse(uri) || /\s/.test(uri)) throw item.error("Expected an absolute URI");
    return uri.replace(/\/$/, "");
  });
  const appId = resource.required("appId").guid();
  return {
    appId,
    displayName: resource.optional("displayName", (item) => item.text(), appId),
    identifierUris,
    accessTokenVersion: resource.optional(
      "accessTokenVersion",
      (item) => item.integer(1, 2) === 1 ? 1 : 2,
      1,
    ),
    scopes: resource.optional("scopes", readNames, []),
    roles: resource.optional("roles", readNames, []),
    continuousAccess: resource.optional("continuousAccess", (item) => item.flag(), false),
  };
}

function readApp(
  node: JsonNode,
  tenants: Directory["tenants"],
  resources: readonly Resource[],
  readText: ReadText | undefined,
): App {
  const app = node.object([
    "clientId",
    "displayName",
    "tenant",
    "multiTenant",
    "enabled",
    "publicClient",
    "secrets",
    "certificates",
    "redirectUris",
    "permissions",
  ]);
  const clientId = app.required("clientId").guid();
  return {
    clientId,
    displayName: app.optional("displayName", (item) => item.text(), clientId),
    tenantId: app.optional("tenant", (item) => readTenantId(item, tenants), tenants[0].id),
    multiTenant: app.optional("multiTenant", (item) => item.flag(), false),
    enabled: app.optional("enabled", (item) => item.flag(), true),
    publicClient: app.optional("publicClient", (item) => item.flag(), false),
    secrets: app.optional("secrets", (item) => item.list(readSecret), []),
    certificates: app.optional(
      "certificates",
      (item) => item.list((certificate) => readCertificate(certificate, readText)),
      [],
    ),
    redirectUris: app.optional("redirectUris", readRedirectUris, {
      web: [],
      spa: [],
      publicClient: [],
    }),
    permissions: app.optional(
      "permissions",
      (item) => item.list((permission) => readPermission(permission, resources)),
      [],
    ),
  };
}

function readSecret(node: JsonNode): ClientSecret {
  const secret = node.object(["value", "expires"]);
  return {
    value: secret.required("value").text(),
    ...secret.optional("expires", (item) => ({ expires: item.date() }), {}),
  };
}

function readRedirectUris(node: JsonNode): RedirectUris {
  const uris = node.object(["web", "spa", "publicClient"]);
  const read = (platform: Platform) =>
    uris.optional(platform, (item) =>
      item.list((uri) => {
        if (!URL.canParse(uri.text())) throw uri.error("Expected an absolute URI");
        return uri.text();
      }), []);
  return { web: read("web"), spa: read("spa"), publicClient: read("publicClient") };
}

function readPermission(node: JsonNode, resources: readonly Resource[]): Permission {
  const permission = node.object(["resource", "roles", "scopes", "userConsent"]);
  const resource = findResource(resources, permission.required("resource").text());
  if (resource === undefined) {
    throw permission.required("resource").error("No resource has this appId or identifier URI");
  }
  const read = (name: string, kind: "role" | "scope") =>
    permission.optional(name, (node) =>
      node.list((item) => {
        const value = item.text();
        if (!resource[`${kind}s`].includes(value)) {
          throw item.error(`The resource has no such ${kind}`);
        }
        return value;
      }), []);
  return {
    resource: resource.appId,
    roles: read("roles", "role"),
    scopes: read("scopes", "scope"),
    userConsent: read("userConsent", "scope"),
  };
}

function readUser(node: JsonNode, tenants: Directory["tenants"]): User {
  const user = node.object([
    "id",
    "tenant",
    "userPrincipalName",
    "displayName",
    "password",
    "enabled",
    "guestOf",
  ]);
  const userPrincipalName = user.required("userPrincipalName").text();
  if (!/^[^@\s]+@[^@\s]+$/.test(userPrincipalName)) {
    throw user.required("userPrincipalName").error(
      "Expected a name such as ada@contoso.onmicrosoft.com",
    );
  }
  return {
    id: user.required("id").guid(),
    tenantId: user.optional("tenant", (item) => readTenantId(item, tenants), tenants[0].id),
    userPrincipalName,
    displayName: user.optional("displayName", (item) => item.text(), userPrincipalName),
    enabled: user.optional("enabled", (item) => item.flag(), true),
    ...user.optional("password", (item) => ({ password: item.text() }), {}),
    guestOf: user.optional(
      "guestOf",
      (item) => item.list((tenant) => readTenantId(tenant, tenants)),
      [],
    ),
  };
}

function readSignIn(node: JsonNode, users: readonly User[]): AutomaticSignIn {
  const signIn = node.object(["autoApprove", "autoDeny", "pendingPolls"]);
  if (signIn.has("autoApprove") === signIn.has("autoDeny")) {
    throw node.error('Give "autoApprove" or "autoDeny"');
  }
  const answer = signIn.has("autoApprove") ? "approve" : "deny";
  const name = signIn.required(answer === "approve" ? "autoApprove" : "autoDeny");
  const user = findUser(users, name.text());
  if (user === undefined) throw name.error("No user has this userPrincipalName");
  return {
    answer,
    user,
    pendingPolls: signIn.optional("pendingPolls", (item) => item.integer(0, 1000), 0),
  };
}

function readDeviceCode(node?: JsonNode): DeviceCodeSettings {
  const settings = node?.object(["interval", "lifetime", "slowDown"]);
  return {
    interval: settings?.optional("interval", (item) => item.integer(0, 300), 5) ?? 5,
    lifetime: settings?.optional("lifetime", (item) => item.integer(1, 86400), 900) ?? 900,
    slowDown: settings?.optional("slowDown", (item) => item.flag(), false) ?? false,
  };
}

function readRefreshTokens(node: JsonNode): RefreshTokenSettings {
  const settings = node.object(["rotation"]);
  return {
    rotation: settings.optional(
      "rotation",
      (item) => item.choice(["lenient", "strict"]),
      "lenient",
    ),
  };
}

function readLifetimes(node?: JsonNode): TokenLifetimes {
  const lifetimes = node?.object([
    "accessToken",
    "continuousAccessToken",
    "authorizationCode",
    "refreshToken",
    "spaRefreshToken",
  ]);
  const seconds = (name: string, usual: number): number =>
    lifetimes?.optional(name, (item) => item.integer(1, 3650 * 86400), usual) ?? usual;
  const read = (name: string, usual: LifetimeRange): LifetimeRange =>
    lifetimes?.optional(name, (item) => {
      const [minimum, maximum, ...rest] = item.list((bound) => bound.integer(1, 10 * 86400));
      if (minimum === undefined || maximum === undefined || rest.length > 0 || minimum > maximum) {
        throw item.error("Expected [minimum, maximum] in seconds");
      }
      return [minimum, maximum] as const;
    }, usual) ?? usual;
  // Learn: 60 to 90 minutes (75 on average); for CAE-capable workloads up to 24 hours.
  return {
    accessToken: read("accessToken", [3600, 5400]),
    continuousAccessToken: read("continuousAccessToken", [72000, 86400]),
    // Learn: codes live for about ten minutes, refresh tokens for 90 days without use, a SPA's for 24 hours.
    authorizationCode: seconds("authorizationCode", 600),
    refreshToken: seconds("refreshToken", 90 * 86400),
    spaRefreshToken: seconds("spaRefreshToken", 86400),
  };
}

function readTenantId(node: JsonNode, tenants: Directory["tenants"]): string {
  const tenant = findTenant({ tenants }, node.text());
  if (tenant === undefined) throw node.error("No tenant has this id or domain");
  return tenant.id;
}

function readNames(node: JsonNode): string[] {
  return node.list((item) => {
    if (/\s/.test(item.text())) throw item.error("A name holds no white space");
    return item.text();
  });
}

function unique(node: JsonNode, names: readonly string[]): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw node.error(`Found ${JSON.stringify(twice)} twice`);
}
