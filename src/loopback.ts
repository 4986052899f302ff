/** What counts as this machine: the one answer for authorities, redirects and proxies. */

/**
 * Whether the host name of a URL means this machine (RFC 8252 §7.3, RFC 6761 §6.3). A name that only begins like an address,
 * `127.evil.com`, does not.
 */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname);
}
