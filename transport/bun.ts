/**
 * Connections over `Bun.connect` and `Bun.listen`.
 *
 * @module
 */

import { AcceptQueue } from "./_accept_queue.ts";
import { ReadQueue } from "./_read_queue.ts";
import { connectError, listenError, lostError } from "./_runtime_errors.ts";
import type { Adapter, ConnectOptions, Socket } from "./_socket.ts";
import { SocketTransport } from "./_socket_transport.ts";
import { type BrokerAddress, formatAddress } from "./address.ts";
import type { TransportError } from "./errors.ts";
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
}

interface BunOptions {
  hostname: string;
  port: number;
  allowHalfOpen: boolean;
  socket: BunHandlers;
}

interface BunSockets {
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
    error() {},
    // Without it a failed connect() counts as an unhandled rejection.
    connectError() {},
  };
}

async function connect(
  target: BrokerAddress,
  { noDelay, keepAlive }: ConnectOptions,
): Promise<Socket> {
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
