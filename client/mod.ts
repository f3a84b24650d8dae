/**
 * The client: connections, sessions, producers and consumers.
 *
 * @module
 */

export { connect } from "./connect.ts";
export { type CallOptions, Connection } from "./connection.ts";
export { type Destination, queue, topic } from "./destination.ts";
export * from "./errors.ts";
export { Message, type MessageKind } from "./message.ts";
export { type ConsumerOptions, MessageConsumer, type MessageHandler } from "./message_consumer.ts";
export { MessageProducer, type SendOptions } from "./message_producer.ts";
export type { ConnectOptions } from "./options.ts";
export type { MessageBody, MessageHeaders } from "./outgoing_message.ts";
export { type AcknowledgeMode, Session, type SessionOptions } from "./session.ts";
export type { ConnectionStatus } from "./status.ts";
