/**
 * Connections to a broker.
 *
 * @module
 */

import {
  type BrokerInfo,
  type ConnectionId,
  createConnectionId,
  createConnectionInfo,
  createRemoveInfo,
  createShutdownInfo,
  type DataStructure,
  type OpenWireFormat,
  ProtocolError,
  type WireFormatSettings,
} from "../codec/mod.ts";
import { type Transport, TransportError } from "../transport/mod.ts";
import { BrokerLink } from "./broker_link.ts";
import type { Command, Response } from "./commands.ts";
import { Deadlines } from "./deadlines.ts";
import {
  AuthenticationError,
  BrokerError,
  ConnectionClosedError,
  HandshakeError,
} from "./errors.ts";
import { generateId } from "./id_generator.ts";
import type { MessageConsumer } from "./message_consumer.ts";
import { type ConnectionSettings, milliseconds } from "./options.ts";
import type { RequestOptions } from "./response_correlator.ts";
import { Session, type SessionOptions } from "./session.ts";
import { type ConnectionStatus, StatusFeed } from "./status.ts";

/** Who we are to the broker. */
export interface Credentials {
  readonly username: string | undefined;
  readonly password: string | undefined;
}

/** What a connection is made of. */
export interface ConnectionParts {
  readonly transport: Transport;
  readonly format: OpenWireFormat;
  readonly settings: ConnectionSettings;
  readonly clientId: string | undefined;
}

/**
 * A connection to a broker, made by `connect()`.
 *
 * @example
 * ```ts
 * import { connect } from "../mod.ts";
 * import { MemoryBroker } from "../testing/mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * await using broker = await MemoryBroker.listen();
 * await using connection = await connect(broker.url);
 * assertEquals(connection.wireFormat.version, 12);
 * await using session = await connection.createSession();
 * ```
 */
export class Connection implements AsyncDisposable {
  /** JMS client id. */
  readonly clientId: string;
  readonly #link: BrokerLink;
  readonly #format: OpenWireFormat;
  readonly #transport: Transport;
  readonly #settings: ConnectionSettings;
  readonly #deadlines: Deadlines = new Deadlines();
  readonly #id: ConnectionId;
  readonly #status: StatusFeed = new StatusFeed();
  readonly #sessions: Set<Session> = new Set();
  /** Consumers by the text of their ids. */
  readonly #consumers: Map<string, MessageConsumer> = new Map();
  #brokerInfo: BrokerInfo | undefined;
  #sessionCount = 0;
  #closing: Promise<void> | undefined;

