/** Options of a connection, as the Java client's connection factory has them. */

import type { ConnectOptions } from "../options.ts";
import {
  boolean,
  bytes,
  integer,
  milliseconds,
  name,
  number,
  text,
  timeout,
} from "./option_value.ts";
import { fixed, ignored, OptionTable, refused, typed } from "./option_table.ts";

const MOST = 0x7fffffff;
const threads = "it is about threads";
const duplicates = "the client delivers duplicates, after a reconnection too";
const objects = "no object is ever made of the body of an object message";
const blobs = "messages whose body is somewhere else are not supported";
const prefetchSize = integer(0, 32767);

const connectionRows = [
  typed("jms.userName", text, "none", "User name.", (username) => ({ username })),
  typed("jms.password", text, "none", "Password.", (password) => ({ password })),
  typed(
    "jms.clientID",
    name,
    "a new one",
    "JMS client id, which no other connection may have.",
    (clientId) => ({ clientId }),
  ),
  typed(
    "jms.clientIDPrefix",
    name,
    "ID:openwire",
    "What a client id begins with that isn't given.",
    (clientIdPrefix) => ({ clientIdPrefix }),
  ),
  typed(
    "jms.connectionIDPrefix",
    name,
    "ID:openwire",
    "What the connection id begins with.",
    (connectionIdPrefix) => ({ connectionIdPrefix }),
  ),
  typed(
    "jms.requestTimeout",
    timeout,
    "30000",
    "Milliseconds to wait for an answer of the broker.",
    (requestTimeout) => ({ requestTimeout }),
  ),
  typed(
    "jms.sendTimeout",
    timeout,
    "`requestTimeout`",
    "Milliseconds to wait until the broker has taken a message.",
    (sendTimeout) => ({ sendTimeout }),
  ),
  typed(
    "jms.closeTimeout",
    timeout,
    "15000",
    "Milliseconds to wait for an answer while closing.",
    (closeTimeout) => ({ closeTimeout }),
  ),
  fixed(
    "jms.connectResponseTimeout",
    "0",
    "the option `connectTimeout` of connect() limits all steps",
  ),
];

const consumerRows = [
  typed(
    "jms.optimizeAcknowledge",
    boolean,
    "false",
    "Whether sessions in mode `auto` acknowledge many messages at once.",
    (optimizeAcknowledge) => ({ optimizeAcknowledge }),
  ),
  typed(
    "jms.optimizeAcknowledgeTimeOut",
    milliseconds,
    "300",
    "Milliseconds after which such acknowledgements are sent at the latest.",
    (optimizeAcknowledgeTimeout) => ({ optimizeAcknowledgeTimeout }),
  ),
  typed(
    "jms.sendAcksAsync",
    boolean,
    "true",
    "Whether acknowledgements are sent without waiting for an answer.",
    (sendAcksAsync) => ({ sendAcksAsync }),
  ),
  typed(
    "jms.transactedIndividualAck",
    boolean,
    "false",
    "Whether each message of a transaction is acknowledged on its own.",
    (transactedIndividualAck) => ({ transactedIndividualAck }),
  ),
  typed(
    "jms.nonBlockingRedelivery",
    boolean,
    "false",
    "Whether other messages are given out while one waits to be given again.",
    (nonBlockingRedelivery) => ({ nonBlockingRedelivery }),
  ),
  typed(
    "jms.consumerExpiryCheckEnabled",
    boolean,
    "true",
    "Whether messages that are too old are kept from the application.",
    (consumerExpiryCheckEnabled) => ({ consumerExpiryCheckEnabled }),
  ),
  typed(
    "jms.exclusiveConsumer",
    boolean,
    "false",
    "Whether consumers of queues are exclusive.",
    (exclusiveConsumer) => ({ exclusiveConsumer }),
  ),
  typed(
    "jms.useRetroactiveConsumer",
    boolean,
    "false",
    "Whether consumers of topics are retroactive.",
    (useRetroactiveConsumer) => ({ useRetroactiveConsumer }),
  ),
  typed(
    "jms.dispatchAsync",
    boolean,
    "true",
    "Whether the broker dispatches from a thread of its own.",
    (dispatchAsync) => ({ dispatchAsync }),
  ),
  fixed(
    "jms.optimizedAckScheduledAckInterval",
    "0",
    "jms.optimizeAcknowledgeTimeOut is kept without a message that comes, too",
  ),
  fixed("jms.messagePrioritySupported", "false", "messages are given out as the broker sends them"),
  fixed("jms.watchTopicAdvisories", "false", "deleted temporary destinations are not watched"),
  fixed(
    "jms.consumerFailoverRedeliveryWaitPeriod",
    "0",
    "a transaction that has received messages is rolled back when the connection is lost",
  ),
];

