/**
 * The OpenWire protocol as a table: every data type with its code, its fields in wire order and the
 * versions that have them. `generate.ts` turns it into `../generated/`.
 *
 * A type's wire layout is its parent's fields followed by its own. A field is on the wire in version
 * `v` when `since <= v` and, if it has an `until`, `v <= until`.
 *
 * Written by hand beside the table, because no table says it well: frames (`frame_splitter.ts`), throwables
 * (`throwable.ts`), and what is inside `content` and `marshalledProperties` (`message_body.ts`,
 * `primitive_map.ts`, `wire_format_info.ts`).
 */

/** How a field's value is written. */
export type Kind =
  | { readonly name: "boolean" | "byte" | "int" | "long" | "string" | "bytes" | "throwable" }
  | { readonly name: "constBytes"; readonly size: number }
  | { readonly name: "nested" | "cached" | "array"; readonly of: string };

/** A field of a data type. */
export interface Field {
  readonly name: string;
  readonly kind: Kind;
  /** First version that has it. */
  readonly since: number;
  /** Last version that has it, if it was dropped. */
  readonly until?: number;
  /** Value in a newly made structure, as source text, where that is not zero, false or null. */
  readonly initial?: string;
  /** Name of the bean property in Java where it isn't `name`. */
  readonly javaName?: string;
  readonly doc: string;
}

/** A data type; an abstract one has no code. */
export interface DataTypeDefinition {
  readonly name: string;
  readonly code: number | null;
  readonly parent: string | null;
  readonly since: number;
  /** Tight encoding writes one more bit (always 0) before a nested value of this type. */
  readonly marshallAware: boolean;
  readonly doc: string;
  readonly fields: readonly Field[];
}

type FieldOptions = Partial<Pick<Field, "since" | "until" | "initial" | "javaName">>;

function field(
  name: string,
  kind: Kind | PlainKind,
  doc: string,
  options: FieldOptions = {},
): Field {
  return {
    name,
    kind: typeof kind === "string" ? { name: kind } : kind,
    since: 1,
    doc,
    ...options,
  };
}

type PlainKind = "boolean" | "byte" | "int" | "long" | "string" | "bytes" | "throwable";

const nested = (of: string): Kind => ({ name: "nested", of });
const cached = (of: string): Kind => ({ name: "cached", of });
const array = (of: string): Kind => ({ name: "array", of });

function abstractType(
  name: string,
  parent: string | null,
  doc: string,
  fields: readonly Field[] = [],
): DataTypeDefinition {
  return { name, code: null, parent, since: 1, marshallAware: name === "Message", doc, fields };
}

function type(
  name: string,
  code: number,
  parent: string,
  doc: string,
  fields: readonly Field[] = [],
  options: { since?: number; marshallAware?: boolean } = {},
): DataTypeDefinition {
  return {
    name,
    code,
    parent,
    since: options.since ?? 1,
    marshallAware: options.marshallAware ?? false,
    doc,
    fields,
  };
}

const aware = { marshallAware: true };

