/**
 * OpenWire for modern JavaScript: a client for ActiveMQ, and the codec beneath it.
 *
 * @example Send and receive
 * ```ts
 * import { connect } from "./mod.ts";
 * import { MemoryBroker } from "./testing/mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * await using broker = await MemoryBroker.listen(); // or an ActiveMQ: "tcp://localhost:61616"
 * await using connection = await connect(broker.url);
 * await using session = await connection.createSession({ acknowledgeMode: "individual" });
 *
 * const producer = await session.createProducer("orders");
 * await producer.send("hello", { properties: { region: "eu-west-1" }, timeToLive: 60_000 });
 *
 * const consumer = await session.createConsumer("orders", { prefetchSize: 100 });
 * for await (const message of consumer) {
 *   assertEquals(message.text, "hello");
 *   assertEquals(message.properties.get("region"), "eu-west-1");
 *   await message.ack();
 *   break;
 * }
 * ```
 *
 * @module
 */

export * from "./client/mod.ts";
export {
  type ActiveMQDestination,
  type ActiveMQQueue,
  type ActiveMQTempQueue,
  type ActiveMQTempTopic,
  type ActiveMQTopic,
  type BrokerInfo,
  byte,
  BytesReader,
  BytesWriter,
  char,
  type ConnectionInfo,
  type ConsumerInfo,
  double,
  EncodeError,
  float,
  int,
  type Long,
  long,
  OpenWireDecoderStream,
  OpenWireEncoderStream,
  OpenWireFormat,
  type PrimitiveInput,
  PrimitiveList,
  PrimitiveMap,
  type PrimitiveMapInput,
  type PrimitiveType,
  type PrimitiveValue,
  type ProducerInfo,
  ProtocolError,
  short,
  TypedValue,
  VERSION,
  type WireFormatOptions,
  type WireFormatSettings,
} from "./codec/mod.ts";
export { OpenWireError, type OpenWireErrorOptions } from "./errors.ts";
export {
  dial,
  type DialOptions,
  type SocketOptions,
  type TlsOptions,
  type Transport,
  TransportError,
  type TransportErrorCode,
} from "./transport/mod.ts";