const producerRows = [
  typed(
    "jms.useAsyncSend",
    boolean,
    "false",
    "Whether persistent messages are sent without waiting for an answer.",
    (useAsyncSend) => ({ useAsyncSend }),
  ),
  typed(
    "jms.alwaysSyncSend",
    boolean,
    "false",
    "Whether to wait for the answer to each message.",
    (alwaysSyncSend) => ({ alwaysSyncSend }),
  ),
  typed(
    "jms.producerWindowSize",
    bytes,
    "1048576",
    "Bytes that a producer may have on their way without the broker's ProducerAck.",
    (producerWindowSize) => ({ producerWindowSize }),
  ),
  typed(
    "jms.useCompression",
    boolean,
    "false",
    "Whether bodies are compressed.",
    (useCompression) => ({ useCompression }),
  ),
  typed(
    "jms.disableTimeStampsByDefault",
    boolean,
    "false",
    "Whether messages are sent without a timestamp.",
    (disableTimeStampsByDefault) => ({ disableTimeStampsByDefault }),
  ),
  typed(
    "jms.nestedMapAndListEnabled",
    boolean,
    "true",
    "Whether maps and lists may be values of properties and of map messages.",
    (nestedMapAndListEnabled) => ({ nestedMapAndListEnabled }),
  ),
  fixed(
    "jms.strictCompliance",
    "false",
    "jms.nestedMapAndListEnabled=false is the part of it that there is",
  ),
  refused("jms.maxInflatedDataSizeRatio", "the option `maxInflatedSize` of connect() is the limit"),
];

const prefetchRows = [
  typed(
    "jms.prefetchPolicy.all",
    prefetchSize,
    "none",
    "How many messages the broker sends ahead to the kinds of consumers that follow, if they are not given.",
    (all) => ({ prefetchPolicy: { all } }),
  ),
  typed(
    "jms.prefetchPolicy.queuePrefetch",
    prefetchSize,
    "1000",
    "The same for consumers of queues.",
    (queuePrefetch) => ({ prefetchPolicy: { queuePrefetch } }),
  ),
  typed(
    "jms.prefetchPolicy.queueBrowserPrefetch",
    prefetchSize,
    "500",
    "The same for browsers.",
    (queueBrowserPrefetch) => ({ prefetchPolicy: { queueBrowserPrefetch } }),
  ),
  typed(
    "jms.prefetchPolicy.topicPrefetch",
    prefetchSize,
    "32767",
    "The same for consumers of topics, without a durable subscription.",
    (topicPrefetch) => ({ prefetchPolicy: { topicPrefetch } }),
  ),
  typed(
    "jms.prefetchPolicy.durableTopicPrefetch",
    prefetchSize,
    "100",
    "The same for durable subscriptions.",
    (durableTopicPrefetch) => ({ prefetchPolicy: { durableTopicPrefetch } }),
  ),
  typed(
    "jms.prefetchPolicy.optimizeDurableTopicPrefetch",
    prefetchSize,
    "`durableTopicPrefetch`",
    "The same for durable subscriptions in sessions of mode `auto`. (Java: 1000)",
    (optimizeDurableTopicPrefetch) => ({ prefetchPolicy: { optimizeDurableTopicPrefetch } }),
  ),
  typed(
    "jms.prefetchPolicy.maximumPendingMessageLimit",
    integer(0, MOST),
    "0",
    "Messages that the broker keeps for a slow consumer of a topic; 0 for its own limit.",
    (maximumPendingMessageLimit) => ({ prefetchPolicy: { maximumPendingMessageLimit } }),
  ),
];