/** All abstract and concrete types, parents before their children. */
export const schema: readonly DataTypeDefinition[] = [
  abstractType("DataStructure", null, "Anything that can stand in a frame or a nested field."),

  // Ids
  type("ConnectionId", 120, "DataStructure", "Identifies a connection.", [
    field("value", "string", "Text chosen by the client, such as `ID:host-port-time-n:m`."),
  ]),
  type("SessionId", 121, "DataStructure", "Identifies a session of a connection.", [
    field("connectionId", "string", "The `value` of the connection's id."),
    field("value", "long", "Number of the session, from 1; -1 is the connection's own session."),
  ]),
  type("ConsumerId", 122, "DataStructure", "Identifies a consumer of a session.", [
    field("connectionId", "string", "The `value` of the connection's id."),
    field("sessionId", "long", "Number of the session."),
    field("value", "long", "Number of the consumer within its session, from 1."),
  ]),
  type("ProducerId", 123, "DataStructure", "Identifies a producer of a session.", [
    field("connectionId", "string", "The `value` of the connection's id."),
    field("value", "long", "Number of the producer within its session, from 1."),
    field("sessionId", "long", "Number of the session."),
  ]),
  type("BrokerId", 124, "DataStructure", "Identifies a broker.", [
    field("value", "string", "Unique text of the broker."),
  ]),
  type("MessageId", 110, "DataStructure", "Identifies a message.", [
    field("textView", "string", "Id as given by a sender of another protocol.", { since: 10 }),
    field("producerId", cached("ProducerId"), "The producer that sent the message."),
    field("producerSequenceId", "long", "Number of the message within its producer, from 1."),
    field("brokerSequenceId", "long", "Number that the broker gave on arrival."),
  ]),
  abstractType("TransactionId", "DataStructure", "Identifies a transaction."),
  type("LocalTransactionId", 111, "TransactionId", "Identifies a transaction of one connection.", [
    field("value", "long", "Number of the transaction within its connection."),
    field("connectionId", cached("ConnectionId"), "The connection that began it."),
  ]),
  type(
    "XATransactionId",
    112,
    "TransactionId",
    "Identifies a branch of a distributed transaction.",
    [
      field(
        "formatId",
        "int",
        "Format of the two byte strings, chosen by the transaction manager.",
      ),
      field("globalTransactionId", "bytes", "Global part, at most 64 bytes."),
      field("branchQualifier", "bytes", "Branch part, at most 64 bytes."),
    ],
  ),

  // Destinations
  abstractType("ActiveMQDestination", "DataStructure", "A place to which messages are sent.", [
    field("physicalName", "string", "Name without a prefix such as `queue://`; never empty."),
  ]),
  abstractType(
    "ActiveMQTempDestination",
    "ActiveMQDestination",
    "A destination that dies with its connection.",
  ),
  type("ActiveMQQueue", 100, "ActiveMQDestination", "A queue."),
  type("ActiveMQTopic", 101, "ActiveMQDestination", "A topic."),
  type("ActiveMQTempQueue", 102, "ActiveMQTempDestination", "A temporary queue."),
  type("ActiveMQTempTopic", 103, "ActiveMQTempDestination", "A temporary topic."),

  // Session start
  type(
    "WireFormatInfo",
    1,
    "DataStructure",
    "First frame of each peer: what it can and wants to speak.",
    [
      field("magic", { name: "constBytes", size: 8 }, "The bytes of `ActiveMQ`."),
      field("version", "int", "Highest OpenWire version that the sender speaks."),
      field("marshalledProperties", "bytes", "Primitive map of the sender's options."),
    ],
    aware,
  ),

  abstractType(
    "BaseCommand",
    "DataStructure",
    "A data structure that is sent on its own and can be answered.",
    [
      field("commandId", "int", "Number of the command within its sender's connection."),
      field("responseRequired", "boolean", "Whether the receiver must answer."),
    ],
  ),
  type("BrokerInfo", 2, "BaseCommand", "Describes the broker to which one is connected.", [
    field("brokerId", cached("BrokerId"), "Id of the broker."),
    field("brokerURL", "string", "URL of the broker's connector."),
    field("peerBrokerInfos", array("BrokerInfo"), "Brokers of its network."),
    field("brokerName", "string", "Name of the broker."),
    field("slaveBroker", "boolean", "Whether it is the passive one of a pair."),
    field("masterBroker", "boolean", "Whether it is the active one of a pair."),
    field("faultTolerantConfiguration", "boolean", "Whether it is one of a master-slave pair."),
    field("duplexConnection", "boolean", "Whether a network link carries both directions.", {
      since: 2,
    }),
    field("networkConnection", "boolean", "Whether this is a network link.", { since: 2 }),
    field("connectionId", "long", "Number of the network link.", { since: 2 }),
    field("brokerUploadUrl", "string", "Where to upload blobs.", { since: 3 }),
    field("networkProperties", "string", "Properties of a network link, as text.", { since: 3 }),
  ]),
  type("ConnectionInfo", 3, "BaseCommand", "Opens a connection.", [
    field("connectionId", cached("ConnectionId"), "Id of the new connection."),
    field("clientId", "string", "JMS client id; required by the broker."),
    field("password", "string", "Password, in clear text."),
    field("userName", "string", "User name."),
    field("brokerPath", array("BrokerId"), "Brokers that the command came through."),
    field("brokerMasterConnector", "boolean", "Whether a broker connects to its master."),
    field("manageable", "boolean", "Whether the broker may send `ConnectionControl`."),
    field("clientMaster", "boolean", "Whether a client may connect to a passive broker.", {
      since: 2,
    }),
    field("faultTolerant", "boolean", "Whether the client reconnects by itself.", { since: 6 }),
    field("failoverReconnect", "boolean", "Whether this restores an earlier connection.", {
      since: 6,
    }),
    field("clientIp", "string", "Address of the client, filled in by the broker.", { since: 8 }),
  ]),
  type("SessionInfo", 4, "BaseCommand", "Opens a session.", [
    field("sessionId", cached("SessionId"), "Id of the new session."),
  ]),
  type("ConsumerInfo", 5, "BaseCommand", "Opens a consumer.", [
    field("consumerId", cached("ConsumerId"), "Id of the new consumer."),
    field("browser", "boolean", "Whether it only looks at the messages of a queue."),
    field(
      "destination",
      cached("ActiveMQDestination"),
      "What it consumes; may be composite or hold wildcards.",
    ),
    field("prefetchSize", "int", "How many messages may be on their way to it; 0 means it pulls."),
    field(
      "maximumPendingMessageLimit",
      "int",
      "How many messages of a topic may wait for it; the rest is dropped.",
    ),
    field("dispatchAsync", "boolean", "Whether the broker dispatches from a thread of its own."),
    field("selector", "string", "SQL-92 condition that messages must meet."),
    field("clientId", "string", "JMS client id.", { since: 10 }),
    field("subscriptionName", "string", "Name of the durable subscription; null for none."),
    field("noLocal", "boolean", "Whether messages of its own connection are left out."),
    field("exclusive", "boolean", "Whether it wants to be the queue's only consumer."),
    field("retroactive", "boolean", "Whether it wants messages sent before it came."),
    field("priority", "byte", "Higher is served first; -128 to 127."),
    field("brokerPath", array("BrokerId"), "Brokers that the command came through."),
    field("additionalPredicate", nested("NetworkBridgeFilter"), "Filter of a network link."),
    field("networkSubscription", "boolean", "Whether it stands for a network link."),
    field("optimizedAcknowledge", "boolean", "Whether it acknowledges in batches."),
    field("noRangeAcks", "boolean", "Whether it never acknowledges ranges."),
    field(
      "networkConsumerPath",
      array("ConsumerId"),
      "Consumers for which a network link stands.",
      { since: 4 },
    ),
  ]),
  type("ProducerInfo", 6, "BaseCommand", "Opens a producer.", [
    field("producerId", cached("ProducerId"), "Id of the new producer."),
    field("destination", cached("ActiveMQDestination"), "Where it sends; null leaves it open."),
    field("brokerPath", array("BrokerId"), "Brokers that the command came through."),
    field(
      "dispatchAsync",
      "boolean",
      "Whether the broker dispatches its messages from a thread of its own.",
      { since: 2 },
    ),
    field("windowSize", "int", "Bytes that may be sent without a `ProducerAck`; 0 for no limit.", {
      since: 3,
    }),
  ]),
  type("TransactionInfo", 7, "BaseCommand", "Begins or ends a transaction.", [
    field("connectionId", cached("ConnectionId"), "The connection that sends it."),
    field("transactionId", cached("TransactionId"), "The transaction; null to recover."),
    field(
      "type",
      "byte",
      "0 begin, 1 prepare, 2 commit in one phase, 3 commit in two, 4 rollback, 5 recover, 6 forget, 7 end.",
    ),
  ]),
  type("DestinationInfo", 8, "BaseCommand", "Adds or removes a destination.", [
    field("connectionId", cached("ConnectionId"), "The connection that sends it."),
    field("destination", cached("ActiveMQDestination"), "The destination."),
    field("operationType", "byte", "0 add, 1 remove."),
    field("timeout", "long", "Milliseconds to wait for its users to go; 0 fails at once."),
    field("brokerPath", array("BrokerId"), "Brokers that the command came through."),
  ]),
  type("RemoveSubscriptionInfo", 9, "BaseCommand", "Deletes a durable subscription.", [
    field("connectionId", cached("ConnectionId"), "The connection that sends it."),
    field("subscriptionName", "string", "Name of the subscription."),
    field("clientId", "string", "JMS client id of the subscription."),
  ]),
  type(
    "KeepAliveInfo",
    10,
    "BaseCommand",
    "Says that the sender lives; answered by itself, not by a `Response`.",
  ),
  type("ShutdownInfo", 11, "BaseCommand", "Says that the sender closes the link."),
  type("RemoveInfo", 12, "BaseCommand", "Closes a connection, session, consumer or producer.", [
    field("objectId", cached("DataStructure"), "Id of what is closed."),
    field(
      "lastDeliveredSequenceId",
      "long",
      "`brokerSequenceId` of the last message handed to the application; -1 none, -2 unknown.",
      { since: 5, initial: "-2" },
    ),
  ]),
  type("ControlCommand", 14, "BaseCommand", "A textual order, such as `shutdown`, to a broker.", [
    field("command", "string", "The order."),
  ]),
  type("FlushCommand", 15, "BaseCommand", "Asks to flush pending work."),
  type("ConnectionError", 16, "BaseCommand", "Reports a failure that answers no request.", [
    field("exception", "throwable", "What failed."),
    field("connectionId", nested("ConnectionId"), "The connection that it concerns; may be null."),
  ]),
  type("ConsumerControl", 17, "BaseCommand", "Changes a consumer while it runs.", [
    field("destination", nested("ActiveMQDestination"), "What the consumer consumes.", {
      since: 6,
    }),
    field("close", "boolean", "Whether the consumer is closed."),
    field("consumerId", nested("ConsumerId"), "The consumer."),
    field("prefetch", "int", "New prefetch size."),
    field("flush", "boolean", "Whether to flush it.", { since: 2 }),
    field("start", "boolean", "Whether to start it.", { since: 2 }),
    field("stop", "boolean", "Whether to stop it.", { since: 2 }),
  ]),
  type("ConnectionControl", 18, "BaseCommand", "Changes a connection while it runs.", [
    field("close", "boolean", "Whether to close the connection."),
    field("exit", "boolean", "Whether the peer should exit."),
    field("faultTolerant", "boolean", "Whether the sender is fault tolerant."),
    field("resume", "boolean", "Whether to resume."),
    field("suspend", "boolean", "Whether to suspend."),
    field("connectedBrokers", "string", "Comma-separated URLs of the broker's network.", {
      since: 6,
    }),
    field("reconnectTo", "string", "URL of the broker to move to.", { since: 6 }),
    field("rebalanceConnection", "boolean", "Whether to choose a broker anew.", { since: 6 }),
    field("token", "bytes", "Opaque token.", { since: 8 }),
  ]),
  type("ProducerAck", 19, "BaseCommand", "Gives a producer's window room again.", [
    field("producerId", nested("ProducerId"), "The producer.", { since: 3 }),
    field("size", "int", "Bytes that were taken.", { since: 3 }),
  ], { since: 3 }),
  type(
    "MessagePull",
    20,
    "BaseCommand",
    "Asks for a message on behalf of a consumer with prefetch size 0.",
    [
      field("consumerId", cached("ConsumerId"), "The consumer.", { since: 2 }),
      field("destination", cached("ActiveMQDestination"), "What the consumer consumes.", {
        since: 2,
      }),
      field("timeout", "long", "Milliseconds to wait; 0 for ever, -1 not at all.", { since: 2 }),
      field("correlationId", "string", "Unused by the brokers.", { since: 3 }),
      field("messageId", nested("MessageId"), "Unused by the brokers.", { since: 3 }),
    ],
    { since: 2 },
  ),
  type("MessageDispatch", 21, "BaseCommand", "Brings a message to a consumer.", [
    field("consumerId", cached("ConsumerId"), "The consumer."),
    field(
      "destination",
      cached("ActiveMQDestination"),
      "Where the message was sent; null with a null message.",
    ),
    field(
      "message",
      nested("Message"),
      "The message; null marks the end of a browse or an empty pull.",
    ),
    field("redeliveryCounter", "int", "How often it was delivered before."),
  ]),
  type("MessageAck", 22, "BaseCommand", "Acknowledges messages.", [
    field("destination", cached("ActiveMQDestination"), "As in the `MessageDispatch`."),
    field("transactionId", cached("TransactionId"), "The transaction that it is part of."),
    field("consumerId", cached("ConsumerId"), "The consumer."),
    field(
      "ackType",
      "byte",
      "0 delivered, 1 poison, 2 standard, 3 redelivered, 4 individual, 5 unmatched, 6 expired.",
    ),
    field(
      "firstMessageId",
      nested("MessageId"),
      "First message of the range; null for the oldest one.",
    ),
    field("lastMessageId", nested("MessageId"), "Last message of the range."),
    field("messageCount", "int", "Number of messages in the range."),
    field("poisonCause", "throwable", "Why the messages are given up.", { since: 7 }),
  ]),

  // Messages
  abstractType("Message", "BaseCommand", "A message.", [
    field("producerId", cached("ProducerId"), "The producer that sends it."),
    field("destination", cached("ActiveMQDestination"), "Where it is sent."),
    field("transactionId", cached("TransactionId"), "The transaction that it is part of."),
    field(
      "originalDestination",
      cached("ActiveMQDestination"),
      "Where it was sent first, if it was moved.",
    ),
    field("messageId", nested("MessageId"), "Id of the message."),
    field(
      "originalTransactionId",
      cached("TransactionId"),
      "The transaction that it was sent in first.",
    ),
    field("groupID", "string", "JMSXGroupID."),
    field("groupSequence", "int", "JMSXGroupSeq."),
    field("correlationId", "string", "JMSCorrelationID."),
    field("persistent", "boolean", "Whether it survives a restart of the broker."),
    field("expiration", "long", "JMSExpiration: milliseconds since 1970; 0 never."),
    field("priority", "byte", "JMSPriority, 0 to 9."),
    field("replyTo", nested("ActiveMQDestination"), "JMSReplyTo."),
    field("timestamp", "long", "JMSTimestamp: milliseconds since 1970."),
    field("type", "string", "JMSType."),
    field("content", "bytes", "The marshalled body; null when empty."),
    field(
      "marshalledProperties",
      "bytes",
      "Primitive map of the properties; null when there are none.",
    ),
    field("dataStructure", nested("DataStructure"), "Payload of an advisory."),
    field("targetConsumerId", cached("ConsumerId"), "The only consumer that may have it."),
    field("compressed", "boolean", "Whether `content` is compressed."),
    field("redeliveryCounter", "int", "How often it was delivered before."),
    field("brokerPath", array("BrokerId"), "Brokers that it came through."),
    field("arrival", "long", "When it reached the broker: milliseconds since 1970."),
    field("userID", "string", "JMSXUserID, filled in by a broker so configured."),
    field(
      "recievedByDFBridge",
      "boolean",
      "Whether it came through a demand-forwarding bridge (Java's spelling).",
    ),
    field("droppable", "boolean", "Whether it may be dropped.", { since: 2 }),
    field("cluster", array("BrokerId"), "Brokers of the cluster that have it.", { since: 3 }),
    field("brokerInTime", "long", "When the broker took it: milliseconds since 1970.", {
      since: 3,
    }),
    field("brokerOutTime", "long", "When the broker gave it: milliseconds since 1970.", {
      since: 3,
    }),
    field(
      "jmsxGroupFirstForConsumer",
      "boolean",
      "Whether it is the first of its group for this consumer.",
      { since: 10, javaName: "JMSXGroupFirstForConsumer" },
    ),
  ]),
  type("ActiveMQMessage", 23, "Message", "A message without a body.", [], aware),
  type("ActiveMQBytesMessage", 24, "Message", "A message of bytes.", [], aware),
  type("ActiveMQMapMessage", 25, "Message", "A message of named values.", [], aware),
  type(
    "ActiveMQObjectMessage",
    26,
    "Message",
    "A message that holds a serialized Java object.",
    [],
    aware,
  ),
  type("ActiveMQStreamMessage", 27, "Message", "A message of values in a row.", [], aware),
  type("ActiveMQTextMessage", 28, "Message", "A message of text.", [], aware),
  type("ActiveMQBlobMessage", 29, "Message", "A message whose body is kept elsewhere.", [
    field("remoteBlobUrl", "string", "Where the body is.", { since: 3 }),
    field("mimeType", "string", "Media type of the body.", { since: 3 }),
    field("deletedByBroker", "boolean", "Whether the broker deletes the body.", { since: 3 }),
  ], { since: 3, marshallAware: true }),

  // Answers
  type("Response", 30, "BaseCommand", "Answers a command.", [
    field("correlationId", "int", "`commandId` of the command that it answers."),
  ]),
  type("ExceptionResponse", 31, "Response", "Says that a command failed.", [
    field("exception", "throwable", "What failed."),
  ]),
  type("DataResponse", 32, "Response", "Answers with a structure.", [
    field("data", nested("DataStructure"), "The structure."),
  ]),
  type("DataArrayResponse", 33, "Response", "Answers with structures.", [
    field("data", array("DataStructure"), "The structures."),
  ]),
  type("IntegerResponse", 34, "Response", "Answers with a number.", [
    field("result", "int", "The number; of a prepare 0 is OK and 3 read-only."),
  ]),

  // Broker links, stores and datagrams: a client decodes and ignores them
  type("DiscoveryEvent", 40, "DataStructure", "Announces a broker to discovery agents.", [
    field("serviceName", "string", "URL of the broker."),
    field("brokerName", "string", "Name of the broker."),
  ]),
  type(
    "JournalTopicAck",
    50,
    "DataStructure",
    "Journal record of a durable subscriber's acknowledgement.",
    [
      field("destination", nested("ActiveMQDestination"), "The topic."),
      field("messageId", nested("MessageId"), "The message."),
      field("messageSequenceId", "long", "Its number in the store."),
      field("subscritionName", "string", "Name of the subscription (Java's spelling)."),
      field("clientId", "string", "JMS client id of the subscription."),
      field("transactionId", nested("TransactionId"), "The transaction that it is part of."),
    ],
  ),
  type("JournalQueueAck", 52, "DataStructure", "Journal record of a removal from a queue.", [
    field("destination", nested("ActiveMQDestination"), "The queue."),
    field("messageAck", nested("MessageAck"), "The acknowledgement."),
  ]),
  type("JournalTrace", 53, "DataStructure", "Journal record of a remark.", [
    field("message", "string", "The remark."),
  ]),
  type("JournalTransaction", 54, "DataStructure", "Journal record of the end of a transaction.", [
    field("transactionId", nested("TransactionId"), "The transaction."),
    field("type", "byte", "Kind of end."),
    field("wasPrepared", "boolean", "Whether it was prepared."),
  ]),
  type("SubscriptionInfo", 55, "DataStructure", "Store record of a durable subscription.", [
    field("clientId", "string", "JMS client id."),
    field("destination", cached("ActiveMQDestination"), "The topic."),
    field("selector", "string", "SQL-92 condition that messages must meet."),
    field("subscriptionName", "string", "Name of the subscription."),
    field(
      "subscribedDestination",
      nested("ActiveMQDestination"),
      "The topic as it was subscribed to.",
      { since: 3 },
    ),
    field("noLocal", "boolean", "Whether messages of its own connection are left out.", {
      since: 11,
    }),
  ]),
  type("PartialCommand", 60, "DataStructure", "A piece of a command that was cut for datagrams.", [
    field("commandId", "int", "Number of the piece."),
    field("data", "bytes", "The piece; never null."),
  ]),
  type("LastPartialCommand", 61, "PartialCommand", "The last piece of a command."),
  type("ReplayCommand", 65, "BaseCommand", "Asks a datagram peer to send commands again.", [
    field("firstNakNumber", "int", "First command that was missed."),
    field("lastNakNumber", "int", "Last command that was missed."),
  ]),
  type(
    "MessageDispatchNotification",
    90,
    "BaseCommand",
    "Tells a passive broker what was dispatched.",
    [
      field("consumerId", cached("ConsumerId"), "The consumer."),
      field("destination", cached("ActiveMQDestination"), "Where the message was sent."),
      field("deliverySequenceId", "long", "Number of the dispatch."),
      field("messageId", nested("MessageId"), "The message."),
    ],
  ),
  type(
    "NetworkBridgeFilter",
    91,
    "DataStructure",
    "Keeps messages from going round in a network of brokers.",
    [
      field("networkTTL", "int", "How many brokers a message may pass.", { until: 9 }),
      field(
        "networkBrokerId",
        cached("BrokerId"),
        "The broker to which messages aren't sent back.",
      ),
      field("messageTTL", "int", "How many brokers a message may pass.", { since: 10 }),
      field("consumerTTL", "int", "How many brokers a subscription may pass.", { since: 10 }),
    ],
  ),
  type(
    "BrokerSubscriptionInfo",
    92,
    "BaseCommand",
    "Tells a network peer of durable subscriptions.",
    [
      field("brokerId", nested("BrokerId"), "The broker.", { since: 12 }),
      field("brokerName", "string", "Name of the broker.", { since: 12 }),
      field("subscriptionInfos", array("ConsumerInfo"), "The subscriptions.", { since: 12 }),
    ],
    { since: 12 },
  ),
];
