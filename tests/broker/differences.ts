/**
 * What the brokers differ in, in one place: tests say what they need, this table says who has it.
 *
 * docs/brokers.md is made of it: `deno run -A tests/broker/brokers_page.ts`.
 */
import { BROKER_KINDS, type BrokerKind } from "./kinds.ts";

/** A broker that the tests of the client know. */
export type TestedBroker = BrokerKind | "memory";

/** All of them, in the order of the table. */
export const TESTED_BROKERS: readonly TestedBroker[] = ["memory", ...BROKER_KINDS];

/** What not all brokers have. */
export type Capability =
  | "exclusive consumers"
  | "retroactive consumers"
  | "pending message limit"
  | "shared topics of any name"
  | "changed prefetch size"
  | "repeated delivery"
  | "scheduled jobs"
  | "scheduled job ids"
  | "advisories"
  | "advisories of full queues"
  | "statistics"
  | "nested properties"
  | "all versions"
  | "only own properties"
  | "any text in properties"
  | "UTF-8 for STOMP"
  | "NUL in text for STOMP"
  | "prefixes of STOMP"
  | "temporary queues of STOMP"
  | "unsigned numbers of AMQP"
  | "message ids of AMQP"
  | "same compression"
  | "transaction ids of messages"
  | "first of a group"
  | "grouped streams"
  | "no order by priority"
  | "exact full queues"
  | "deleted temporary destinations"
  | "origin of dead letters"
  | "end of foreign protocols"
  | "topics kept while in use"
  | "credit within transactions"
  | "read-only branches"
  | "XA undone at once"
  | "XA error codes";

/** What is known of a capability. */
export interface CapabilityEntry {
  /** What it is, for docs/brokers.md. */
  readonly title: string;
  /** What is otherwise on a broker that has it not; those that are not named have it. */
  readonly missing: Partial<Record<TestedBroker, string>>;
}

const VIRTUAL =
  "only virtual topics, whose names begin with `VirtualTopic.`; the client refuses the others";
const NO_OTHERS = "it speaks OpenWire only";
const AMQP_BYTES = "it comes as the bytes of the AMQP message, with the property `JMS_AMQP_NATIVE`";

