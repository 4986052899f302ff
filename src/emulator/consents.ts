/**
 * Who has consented to what. Consent lasts as long as the emulator runs; an administrator's is in the directory.
 *
 * @see https://learn.microsoft.com/entra/identity-platform/scopes-oidc#the-default-scope
 */

import type { App, Resource, User } from "./directory.ts";
import type { AskedScopes, ResourceScopes } from "./scopes.ts";

/** Scopes of one resource, as a consent page lists them. */
export type ConsentScopes = Pick<ResourceScopes, "resource" | "names">;

export class Consents {
  readonly #given = new Map<string, Set<string>>();

  constructor(private readonly resources: readonly Resource[]) {}

  /** The scopes of a resource that the app may use for the user. */
  granted(user: User, app: App, { appId }: Resource): readonly string[] {
    const byAdministrator = app.permissions.find(({ resource }) => resource === appId)?.scopes;
    const byUser = this.#given.get(keyOf(user, app, appId));
    return [...new Set([...byAdministrator ?? [], ...byUser ?? []])];
  }

  /** Of what is asked for, that to which nobody has consented yet. */
  missing(user: User, app: App, asked: AskedScopes): readonly ConsentScopes[] {
    // `.default` means whatever has been granted already, and only when that is nothing, all that is registered.
    const wanted = asked.resources.flatMap((scopes) => {
      if (!scopes.isDefault) return [scopes];
      return this.granted(user, app, scopes.resource).length > 0 ? [] : this.#registered(app);
    });
    return merged(wanted)
      .map(({ resource, names }) => {
        const granted = this.granted(user, app, resource);
        return { resource, names: names.filter((name) => !granted.includes(name)) };
      })
      .filter(({ names }) => names.length > 0);
  }

  /** All that is asked for, consented to or not. */
  listed(app: App, asked: AskedScopes): readonly ConsentScopes[] {
    return merged(
      asked.resources.flatMap((scopes) => scopes.isDefault ? this.#registered(app) : [scopes]),
    );
  }

  give(user: User, app: App, scopes: readonly ConsentScopes[]): void {
    for (const { resource, names } of scopes) {
      const key = keyOf(user, app, resource.appId);
      this.#given.set(key, new Set([...this.#given.get(key) ?? [], ...names]));
    }
  }

  #registered(app: App): ConsentScopes[] {
    return app.permissions.flatMap(({ resource: appId, scopes, userConsent }) => {
      const resource = this.resources.find((resource) => resource.appId === appId);
      return resource === undefined ? [] : [{ resource, names: [...scopes, ...userConsent] }];
    });
  }
}

/** Each resource once, each of its names once. */
function merged(all: readonly ConsentScopes[]): readonly ConsentScopes[] {
  const resources = new Set(all.map(({ resource }) => resource));
  return [...resources].map((resource) => ({
    resource,
    names: [
      ...new Set(
        all.filter((scopes) => scopes.resource === resource).flatMap(({ names }) => names),
      ),
    ],
  }));
}

function keyOf(user: User, app: App, resourceAppId: string): string {
  return `${user.id} ${app.clientId} ${resourceAppId}`;
}
