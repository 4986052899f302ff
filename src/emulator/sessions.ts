/**
 * Who is signed in in which browser: one cookie for each browser, several users for each cookie.
 *
 * The cookie is named after the port, as cookies are shared by all ports of a host. `Lax` keeps it out of what other
 * sites post, so a form of theirs finds nobody signed in.
 */

import type { User } from "./directory.ts";
import { randomId } from "./opaque_ids.ts";
import type { Call, Sts } from "./route.ts";

export interface Session {
  /** `sid` in tokens. */
  readonly id: string;
  readonly user: User;
  /** Milliseconds since the epoch. */
  readonly authenticatedAt: number;
  /** `amr`: `pwd`, `mfa`. */
  readonly methods: readonly string[];
}

/** As long as Entra's, unless an administrator says otherwise. */
const sessionMs = 24 * 60 * 60 * 1000;

export class Sessions {
  readonly #byBrowser = new Map<string, readonly Session[]>();

  /** The users who are signed in, the latest first. */
  of(browser: string, nowMs: number): readonly Session[] {
    return (this.#byBrowser.get(browser) ?? []).filter(({ authenticatedAt }) =>
      authenticatedAt + sessionMs > nowMs
    );
  }

  /** Signs in; a user who was signed in already is now so by these methods. */
  signIn(browser: string, session: Session): void {
    const others = this.#byBrowser.get(browser) ?? [];
    this.#byBrowser.set(browser, [session, ...others.filter(({ user }) => user !== session.user)]);
  }

  /** Signs out everybody, or the one user. */
  signOut(browser: string, user?: User): void {
    const left = user === undefined
      ? []
      : (this.#byBrowser.get(browser) ?? []).filter((session) => session.user !== user);
    this.#byBrowser.set(browser, left);
  }
}

/** The id of the browser that sent a request; a new one for a browser that has none yet. */
export function browserOf(call: Call, sts: Sts): string {
  const name = cookieName(sts);
  const cookies = (call.request.headers.get("cookie") ?? "").split(/; */);
  const value = cookies.find((cookie) => cookie.startsWith(`${name}=`))?.slice(name.length + 1);
  return value !== undefined && /^[\w-]{32}$/.test(value) ? value : randomId(24);
}

/** Makes the browser keep its id. */
export function rememberBrowser(response: Response, browser: string, sts: Sts): Response {
  const secure = sts.origin.startsWith("https:") ? "; Secure" : "";
  response.headers.set(
    "Set-Cookie",
    `${cookieName(sts)}=${browser}; Path=/; HttpOnly; SameSite=Lax${secure}`,
  );
  return response;
}

function cookieName(sts: Sts): string {
  return `entra_emulator_${new URL(sts.origin).port}`;
}
