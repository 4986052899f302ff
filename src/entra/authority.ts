/** Whom to ask for tokens: the login host and the tenant, and the endpoints that follow from them. */

import { EntraToolError } from "../errors.ts";
import { isLoopback } from "../loopback.ts";
import type { CloudName } from "../names.ts";
import { type Cloud, cloudNamed, cloudOfHost } from "./cloud.ts";

export interface Authority {
  /** `https://login.microsoftonline.com/{tenant}`, without a slash at the end. */
  readonly url: string;
  readonly host: string;
  /** A GUID, a verified domain, or one of `common`, `organizations`, `consumers`. */
  readonly tenant: string;
  /** Whose Graph is the default resource. */
  readonly cloud: Cloud;
  readonly tokenEndpoint: string;
}

/** What the settings say of the authority; all of it as people typed it. */
export interface AuthorityInput {
  readonly tenant: string | undefined;
  readonly cloud: CloudName | undefined;
  /** A login host's URL, with or without the tenant as its path. */
  readonly authority: string | undefined;
}

/** Names that stand for no tenant in particular; app-only tokens can't be had from them. */
const multiTenantNames: readonly string[] = ["common", "organizations", "consumers"];
/** The tenant of all personal accounts: what `consumers` stands for. */
const personalTenant = "9188040d-6c67-4c5b-b112-36a304b66dad";

const guid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const domain =
  /^(?=.{4,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+$/i;

/** Whether the text is a GUID, as tenant and client ids are. */
export function isGuid(text: string): boolean {
  return guid.test(text);
}

/**
 * Builds the authority.
 *
 * The known clouds' hosts need no discovery. Another host must be named by its URL, and be https unless it is this
 * machine: credentials are posted to it.
 *
 * @throws EntraToolError usage when the tenant is missing or malformed, or the URL is not one to send secrets to
 * @see https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc
 */
export function resolveAuthority(input: AuthorityInput): Authority {
  const base = input.authority === undefined
    ? new URL(`https://${cloudNamed(input.cloud ?? "public").loginHost}`)
    : parseAuthorityUrl(input.authority);
  const path = base.pathname.split("/").filter((segment) => segment !== "");
  const tenant = input.tenant ?? path[0];
  if (tenant === undefined) {
    throw new EntraToolError("usage", "tenant_missing", "No tenant is set", {
      hint:
        "Add --tenant ID (a GUID or a domain), set AZURE_TENANT_ID, or choose a profile with -p",
    });
  }
  checkTenant(tenant);
  if (path[0] !== undefined && path[0].toLowerCase() !== tenant.toLowerCase()) {
    throw new EntraToolError(
      "usage",
      "tenant_conflict",
      `The authority names tenant "${path[0]}", but the tenant is set to "${tenant}"`,
      { hint: "Leave the tenant out of one of them" },
    );
  }
  // what stands behind the tenant is a B2C policy
  const url = [base.origin, tenant, ...path.slice(1)].join("/");
  return {
    url,
    host: base.host,
    tenant,
    cloud: cloudOfHost(base.hostname) ?? cloudNamed(input.cloud ?? "public"),
    tokenEndpoint: `${url}/oauth2/v2.0/token`,
  };
}

function parseAuthorityUrl(text: string): URL {
  // neither a password nor a parameter's value is repeated
  const shown = /[@?#]/.test(text) ? "The authority" : `The authority "${text}"`;
  const problem = (why: string) =>
    new EntraToolError("usage", "authority_invalid", `${shown} ${why}`, {
      hint: "Write it as https://login.microsoftonline.com or https://HOST/TENANT",
    });
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) {
    throw problem("is not an https URL");
  }
  if (url.username !== "" || url.password !== "") throw problem("has a user name or password");
  if (url.protocol === "http:" && !isLoopback(url.hostname)) {
    throw problem("is not https: secrets would cross the network in the clear");
  }
  if (url.search !== "" || url.hash !== "") throw problem("has a query or fragment");
  return url;
}

function checkTenant(tenant: string): void {
  const isName = multiTenantNames.includes(tenant.toLowerCase());
  if (guid.test(tenant) || domain.test(tenant) || isName) return;
  throw new EntraToolError(
    "usage",
    "tenant_invalid",
    `"${tenant}" is not a tenant: neither a GUID nor a domain`,
    {
      hint:
        "Find it in the Entra admin center under Overview, e.g. 7f0d6e2c-… or contoso.onmicrosoft.com",
    },
  );
}

/**
 * Refuses `common`, `organizations` and `consumers`, in any case, and the GUID of the last one: client credentials can't use
 * them.
 *
 * @throws EntraToolError usage
 * @see https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
 */
export function requireOneTenant({ tenant }: Pick<Authority, "tenant">): void {
  const name = tenant.toLowerCase();
  const why = multiTenantNames.includes(name)
    ? "stands for many"
    : name === personalTenant
    ? "is that of all personal accounts"
    : undefined;
  if (why === undefined) return;
  throw new EntraToolError(
    "usage",
    "tenant_not_specific",
    `Client credentials need one tenant, and "${tenant}" ${why}`,
    { hint: "Give the tenant where the app is installed: --tenant GUID-or-domain" },
  );
}

/** @throws EntraToolError usage when the client id is not a GUID, as all of Entra's are */
export function checkClientId(clientId: string): void {
  if (isGuid(clientId)) return;
  throw new EntraToolError(
    "usage",
    "client_id_invalid",
    `The client id "${clientId}" is not a GUID`,
    { hint: "Copy the Application (client) id from the app registration's Overview" },
  );
}
