/**
 * A connection without sockets.
 *
 * @module
 */

import { ReadQueue } from "./_read_queue.ts";
import { lostError } from "./_runtime_errors.ts";
import type { Socket } from "./_socket.ts";
import { SocketTransport } from "./_socket_transport.ts";
import type { TransportError } from "./errors.ts";
import type { Transport } from "./transport.ts";

class MemorySocket implements Socket {
  readonly remoteAddress = "memory";
  readonly closed: Promise<TransportError | undefined>;
  readonly #onClosed: (error: TransportError) => void;
  readonly #incoming: ReadQueue = new ReadQueue(() => this.#peer.#onResume());
  #peer!: MemorySocket;
  #resumed: PromiseWithResolvers<void> | undefined;
  #error: TransportError | undefined;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<TransportError | undefined>();
    this.closed = promise;
    this.#onClosed = resolve;
  }

  static pair(): [MemorySocket, MemorySocket] {
    const [a, b] = [new MemorySocket(), new MemorySocket()];
    a.#peer = b;
    b.#peer = a;
    return [a, b];
  }

  read(): Promise<Uint8Array | null> {
    return this.#incoming.read();
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#check();
    if (bytes.length === 0 || this.#peer.#incoming.push(bytes.slice())) return;
    this.#resumed = Promise.withResolvers();
    await this.#resumed.promise;
    if (this.#error) throw this.#error;
  }

  // deno-lint-ignore require-await -- rejects after destroy()
  async shutdown(): Promise<void> {
    this.#check();
    this.#peer.#incoming.end();
  }

  destroy(error: TransportError): void {
    if (this.#error) return;
    this.#error = error;
    // As with TCP: the peer sees the end of the stream, or a reset if something it sent was not read.
    const reset = this.#incoming.size > 0;
    this.#incoming.end(error);
    this.#peer.#incoming.end(reset ? lostError(this.remoteAddress) : undefined);
    this.#onResume();
    if (this.#peer.#resumed || reset) this.#peer.destroy(lostError(this.remoteAddress));
    this.#onClosed(error);
  }

  #onResume(): void {
    this.#resumed?.resolve();
    this.#resumed = undefined;
  }

  /** Fails like a socket whose peer is gone. */
  #check(): void {
    if (!this.#error && this.#peer.#error) this.destroy(lostError(this.remoteAddress));
    if (this.#error) throw this.#error;
  }
}

/**
 * Makes two connected transports in memory, for tests.
 *
 * They behave as the two ends of a TCP connection do: half-close, back-pressure, loss.
 *
 * @returns The two ends.
 *
 * @example A client and its peer
 * ```ts
 * import { memoryPair } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const [client, server] = memoryPair();
 * void client.writable.getWriter().write(Uint8Array.of(1, 2, 3));
 * const { value } = await server.readable.getReader().read();
 * assertEquals(value, Uint8Array.of(1, 2, 3));
 * client.close();
 * ```
 */
export function memoryPair(): [Transport, Transport] {
  const [a, b] = MemorySocket.pair();
  return [new SocketTransport(a), new SocketTransport(b)];
}
