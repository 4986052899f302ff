/** Emulators for tests: started with a directory that differs from the example's, always closed. */

import {
  type Emulator,
  type EmulatorOptions,
  exampleDirectory,
  parseDirectory,
  startEmulator,
} from "../../src/emulator/emulator.ts";

/** The example's ids and secret. */
export const contoso = {
  tenantId: "c0ffee00-0000-4000-8000-000000000001",
  clientId: "c0ffee00-0000-4000-8000-0000000000a1",
  publicClientId: "c0ffee00-0000-4000-8000-0000000000a2",
  secret: "emulator-secret",
  ordersAppId: "c0ffee00-0000-4000-8000-0000000000b1",
};

/** Runs with an emulator of its own. */
export async function withEmulator(
  options: EmulatorOptions,
  run: (emulator: Emulator) => Promise<void>,
): Promise<void> {
  const emulator = await startEmulator(options);
  try {
    await run(emulator);
  } finally {
    await emulator.close();
  }
}

/** The example with top-level members put in place of its own. */
export function exampleWith(changes: Record<string, unknown>): EmulatorOptions {
  const json = JSON.stringify({ ...JSON.parse(exampleDirectory()), ...changes });
  return { directory: parseDirectory(json, "test.json") };
}

/** The example with more apps. */
export function exampleWithApps(...apps: Record<string, unknown>[]): EmulatorOptions {
  return exampleWith({ apps: [...JSON.parse(exampleDirectory()).apps, ...apps] });
}

/** A form that the emulator answers with a token. */
export const goodForm = {
  grant_type: "client_credentials",
  client_id: contoso.clientId,
  client_secret: contoso.secret,
  scope: "https://graph.microsoft.com/.default",
};

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

/** Posts a form to the token endpoint; parameters that are undefined are left out. */
export async function requestToken(
  emulator: Emulator,
  form: Readonly<Record<string, string | undefined>>,
  { tenant = emulator.tenantId, headers = {} as Record<string, string> } = {},
): Promise<Answered> {
  const body = new URLSearchParams();
  for (const [name, value] of Object.entries(form)) {
    if (value !== undefined) body.append(name, value);
  }
  return await answered(
    await fetch(`${emulator.origin}/${tenant}/oauth2/v2.0/token`, {
      method: "POST",
      headers,
      body,
    }),
  );
}

/** A JSON answer, read to its end. */
export async function answered(response: Response): Promise<Answered> {
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === "" ? {} : JSON.parse(text),
  };
}

/** Sends bytes over TCP and returns everything that comes back, and how it ended. */
export async function rawExchange(
  emulator: Emulator,
  request: string,
  hostname = "127.0.0.1",
): Promise<{ readonly text: string; readonly end: "closed" | "reset" }> {
  const connection = await Deno.connect({ hostname, port: Number(new URL(emulator.origin).port) });
  const decoder = new TextDecoder();
  let text = "";
  try {
    await connection.write(new TextEncoder().encode(request));
    const buffer = new Uint8Array(65536);
    for (;;) {
      const count = await connection.read(buffer);
      if (count === null) return { text, end: "closed" };
      text += decoder.decode(buffer.subarray(0, count), { stream: true });
    }
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionReset) return { text, end: "reset" };
    throw error;
  } finally {
    connection.close();
  }
}

/** A token request as bytes. */
export function rawTokenRequest(emulator: Emulator, host = new URL(emulator.origin).host): string {
  const body = new URLSearchParams(goodForm).toString();
  return `POST /${emulator.tenantId}/oauth2/v2.0/token HTTP/1.1\r\n` +
    `Host: ${host}\r\nConnection: close\r\n` +
    "Content-Type: application/x-www-form-urlencoded\r\n" +
    `Content-Length: ${body.length}\r\n\r\n${body}`;
}
