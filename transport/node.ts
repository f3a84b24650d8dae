/**
 * Connections over `node:net` and `node:tls`.
 *
 * @module
 */

import { AcceptQueue } from "./_accept_queue.ts";
import { ReadQueue } from "./_read_queue.ts";
import { closedError, connectError, listenError, lostError } from "./_runtime_errors.ts";
import type { Adapter, ConnectOptions, Socket } from "./_socket.ts";
import { SocketTransport } from "./_socket_transport.ts";
import { alertError, certificateError, handshakeError, tlsOptionsError } from "./_tls_errors.ts";
import { type IdentityChecker, identityProblem } from "./_tls_identity.ts";
import { serverNameOf, type TlsSettings } from "./_tls_settings.ts";
import { type BrokerAddress, formatAddress } from "./address.ts";
import { TransportError } from "./errors.ts";
import type { Listener, ListenOptions } from "./transport.ts";

/** The part of `net.Socket` that is used here. */
interface NetSocket {
  readonly remoteAddress?: string;
  readonly remotePort?: number;
  on(event: "data", listener: (bytes: Uint8Array<ArrayBuffer>) => void): void;
  on(event: "end" | "close", listener: () => void): void;
  on(event: "error", listener: (cause: unknown) => void): void;
  once(event: "connect" | "secureConnect", listener: () => void): void;
  pause(): void;
  resume(): void;
  write(bytes: Uint8Array, taken: (cause?: unknown) => void): void;
  end(finished: (cause?: unknown) => void): void;
  destroy(): void;
}

interface NetServer {
  on(event: "connection", listener: (socket: NetSocket) => void): void;
  on(event: "error", listener: (cause: unknown) => void): void;
  listen(options: { host: string; port: number }, listening: () => void): void;
  address(): { address: string; port: number };
  close(): void;
}

interface TcpOptions {
  host: string;
  port: number;
  noDelay: boolean;
  keepAlive: boolean;
  allowHalfOpen: boolean;
}

interface Net {
  connect(options: TcpOptions): NetSocket;
  createServer(options: { noDelay: boolean; allowHalfOpen: boolean }): NetServer;
}

/** The part of `tls.TLSSocket` that is used here. */
interface TlsSocket extends NetSocket {
  readonly authorized: boolean;
  /** What is wrong with the peer's certificate. */
  readonly authorizationError: unknown;
}

/** The options of `tls.connect` that are added to those of `net.connect`. */
interface TlsOptions {
  servername: string;
  secureContext: object;
  rejectUnauthorized: boolean;
  checkServerIdentity(hostname: string, certificate: object): Error | undefined;
}

interface Tls extends IdentityChecker {
  connect(options: TcpOptions & TlsOptions): TlsSocket;
  createSecureContext(
    options: { minVersion: "TLSv1.2"; ca?: string[]; cert?: string; key?: string },
  ): object;
}

function builtin<Module>(name: string): Module {
  const { process } = globalThis as unknown as {
    process: { getBuiltinModule(name: string): Module };
  };
  return process.getBuiltinModule(name);
}

function net(): Net {
  return builtin("node:net");
}

function tls(): Tls {
  return builtin("node:tls");
}

class NodeSocket implements Socket {
  readonly remoteAddress: string;
  readonly closed: Promise<TransportError | undefined>;
  readonly #socket: NetSocket;
  readonly #queue: ReadQueue;
  #error: TransportError | undefined;

