/**
 * Serves one web-standard handler on both loopback addresses, and owns what must be refused before any route sees
 * it: foreign Host headers, odd request targets, oversized bodies.
 *
 * Built on `node:http` and not on `Deno.serve`, because the emulator must be able to break a connection on purpose:
 * to reset it before a byte is answered, or to close it in the middle of a body. `Deno.serve` always answers
 * something well-formed.
 */

import { createServer as createHttpServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { Socket } from "node:net";
import { EntraToolError } from "../errors.ts";

/** No request to Entra is anywhere near this; a client assertion with a certificate chain is about 10 KiB. */
const maxRequestBytes = 256 * 1024;

/** Ends the connection instead of answering properly. */
export type Breakage =
  /** TCP reset before any byte of an answer. */
  | { readonly kind: "reset" }
  /** Announces the whole body, sends its first `bytes` bytes but never all, then closes the connection. */
  | { readonly kind: "truncate"; readonly response: Response; readonly bytes: number };

/** What a handler may give back. */
export type Answer = Response | Breakage;

/**
 * Answers one request; the request's body is complete and bounded.
 *
 * @param origin the server's own, as in {@link RunningServer}
 */
export type Handler = (request: Request, origin: string) => Promise<Answer>;

/** A request that no handler was asked about. */
export interface RefusedRequest {
  readonly method: string;
  /** Without the query; empty when the request named no path. */
  readonly path: string;
  readonly status: number;
}

export interface ServerOptions {
  /** 0 for any free port. */
  readonly port: number;
  /** PEM; https when given. */
  readonly tls?: { readonly certificate: string; readonly privateKey: string };
  readonly handler: Handler;
  /** Is told of each request that is refused here. */
  readonly refused: (request: RefusedRequest) => void;
}

/** A server that is listening. */
export interface RunningServer {
  readonly port: number;
  /** `http://localhost:PORT` or `https://localhost:PORT`. */
  readonly origin: string;
  /** Stops listening and drops every open connection. */
  close(): Promise<void>;
}

/**
 * Listens on 127.0.0.1 and, where the machine has it, on ::1 with the same port.
 *
 * @throws EntraToolError usage when the port is taken or may not be used.
 */
export async function serveLoopback(options: ServerOptions): Promise<RunningServer> {
  // A port that is free on 127.0.0.1 may be taken on ::1; a port of our own choice is then chosen again.
  for (let attempt = 1;; attempt++) {
    const sockets = new Set<Socket>();
    const create = () => createServer(options, sockets);
    const ipv4 = create();
    const port = await listen(ipv4, options.port, "127.0.0.1").catch((error) => {
      throw portError(options.port, error);
    });
    const ipv6 = create();
    const servers = [ipv4];
    try {
      await listen(ipv6, port, "::1");
      servers.push(ipv6);
    } catch (error) {
      if (isAddressInUse(error)) {
        await stop(ipv4);
        if (options.port === 0 && attempt < 10) continue;
        throw portError(port, error);
      }
      // No IPv6 on this machine: 127.0.0.1 alone will do.
    }
    return {
      port,
      origin: originOf(options, port),
      async close() {
        const stopped = Promise.all(servers.map(stop));
        for (const socket of sockets) socket.destroy();
        await stopped;
      },
    };
  }
}

function originOf(options: ServerOptions, port: number | undefined): string {
  return `${options.tls === undefined ? "http" : "https"}://localhost:${port}`;
}

function createServer(options: ServerOptions, sockets: Set<Socket>): Server {
  const listener = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    answer(incoming, outgoing, options, portOf(server as Server)).catch(() => {
      if (outgoing.headersSent) incoming.socket.destroy();
      else refuse(incoming, outgoing, 500, "The emulator failed, see its log");
    });
  };
  const server = options.tls === undefined
    ? createHttpServer(listener)
    : createHttpsServer({ cert: options.tls.certificate, key: options.tls.privateKey }, listener);
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  return server as Server;
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, host, exclusive: true }, () => {
      server.off("error", reject);
      resolve(portOf(server) ?? port);
    });
  });
}

/** The port that the server listens on: Deno 2.6 does not tell it of the sockets. */
function portOf(server: Server): number | undefined {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : undefined;
}

