/**
 * The emulator's signing key, what it signs, and the claims of app-only tokens; those of users are in `user_claims.ts`.
 *
 * @see https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
 */

import { exportJWK } from "jose/key/export";
import { SignJWT } from "jose/jwt/sign";
import { generateRsaKey, selfSigned } from "./certificate_authority.ts";
import type { App, Directory, Resource, Tenant } from "./directory.ts";
import { base64url, derivedGuid, randomId } from "./opaque_ids.ts";

/** A public key as Entra publishes it. */
export interface PublishedKey {
  readonly kty: "RSA";
  readonly use: "sig";
  readonly kid: string;
  readonly x5t: string;
  readonly n: string;
  readonly e: string;
  readonly x5c: readonly [string];
}

/** Who asked for a token, and for what. */
export interface AppTokenRequest {
  /** The emulator's: v2 tokens name it as their issuer. */
  readonly origin: string;
  readonly tenant: Tenant;
  readonly app: App;
  /** How the app proved itself: `appidacr`, `azpacr`. */
  readonly credential: "secret" | "certificate";
  readonly resource: Resource;
  /** The resource as the scope named it: the `aud` of a v1 token. */
  readonly audience: string;
  /** The client's capabilities: `["cp1"]` when it handles claims challenges. */
  readonly capabilities: readonly string[];
}

export interface IssuedToken {
  readonly token: string;
  readonly lifetimeSeconds: number;
}

export interface Issuer {
  readonly key: PublishedKey;
  /** An app-only access token in the version that the resource accepts. */
  appToken(request: AppTokenRequest, nowMs: number): Promise<IssuedToken>;
  /** An access token with these claims; it lives long where continuous access evaluation can end it. */
  accessToken(
    claims: Readonly<Record<string, unknown>>,
    lifetime: "usual" | "continuous",
    nowMs: number,
  ): Promise<IssuedToken>;
  /** An id_token with these claims; it lives for an hour. */
  idToken(claims: Readonly<Record<string, unknown>>, nowMs: number): Promise<string>;
}

/** How long an access token lives: long when both the resource and the client can end it early. */
export function lifetimeFor(
  resource: Resource,
  capabilities: readonly string[],
): "usual" | "continuous" {
  return resource.continuousAccess && capabilities.includes("cp1") ? "continuous" : "usual";
}

/** Entra signs tokens as if made five minutes ago, so that a slow clock at the resource does not refuse them. */
const backdatedSeconds = 300;
const idTokenSeconds = 3600;

/** Every app-only Graph token carries this role template: "default user", of no effect for apps. */
const defaultRoleTemplate = "0997a1d0-0d1d-4acb-b408-d5ca73121e90";
export const graphAppId = "00000003-0000-0000-c000-000000000000";

/** The issuer of v1 tokens is Microsoft's own in every installation; v2 names the host that was asked. */
export function issuerUrl(version: 1 | 2, origin: string, tenantId: string): string {
  return version === 1 ? `https://sts.windows.net/${tenantId}/` : `${origin}/${tenantId}/v2.0`;
}

/** Makes a signing key and an issuer around it. */
export async function createIssuer(lifetimes: Directory["tokenLifetimes"]): Promise<Issuer> {
  const keys = await generateRsaKey();
  const certificate = await selfSigned("accounts.accesscontrol.windows.net", keys);
  const { n, e } = await exportJWK(keys.publicKey);
  const thumbprint = base64url(
    new Uint8Array(await crypto.subtle.digest("SHA-1", certificate)),
  );
  const key: PublishedKey = {
    kty: "RSA",
    use: "sig",
    kid: thumbprint,
    x5t: thumbprint,
    n: n!,
    e: e!,
    x5c: [certificate.toBase64()],
  };

  const sign = (
    claims: Readonly<Record<string, unknown>>,
    lifetimeSeconds: number,
    nowMs: number,
  ): Promise<string> => {
    const now = Math.floor(nowMs / 1000);
    return new SignJWT({
      ...claims,
      iat: now - backdatedSeconds,
      nbf: now - backdatedSeconds,
      exp: now + lifetimeSeconds,
    }).setProtectedHeader({ typ: "JWT", alg: "RS256", x5t: key.x5t, kid: key.kid })
      .sign(keys.privateKey);
  };
  const accessToken: Issuer["accessToken"] = async (claims, lifetime, nowMs) => {
    const [minimum, maximum] = lifetime === "continuous"
      ? lifetimes.continuousAccessToken
      : lifetimes.accessToken;
    const lifetimeSeconds = minimum + Math.floor(Math.random() * (maximum - minimum + 1));
    return { token: await sign(claims, lifetimeSeconds, nowMs), lifetimeSeconds };
  };
  return {
    key,
    accessToken,
    idToken: (claims, nowMs) => sign(claims, idTokenSeconds, nowMs),
    appToken: async (request, nowMs) => {
      const { resource, capabilities } = request;
      return accessToken(await claimsFor(request), lifetimeFor(resource, capabilities), nowMs);
    },
  };
}

async function claimsFor(
  { origin, tenant, app, credential, resource, audience, capabilities }: AppTokenRequest,
): Promise<Record<string, unknown>> {
  const version = resource.accessTokenVersion;
  // The app's object in the tenant.
  const objectId = await derivedGuid(tenant.id, app.clientId);
  const roles = app.permissions.find((granted) => granted.resource === resource.appId)?.roles ?? [];
  const proof = credential === "secret" ? "1" : "2";
  return {
    aud: version === 1 ? audience : resource.appId,
    iss: issuerUrl(version, origin, tenant.id),
    aio: randomId(30),
    ...(version === 1
      ? {
        app_displayname: app.displayName,
        appid: app.clientId,
        appidacr: proof,
        idp: issuerUrl(1, origin, tenant.id),
      }
      : { azp: app.clientId, azpacr: proof }),
    idtyp: "app",
    oid: objectId,
    rh: `1.${randomId(24)}.`,
    // No roles granted means no claim, and a token all the same.
    ...(roles.length === 0 ? {} : { roles }),
    sub: objectId,
    tid: tenant.id,
    uti: randomId(16),
    ver: version === 1 ? "1.0" : "2.0",
    ...(resource.appId === graphAppId ? { wids: [defaultRoleTemplate] } : {}),
    ...(capabilities.length === 0 ? {} : { xms_cc: capabilities }),
  };
}