const redeliveryRows = [
  typed(
    "jms.redeliveryPolicy.maximumRedeliveries",
    integer(-1, MOST),
    "6",
    "How often a message is given again; -1 for ever.",
    (maximumRedeliveries) => ({ redeliveryPolicy: { maximumRedeliveries } }),
  ),
  typed(
    "jms.redeliveryPolicy.initialRedeliveryDelay",
    milliseconds,
    "1000",
    "Milliseconds before it is given again the first time.",
    (initialRedeliveryDelay) => ({ redeliveryPolicy: { initialRedeliveryDelay } }),
  ),
  typed(
    "jms.redeliveryPolicy.redeliveryDelay",
    milliseconds,
    "1000",
    "Milliseconds before it is given again another time.",
    (redeliveryDelay) => ({ redeliveryPolicy: { redeliveryDelay } }),
  ),
  typed(
    "jms.redeliveryPolicy.useExponentialBackOff",
    boolean,
    "false",
    "Whether the delay is multiplied each time.",
    (useExponentialBackOff) => ({ redeliveryPolicy: { useExponentialBackOff } }),
  ),
  typed(
    "jms.redeliveryPolicy.backOffMultiplier",
    number(1),
    "5",
    "By what the delay is multiplied.",
    (backOffMultiplier) => ({ redeliveryPolicy: { backOffMultiplier } }),
  ),
  typed(
    "jms.redeliveryPolicy.maximumRedeliveryDelay",
    integer(-1, MOST),
    "-1",
    "Longest delay in milliseconds; -1 for no limit.",
    (maximumRedeliveryDelay) => ({ redeliveryPolicy: { maximumRedeliveryDelay } }),
  ),
  typed(
    "jms.redeliveryPolicy.useCollisionAvoidance",
    boolean,
    "false",
    "Whether delays vary by chance.",
    (useCollisionAvoidance) => ({ redeliveryPolicy: { useCollisionAvoidance } }),
  ),
  typed(
    "jms.redeliveryPolicy.collisionAvoidancePercent",
    integer(0, 100),
    "15",
    "By how many percent they vary.",
    (percent) => ({ redeliveryPolicy: { collisionAvoidanceFactor: percent / 100 } }),
  ),
  typed(
    "jms.redeliveryPolicy.preDispatchCheck",
    boolean,
    "true",
    "Whether a message with too many deliveries is given up before a transacted session sees it.",
    (preDispatchCheck) => ({ redeliveryPolicy: { preDispatchCheck } }),
  ),
];

const otherRows = [
  ignored("jms.alwaysSessionAsync", boolean, threads),
  ignored("jms.optimizedMessageDispatch", boolean, threads),
  ignored("jms.maxThreadPoolSize", integer(0, MOST), threads),
  ignored("jms.useDedicatedTaskRunner", boolean, threads),
  ignored("jms.useVirtualThreadTaskRunner", boolean, threads),
  ignored("jms.statsEnabled", boolean, "it is about JMX"),
  ignored(
    "jms.warnAboutUnstartedConnectionTimeout",
    integer(-1, MOST),
    "a connection starts on its own, unless `autoStart` is false",
  ),
  ignored(
    "jms.copyMessageOnSend",
    boolean,
    "a body is encoded when send() is called",
  ),
  ignored("jms.objectMessageSerializationDefered", boolean, objects),
  ignored("jms.trustAllPackages", boolean, objects),
  ignored("jms.trustedPackages", text, objects),
  ignored("jms.checkForDuplicates", boolean, duplicates),
  ignored("jms.auditDepth", integer(0, MOST), duplicates),
  ignored("jms.auditMaximumProducerNumber", integer(0, MOST), duplicates),
  fixed("jms.rmIdFromConnectionId", "false", "the broker is the resource manager"),
  refused(
    "jms.xaAckMode",
    "what a branch has received is acknowledged when a session ends its work for it",
  ),
  refused("jms.blobTransferPolicy.uploadUrl", blobs),
  refused("jms.blobTransferPolicy.defaultUploadUrl", blobs),
  refused("jms.blobTransferPolicy.brokerUploadUrl", blobs),
  refused("jms.blobTransferPolicy.bufferSize", blobs),
];

/** The options of a connection. */
export const jmsOptions: OptionTable<ConnectOptions> = new OptionTable<ConnectOptions>([
  ...connectionRows,
  ...producerRows,
  ...consumerRows,
  ...prefetchRows,
  ...redeliveryRows,
  ...otherRows,
]);
