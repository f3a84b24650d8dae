import type { TlsSettings } from "./_tls_settings.ts";
import type { BrokerAddress } from "./address.ts";
import type { TransportError } from "./errors.ts";
import type { Listener, ListenOptions } from "./transport.ts";

/**
 * One connection of a runtime, as an adapter shows it; `SocketTransport` makes the streams of it.
 *
 * A read or write that fails does so with a `TransportError`, and the adapter releases the socket by itself. There is one
 * read and one write or shutdown at a time.
 */
export interface Socket {
  /** Address of the peer. */
  readonly remoteAddress: string;
  /** Resolves when the socket is released, with the error that is the reason if there is one; never rejects. */
  readonly closed: Promise<TransportError | undefined>;
  /** The next bytes, owned by the caller; `null` at the peer's end of stream. */
  read(): Promise<Uint8Array | null>;
  /** Resolves when all bytes have been taken. */
  write(bytes: Uint8Array): Promise<void>;
  /** Sends the end of stream after all that was written. */
  shutdown(): Promise<void>;
  /** Releases the socket; pending and later calls reject with the error. Idempotent. */
  destroy(error: TransportError): void;
}

/** What a runtime can do. */
export interface Adapter {
  /**
   * Connects; may stop early and reject with anything when the signal is aborted. With TLS, the peer has been verified by then.
   */
  connect(target: BrokerAddress, options: ConnectOptions): Promise<Socket>;
  /** Listens. */
  listen(options: Required<ListenOptions>): Promise<Listener>;
}

/** Options of {@linkcode Adapter.connect}. */
export interface ConnectOptions {
  /** Whether to send small writes at once. */
  noDelay: boolean;
  /** Whether the system probes a silent connection. */
  keepAlive: boolean;
  /** Options of TLS, if there is to be TLS. */
  tls: TlsSettings | undefined;
  /** Ends the attempt. */
  signal: AbortSignal;
}
