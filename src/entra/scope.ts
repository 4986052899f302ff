/** What Entra lets a flow ask for. */

import { EntraToolError } from "../errors.ts";
import type { Cloud } from "./cloud.ts";
import { isGuid } from "./authority.ts";

const suffix = "/.default";

/** Scopes that concern the user's sign-in, not a resource (OIDC Core §5.4, §11). */
const signInScopes: readonly string[] = ["openid", "profile", "email", "offline_access"];

/** scope-token of RFC 6749 §3.3. */
const scopeToken = /^[\u0021\u0023-\u005b\u005d-\u007e]+$/;

/** @throws EntraToolError usage when a scope has characters that RFC 6749 §3.3 does not allow */
export function checkScopes(scopes: readonly string[]): void {
  const bad = scopes.find((scope) => !scopeToken.test(scope));
  if (bad === undefined) return;
  throw new EntraToolError(
    "usage",
    "scope_invalid",
    `The scope "${bad}" has a character that no scope can have`,
    {
      hint:
        "Scopes are ASCII without quotes and backslashes, e.g. https://graph.microsoft.com/.default",
    },
  );
}

/**
 * The one scope of a client-credentials request: `<resource>/.default`, Graph's when none was asked for.
 *
 * @throws EntraToolError usage, saying what to write instead
 * @see https://learn.microsoft.com/entra/identity-platform/scopes-oidc#the-default-scope
 */
export function clientCredentialsScope(scopes: readonly string[], cloud: Cloud): string {
  checkScopes(scopes);
  const [scope] = scopes;
  if (scope === undefined) return cloud.graph + suffix;
  const suggestions = [...new Set(scopes.map((each) => defaultScopeFor(each, cloud)))];
  if (scopes.length > 1) {
    throw new EntraToolError(
      "usage",
      "scope_not_single",
      `Client credentials take one scope, and ${scopes.length} were given`,
      {
        hint: suggestions.length === 1
          ? `Write -s ${suggestions[0]}: it stands for all that the app was granted there`
          : `Ask for one resource at a time: ${
            suggestions.map((each) => `-s ${each}`).join(" or ")
          }`,
      },
    );
  }
  if (scope.endsWith(suffix) && scope.length > suffix.length) return scope;
  throw new EntraToolError(
    "usage",
    "scope_not_default",
    `Client credentials need a scope that ends in /.default, and "${scope}" does not`,
    {
      hint: `Write -s ${
        suggestions[0]
      }: it stands for all application permissions the app was granted there`,
    },
  );
}

/** The scopes of a request in a person's name. */
export interface UserScopes {
  /** What is asked of the resource. */
  readonly asked: readonly string[];
  /** The same with what a sign-in needs: an id_token and a refresh token. */
  readonly scopes: readonly string[];
}

/**
 * The scopes of a person's request: those given, Graph's `/.default` when none was, and `openid profile offline_access`.
 *
 * @throws EntraToolError usage when they span several resources, which one token can't
 * @see https://learn.microsoft.com/entra/identity-platform/scopes-oidc
 */
export function userScopes(given: readonly string[], cloud: Cloud): UserScopes {
  checkScopes(given);
  const ofResource = given.filter((scope) => !signInScopes.includes(scope));
  const asked = ofResource.length === 0 ? [cloud.graph + suffix] : ofResource;
  const resources = [...new Set(asked.map((scope) => defaultScopeFor(scope, cloud)))];
  if (resources.length > 1) {
    throw new EntraToolError(
      "usage",
      "scope_not_one_resource",
      "The scopes span several resources, and a token is for one",
      { hint: `Ask for one at a time: ${resources.map((each) => `-s ${each}`).join(" or ")}` },
    );
  }
  const scopes = [...new Set([...asked, ...given, "openid", "profile", "offline_access"])];
  return { asked, scopes };
}

/** The `/.default` scope of the resource that a scope seems to mean. */
function defaultScopeFor(scope: string, cloud: Cloud): string {
  if (scope.endsWith(suffix) && scope.length > suffix.length) return scope;
  if (signInScopes.includes(scope)) return cloud.graph + suffix;
  if (isGuid(scope)) return scope + suffix;
  const url = URL.parse(scope);
  if (url === null) {
    const slash = scope.lastIndexOf("/");
    // a bare name such as User.Read is Graph's; GUID/name is an API's
    return (slash > 0 ? scope.slice(0, slash) : cloud.graph) + suffix;
  }
  const path = scope.slice(scope.indexOf("//") + 2);
  const firstSlash = path.indexOf("/");
  const lastSlash = scope.lastIndexOf("/");
  // https://host and https://host/ name the resource itself: the slash belongs to it
  if (firstSlash === -1 || firstSlash === path.length - 1) return scope + suffix;
  return scope.slice(0, lastSlash) + suffix;
}
