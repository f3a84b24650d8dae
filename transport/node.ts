/**
 * Connections over `node:net`.
 *
 * @module
 */

import { AcceptQueue } from "./_accept_queue.ts";
import { ReadQueue } from "./_read_queue.ts";
import { closedError, connectError, listenError, lostError } from "./_runtime_errors.ts";
import type { Adapter, ConnectOptions, Socket } from "./_socket.ts";
import { SocketTransport } from "./_socket_transport.ts";
import { type BrokerAddress, formatAddress } from "./address.ts";
import type { TransportError } from "./errors.ts";
import type { Listener, ListenOptions } from "./transport.ts";

/** The part of `net.Socket` that is used here. */
interface NetSocket {
  readonly remoteAddress?: string;
  readonly remotePort?: number;
  on(event: "data", listener: (bytes: Uint8Array<ArrayBuffer>) => void): void;
  on(event: "end" | "close", listener: () => void): void;
  on(event: "error", listener: (cause: unknown) => void): void;
  once(event: "connect", listener: () => void): void;
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

interface Net {
  connect(
    options: {
      host: string;
      port: number;
      noDelay: boolean;
      keepAlive: boolean;
      allowHalfOpen: boolean;
    },
  ): NetSocket;
  createServer(options: { noDelay: boolean; allowHalfOpen: boolean }): NetServer;
}

function net(): Net {
  const { process } = globalThis as unknown as {
    process: { getBuiltinModule(name: string): Net };
  };
  return process.getBuiltinModule("node:net");
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
    socket.on("error", (cause) => this.#lost(cause));
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
    return this.#error ??= lostError(this.remoteAddress, cause);
  }
}

function connect(
  target: BrokerAddress,
  { noDelay, keepAlive, signal }: ConnectOptions,
): Promise<Socket> {
  const { hostname: host, port, scheme } = target;
  const address = `${scheme}://${formatAddress(host, port)}`;
  return new Promise((resolve, reject) => {
    let socket: NetSocket;
    try {
      socket = net().connect({ host, port, noDelay, keepAlive, allowHalfOpen: true });
    } catch (cause) { // Node's permission model
      return reject(connectError(address, cause));
    }
    const onAbort = () => {
      socket.destroy();
      reject(signal.reason);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    socket.on("error", (cause) => {
      signal.removeEventListener("abort", onAbort);
      reject(connectError(address, cause));
    });
    socket.once("connect", () => {
      signal.removeEventListener("abort", onAbort);
      resolve(new NodeSocket(socket));
    });
  });
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
