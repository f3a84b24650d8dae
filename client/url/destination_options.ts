/** Options behind the name of a destination, as in the Java client. */

import type { ConsumerOptions } from "../consumer/consumer_options.ts";
import type { ProducerOptions } from "../producer/producer_options.ts";
import { boolean, bytes, integer, name, text } from "./option_value.ts";
import { fixed, OptionTable, refused, typed } from "./option_table.ts";

/** What the name of a destination says of its consumers and producers. */
export interface DestinationOptions {
  readonly consumer?: ConsumerOptions;
  readonly producer?: ProducerOptions;
}

/** The options of a destination. */
export const destinationOptions: OptionTable<DestinationOptions> = new OptionTable<
  DestinationOptions
>([
  typed(
    "consumer.prefetchSize",
    integer(0, 32767),
    "as `prefetchPolicy` says",
    "How many messages the broker sends ahead; with 0 one each time that it is asked for.",
    (prefetchSize) => ({ consumer: { prefetchSize } }),
  ),
  typed(
    "consumer.maximumPendingMessageLimit",
    integer(0, 0x7fffffff),
    "as `prefetchPolicy` says",
    "Messages that the broker keeps for a slow consumer of a topic; 0 for its own limit.",
    (maximumPendingMessageLimit) => ({ consumer: { maximumPendingMessageLimit } }),
  ),
  typed(
    "consumer.selector",
    text,
    "none",
    "SQL-92 condition on headers and properties.",
    (selector) => ({ consumer: { selector } }),
  ),
  typed(
    "consumer.noLocal",
    boolean,
    "false",
    "Whether messages sent through the same connection are left out.",
    (noLocal) => ({ consumer: { noLocal } }),
  ),
  typed(
    "consumer.exclusive",
    boolean,
    "`exclusiveConsumer`",
    "Whether to be the only consumer of the queue that gets messages.",
    (exclusive) => ({ consumer: { exclusive } }),
  ),
  typed(
    "consumer.retroactive",
    boolean,
    "`useRetroactiveConsumer`",
    "Whether to get messages of a topic from before.",
    (retroactive) => ({ consumer: { retroactive } }),
  ),
  typed(
    "consumer.priority",
    integer(-128, 127),
    "0",
    "Consumers of a higher priority are served first.",
    (priority) => ({ consumer: { priority } }),
  ),
  typed(
    "consumer.dispatchAsync",
    boolean,
    "`dispatchAsync`",
    "Whether the broker dispatches from a thread of its own.",
    (dispatchAsync) => ({ consumer: { dispatchAsync } }),
  ),
  typed(
    "consumer.subscriptionName",
    name,
    "none",
    "Name of a durable subscription.",
    (subscriptionName) => ({ consumer: { subscriptionName } }),
  ),
  typed(
    "consumer.optimizedAcknowledge",
    boolean,
    "`optimizeAcknowledge`",
    "Whether many messages are acknowledged at once.",
    (optimizeAcknowledge) => ({ consumer: { optimizeAcknowledge } }),
  ),
  fixed("consumer.browser", "false", "a browser is opened by createBrowser()"),
  fixed("consumer.noRangeAcks", "false", "one acknowledgement may stand for many messages"),
  fixed("consumer.networkSubscription", "false", "it is for brokers that form a network"),
  refused("consumer.clientId", "the client id is that of the connection"),
  typed(
    "producer.windowSize",
    bytes,
    "`producerWindowSize`",
    "Bytes that may be on their way without the broker's ProducerAck.",
    (windowSize) => ({ producer: { windowSize } }),
  ),
  typed(
    "producer.dispatchAsync",
    boolean,
    "`dispatchAsync`",
    "Whether the broker dispatches messages from a thread of its own.",
    (dispatchAsync) => ({ producer: { dispatchAsync } }),
  ),
]);
