/**
 * Whether a redirect URI is one that an app is registered with, and for which platform.
 *
 * @see https://learn.microsoft.com/entra/identity-platform/reply-url
 */

import { type App, type Platform, platforms } from "./directory.ts";

/** The platform that the URI is registered for; an exact match goes before one that ignores the port. */
export function platformOf(redirectUri: string, app: App): Platform | undefined {
  const registeredFor = (matches: (registered: string) => boolean) =>
    platforms.find((platform) => app.redirectUris[platform].some(matches));
  return registeredFor((registered) => sameUri(registered, redirectUri)) ??
    registeredFor((registered) => sameLoopbackUri(registered, redirectUri));
}

/** Character for character, but for the letters of scheme and host, and the slash of an empty path. */
function sameUri(registered: string, requested: string): boolean {
  return new URL(registered).href === new URL(requested).href;
}

/** RFC 8252 §7.3: an app on the person's own machine listens on whatever port is free. */
function sameLoopbackUri(registered: string, requested: string): boolean {
  const [one, other] = [new URL(registered), new URL(requested)];
  if (!isLoopback(one) || !isLoopback(other)) return false;
  one.port = other.port = "";
  return one.href === other.href;
}

function isLoopback({ protocol, hostname }: URL): boolean {
  return /^https?:$/.test(protocol) && (hostname === "localhost" || hostname === "127.0.0.1");
}
