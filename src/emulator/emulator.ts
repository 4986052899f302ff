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
import {
  type AutomaticSignIn,
  type Directory,
  findTenant,
  findUser,
  type Tenant,
  type User,
} from "./directory.ts";
import { parseDirectory } from "./directory_file.ts";
import { exampleDirectory } from "./example_directory.ts";
import { FaultPlan } from "./faults.ts";
import { serveLoopback } from "./http_server.ts";
import { createIssuer } from "./issuer.ts";
import { respond } from "./request_handler.ts";
import { type AnsweredRequest, logLine } from "./request_log.ts";
import { createSignInState, type SignInState } from "./sign_in_state.ts";
import { StsError } from "./sts_error.ts";

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
  /** Answers sign-ins in a person's place; instead of the directory's own `signIn`. */
  readonly signIn?: AutomaticSignInOptions;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** Is given one line, without line break, for each request. */
  readonly log?: (line: string) => void;
}

/** As `signIn` in the configuration; the users are named by their user principal names. */
export interface AutomaticSignInOptions {
  readonly autoApprove?: string;
  readonly autoDeny?: string;
  /** How often a device code is still pending. */
  readonly pendingPolls?: number;
}

/** Which refresh tokens are refused from now on, and how. */
export interface Revocation {
  /** Everybody's, unless a user principal name is given. */
  readonly user?: string;
  /** 50173 unless told. */
  readonly code?: number;
  readonly suberror?: string;
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
  /** Refuses every refresh token that has been issued so far, as after a change of the password. */
  revokeRefreshTokens(revocation?: Revocation): void;
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
  const automaticSignIn = automaticSignInOf(directory, options.signIn);
  const state = createSignInState(directory.resources);
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
      const sts = {
        origin,
        directory,
        issuer,
        state,
        now,
        ...(automaticSignIn === undefined ? {} : { automaticSignIn }),
      };
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
    revokeRefreshTokens: (revocation = {}) => revoke(state, directory, revocation, now()),
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

function automaticSignInOf(
  directory: Directory,
  options: AutomaticSignInOptions | undefined,
): AutomaticSignIn | undefined {
  const name = options?.autoApprove ?? options?.autoDeny;
  if (name === undefined) return directory.automaticSignIn;
  return {
    answer: options?.autoApprove === undefined ? "deny" : "approve",
    user: requireUser(directory, name),
    pendingPolls: options?.pendingPolls ?? 0,
  };
}

function requireUser(directory: Directory, name: string): User {
  const user = findUser(directory.users, name);
  if (user !== undefined) return user;
  throw new EntraToolError(
    "usage",
    "emulator_user_unknown",
    "The emulator's configuration has no such user",
    { hint: "entratool emulator --example" },
  );
}

function revoke(
  { refreshTokens }: SignInState,
  directory: Directory,
  { user, code = 50173, suberror }: Revocation,
  nowMs: number,
): void {
  const userId = user === undefined ? undefined : requireUser(directory, user).id;
  refreshTokens.revoke(userId, ({ issuedAt }) =>
    new StsError(
      code,
      {
        issued: new Date(issuedAt).toISOString(),
        validFrom: new Date(nowMs).toISOString(),
      },
      { error: "invalid_grant", ...(suberror === undefined ? {} : { suberror }) },
    ));
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
