/** The clouds' hosts, against the list of research/entra-protocol.md. */

import assert from "node:assert/strict";
import { resolveAuthority } from "../../../src/entra/authority.ts";
import { cloudNamed, cloudOfHost } from "../../../src/entra/cloud.ts";
import { cloudNames } from "../../../src/names.ts";

const table = {
  public: ["login.microsoftonline.com", "https://graph.microsoft.com"],
  usgov: ["login.microsoftonline.us", "https://graph.microsoft.us"],
  china: ["login.partner.microsoftonline.cn", "https://microsoftgraph.chinacloudapi.cn"],
  france: ["login.sovcloud-identity.fr", "https://graph.svc.sovcloud.fr"],
  germany: ["login.sovcloud-identity.de", "https://graph.svc.sovcloud.de"],
  singapore: ["login.sovcloud-identity.sg", "https://graph.svc.sovcloud.sg"],
};

Deno.test("each cloud has its login host and its Graph", () => {
  assert.deepEqual([...cloudNames].sort(), Object.keys(table).sort());
  for (const name of cloudNames) {
    const { loginHost, graph } = cloudNamed(name);
    assert.deepEqual([loginHost, graph], table[name]);
    const authority = resolveAuthority({ tenant: "a.com", cloud: name, authority: undefined });
    assert.equal(authority.host, loginHost);
    assert.equal(authority.cloud.name, name);
  }
});

Deno.test("a login host and its aliases belong to one cloud", () => {
  const hosts = cloudNames.flatMap((name) => {
    const { loginHost, aliases } = cloudNamed(name);
    return [loginHost, ...aliases].map((host) => [host, name] as const);
  });
  assert.equal(new Set(hosts.map(([host]) => host)).size, hosts.length);
  for (const [host, name] of hosts) assert.equal(cloudOfHost(host)?.name, name);
  assert.equal(cloudOfHost("login.microsoftonline.com.evil.example"), undefined);
});

Deno.test("the default resource follows the login host, else the cloud that is named", () => {
  const graphOf = (authority: string, cloud?: "china") =>
    resolveAuthority({ authority, tenant: "a.com", cloud }).cloud.graph;
  assert.equal(graphOf("https://login.microsoftonline.us"), table.usgov[1]);
  assert.equal(graphOf("https://sts.windows.net"), table.public[1]);
  assert.equal(graphOf("https://login.example"), table.public[1]);
  assert.equal(graphOf("https://login.example", "china"), table.china[1]);
});