function stop(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

function isAddressInUse(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EADDRINUSE";
}

function portError(port: number, cause: unknown): EntraToolError {
  const message = isAddressInUse(cause)
    ? `Port ${port} is already in use on this machine`
    : `Port ${port} can not be opened on this machine`;
  return new EntraToolError("usage", "emulator_port_unavailable", message, {
    hint: "entratool emulator --port 0",
    cause,
  });
}

async function answer(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  options: ServerOptions,
  port: number | undefined,
): Promise<void> {
  const origin = originOf(options, port);
  const request = await admit(incoming, origin, port);
  if (request instanceof Request) {
    return send(await options.handler(request, origin), incoming, outgoing);
  }
  const target = incoming.url ?? "";
  options.refused({
    method: incoming.method ?? "",
    path: target.startsWith("/") ? target.replace(/[?#].*$/s, "") : "",
    status: request.status,
  });
  refuse(incoming, outgoing, request.status, request.reason);
}

/** The request as handlers may see it, or why they may not. */
async function admit(
  incoming: IncomingMessage,
  origin: string,
  port: number | undefined,
): Promise<Request | { readonly status: number; readonly reason: string }> {
  const host = incoming.headers.host?.toLowerCase() ?? "";
  // A web page that rebinds its own name to 127.0.0.1 still sends its own name here.
  if (!isLoopbackHost(host, port)) {
    return { status: 421, reason: "This emulator answers to loopback names only" };
  }
  const target = incoming.url ?? "";
  // RFC 9112 §3.2: only the origin form is for origin servers; `http://evil/` and `*` are not for us.
  if (!target.startsWith("/")) {
    return { status: 400, reason: "The request target must be a path" };
  }
  const body = await readBody(incoming);
  if (body === undefined) {
    return { status: 413, reason: `A request body may have ${maxRequestBytes} bytes` };
  }
  return toRequest(incoming, origin + target, body) ??
    { status: 400, reason: "The request is malformed" };
}

/** Whether a Host header names this machine and the port that the connection came in on. */
function isLoopbackHost(host: string, port: number | undefined): boolean {
  return ["localhost", "127.0.0.1", "[::1]"].some((name) => host === `${name}:${port}`);
}

function refuse(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  status: number,
  text: string,
): void {
  outgoing.writeHead(status, {
    "Content-Type": "text/plain; charset=utf-8",
    "Connection": "close",
  });
  outgoing.end(`${text}\n`);
  incoming.resume();
}

/** The whole body, or nothing when it is larger than any honest request or ends too early. */
function readBody(incoming: IncomingMessage): Promise<Uint8Array<ArrayBuffer> | undefined> {
  // By events and not by `for await`: leaving such a loop destroys the connection before anything is answered.
  return new Promise((resolve) => {
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    let size = 0;
    incoming.on("data", (chunk: Uint8Array<ArrayBuffer>) => {
      size += chunk.length;
      if (size > maxRequestBytes) resolve(undefined);
      else chunks.push(chunk);
    });
    incoming.on("end", () => {
      const body = new Uint8Array(size);
      let offset = 0;
      for (const chunk of chunks) {
        body.set(chunk, offset);
        offset += chunk.length;
      }
      resolve(body);
    });
    incoming.on("close", () => resolve(undefined));
  });
}

function toRequest(
  incoming: IncomingMessage,
  url: string,
  body: Uint8Array<ArrayBuffer>,
): Request | undefined {
  const method = incoming.method ?? "GET";
  const headers = new Headers();
  for (let i = 0; i + 1 < incoming.rawHeaders.length; i += 2) {
    headers.append(incoming.rawHeaders[i]!, incoming.rawHeaders[i + 1]!);
  }
  try {
    return new Request(url, {
      method,
      headers,
      body: method === "GET" || method === "HEAD" ? null : body,
    });
  } catch {
    // A method or URL that the Fetch standard forbids, such as TRACE or CONNECT.
    return undefined;
  }
}

async function send(
  answer: Answer,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  if ("kind" in answer && answer.kind === "reset") {
    incoming.socket.resetAndDestroy();
    return;
  }
  if ("kind" in answer) {
    const body = new Uint8Array(await answer.response.arrayBuffer());
    const bytes = Math.min(answer.bytes, body.length - 1);
    outgoing.writeHead(answer.response.status, {
      ...Object.fromEntries(answer.response.headers),
      "Content-Length": body.length,
    });
    outgoing.write(body.subarray(0, bytes), () => incoming.socket.destroy());
    return;
  }
  await sendResponse(answer, incoming, outgoing);
}

async function sendResponse(
  response: Response,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  if (response.body !== null && incoming.method !== "HEAD") {
    for await (const chunk of response.body) {
      if (outgoing.destroyed || incoming.socket.destroyed) return;
      // Waits for the client to read: a body of 64 MiB is never held in memory.
      await new Promise<void>((resolve) => {
        const proceed = () => {
          outgoing.off("close", proceed);
          resolve();
        };
        outgoing.once("close", proceed);
        outgoing.write(chunk, proceed);
      });
    }
  }
  outgoing.end();
}
