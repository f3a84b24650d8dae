/**
 * Connections over `Deno.connect`, `Deno.startTls` and `Deno.listen`.
 *
 * @module
 */

import { AcceptQueue } from "./_accept_queue.ts";
import { ReadQueue } from "./_read_queue.ts";
import { connectError, listenError, lostError } from "./_runtime_errors.ts";
import type { Adapter, ConnectOptions, Socket } from "./_socket.ts";
import { SocketTransport } from "./_socket_transport.ts";
import { alertError, certificateError, handshakeError, tlsOptionsError } from "./_tls_errors.ts";
import type { ClientCertificate, TlsSettings } from "./_tls_settings.ts";
import { type BrokerAddress, formatAddress } from "./address.ts";
import { TransportError } from "./errors.ts";
import type { Listener, ListenOptions } from "./transport.ts";

interface NetAddr {
  hostname: string;
  port: number;
}

/** The part of `Deno.Conn` that is used here. */
interface Conn {
  readonly remoteAddr: NetAddr;
  read(into: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  closeWrite(): Promise<void>;
  close(): void;
}

interface TcpConn extends Conn {
  setNoDelay(noDelay: boolean): void;
  setKeepAlive(keepAlive: boolean): void;
}

interface TlsConn extends Conn {
  handshake(): Promise<unknown>;
}

interface StartTlsOptions {
  hostname: string;
  caCerts?: string[];
  unsafelyDisableHostnameVerification: boolean;
}

interface TcpListener {
  readonly addr: NetAddr;
  accept(): Promise<TcpConn>;
  close(): void;
}

interface DenoSockets {
  connect(options: NetAddr & { signal: AbortSignal }): Promise<TcpConn>;
  startTls(conn: TcpConn, options: StartTlsOptions): Promise<TlsConn>;
  connectTls(
    options: StartTlsOptions & NetAddr & { cert: string; key: string },
  ): Promise<TlsConn>;
  listen(options: NetAddr): TcpListener;
}

function deno(): DenoSockets {
  return (globalThis as unknown as { Deno: DenoSockets }).Deno;
}

const bufferSize = 64 * 1024;
/** Until so much has come at once: a connection on which little comes needs no more. */
const firstBufferSize = 4 * 1024;
/** Fewer bytes are copied, so that they don't keep the whole buffer alive; more are handed out with it. */
const copyLimit = 16 * 1024;

class DenoSocket implements Socket {
  readonly remoteAddress: string;
  readonly closed: Promise<TransportError | undefined>;
  readonly #conn: Conn;
  readonly #onClosed: (error: TransportError) => void;
  #buffer: Uint8Array | undefined = new Uint8Array(firstBufferSize);
  #reading: Promise<Uint8Array | null> | undefined;
  /** What could be read after a write had failed. */
  #rest: ReadQueue | undefined;
  #error: TransportError | undefined;

  constructor(conn: Conn) {
    this.#conn = conn;
    this.remoteAddress = formatAddress(conn.remoteAddr.hostname, conn.remoteAddr.port);
    const { promise, resolve } = Promise.withResolvers<TransportError | undefined>();
    this.closed = promise;
    this.#onClosed = resolve;
  }

  read(): Promise<Uint8Array | null> {
    if (this.#rest) return this.#rest.read();
    return this.#reading = this.#readConn();
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      for (let taken = 0; taken < bytes.length;) {
        taken += await this.#conn.write(taken ? bytes.subarray(taken) : bytes);
      }
    } catch (cause) {
      throw await this.#writeFailed(cause);
    }
  }

  async shutdown(): Promise<void> {
    try {
      await this.#conn.closeWrite();
    } catch (cause) {
      throw await this.#writeFailed(cause);
    }
  }

  destroy(error: TransportError): void {
    if (this.#error) return;
    this.#error = error;
    this.#conn.close();
    this.#onClosed(error);
  }

  async #readConn(): Promise<Uint8Array | null> {
    try {
      for (;;) {
        const buffer = this.#buffer ??= new Uint8Array(bufferSize);
        const count = await this.#conn.read(buffer);
        if (count === null) return null;
        if (count === 0) continue;
        if (count < Math.min(copyLimit, buffer.length)) return buffer.slice(0, count);
        this.#buffer = undefined;
        return buffer.subarray(0, count);
      }
    } catch (cause) {
      throw this.#lost(cause);
    }
  }

