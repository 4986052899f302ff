/**
 * What clients read before they send credentials: which hosts belong together, where the endpoints are, and the
 * keys that tokens are signed with.
 *
 * @see https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfigurationResponse
 */

import { issuerUrl } from "./issuer.ts";
import { type Call, resolveTenant, type Route, type Sts } from "./route.ts";
import { StsError } from "./sts_error.ts";

/** The hosts of Microsoft's clouds that belong to one installation; ours is added to them. */
const knownClouds = [
  {
    preferred_network: "login.microsoftonline.com",
    preferred_cache: "login.windows.net",
    aliases: [
      "login.microsoftonline.com",
      "login.windows.net",
      "login.microsoft.com",
      "sts.windows.net",
    ],
  },
  {
    preferred_network: "login.partner.microsoftonline.cn",
    preferred_cache: "login.partner.microsoftonline.cn",
    aliases: ["login.partner.microsoftonline.cn", "login.chinacloudapi.cn"],
  },
  {
    preferred_network: "login.microsoftonline.us",
    preferred_cache: "login.microsoftonline.us",
    aliases: ["login.microsoftonline.us", "login.usgovcloudapi.net"],
  },
];

/** `GET /common/discovery/instance?api-version=1.1&authorization_endpoint=…`: does this authority exist? */
const instance: Route = {
  endpoint: "instance",
  methods: ["GET"],
  path: "/discovery/instance",
  handle(call, sts) {
    const asked = call.url.searchParams.get("authorization_endpoint");
    if (asked === null) {
      throw new StsError(900144, { parameter: "authorization_endpoint" });
    }
    const version = call.url.searchParams.get("api-version") ?? "1.1";
    const clouds = [...knownClouds, emulatedCloud(sts.origin)];
    const url = URL.canParse(asked) ? new URL(asked) : undefined;
    const tenant = url?.pathname.split("/")[1];
    if (!tenant || !clouds.some(({ aliases }) => aliases.includes(url!.host))) {
      throw new StsError(50049);
    }
    return json({
      // Always ours: a client that follows it stays on this machine.
      tenant_discovery_endpoint: `${sts.origin}/${tenant}/v2.0/.well-known/openid-configuration`,
      "api-version": version,
      metadata: clouds,
    });
  },
};

/** Every name that this emulator answers to. */
function emulatedCloud(origin: string) {
  const { host, port } = new URL(origin);
  return {
    preferred_network: host,
    preferred_cache: host,
    aliases: [host, `127.0.0.1:${port}`, `[::1]:${port}`],
  };
}

const configurationV2: Route = {
  endpoint: "configuration",
  methods: ["GET"],
  path: "/v2.0/.well-known/openid-configuration",
  handle: (call, sts) => json(openidConfiguration(call, sts, 2)),
};

const configurationV1: Route = {
  endpoint: "configuration",
  methods: ["GET"],
  path: "/.well-known/openid-configuration",
  handle: (call, sts) => json(openidConfiguration(call, sts, 1)),
};

function openidConfiguration(call: Call, sts: Sts, version: 1 | 2): Record<string, unknown> {
  const tenant = resolveTenant(call, sts);
  // For the aliases Entra answers with a template that the client fills in from the token's `tid`.
  const tenantId = typeof tenant === "string" ? "{tenantid}" : tenant.id;
  const base = `${sts.origin}/${typeof tenant === "string" ? tenant : tenant.id}`;
  const endpoints = `${base}/oauth2${version === 2 ? "/v2.0" : ""}`;
  return {
    token_endpoint: `${endpoints}/token`,
    token_endpoint_auth_methods_supported: [
      "client_secret_post",
      "private_key_jwt",
      "client_secret_basic",
    ],
    jwks_uri: `${base}/discovery${version === 2 ? "/v2.0" : ""}/keys`,
    response_modes_supported: ["query", "fragment", "form_post"],
    subject_types_supported: ["pairwise"],
    id_token_signing_alg_values_supported: ["RS256"],
    response_types_supported: ["code", "id_token", "code id_token", "id_token token"],
    scopes_supported: ["openid", "profile", "email", "offline_access"],
    issuer: issuerUrl(version, sts.origin, tenantId),
    request_uri_parameter_supported: false,
    userinfo_endpoint: "https://graph.microsoft.com/oidc/userinfo",
    authorization_endpoint: `${endpoints}/authorize`,
    device_authorization_endpoint: `${endpoints}/devicecode`,
    http_logout_supported: true,
    frontchannel_logout_supported: true,
    end_session_endpoint: `${endpoints}/logout`,
    claims_supported: [
      "sub",
      "iss",
      "cloud_instance_name",
      "cloud_instance_host_name",
      "cloud_graph_host_name",
      "msgraph_host",
      "aud",
      "exp",
      "iat",
      "auth_time",
      "acr",
      "nonce",
      "preferred_username",
      "name",
      "tid",
      "ver",
      "at_hash",
      "c_hash",
      "email",
    ],
    tenant_region_scope: null,
    cloud_instance_name: "microsoftonline.com",
    cloud_graph_host_name: "graph.windows.net",
    msgraph_host: "graph.microsoft.com",
    rbac_url: "https://pas.windows.net",
  };
}

const keysV2: Route = {
  endpoint: "keys",
  methods: ["GET"],
  path: "/discovery/v2.0/keys",
  handle: (call, sts) => json({ keys: publishedKeys(call, sts, 2) }),
};

const keysV1: Route = {
  endpoint: "keys",
  methods: ["GET"],
  path: "/discovery/keys",
  handle: (call, sts) => json({ keys: publishedKeys(call, sts, 1) }),
};

function publishedKeys(call: Call, sts: Sts, version: 1 | 2): unknown[] {
  const tenant = resolveTenant(call, sts);
  const tenantId = typeof tenant === "string" ? "{tenantid}" : tenant.id;
  const { key } = sts.issuer;
  return [
    version === 1 ? key : {
      ...key,
      cloud_instance_name: "microsoftonline.com",
      issuer: issuerUrl(2, sts.origin, tenantId),
    },
  ];
}

function json(body: unknown): Promise<Response> {
  return Promise.resolve(Response.json(body));
}

export const discoveryRoutes: readonly Route[] = [
  instance,
  configurationV2,
  configurationV1,
  keysV2,
  keysV1,
];
