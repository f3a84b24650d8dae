/**
 * Connections over `Bun.connect` and `Bun.listen`, with TLS too.
 *
 * @module
 */

import { AcceptQueue } from "./_accept_queue.ts";
import { ReadQueue } from "./_read_queue.ts";
import { connectError, listenError, lostError } from "./_runtime_errors.ts";
import type { Adapter, ConnectOptions, Socket } from "./_socket.ts";
import { SocketTransport } from "./_socket_transport.ts";
import { alertError, certificateError, handshakeError, tlsOptionsError } from "./_tls_errors.ts";
import { type IdentityChecker, identityProblem } from "./_tls_identity.ts";
import { serverNameOf, type TlsSettings } from "./_tls_settings.ts";
import { type BrokerAddress, formatAddress } from "./address.ts";
import { TransportError } from "./errors.ts";
import type { Listener, ListenOptions } from "./transport.ts";

/** The part of `Bun.Socket` that is used here. */
interface BunTcpSocket {
  data: BunSocket;
  readonly remoteAddress: string;
  readonly remotePort: number;
  setNoDelay(noDelay: boolean): void;
  setKeepAlive(keepAlive: boolean): void;
  write(bytes: Uint8Array): number;
  shutdown(): void;
  end(): void;
  pause(): void;
  resume(): void;
  /** The following are there with TLS. */
  readonly authorized: boolean;
  getAuthorizationError(): ErrorWithCode | null;
  getPeerCertificate(): object;
}

interface BunHandlers {
  binaryType: "uint8array";
  open(socket: BunTcpSocket): void;
  data(socket: BunTcpSocket, bytes: Uint8Array): void;
  drain(socket: BunTcpSocket): void;
  end(socket: BunTcpSocket): void;
  close(socket: BunTcpSocket, cause?: unknown): void;
  error(socket: BunTcpSocket, cause: unknown): void;
  connectError(socket: unknown, cause: unknown): void;
  /** `cause` tells what is wrong with the certificate, or why there is none. */
  handshake?(socket: BunTcpSocket, success: boolean, cause: ErrorWithCode | null): void;
}

type ErrorWithCode = Error & { code?: string };

interface BunOptions {
  hostname: string;
  port: number;
  allowHalfOpen: boolean;
  socket: BunHandlers;
  tls?: {
    serverName: string;
    rejectUnauthorized: boolean;
    ca?: string[];
    cert?: string;
    key?: string;
  };
}

interface BunSockets {
  readonly version: string;
  connect(options: BunOptions): Promise<BunTcpSocket>;
  listen(options: BunOptions): { hostname: string; port: number; stop(): void };
}

function bun(): BunSockets {
  return (globalThis as unknown as { Bun: BunSockets }).Bun;
}

class BunSocket implements Socket {
  readonly remoteAddress: string;
  readonly closed: Promise<TransportError | undefined>;
  readonly #socket: BunTcpSocket;
  readonly #queue: ReadQueue;
  readonly #onClosed: (error: TransportError | undefined) => void;
  #drained: PromiseWithResolvers<void> | undefined;
  #error: TransportError | undefined;
  #shutDown = false;

  constructor(socket: BunTcpSocket) {
    this.#socket = socket;
    this.remoteAddress = formatAddress(socket.remoteAddress, socket.remotePort);
    this.#queue = new ReadQueue(() => socket.resume());
    const { promise, resolve } = Promise.withResolvers<TransportError | undefined>();
    this.closed = promise;
    this.#onClosed = resolve;
  }