  /**
   * Use `connect()`.
   *
   * @ignore Not for users.
   */
  constructor({ transport, format, settings, clientId }: ConnectionParts) {
    this.#transport = transport;
    this.#format = format;
    this.#settings = settings;
    this.#id = createConnectionId({ value: generateId() });
    this.clientId = clientId ?? generateId();
    this.#link = new BrokerLink({
      transport,
      format,
      deadlines: this.#deadlines,
      receive: (command) => this.#receive(command),
    });
    this.#link.closed.then((error) => this.#ended(error));
  }

  /** Address of the broker, such as `127.0.0.1:61616`. */
  get remoteAddress(): string {
    return this.#transport.remoteAddress;
  }

  /** What was negotiated: version, encoding, cache, limits. */
  get wireFormat(): WireFormatSettings {
    return this.#format.settings;
  }

  /** What the broker said of itself; undefined until it does, soon after the connection stands. */
  get brokerInfo(): BrokerInfo | undefined {
    return this.#brokerInfo;
  }

  /** Name and version of the broker's implementation, such as `ActiveMQ 5.17.2`; empty when it did not say. */
  get provider(): string {
    const properties = this.#format.peerProperties;
    const parts = [properties?.get("ProviderName"), properties?.get("ProviderVersion")];
    return parts.filter((part) => typeof part === "string").join(" ");
  }

  /** Resolves when the connection has ended, with what ended it unless it was closed here. Never rejects. */
  get closed(): Promise<Error | undefined> {
    return this.#link.closed;
  }

  /**
   * What happens to the connection: failures that answer no call, and its end, which ends the iteration too.
   *
   * Only what happens while the iteration goes on is told; what nobody asks for is not kept.
   */
  status(): AsyncIterableIterator<ConnectionStatus> {
    return this.#status.subscribe();
  }

  /**
   * Opens a session.
   *
   * @param options How messages are acknowledged.
   * @returns The session.
   * @throws {ConnectionClosedError} When the connection has ended.
   */
  async createSession(options: SessionOptions = {}): Promise<Session> {
    const session = new Session(this.#context(), ++this.#sessionCount, options);
    await session.open();
    return session;
  }

  /**
   * Closes all sessions and the connection, in order: what was sent before is sent, messages that were not acknowledged
   * go back to the broker. Calling it again changes nothing.
   */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  /** The same as {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Ends the connection at once, without a word to the broker. */
  abort(reason?: unknown): void {
    this.#link.fail(new ConnectionClosedError("The connection was aborted", { cause: reason }));
  }

  /**
   * Negotiates and introduces itself. Whoever calls it closes the transport if it fails.
   *
   * @ignore Not for users.
   */
  async open(
    { username, password }: Credentials,
    signal: AbortSignal,
  ): Promise<void> {
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    aborted.catch(() => {});
    const abort = (): void => reject(signal.reason);
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
    try {
      await Promise.race([this.#link.negotiate(), aborted]);
      const info = createConnectionInfo({
        connectionId: this.#id,
        clientId: this.clientId,
        userName: username ?? null,
        password: password ?? null,
        manageable: true,
        clientMaster: true,
      });
      await this.#link.request(info, {
        timeout: 0,
        signal,
        action: `Cannot connect to ${this.remoteAddress}`,
      });
    } catch (error) {
      this.#link.fail(error);
      throw this.#handshakeError(error);
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  /** Says what went wrong in terms of the handshake. */
  #handshakeError(error: unknown): unknown {
    const cannot = `Cannot connect to ${this.remoteAddress}`;
    if (error instanceof BrokerError) {
      if (error.code !== "SECURITY") return error;
      const { exceptionClass } = error;
      const message = error.message.slice(`${cannot}: `.length);
      return new AuthenticationError(cannot, {
        className: exceptionClass,
        message,
        stackTrace: [],
        cause: null,
      });
    }
    if (!(error instanceof ConnectionClosedError) && !(error instanceof ProtocolError)) {
      return error;
    }
    const cause = error instanceof ConnectionClosedError ? error.cause ?? error : error;
    if (cause instanceof ProtocolError) {
      const code = cause.code === "WRONG_PROTOCOL" ? "WRONG_PROTOCOL" : "HANDSHAKE";
      return new HandshakeError(`${cannot}: ${cause.message}`, { cause }, code);
    }
    const step = this.#format.negotiated
      ? "the connection was opened"
      : "the peer's WireFormatInfo came: is it a port for OpenWire, without TLS?";
    const how = cause instanceof TransportError
      ? "the connection broke"
      : "the peer closed the connection";
    return new HandshakeError(`${cannot}: ${how} before ${step}`, { cause, retryable: true });
  }

  /** What sessions, producers and consumers may use of the connection. */
  #context(): SessionContext {
    return {
      connectionId: this.#id,
      settings: this.#settings,
      deadlines: this.#deadlines,
      request: (command, action, options = {}) =>
        this.#link.request(command, this.#requestOptions(action, options)),
      send: (command, action, options = {}) =>
        this.#link.send(command, this.#requestOptions(action, options)),
      addConsumer: (consumer) => void this.#consumers.set(consumer.id, consumer),
      removeConsumer: (consumer) => void this.#consumers.delete(consumer.id),
      addSession: (session) => void this.#sessions.add(session),
      removeSession: (session) => void this.#sessions.delete(session),
      report: (error) => this.#status.publish({ type: "error", error }),
    };
  }

  #requestOptions(action: string, { timeout, signal }: CallOptions): RequestOptions {
    return {
      action,
      signal,
      timeout: milliseconds("timeout", timeout, this.#settings.requestTimeout),
    };
  }

  #receive(command: DataStructure): void {
    switch (command.dataType) {
      case "MessageDispatch": {
        const { consumerId } = command;
        // A consumer that was just closed may still be sent messages; the broker delivers them again.
        if (consumerId) this.#consumers.get(consumerKey(consumerId))?.dispatch(command);
        return;
      }
      case "ConsumerControl": {
        const consumer = command.consumerId && this.#consumers.get(consumerKey(command.consumerId));
        if (consumer && command.close) consumer.closedByBroker();
        return;
      }
      case "BrokerInfo":
        this.#brokerInfo = command;
        return;
      case "ConnectionError":
        return this.#status.publish({
          type: "error",
          error: new BrokerError("The broker reports a failure", command.exception),
        });
    }
  }

  #ended(error: Error | undefined): void {
    const reason = error ?? new ConnectionClosedError("The connection was closed");
    this.#deadlines.close();
    for (const session of this.#sessions) session.connectionEnded(reason);
    this.#sessions.clear();
    this.#consumers.clear();
    this.#status.end(error);
  }

  async #close(): Promise<void> {
    const timeout = this.#settings.closeTimeout;
    try {
      await Promise.all([...this.#sessions].map((session) => session.retire()));
      // -1: each consumer has said for itself what it had.
      const remove = createRemoveInfo({ objectId: this.#id, lastDeliveredSequenceId: -1 });
      await this.#link.request(remove, { timeout, action: "Cannot close the connection" });
      // Not awaited: the broker may be gone before the runtime says that it took it.
      this.#link.send(createShutdownInfo(), { timeout, action: "Cannot say goodbye" }).catch(
        () => {},
      );
    } catch {
      // It is as good as closed: the broker has gone or does not answer.
    }
    await this.#link.close(timeout);
    await this.#link.closed;
  }
}

/** What sessions, producers and consumers may use of their connection. */
export interface SessionContext {
  readonly connectionId: ConnectionId;
  readonly settings: ConnectionSettings;
  readonly deadlines: Deadlines;
  request(command: Command, action: string, options?: CallOptions): Promise<Response>;
  send(command: Command, action: string, options?: CallOptions): Promise<void>;
  addConsumer(consumer: MessageConsumer): void;
  removeConsumer(consumer: MessageConsumer): void;
  addSession(session: Session): void;
  removeSession(session: Session): void;
  /** Tells of a failure that answers no call. */
  report(error: Error): void;
}

/**
 * How long a call may take.
 *
 * @example
 * ```ts
 * import type { CallOptions } from "../mod.ts";
 *
 * const options: CallOptions = { timeout: 5_000 };
 * ```
 */
export interface CallOptions {
  /** Milliseconds to wait for the broker's answer; 0 for ever. The connection's `requestTimeout` by default. */
  timeout?: number | undefined;
  /** Ends the wait; the broker may still do what was asked. */
  signal?: AbortSignal | undefined;
}

/** Text of a consumer's id. */
export function consumerKey(id: { sessionId: number | bigint; value: number | bigint }): string {
  return `${id.sessionId}:${id.value}`;
}
