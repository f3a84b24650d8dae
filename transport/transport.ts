/**
 * What a connection is to the rest of the module.
 *
 * @module
 */

import type { TlsOptions } from "./tls_options.ts";

/**
 * An open connection: bytes in, bytes out.
 *
 * Loss is noticed while something is read or written, therefore a client keeps a read pending. A broken connection ends
 * both directions with a `TransportError`; what has arrived before can still be read.
 *
 * @example
 * ```ts
 * import { memoryPair, type Transport } from "./mod.ts";
 *
 * const [transport, peer]: [Transport, Transport] = memoryPair();
 * transport.close();
 * peer.close();
 * await Promise.all([transport.closed, peer.closed]);
 * ```
 */
export interface Transport {
  /**
   * The bytes of the peer, in chunks of any size.
   *
   * A chunk belongs to the reader and is never touched again. The stream closes at the peer's end of stream, while
   * `writable` goes on. Nothing is read ahead beyond a bounded amount, so a slow reader slows the peer.
   *
   * Under TLS the end may be that of TCP alone, without a word of the peer, which anybody on the way can bring about. On Deno
   * that is a `TransportError` of code `"CONNECTION_RESET"`; Bun and Node don't tell it from an orderly end.
   *
   * `cancel()` throws away what still comes; it doesn't release the connection.
   */
  readonly readable: ReadableStream<Uint8Array>;
  /**
   * The bytes for the peer.
   *
   * A write resolves when the runtime has taken all bytes; until then they must not be changed. `close()` tells the peer
   * that no more will come after all bytes have been taken, while `readable` goes on. `abort()` is the same as
   * {@linkcode Transport.close}.
   */
  readonly writable: WritableStream<Uint8Array>;
  /** Resolves when the connection has been released, for whatever reason; never rejects. */
  readonly closed: Promise<void>;
  /** Address of the peer such as `"127.0.0.1:61616"`, for messages. */
  readonly remoteAddress: string;
  /**
   * Releases the connection at once, in both directions. Further calls do nothing.
   *
   * Whatever is pending, and later reads and writes, fail with a `TransportError` of code `"CLOSED"`. Happens by itself
   * when both directions have ended.
   *
   * @param reason Becomes the `cause` of that error.
   */
  close(reason?: unknown): void;
}

/**
 * A listening socket, which gives a {@linkcode Transport} for each connection that comes in.
 *
 * Leaving the loop doesn't close the listener.
 *
 * @example
 * ```ts
 * import { listen, type Listener } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * await using listener: Listener = await listen();
 * assertEquals(listener.hostname, "127.0.0.1");
 * ```
 */
export interface Listener extends AsyncIterable<Transport>, AsyncDisposable {
  /** The port listened on; a free one if `0` was asked for. */
  readonly port: number;
  /** The address listened on. */
  readonly hostname: string;
  /**
   * Frees the port and ends the iteration.
   *
   * Connections that the iteration has given stay open, others are closed.
   */
  close(): Promise<void>;
}

/**
 * Options of a socket, as far as all runtimes have them.
 *
 * @example
 * ```ts
 * import type { SocketOptions } from "./mod.ts";
 *
 * const options: SocketOptions = { connectTimeout: 5_000, keepAlive: true };
 * ```
 */
export interface SocketOptions {
  /** Milliseconds until an attempt to connect fails; `0` leaves that to the operating system. @default {30_000} */
  connectTimeout?: number | undefined;
  /** Whether small writes are sent at once, not held back until earlier ones are acknowledged. @default {true} */
  noDelay?: boolean | undefined;
  /** Whether the operating system probes a silent connection, after a time that it chooses. @default {false} */
  keepAlive?: boolean | undefined;
}

/**
 * Options of `dial()`.
 *
 * @example
 * ```ts
 * import type { DialOptions } from "./mod.ts";
 *
 * const options: DialOptions = { connectTimeout: 5_000, signal: new AbortController().signal };
 * ```
 */
export interface DialOptions extends SocketOptions {
  /** Options of TLS; only for `ssl://` URLs. */
  tls?: TlsOptions | undefined;
  /** Ends the attempt to connect. No effect on an open connection. */
  signal?: AbortSignal | undefined;
}

/**
 * Options of `listen()`.
 *
 * @example
 * ```ts
 * import type { ListenOptions } from "./mod.ts";
 *
 * const options: ListenOptions = { hostname: "127.0.0.1", port: 0 };
 * ```
 */
export interface ListenOptions {
  /**
   * The address to listen on.
   *
   * @default {"127.0.0.1"}
   */
  hostname?: string;
  /**
   * The port to listen on; `0` takes a free one.
   *
   * @default {0}
   */
  port?: number;
  /**
   * Whether small writes are sent at once, not held back until earlier ones are acknowledged.
   *
   * @default {true}
   */
  noDelay?: boolean;
}
