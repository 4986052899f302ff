/**
 * The claims of tokens for users.
 *
 * @see https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
 * @see https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference
 */

import type { Directory, Tenant, User } from "./directory.ts";
import { issuerUrl } from "./issuer.ts";
import { base64url, derivedGuid, pairwiseSubject, randomId } from "./opaque_ids.ts";
import type { OpenidScope, ResourceScopes } from "./scopes.ts";
import { homeTenant, type SignIn } from "./sign_in.ts";

export type Claims = Readonly<Record<string, unknown>>;

/** How an app proved itself: `appidacr`, `azpacr`. */
export type ClientProof = "none" | "secret" | "certificate";
const proofs: Readonly<Record<ClientProof, string>> = { none: "0", secret: "1", certificate: "2" };

/** The emulator answers on loopback only, so nobody asks from anywhere else. */
const ipAddress = "127.0.0.1";

/** The claims of an access token in the version that the resource accepts. */
export async function accessTokenClaims(
  signIn: SignIn,
  { resource, audience }: Pick<ResourceScopes, "resource" | "audience">,
  scopes: readonly string[],
  proof: ClientProof,
  capabilities: readonly string[],
  origin: string,
  directory: Directory,
): Promise<Claims> {
  const { user, tenant, app, methods, sessionId, contexts } = signIn;
  const version = resource.accessTokenVersion;
  const objectId = await userObjectId(user, tenant);
  return {
    aud: version === 1 ? audience : resource.appId,
    iss: issuerUrl(version, origin, tenant.id),
    ...(version === 1 ? { acr: "1" } : {}),
    ...(contexts.length === 0 ? {} : { acrs: contexts }),
    aio: randomId(30),
    ...(version === 1
      ? {
        amr: methods,
        app_displayname: app.displayName,
        appid: app.clientId,
        appidacr: proofs[proof],
      }
      : { azp: app.clientId, azpacr: proofs[proof] }),
    ...nameParts(user),
    ...foreignProvider(signIn, directory),
    ipaddr: ipAddress,
    name: user.displayName,
    oid: objectId,
    ...(version === 2 ? { preferred_username: user.userPrincipalName } : {}),
    rh: `1.${randomId(24)}.`,
    scp: scopes.join(" "),
    sid: sessionId,
    sub: await pairwiseSubject(objectId, resource.appId),
    tid: tenant.id,
    ...(version === 1 ? { unique_name: user.userPrincipalName } : {}),
    ...(version === 1 && user.tenantId === tenant.id ? { upn: user.userPrincipalName } : {}),
    uti: randomId(16),
    ver: version === 1 ? "1.0" : "2.0",
    ...(capabilities.length === 0 ? {} : { xms_cc: capabilities }),
  };
}

/** The claims of an id_token; those about the person come with the scopes `profile` and `email`. */
export async function idTokenClaims(
  signIn: SignIn,
  openid: readonly OpenidScope[],
  nonce: string | undefined,
  origin: string,
  directory: Directory,
): Promise<Claims> {
  const { user, tenant, app, sessionId } = signIn;
  const objectId = await userObjectId(user, tenant);
  return {
    aud: app.clientId,
    iss: issuerUrl(2, origin, tenant.id),
    aio: randomId(30),
    ...(openid.includes("email") ? { email: user.userPrincipalName } : {}),
    ...foreignProvider(signIn, directory),
    ...(openid.includes("profile")
      ? {
        login_hint: loginHintOf(user),
        name: user.displayName,
        oid: objectId,
        preferred_username: user.userPrincipalName,
      }
      : {}),
    ...(nonce === undefined ? {} : { nonce }),
    rh: `1.${randomId(24)}.`,
    sid: sessionId,
    sub: await pairwiseSubject(objectId, app.clientId),
    tid: tenant.id,
    uti: randomId(16),
    ver: "2.0",
  };
}

/** `client_info`: the user's home account, whichever tenant the tokens are for. */
export function clientInfoOf(user: User): string {
  const info = JSON.stringify({ uid: user.id, utid: user.tenantId });
  return base64url(new TextEncoder().encode(info));
}

/** The `login_hint` claim: opaque to clients, which hand it on to authorize or logout as it is. */
export function loginHintOf(user: User): string {
  return `O.${base64url(new TextEncoder().encode(user.id))}`;
}

/** A guest has another object in each tenant. */
function userObjectId(user: User, tenant: Tenant): Promise<string> {
  return user.tenantId === tenant.id
    ? Promise.resolve(user.id)
    : derivedGuid("guest", tenant.id, user.id);
}

function foreignProvider({ user, tenant }: SignIn, directory: Directory): Claims {
  if (user.tenantId === tenant.id) return {};
  return { idp: issuerUrl(1, "", homeTenant(user, directory).id) };
}

function nameParts({ displayName }: User): Claims {
  const [, given, family] = /^(\S+) (.+)$/.exec(displayName) ?? [];
  return given === undefined ? {} : { family_name: family, given_name: given };
}
