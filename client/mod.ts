/**
 * The client: connections, sessions, producers and consumers.
 *
 * @module
 */

export { AdvisoryConsumer } from "./advisory/advisory_consumer.ts";
export {
  type AdvisoryEvent,
  type AdvisoryOrigin,
  type MessageAdvisory,
  parseAdvisory,
} from "./advisory/advisory_event.ts";
export { type AdvisoryTopics, advisoryTopics } from "./advisory/advisory_topics.ts";
export { type DestinationChange, DestinationSource } from "./advisory/destination_source.ts";
export {
  type BrokerStatistics,
  type BrokerStatisticsOptions,
  type DestinationStatistics,
  type DestinationStatisticsOptions,
  type MessageStatistics,
  Statistics,
  type SubscriptionStatistics,
} from "./management/statistics.ts";
export type { AcknowledgeMode } from "./consumer/acknowledge_mode.ts";
export { AsyncSendError } from "./producer/async_send_error.ts";
export { BatchError } from "./producer/batch_error.ts";
export type { BodyCodec } from "./message/body_codec.ts";
export type { BrokerCapabilities, BrokerKind } from "./capabilities.ts";
export type { CallOptions } from "./call_options.ts";
export { connect } from "./connect.ts";
export { Connection } from "./connection.ts";
export type { ConsumerOptions } from "./consumer/consumer_options.ts";
export { type Destination, queue, topic } from "./destination/destination.ts";
export * from "./errors.ts";
export * from "./loss_errors.ts";
export type { FailoverOptions } from "./failover/failover_options.ts";
export type { FindBrokers } from "./failover/find_brokers.ts";
export { Message, type MessageKind, type RetryOptions } from "./message/message.ts";
export {
  type ConsumeOptions,
  MessageConsumer,
  type MessageHandler,
} from "./consumer/message_consumer.ts";
export { MessageProducer } from "./producer/message_producer.ts";
export type { CommandInspector, ConnectOptions, Credentials } from "./options.ts";
export type {
  DeliveryOperation,
  MessagingHooks,
  MessagingOperation,
  OperationType,
  SendOperation,
  TransactionOperation,
  TransactionStatus,
} from "./observe/hooks.ts";
export {
  formatTraceparent,
  formatTracestate,
  parseTraceparent,
  parseTracestate,
  type TraceContext,
} from "./observe/trace_context.ts";
export type {
  ConnectionStats,
  SettlementStats,
  TrafficStats,
  TransactionStats,
} from "./observe/stats.ts";
export type { LogFields, Logger } from "./observe/logger.ts";
export type {
  BodyBytes,
  MessageBody,
  MessageHeaders,
  NamedBody,
} from "./message/outgoing_message.ts";
export type { PrefetchPolicy } from "./consumer/prefetch_policy.ts";
export type { ProducerOptions } from "./producer/producer_options.ts";
export { type BrowserOptions, QueueBrowser } from "./consumer/queue_browser.ts";
export type { RedeliveryPolicies, RedeliveryPolicy } from "./consumer/redelivery_policy.ts";
export { RemoteError } from "./request/remote_error.ts";
export type { RequestManyOptions, RequestOptions } from "./request/requester.ts";
export {
  noReply,
  type Reply,
  type RequestHandler,
  Responder,
  type ResponderOptions,
} from "./request/responder.ts";
export type { ScheduledDelivery } from "./producer/scheduled_delivery.ts";
export { type JobRange, type ScheduledJob, ScheduledJobs } from "./producer/scheduled_jobs.ts";
export type {
  OutgoingMessage,
  SendOptions,
  SendOutcome,
  SendResult,
} from "./producer/send_options.ts";
export {
  selector,
  type SelectorIdentifier,
  type SelectorTag,
  type SelectorValue,
} from "./message/selector.ts";
export type { BlobReference } from "./message/blob_reference.ts";
export type { ConnectionMetadata } from "./metadata.ts";
export { parseSelector, Selector, SelectorError } from "./selector/mod.ts";
export { Session, type SessionOptions } from "./session.ts";
export type {
  ConnectionStatus,
  ReadingPausedStatus,
  SlowConsumerStatus,
  UnacknowledgedLimitStatus,
} from "./status.ts";
export {
  TemporaryDestination,
  type TemporaryKind,
  type TemporaryQueue,
  type TemporaryTopic,
} from "./destination/temporary_destination.ts";
export { type XACommitOptions, type XAEnd, XAResource } from "./transaction/xa.ts";
export { XAError, XAErrorCode } from "./transaction/xa_error.ts";
export { createXid, type Xid } from "./transaction/xid.ts";
export type { TransportFactory } from "./transport_factory.ts";
export type { StreamSource } from "./stream/chunks.ts";
export type {
  ReceiveStreamOptions,
  SendStreamOptions,
  SendStreamResult,
} from "./stream/stream_options.ts";
export type { UnsubscribeOptions } from "./subscription/unsubscribe_options.ts";
export { virtualTopicQueue } from "./destination/virtual_topic.ts";
