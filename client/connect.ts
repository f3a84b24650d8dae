/**
 * Connecting.
 *
 * @module
 */

import { OpenWireFormat } from "../codec/mod.ts";
import { dial } from "../transport/mod.ts";
import { Connection } from "./connection.ts";
import { TimeoutError } from "./errors.ts";
import { type ConnectOptions, milliseconds, resolveSettings } from "./options.ts";

/**
 * Connects to a broker.
 *
 * @param url Where it is, such as `tcp://localhost:61616`.
 * @param options Credentials, wire format, times.
 * @returns The connection, once the broker has accepted it.
 * @throws {TransportError} When no connection can be made to the address.
 * @throws {HandshakeError} When the peer does not answer as an OpenWire broker does; its code is `"WRONG_PROTOCOL"` when
 *   it is known what the peer speaks instead.
 * @throws {AuthenticationError} When the broker refuses user name and password.
 * @throws {BrokerError} When the broker refuses the connection for another reason, such as a client id that is in use.
 * @throws {TimeoutError} When it took longer than `connectTimeout`.
 *
 * @example
 * ```ts
 * import { connect } from "../mod.ts";
 * import { MemoryBroker } from "../testing/mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * await using broker = await MemoryBroker.listen();
 * await using connection = await connect(broker.url);
 * const session = await connection.createSession();
 * const producer = await session.createProducer("orders");
 * await producer.send("hello");
 * const consumer = await session.createConsumer("orders");
 * const message = await consumer.receive();
 * assertEquals(message?.text, "hello");
 * ```
 */
export async function connect(
  url: string | URL,
  options: ConnectOptions = {},
): Promise<Connection> {
  const connectTimeout = milliseconds("connectTimeout", options.connectTimeout, 30_000);
  const settings = resolveSettings(options);
  const { username, password, clientId } = options;
  const format = new OpenWireFormat(options.wireFormat);

  const controller = new AbortController();
  const { signal } = controller;
  const abort = (): void => controller.abort(options.signal!.reason);
  if (options.signal?.aborted) abort();
  options.signal?.addEventListener("abort", abort);
  let step = "the connection";
  const timer = connectTimeout === 0 ? undefined : setTimeout(() => {
    controller.abort(
      new TimeoutError(`Cannot connect: ${step} took longer than ${connectTimeout} ms`),
    );
  }, connectTimeout);

  try {
    signal.throwIfAborted();
    const transport = options.transport ?? await dial(url, { connectTimeout: 0, signal });
    step =
      `the answer of ${transport.remoteAddress}, which may speak something else than OpenWire,`;
    const connection = new Connection({
      transport,
      format,
      settings,
      clientId,
      clientIdPrefix: options.clientIdPrefix,
      connectionIdPrefix: options.connectionIdPrefix,
      inspect: options.inspect,
      autoStart: options.autoStart ?? true,
    });
    await connection.open({ username, password }, signal);
    return connection;
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", abort);
  }
}