  /** The peer may have told why before it left: what it sent can still be read. */
  async #writeFailed(cause: unknown): Promise<TransportError> {
    if (this.#error) return this.#error;
    const rest = this.#rest ??= new ReadQueue(() => {});
    try {
      await this.#reading;
      for (let bytes; (bytes = await this.#readConn());) rest.push(bytes);
    } catch {
      // The connection is broken, as known.
    }
    const error = this.#lost(cause);
    rest.end(error);
    return error;
  }

  #lost(cause: unknown): TransportError {
    const error = this.#error ?? alertError(this.remoteAddress, cause) ??
      lostError(this.remoteAddress, cause);
    this.destroy(error);
    return error;
  }
}

async function connect(target: BrokerAddress, options: ConnectOptions): Promise<Socket> {
  const { tls } = options;
  return new DenoSocket(
    await (tls ? connectTls(target, options, tls) : connectTcp(target, options)),
  );
}

async function connectTcp(
  { hostname, port, scheme }: BrokerAddress,
  { noDelay, keepAlive, signal }: ConnectOptions,
): Promise<TcpConn> {
  try {
    return withOptions(await deno().connect({ hostname, port, signal }), noDelay, keepAlive);
  } catch (cause) {
    throw connectError(`${scheme}://${formatAddress(hostname, port)}`, cause);
  }
}

function withOptions(conn: TcpConn, noDelay: boolean, keepAlive: boolean): TcpConn {
  try {
    conn.setNoDelay(noDelay);
    if (keepAlive) conn.setKeepAlive(true);
  } catch {
    // Some systems refuse when the peer is gone already: the first read will tell.
  }
  return conn;
}

async function connectTls(
  target: BrokerAddress,
  options: ConnectOptions,
  tls: TlsSettings,
): Promise<TlsConn> {
  const { hostname, port, scheme } = target;
  const address = `${scheme}://${formatAddress(hostname, port)}`;
  if (tls.verify === "nothing") {
    throw new TransportError(
      "UNSUPPORTED",
      `Cannot connect to ${address}: Deno always verifies certificates, so tls.insecureSkipVerify has no effect; ` +
        "give the authority as tls.caCerts, or run deno with --unsafely-ignore-certificate-errors",
    );
  }
  const conn =
    await (tls.client
      ? withClientCertificate(target, tls, tls.client)
      : overTcp(await connectTcp(target, options), target, tls));
  const { signal } = options;
  const onAbort = () => conn.close();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    if (!signal.aborted) await conn.handshake();
    signal.throwIfAborted();
    return conn;
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    conn.close();
    const invalid = String(cause).includes("invalid peer certificate");
    throw (invalid ? certificateError : handshakeError)(address, cause);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function startOptions({ hostname }: BrokerAddress, { caCerts, verify }: TlsSettings) {
  const unsafelyDisableHostnameVerification = verify !== "all";
  return { hostname, unsafelyDisableHostnameVerification, ...caCerts ? { caCerts } : {} };
}

/** The way that leaves the options of TCP. */
async function overTcp(
  conn: TcpConn,
  target: BrokerAddress,
  tls: TlsSettings,
): Promise<TlsConn> {
  try {
    return await deno().startTls(conn, startOptions(target, tls));
  } catch (cause) {
    throw tlsOptionsError(`ssl://${formatAddress(target.hostname, target.port)}`, cause);
  }
}

/** `Deno.startTls` takes no certificate, and `Deno.connectTls` neither options of TCP nor a signal. */
async function withClientCertificate(
  target: BrokerAddress,
  tls: TlsSettings,
  client: ClientCertificate,
): Promise<TlsConn> {
  try {
    return await deno().connectTls({ ...startOptions(target, tls), ...client, port: target.port });
  } catch (cause) {
    const address = `ssl://${formatAddress(target.hostname, target.port)}`;
    const unusable = /InvalidData|\bkeys?\b/.test(String(cause));
    throw (unusable ? tlsOptionsError : connectError)(address, cause);
  }
}

/** Whether accept() failed because the peer has reset its connection already, which says nothing of the others. */
function isGone(cause: unknown): boolean {
  return cause instanceof Error &&
    ["NotConnected", "ConnectionReset", "ConnectionAborted"].includes(cause.name);
}

/** Accepts connections until the listener is closed. */
async function accept(listener: TcpListener, queue: AcceptQueue, noDelay: boolean): Promise<void> {
  while (true) {
    try {
      const conn = await listener.accept();
      queue.push(new SocketTransport(new DenoSocket(withOptions(conn, noDelay, false))));
    } catch (cause) {
      if (isGone(cause)) continue;
      return queue.fail(listenError(formatAddress(queue.hostname, queue.port), cause));
    }
  }
}

// deno-lint-ignore require-await -- an error of Deno.listen() becomes a rejection
async function listen({ hostname, port, noDelay }: Required<ListenOptions>): Promise<Listener> {
  try {
    const listener = deno().listen({ hostname, port });
    const queue = new AcceptQueue(listener.addr.hostname, listener.addr.port, () => {
      listener.close();
      return accepting;
    });
    const accepting = accept(listener, queue, noDelay);
    return queue;
  } catch (cause) {
    throw listenError(formatAddress(hostname, port), cause);
  }
}

/** Deno's sockets. */
export const denoAdapter: Adapter = { connect, listen };