/** All capabilities that not every broker has, as seen on the versions in provision.ts. */
export const CAPABILITIES: Readonly<Record<Capability, CapabilityEntry>> = {
  "exclusive consumers": {
    title: "Exclusive consumers",
    missing: {
      artemis: "`exclusive` is ignored, so the client refuses it; configure the queue as exclusive",
    },
  },
  "retroactive consumers": {
    title: "Retroactive consumers",
    missing: {
      artemis:
        "`retroactive` is ignored, so the client refuses it; configure the address with a `retroactive-message-count`",
    },
  },
  "pending message limit": {
    title: "A limit of pending messages",
    missing: {
      artemis:
        "`maximumPendingMessageLimit` is ignored, so the client refuses it; configure the queue with a `ring-size`",
    },
  },
  "shared topics of any name": {
    title: "`shared` for any topic",
    missing: { memory: VIRTUAL, activemq5: VIRTUAL, activemq6: VIRTUAL },
  },
  "changed prefetch size": {
    title: "`setPrefetchSize()` replaces the prefetch size",
    missing: { artemis: "the new size is added to what was sent ahead: from 1 to 4 makes 5" },
  },
  "repeated delivery": {
    title: "Schedules with `period`, `repeat` and `cron`",
    missing: { artemis: "only `delay` is known; the client refuses the others" },
  },
  "scheduled jobs": {
    title: "Scheduled messages can be shown and taken back",
    missing: { artemis: "there is no scheduler to ask; the client refuses `scheduledJobs`" },
  },
  "scheduled job ids": {
    title: "A message that was scheduled has the id of its job",
    missing: { artemis: "it comes as any other" },
  },
  "advisories": {
    title: "Advisories of all kinds, and a live view of destinations",
    missing: {
      artemis:
        "it tells that a connection was opened, but not that one was closed; that a queue was created by a producer or deleted, not by STOMP; temporary destinations, whose deletion it tells twice; and nothing of what was there before. The client refuses the other topics and `watchDestinations()`",
    },
  },
  "advisories of full queues": {
    title: "Advisories of full queues and of producers that are held back by them",
    missing: {
      memory: "its queues are full only when a test says so",
      artemis: "it tells nothing of them",
    },
  },
  "statistics": {
    title: "Statistics by a plugin",
    missing: {
      artemis: "there is no such plugin; the client refuses `statistics`",
    },
  },
  "nested properties": {
    title: "Lists and maps as properties and within maps",
    missing: {
      artemis: "a property comes as the text of the Java object, a map that has one is refused",
    },
  },
  "all versions": {
    title: "OpenWire 2 to 8, and nested maps in all",
    missing: {
      artemis:
        "it has no classes for 2 to 8 and does not answer such a client; nested maps are refused",
    },
  },
  "only own properties": {
    title: "A message has the properties that it was sent with",
    missing: { artemis: "it has `__AMQ_CID` beside them, the client id of its sender" },
  },
  "any text in properties": {
    title: "Emoji and NUL in the text of properties and maps come as they were sent",
    missing: { artemis: "each comes as two replacement characters, U+FFFD" },
  },
  "UTF-8 for STOMP": {
    title: "STOMP clients get our text as UTF-8",
    missing: {
      memory: NO_OTHERS,
      activemq5: "emoji come as six bytes, NUL as two, as in Java's modified UTF-8",
    },
  },
  "NUL in text for STOMP": {
    title: "STOMP clients get text that has a NUL",
    missing: {
      memory: NO_OTHERS,
      activemq5: "it comes as two bytes",
      activemq6: "it comes without `content-length`, so that the message ends at the NUL",
    },
  },
  "prefixes of STOMP": {
    title: "STOMP clients have `/queue/` and `/topic/` in `reply-to`",
    missing: {
      memory: NO_OTHERS,
      artemis: "`reply-to` goes through as it is, so they say `queue://` and get that",
    },
  },
  "temporary queues of STOMP": {
    title: "STOMP clients have temporary queues",
    missing: { memory: NO_OTHERS, artemis: "`/temp-queue/` is a name as any other" },
  },
  "unsigned numbers of AMQP": {
    title: "A map of an AMQP client comes as a map if it has unsigned numbers, too",
    missing: {
      memory: NO_OTHERS,
      activemq5: AMQP_BYTES,
      activemq6: AMQP_BYTES,
    },
  },
  "message ids of AMQP": {
    title: "The message id of an AMQP client is the id of the message here",
    missing: {
      memory: NO_OTHERS,
      artemis: "the broker gives it one of its own; the property `NATIVE_MESSAGE_ID` has the other",
    },
  },
  "same compression": {
    title: "A compressed message comes as it was sent",
    missing: { artemis: "its body is compressed anew, text with a flush in place of the end" },
  },
  "transaction ids of messages": {
    title: "A message tells the transaction that sent it",
    missing: { artemis: "it tells none" },
  },
  "first of a group": {
    title: "The first message of a group says so",
    missing: {
      artemis: "`groupFirstForConsumer` is set only if the queue has a `group-first-key`",
    },
  },
  "grouped streams": {
    title: "The chunks of a stream are a message group",
    missing: {
      artemis:
        "it sometimes skips messages of a group for a consumer with a selector, so the client sends them without",
    },
  },
  "no order by priority": {
    title: "Priority does not change the order of a queue, unless it is configured so",
    missing: { artemis: "messages of a higher priority come first" },
  },
  "exact full queues": {
    title: "A queue that is full takes nothing more from anybody",
    missing: {
      artemis:
        "what is read from the socket is taken still, then the broker reads nothing from the connection at all",
    },
  },
  "deleted temporary destinations": {
    title: "Sending to a temporary destination that is gone is refused",
    missing: { artemis: "it is accepted" },
  },
  "origin of dead letters": {
    title: "A dead letter tells where it came from, by `originalDestination`",
    missing: { artemis: "it is null" },
  },
  "end of foreign protocols": {
    title: "A connection that speaks another protocol is closed",
    missing: { artemis: "it is left open" },
  },
  "topics kept while in use": {
    title: "A topic that has consumers or durable subscriptions is not deleted",
    missing: {
      artemis: "it is deleted with them, and the connections of its consumers are ended",
    },
  },
  "credit within transactions": {
    title: "An acknowledgement of one message in a transaction makes room for another",
    missing: { artemis: "no more than the prefetch size comes before the commit" },
  },
  "read-only branches": {
    title: "`xa.prepare()` tells when nothing was done",
    missing: { artemis: "it is always prepared" },
  },
  "XA undone at once": {
    title: "What a branch that wasn't prepared has done is undone when its connection is lost",
    missing: { artemis: "it is not undone at once: what was received stays out of the queue" },
  },
  "XA error codes": {
    title: "A distributed transaction that is unknown is told by the code `notFound`",
    missing: { artemis: "the code is that of a protocol error" },
  },
};

/** Why a broker can't run a test that needs this; undefined if it can. */
export function missing(broker: TestedBroker, needs: readonly Capability[]): string | undefined {
  for (const need of needs) {
    const reason = CAPABILITIES[need].missing[broker];
    if (reason) return reason;
  }
}
