/**
 * Connecting.
 *
 * @module
 */

import { checkConnectOptions } from "./options.ts";
import { Connection } from "./connection.ts";
import { Connector } from "./connector.ts";
import { checkName } from "./names.ts";
import { checkFunctions, type ConnectOptions } from "./options.ts";
import { type BrokerUrl, parseBrokerUrl } from "./url/broker_url.ts";
import { mergeConnectOptions } from "./url/merge_connect_options.ts";

/**
 * Connects to a broker.
 *
 * The URL is as for the Java client, with its options: `tcp://localhost:61616?jms.useAsyncSend=true`. What is given in
 * `options` counts more. With several brokers, as in `failover:(tcp://a:61616,tcp://b:61616)?randomize=false`, they are tried
 * until one accepts; what trying again can't change, such as a wrong password, is thrown at once. `docs/url-options.md` lists
 * all options.
 *
 * @param url Where the broker is, such as `tcp://localhost:61616`. Several URLs are those of a group of brokers; with the option
 *   `brokers` there may be none.
 * @param options Credentials, wire format, times.
 * @returns The connection, once the broker has accepted it.
 * @throws {TransportError} When the URL is wrong (`"INVALID_URL"`, `"UNSUPPORTED_SCHEME"`), no connection can be made to the
 *   address, or the broker's certificate is not valid (`"CERTIFICATE_INVALID"`). When none of several brokers accepted, its code is `"CONNECT_FAILED"` and its `cause` an `AggregateError` with
 *   the failure of each.
 * @throws {HandshakeError} When the peer does not answer as an OpenWire broker does; its code is `"WRONG_PROTOCOL"` when
 *   it is known what the peer speaks instead.
 * @throws {AuthenticationError} When the broker refuses user name and password.
 * @throws {BrokerError} When the broker refuses the connection for another reason, such as a client id that is in use.
 * @throws {TimeoutError} When it took longer than `connectTimeout`.
 * @throws {RangeError} When an option is out of range.
 * @throws {TypeError} When the URL is neither a string nor a URL, an option is of a wrong kind, or two options exclude each
 *   other.
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
 *
 * @example One of several brokers, with options in the URL
 * ```ts
 * import { connect } from "../mod.ts";
 * import { MemoryBroker } from "../testing/mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * await using broker = await MemoryBroker.listen();
 * const url = `failover:(tcp://127.0.0.1:1,${broker.url})?jms.clientID=shop&nested.wireFormat.version=10`;
 * await using connection = await connect(url);
 * assertEquals([connection.clientId, connection.wireFormat.version], ["shop", 10]);
 * ```
 */
export async function connect(
  url: string | URL | readonly (string | URL)[],
  options: ConnectOptions = {},
): Promise<Connection> {
  checkConnectOptions(options);
  const target = parseBrokerUrls(url, options);
  const {
    clientId,
    clientIdPrefix,
    connectionIdPrefix,
    inspect,
    hooks,
    autoStart = true,
    ...rest
  } = mergeConnectOptions(target.options, options);
  checkFunctions({ inspect });
  const connector = new Connector(target, { ...rest, hooks });
  const connection = new Connection({
    connector,
    clientId: checkName("clientId", clientId),
    clientIdPrefix: checkName("clientIdPrefix", clientIdPrefix),
    connectionIdPrefix: checkName("connectionIdPrefix", connectionIdPrefix),
    inspect,
    hooks,
    autoStart,
  });
  try {
    await connection.open();
  } catch (error) {
    connection.abort(error);
    throw error;
  }
  return connection;
}

/** Several URLs are those of a group of brokers; so are those that a function finds. */
function parseBrokerUrls(
  url: string | URL | readonly (string | URL)[],
  { transport, brokers }: ConnectOptions,
): BrokerUrl {
  const rules = { anyScheme: transport !== undefined, mayBeEmpty: brokers !== undefined };
  if (!isList(url)) {
    const target = parseBrokerUrl(url, rules);
    return brokers ? { ...target, options: { failover: {}, ...target.options } } : target;
  }
  if (url.length === 0 && !brokers) throw new TypeError("Cannot connect: a URL is expected");
  const targets = url.map((one) => parseBrokerUrl(one, rules));
  return {
    brokers: targets.flatMap(({ brokers }) => brokers),
    nested: {},
    options: targets.reduce<ConnectOptions>(
      (merged, { options }) => mergeConnectOptions(merged, options),
      { failover: {} },
    ),
  };
}

function isList(url: string | URL | readonly (string | URL)[]): url is readonly (string | URL)[] {
  return Array.isArray(url);
}
