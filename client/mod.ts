/**
 * The client: connections, sessions, producers and consumers.
 *
 * @module
 */

export type { AcknowledgeMode } from "./acknowledge_mode.ts";
export { BatchError } from "./batch_error.ts";
export type { BodyCodec } from "./body_codec.ts";
export type { CallOptions } from "./call_options.ts";
export { connect } from "./connect.ts";
export { Connection } from "./connection.ts";
export type { ConsumerOptions } from "./consumer_options.ts";
export { type Destination, queue, topic } from "./destination.ts";
export * from "./errors.ts";
export type { FailoverOptions } from "./failover_options.ts";
export { Message, type MessageKind, type RetryOptions } from "./message.ts";
export { type ConsumeOptions, MessageConsumer, type MessageHandler } from "./message_consumer.ts";
export { MessageProducer } from "./message_producer.ts";
export type { CommandInspector, ConnectOptions, Credentials } from "./options.ts";
export type { MessageBody, MessageHeaders } from "./outgoing_message.ts";
export type { PrefetchPolicy } from "./prefetch_policy.ts";
export type { ProducerOptions } from "./producer_options.ts";
export { type BrowserOptions, QueueBrowser } from "./queue_browser.ts";
export type { RedeliveryPolicies, RedeliveryPolicy } from "./redelivery_policy.ts";
export { RemoteError } from "./remote_error.ts";
export type { RequestManyOptions, RequestOptions } from "./requester.ts";
export {
  noReply,
  type Reply,
  type RequestHandler,
  Responder,
  type ResponderOptions,
} from "./responder.ts";
export type { ScheduledDelivery } from "./scheduled_delivery.ts";
export { type JobRange, type ScheduledJob, ScheduledJobs } from "./scheduled_jobs.ts";
export type { OutgoingMessage, SendOptions, SendOutcome, SendResult } from "./send_options.ts";
export {
  selector,
  type SelectorIdentifier,
  type SelectorTag,
  type SelectorValue,
} from "./selector.ts";
export { Session, type SessionOptions } from "./session.ts";
export type { ConnectionStatus } from "./status.ts";
export {
  TemporaryDestination,
  type TemporaryKind,
  type TemporaryQueue,
  type TemporaryTopic,
} from "./temporary_destination.ts";
export { type XACommitOptions, type XAEnd, XAResource } from "./xa.ts";
export { XAError, XAErrorCode } from "./xa_error.ts";
export { createXid, type Xid } from "./xid.ts";
export { virtualTopicQueue } from "./virtual_topic.ts";
