/** The part of getting a token that a cached one never needs: authority, credential, certificates, flow. */

import { type SignedIn, usesCredential } from "./accounts.ts";
import { clientSecretCredential } from "./credentials/client_secret.ts";
import type { ClientCredential } from "./credentials/credential.ts";
import { readInput, readSecret } from "./credentials/secret_source.ts";
import { checkClientId, resolveAuthority } from "./entra/authority.ts";
import { shortExcerpt } from "./entra/excerpt.ts";
import { EntraToolError } from "./errors.ts";
import { readBoundedFile } from "./files/bounded_file.ts";
import type { FlowInput } from "./flows/flow.ts";
import type { AfterRefusal } from "./flows/refresh_token.ts";
import { loadFlow } from "./flows/registry.ts";
import type { Deadline, Host } from "./host.ts";
import { lazily } from "./lazy_module.ts";
import type { Trace } from "./entra/transport.ts";
import type { Person } from "./person.ts";
import type { Redactor } from "./output/redact.ts";
import { isAccount } from "./token/account.ts";
import type { TokenSet } from "./token/token_set.ts";
import type { CredentialSource, TokenRequest } from "./token_request.ts";
import type { Vault } from "./vault/vault.ts";

export interface ObtainOptions {
  readonly vault: Vault;
  readonly host: Host;
  readonly redactor: Redactor;
  readonly trace: Trace;
  readonly person: (() => Promise<Person>) | undefined;
  readonly deadline: Deadline;
}

/** Loads the flow, so that it is there when it is wanted. */
export async function prepare({ flow }: Pick<TokenRequest, "flow">): Promise<void> {
  await loadFlow(flow);
}

/** Asks Entra by the request's flow. @throws EntraToolError of every kind */
export async function obtainToken(
  request: TokenRequest,
  options: ObtainOptions,
): Promise<TokenSet> {
  const [flow, input] = await Promise.all([loadFlow(request.flow), flowInput(request, options)]);
  return input.accept(await flow.run(input, options.host));
}

/**
 * Asks Entra by a refresh token.
 *
 * @throws EntraToolError of every kind; what to do then says {@link afterRefusedRefresh}
 */
export async function obtainByRefreshToken(
  person: SignedIn,
  request: TokenRequest,
  options: ObtainOptions,
): Promise<TokenSet> {
  const [flow, input] = await Promise.all([loadRefresh(), flowInput(request, options)]);
  return input.accept(await flow.refreshToken(person, input, options.host));
}

/** What to do when {@link obtainByRefreshToken} was refused; undefined when the error says nothing about the token. */
export async function afterRefusedRefresh(
  error: EntraToolError,
  request: TokenRequest,
): Promise<AfterRefusal | undefined> {
  return (await loadRefresh()).afterRefusedRefresh(error, request.flow);
}

function loadRefresh() {
  return lazily<typeof import("./flows/refresh_token.ts")>(
    import.meta.resolve("./flows/refresh_token.ts"),
  );
}

/** What a flow works with. @throws EntraToolError usage when a setting can't be right */
async function flowInput(request: TokenRequest, options: ObtainOptions): Promise<FlowInput> {
  checkClientId(request.clientId);
  const { credential } = request;
  const isNeeded = request.flow === "ClientCredentials" || usesCredential(request);
  return {
    flow: request.flow,
    authority: resolveAuthority(request),
    clientId: request.clientId,
    scopes: request.scopes,
    credential: isNeeded && credential !== undefined
      ? await loadCredential(credential, request, options)
      : undefined,
    caCertificates: request.caFile === undefined
      ? []
      : [await readCaFile(request.caFile, options.deadline.signal)],
    deadline: options.deadline,
    trace: options.trace,
    profile: request.profile,
    claims: request.claims,
    signIn: request.signIn,
    person: await options.person?.(),
    accept: (token) => checked(token, request, options),
  };
}

/**
 * Tells the redactor of the tokens, and refuses those of another tenant or account than was meant.
 *
 * @throws EntraToolError refused, naming both
 */
function checked(token: TokenSet, request: TokenRequest, { redactor }: ObtainOptions): TokenSet {
  for (const secret of [token.accessToken, token.refreshToken, token.idToken]) {
    if (secret !== undefined) redactor.add(secret);
  }
  const { pins } = request;
  if (pins.tenant !== undefined && token.tenantId.toLowerCase() !== pins.tenant.toLowerCase()) {
    throw new EntraToolError(
      "refused",
      "token_tenant_mismatch",
      `The token is of tenant "${token.tenantId}", but the profile accepts only tenant "${pins.tenant}"`,
      { hint: "Sign in with an account of that tenant, or name the tenant with --tenant" },
    );
  }
  for (
    const [wanted, whose] of [[pins.account, "the profile accepts only"], [
      request.account,
      "it was to be of",
    ]]
  ) {
    if (wanted === undefined || token.account === undefined || isAccount(token.account, wanted)) {
      continue;
    }
    throw new EntraToolError(
      "refused",
      "token_account_mismatch",
      `The token is of account "${shortExcerpt(token.account.username)}", but ${whose} "${wanted}"`,
      { hint: "Sign in again and choose that account" },
    );
  }
  return token;
}

async function loadCredential(
  source: CredentialSource,
  request: TokenRequest,
  options: ObtainOptions,
): Promise<ClientCredential> {
  const context = { ...options, signal: options.deadline.signal };
  if (source.kind === "client-secret") {
    return clientSecretCredential(await readSecret(source.secret, "client secret", context));
  }
  const { certificateCredential } = await lazily<typeof import("./credentials/certificate.ts")>(
    import.meta.resolve("./credentials/certificate.ts"),
  );
  return certificateCredential({
    clientId: request.clientId,
    file: await readInput(source.path, "certificate", context),
    password: source.password && await readSecret(source.password, "certificate password", context),
    label: source.path,
    algorithm: source.algorithm,
    x5c: source.sendX5c,
  });
}

async function readCaFile(path: string, signal: AbortSignal): Promise<string> {
  const text = new TextDecoder().decode(await readBoundedFile(path, "CA file", signal));
  if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
  throw new EntraToolError(
    "usage",
    "ca_file_invalid",
    `The CA file ${path} holds no PEM certificate`,
    {
      hint: "Convert it: openssl x509 -inform der -in FILE -out ca.pem",
    },
  );
}