  onData(bytes: Uint8Array): void {
    if (!this.#queue.push(bytes)) this.#socket.pause();
  }

  onDrain(): void {
    this.#drained?.resolve();
    this.#drained = undefined;
  }

  onEnd(): void {
    // After a failed write, a reset looks like an end: the error of the socket can be fetched only once.
    this.#queue.end(this.#error);
  }

  onError(cause: unknown): void {
    this.#error ??= alertError(this.remoteAddress, cause);
  }

  onClose(cause: unknown): void {
    // After our own end of stream, Bun reports that of the peer as a close without an error.
    if (cause || !this.#shutDown) this.#lost(cause);
    this.#queue.end(this.#error);
    this.onDrain();
    this.#onClosed(this.#error);
  }

  read(): Promise<Uint8Array | null> {
    return this.#queue.read();
  }

  async write(bytes: Uint8Array): Promise<void> {
    let taken = 0;
    while (taken < bytes.length) {
      // Not by its offset argument: Bun 1.4 then still takes the length of the whole array.
      const count = this.#socket.write(taken ? bytes.subarray(taken) : bytes);
      if (count < 0) {
        // Bun closes the socket when it has read what is left.
        this.#socket.resume();
        throw this.#lost();
      }
      taken += count;
      if (taken < bytes.length) {
        this.#drained = Promise.withResolvers();
        await this.#drained.promise;
      }
    }
  }

  shutdown(): Promise<void> {
    if (this.#error) return Promise.reject(this.#error);
    // Not end(): it closes the socket for reading, too.
    this.#shutDown = true;
    this.#socket.shutdown();
    return Promise.resolve();
  }

  destroy(error: TransportError): void {
    this.#error ??= error;
    this.#socket.end();
  }

  #lost(cause?: unknown): TransportError {
    return this.#error ??= lostError(this.remoteAddress, cause);
  }
}

function handlers(
  noDelay: boolean,
  keepAlive: boolean,
  onOpen?: (socket: BunSocket) => void,
): BunHandlers {
  return {
    binaryType: "uint8array",
    open(socket) {
      socket.data = new BunSocket(socket);
      socket.setNoDelay(noDelay);
      if (keepAlive) socket.setKeepAlive(true);
      onOpen?.(socket.data);
    },
    data: (socket, bytes) => socket.data.onData(bytes),
    drain: (socket) => socket.data.onDrain(),
    end: (socket) => socket.data.onEnd(),
    close: (socket, cause) => socket.data.onClose(cause),
    error: (socket, cause) => socket.data?.onError(cause),
    // Without it a failed connect() counts as an unhandled rejection.
    connectError() {},
  };
}

async function connect(target: BrokerAddress, options: ConnectOptions): Promise<Socket> {
  if (options.tls) return await connectTls(target, options, options.tls);
  const { noDelay, keepAlive } = options;
  const { hostname, port, scheme } = target;
  try {
    const socket = handlers(noDelay, keepAlive);
    const { data } = await bun().connect({ hostname, port, allowHalfOpen: true, socket });
    // Bun tells of no failure when the peer resets at once, but opens nothing.
    if (!data) throw new Error("the peer reset the connection");
    return data;
  } catch (cause) {
    throw connectError(`${scheme}://${formatAddress(hostname, port)}`, cause);
  }
}

async function connectTls(
  target: BrokerAddress,
  { noDelay, keepAlive, signal }: ConnectOptions,
  tls: TlsSettings,
): Promise<Socket> {
  const { hostname, port, scheme } = target;
  const address = `${scheme}://${formatAddress(hostname, port)}`;
  checkVersion(address);
  const shaken = Promise.withResolvers<void>();
  shaken.promise.catch(() => {}); // It is waited for later.
  const common = handlers(noDelay, keepAlive);
  const socket: BunHandlers = {
    ...common,
    handshake(socket, success, cause) {
      const problem = handshakeProblem(target, tls, socket, success, cause);
      if (problem) shaken.reject(problem);
      else shaken.resolve();
    },
    close(socket, cause) {
      shaken.reject(handshakeError(address, cause ?? ended));
      common.close(socket, cause);
    },
  };
  let connected: BunTcpSocket;
  try {
    connected = await bun().connect({
      hostname,
      port,
      allowHalfOpen: true,
      socket,
      tls: {
        serverName: serverNameOf(target),
        // Bun can't leave out the host's name alone; then handshakeProblem() does it.
        rejectUnauthorized: tls.verify === "all",
        ...tls.caCerts ? { ca: tls.caCerts } : {},
        ...tls.client,
      },
    });
  } catch (cause) {
    const unusable = /OSSL|BORINGSSL/.test(String((cause as ErrorWithCode).code));
    throw (unusable ? tlsOptionsError : connectError)(address, cause);
  }
  // As without TLS: a reset at once opens nothing.
  if (!connected.data) shaken.reject(handshakeError(address, ended));
  const onAbort = () => shaken.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    signal.throwIfAborted();
    await shaken.promise;
    return connected.data;
  } catch (error) {
    connected.end();
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** What a close without a reason means before TLS stands. */
const ended = Object.assign(new Error("The connection was closed"), { code: "ECONNRESET" });

/** The one problem of a certificate that is not with its authorities. */
const OTHER_HOST = "ERR_TLS_CERT_ALTNAME_INVALID";

/**
 * What is wrong with a handshake that has ended. All that Bun says has to agree, and the host's name is compared once more, for
 * Bun has called certificates authorized that were not (oven-sh/bun#29096, oven-sh/bun#33846).
 */
function handshakeProblem(
  { hostname, port, scheme }: BrokerAddress,
  { verify }: TlsSettings,
  socket: BunTcpSocket,
  success: boolean,
  cause: ErrorWithCode | null,
): TransportError | undefined {
  const address = `${scheme}://${formatAddress(hostname, port)}`;
  // For a certificate alone the codes are others: CERT_HAS_EXPIRED, ERR_TLS_….
  const failed = !success && (!cause || /^E[A-Z]+$/.test(cause.code ?? ""));
  if (failed) return handshakeError(address, cause ?? ended);
  if (verify === "nothing") return undefined;
  let problem = cause ?? socket.getAuthorizationError();
  if (verify === "chain") {
    if (problem?.code === OTHER_HOST) problem = null;
  } else {
    problem ??= identityProblem(nodeTls(), hostname, socket.getPeerCertificate()) ?? null;
    if (!socket.authorized) problem ??= new Error("Bun doesn't authorize it");
  }
  return problem ? certificateError(address, problem) : undefined;
}

function nodeTls(): IdentityChecker {
  const { process } = globalThis as unknown as {
    process: { getBuiltinModule(name: "node:tls"): IdentityChecker };
  };
  return process.getBuiltinModule("node:tls");
}

/** Older ones don't notice every end of a connection with TLS, and Bun before 1.4 calls any certificate authorized. */
function checkVersion(address: string): void {
  const { version } = bun();
  const [major = 0, minor = 0, patch = 0] = version.split(".").map((part) => parseInt(part));
  if ((major * 1000 + minor) * 1000 + patch >= 1_004_001) return;
  throw new TransportError(
    "UNSUPPORTED_RUNTIME",
    `Cannot connect to ${address}: TLS needs Bun 1.4.1 or later, this is Bun ${version}`,
  );
}

// deno-lint-ignore require-await -- an error of Bun.listen() becomes a rejection
async function listen({ hostname, port, noDelay }: Required<ListenOptions>): Promise<Listener> {
  try {
    const socket = handlers(noDelay, false, (socket) => listener.push(new SocketTransport(socket)));
    const server = bun().listen({ hostname, port, allowHalfOpen: true, socket });
    const listener = new AcceptQueue(server.hostname, server.port, () => server.stop());
    return listener;
  } catch (cause) {
    throw listenError(formatAddress(hostname, port), cause);
  }
}

/** Bun's sockets. */
export const bunAdapter: Adapter = { connect, listen };
