/**
 * A local stand-in for Microsoft Entra ID: its v2.0 endpoints on loopback, with Entra's tokens, errors and
 * strictness, and with faults on demand.
 *
 * It is the client's counterpart and shares no token code with it, so that the one can be tested against the other.
 * This file puts the parts together; `request_handler.ts` says which endpoints there are.
 */

import { EntraToolError } from "../errors.ts";
import { createLocalhostCertificate } from "./certificate_authority.ts";
import { isGuid } from "./checked_json.ts";
import { type Directory, findTenant, type Tenant } from "./directory.ts";
import { parseDirectory } from "./directory_file.ts";
import { exampleDirectory } from "./example_directory.ts";
import { FaultPlan } from "./faults.ts";
import { serveLoopback } from "./http_server.ts";
import { createIssuer } from "./issuer.ts";
import { respond } from "./request_handler.ts";
import { type AnsweredRequest, logLine } from "./request_log.ts";

export { parseDirectory } from "./directory_file.ts";
export type { ReadText } from "./directory_file.ts";
export type { Directory } from "./directory.ts";
export { exampleDirectory } from "./example_directory.ts";
export type { AnsweredRequest } from "./request_log.ts";

export interface EmulatorOptions {
  /** 0, the default, for any free port. */
  readonly port?: number;
  /** Serve https with a certificate of an authority made for this run. */
  readonly tls?: boolean;
  /** The tenant to use: of the directory, by id or domain; without a directory, any GUID. */
  readonly tenantId?: string;
  /** {@link exampleDirectory} unless told. */
  readonly directory?: Directory;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** Is given one line, without line break, for each request. */
  readonly log?: (line: string) => void;
}

/** What to type to get a token: an app of the directory that can have one. */
export interface EmulatorSeed {
  readonly tenantId: string;
  readonly clientId: string;
  /** Absent when the directory has no app with a usable secret. */
  readonly clientSecret?: string;
  readonly scope: string;
}

/** An emulator that is running. */
export interface Emulator {
  /** `http://localhost:PORT` or `https://localhost:PORT`. */
  readonly origin: string;
  /** What to give to `--authority`: the origin and the tenant. */
  readonly authority: string;
  readonly tenantId: string;
  /** PEM; with `tls` only. */
  readonly caCertificate?: string;
  /** Absent when the directory has no enabled app. */
  readonly seed?: EmulatorSeed;
  /** What it has answered so far, oldest first, the last thousand. */
  readonly requests: readonly AnsweredRequest[];
  /** Drops every connection and stops listening. */
  close(): Promise<void>;
}

/** As many as any test asks for, and no more than a long-running emulator can hold. */
const recordedRequests = 1000;

/**
 * Starts an emulator on this machine's loopback addresses.
 *
 * @throws EntraToolError usage when the port is taken or the tenant is not in the directory.
 */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const now = options.now ?? Date.now;
  const directory = options.directory ?? seedDirectory(options.tenantId);
  const tenant = chooseTenant(directory, options.tenantId);
  const [issuer, localhost] = await Promise.all([
    createIssuer(directory.tokenLifetimes),
    options.tls ? createLocalhostCertificate() : undefined,
  ]);
  const closing = new AbortController();
  const faults = new FaultPlan(directory.faults);
  const requests: AnsweredRequest[] = [];
  const record = (answered: AnsweredRequest) => {
    requests.push(answered);
    if (requests.length > recordedRequests) requests.shift();
    options.log?.(logLine(answered));
  };
  const server = await serveLoopback({
    port: options.port ?? 0,
    ...(localhost === undefined ? {} : { tls: localhost }),
    handler: async (request, origin) => {
      const sts = { origin, directory, issuer, now };
      try {
        const { answer, answered } = await respond(request, sts, faults, closing.signal);
        record(answered);
        return answer;
      } catch (bug) {
        options.log?.(`Internal error: ${bug}`);
        throw bug;
      }
    },
    refused: (request) => record({ time: now(), durationMs: 0, outcome: "refused", ...request }),
  });

  const seed = seedOf(directory, tenant, now());
  return {
    origin: server.origin,
    authority: `${server.origin}/${tenant.id}`,
    tenantId: tenant.id,
    ...(localhost === undefined ? {} : { caCertificate: localhost.caCertificate }),
    ...(seed === undefined ? {} : { seed }),
    requests,
    async close() {
      closing.abort();
      await server.close();
    },
  };
}

function seedDirectory(tenantId: string | undefined): Directory {
  if (tenantId !== undefined && !isGuid(tenantId.toLowerCase())) {
    throw new EntraToolError(
      "usage",
      "emulator_tenant_invalid",
      "The tenant of the emulator must be a GUID",
      { hint: "entratool emulator --tenant c0ffee00-0000-4000-8000-000000000001" },
    );
  }
  return parseDirectory(exampleDirectory(tenantId), "example directory");
}

function chooseTenant(directory: Directory, name: string | undefined): Tenant {
  if (name === undefined) return directory.tenants[0];
  const tenant = findTenant(directory, name);
  if (tenant !== undefined) return tenant;
  throw new EntraToolError(
    "usage",
    "emulator_tenant_unknown",
    "The emulator's configuration has no such tenant",
    { hint: `entratool emulator --tenant ${directory.tenants[0].id}` },
  );
}

function seedOf(directory: Directory, tenant: Tenant, nowMs: number): EmulatorSeed | undefined {
  const usable = directory.apps
    .filter((app) => app.enabled && (app.tenantId === tenant.id || app.multiTenant))
    .map((app) => ({
      app,
      secret: app.secrets.find(({ expires }) => expires === undefined || expires > nowMs)?.value,
    }));
  const chosen = usable.find(({ secret }) => secret !== undefined) ?? usable[0];
  if (chosen === undefined) return undefined;
  const granted = chosen.app.permissions[0]?.resource;
  const resource = directory.resources.find(({ appId }) => appId === granted) ??
    directory.resources[0];
  return {
    tenantId: tenant.id,
    clientId: chosen.app.clientId,
    ...(chosen.secret === undefined ? {} : { clientSecret: chosen.secret }),
    scope: `${resource?.identifierUris[0] ?? resource?.appId ?? ""}/.default`,
  };
}