  constructor(socket: NetSocket) {
    this.#socket = socket;
    this.remoteAddress = formatAddress(socket.remoteAddress ?? "", socket.remotePort ?? 0);
    this.#queue = new ReadQueue(() => socket.resume());
    socket.on("data", ({ buffer, byteOffset, length }) => {
      // No Buffer: its slice() shares memory where that of Uint8Array copies.
      if (!this.#queue.push(new Uint8Array(buffer, byteOffset, length))) socket.pause();
    });
    socket.on("end", () => this.#queue.end());
    socket.on("error", (cause) => {
      this.#lost(cause);
      // After an alert of TLS the socket would stay.
      socket.destroy();
    });
    this.closed = new Promise((resolve) => {
      socket.on("close", () => {
        this.#queue.end(this.#error ?? closedError(this.remoteAddress));
        resolve(this.#error);
      });
    });
  }

  read(): Promise<Uint8Array | null> {
    return this.#queue.read();
  }

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (cause) => cause ? reject(this.#lost(cause)) : resolve());
    });
  }

  shutdown(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.end((cause) => cause ? reject(this.#lost(cause)) : resolve());
    });
  }

  destroy(error: TransportError): void {
    this.#error ??= error;
    this.#socket.destroy();
  }

  #lost(cause: unknown): TransportError {
    return this.#error ??= alertError(this.remoteAddress, cause) ??
      lostError(this.remoteAddress, cause);
  }
}

function connect(
  target: BrokerAddress,
  { noDelay, keepAlive, tls, signal }: ConnectOptions,
): Promise<Socket> {
  const { hostname: host, port, scheme } = target;
  const address = `${scheme}://${formatAddress(host, port)}`;
  const options = { host, port, noDelay, keepAlive, allowHalfOpen: true };
  return new Promise((resolve, reject) => {
    let socket: NetSocket;
    let toError = connectError;
    try {
      if (tls) {
        const secure = startTls(target, options, tls);
        toError = (address, cause) => tlsConnectError(address, cause, secure);
        socket = secure;
      } else {
        socket = net().connect(options);
      }
    } catch (cause) { // Node's permission model
      return reject(cause instanceof TransportError ? cause : connectError(address, cause));
    }
    const onAbort = () => {
      socket.destroy();
      reject(signal.reason);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    socket.on("error", (cause) => {
      signal.removeEventListener("abort", onAbort);
      reject(toError(address, cause));
    });
    socket.once(tls ? "secureConnect" : "connect", () => {
      signal.removeEventListener("abort", onAbort);
      resolve(new NodeSocket(socket));
    });
  });
}

function startTls(target: BrokerAddress, options: TcpOptions, settings: TlsSettings): TlsSocket {
  const { caCerts, client, verify } = settings;
  const servername = serverNameOf(target);
  let secureContext: object;
  try {
    const ca = caCerts ? { ca: caCerts } : {};
    secureContext = tls().createSecureContext({ minVersion: "TLSv1.2", ...ca, ...client });
  } catch (cause) {
    throw tlsOptionsError(`ssl://${formatAddress(target.hostname, target.port)}`, cause);
  }
  // Always said, for an environment variable changes the default.
  const rejectUnauthorized = verify !== "nothing";
  const checkServerIdentity = (hostname: string, certificate: object) =>
    verify === "all" ? identityProblem(tls(), hostname, certificate) : undefined;
  return tls().connect({
    ...options,
    servername,
    secureContext,
    rejectUnauthorized,
    checkServerIdentity,
  });
}

function tlsConnectError(address: string, cause: unknown, socket: TlsSocket): TransportError {
  return (socket.authorizationError ? certificateError : handshakeError)(address, cause);
}

function listen({ hostname, port, noDelay }: Required<ListenOptions>): Promise<Listener> {
  return new Promise((resolve, reject) => {
    const server = net().createServer({ noDelay, allowHalfOpen: true });
    server.on("error", (cause) => reject(listenError(formatAddress(hostname, port), cause)));
    server.listen({ host: hostname, port }, () => {
      const { address, port } = server.address();
      const listener = new AcceptQueue(address, port, () => server.close());
      server.on("connection", (socket) => {
        listener.push(new SocketTransport(new NodeSocket(socket)));
      });
      resolve(listener);
    });
  });
}

/** Node's sockets. */
export const nodeAdapter: Adapter = { connect, listen };
