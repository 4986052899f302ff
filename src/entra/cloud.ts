/** Microsoft's clouds: where each signs in and where its Graph is. */

import type { CloudName } from "../names.ts";

export interface Cloud {
  readonly name: CloudName;
  /** The host that answers for this cloud today. */
  readonly loginHost: string;
  /** Hosts that mean the same cloud. */
  readonly aliases: readonly string[];
  /** Microsoft Graph's identifier there, the default resource. */
  readonly graph: string;
}

/** @see https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud */
const clouds: Readonly<Record<CloudName, Cloud>> = {
  public: {
    name: "public",
    loginHost: "login.microsoftonline.com",
    aliases: ["login.windows.net", "login.microsoft.com", "sts.windows.net"],
    graph: "https://graph.microsoft.com",
  },
  usgov: {
    name: "usgov",
    loginHost: "login.microsoftonline.us",
    aliases: ["login.usgovcloudapi.net"],
    graph: "https://graph.microsoft.us",
  },
  china: {
    name: "china",
    loginHost: "login.partner.microsoftonline.cn",
    aliases: ["login.chinacloudapi.cn"],
    graph: "https://microsoftgraph.chinacloudapi.cn",
  },
  france: {
    name: "france",
    loginHost: "login.sovcloud-identity.fr",
    aliases: [],
    graph: "https://graph.svc.sovcloud.fr",
  },
  germany: {
    name: "germany",
    loginHost: "login.sovcloud-identity.de",
    aliases: [],
    graph: "https://graph.svc.sovcloud.de",
  },
  singapore: {
    name: "singapore",
    loginHost: "login.sovcloud-identity.sg",
    aliases: [],
    graph: "https://graph.svc.sovcloud.sg",
  },
};

/** The cloud of that name. */
export function cloudNamed(name: CloudName): Cloud {
  return clouds[name];
}

/** The cloud that a login host belongs to; undefined for a host that is none of Microsoft's. */
export function cloudOfHost(host: string): Cloud | undefined {
  return Object.values(clouds).find((cloud) =>
    cloud.loginHost === host || cloud.aliases.includes(host)
  );
}
