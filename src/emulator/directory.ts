/**
 * What the emulator knows: tenants, app registrations, resources, users, token lifetimes and faults; read from a
 * JSON file and checked strictly, or taken from {@link exampleDirectory}.
 */

import { X509Certificate } from "node:crypto";
import { EntraToolError } from "../errors.ts";
import { isGuid, type JsonNode, parseJson } from "./checked_json.ts";
import { type FaultRule, readFaultRule } from "./faults.ts";

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

/** An app's certificate: its public half, which is all that Entra has of it. */
export interface RegisteredCertificate {
  readonly pem: string;
  /** base64url of SHA-1 and of SHA-256 over the DER form: `x5t` and `x5t#S256` (RFC 7515 §4.1.7, §4.1.8). */
  readonly x5t: string;
  readonly x5tS256: string;
  /** Milliseconds since the epoch. */
  readonly validFrom: number;
  readonly validTo: number;
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

/** Reads a file that the configuration names, relative to the configuration's own folder. */
export type ReadText = (path: string) => string;

/**
 * Reads the emulator's configuration.
 *
 * `?` marks what may be left out; any member that is not listed is refused. See {@link exampleDirectory}.
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
 *     "permissions"?: [{ "resource": appId or identifier URI, "roles"?: [string], "scopes"?: [string] }]
 *   }],
 *   "users"?: [{ "id": GUID, "tenant"?: string, "userPrincipalName": string, "displayName"?: string }],
 *   "tokenLifetimes"?: {                                                   // seconds, [minimum, maximum]
 *     "accessToken"?: [number, number],                                    // [3600, 5400]
 *     "continuousAccessToken"?: [number, number]                           // [72000, 86400]
 *   },
 *   "faults"?: [{
 *     "endpoint": "token" | "keys" | "configuration" | "instance" | "any",
 *     "clientId"?: GUID,                                                   // only this client's requests
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
    "tokenLifetimes",
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
    faults: root.optional("faults", (node) => node.list(readFaultRule), []),
  };
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

function readCertificate(node: JsonNode, readText: ReadText | undefined): RegisteredCertificate {
  return registerCertificate(
    typeof node.value === "string" ? node.value : readNamedFile(node, readText),
    node,
  );
}

function readNamedFile(node: JsonNode, readText: ReadText | undefined): string {
  const path = node.object(["path"]).required("path");
  if (readText === undefined) {
    throw path.error("A path can not be followed here, give the PEM text");
  }
  try {
    return readText(path.text());
  } catch (error) {
    if (error instanceof EntraToolError) throw error;
    throw path.error("The file can not be read");
  }
}

function registerCertificate(pem: string, node: JsonNode): RegisteredCertificate {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch {
    throw node.error("Expected a certificate in PEM form");
  }
  if (certificate.publicKey.asymmetricKeyType !== "rsa") {
    throw node.error("Entra takes certificates with RSA keys only");
  }
  const base64url = (fingerprint: string) =>
    Uint8Array.fromHex(fingerprint.replaceAll(":", "")).toBase64({
      alphabet: "base64url",
      omitPadding: true,
    });
  return {
    pem: certificate.toString(),
    x5t: base64url(certificate.fingerprint),
    x5tS256: base64url(certificate.fingerprint256),
    validFrom: Date.parse(certificate.validFrom),
    validTo: Date.parse(certificate.validTo),
  };
}

function readRedirectUris(node: JsonNode): RedirectUris {
  const uris = node.object(["web", "spa", "publicClient"]);
  const read = (platform: string) =>
    uris.optional(platform, (item) =>
      item.list((uri) => {
        if (!URL.canParse(uri.text())) throw uri.error("Expected an absolute URI");
        return uri.text();
      }), []);
  return { web: read("web"), spa: read("spa"), publicClient: read("publicClient") };
}

function readPermission(node: JsonNode, resources: readonly Resource[]): Permission {
  const permission = node.object(["resource", "roles", "scopes"]);
  const resource = findResource(resources, permission.required("resource").text());
  if (resource === undefined) {
    throw permission.required("resource").error("No resource has this appId or identifier URI");
  }
  const read = (name: "roles" | "scopes") =>
    permission.optional(name, (node) =>
      node.list((item) => {
        const value = item.text();
        if (!resource[name].includes(value)) {
          throw item.error(
            `${resource.displayName} has no such ${name === "roles" ? "role" : "scope"}`,
          );
        }
        return value;
      }), []);
  return { resource: resource.appId, roles: read("roles"), scopes: read("scopes") };
}

function readUser(node: JsonNode, tenants: Directory["tenants"]): User {
  const user = node.object(["id", "tenant", "userPrincipalName", "displayName"]);
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
  };
}

function readLifetimes(node?: JsonNode): TokenLifetimes {
  const lifetimes = node?.object(["accessToken", "continuousAccessToken"]);
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
  if (twice !== undefined) throw node.error(`${JSON.stringify(twice)} is there twice`);
}

/** Whether a text has the form of a tenant: a GUID or a domain name. */
export function looksLikeTenant(name: string): boolean {
  return isGuid(name.toLowerCase()) || /^[a-z0-9-]+(\.[a-z0-9-]+)+$/i.test(name);
}
