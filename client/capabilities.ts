/**
 * Which broker it is, and what it can do.
 *
 * @module
 */

import type { BrokerInfo } from "../codec/mod.ts";
import { OpenWireError } from "../errors.ts";

/** A broker's implementation; `"unknown"` when it did not say enough of itself. */
export type BrokerKind = "activemq" | "artemis" | "unknown";

/**
 * What a broker can do. What it can't is refused with an `OpenWireError` of the code `"UNSUPPORTED"`. Of an unknown broker
 * all is expected.
 *
 * @example
 * ```ts
 * import { type BrokerCapabilities, connect } from "../mod.ts";
 * import { MemoryBroker } from "../testing/mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * await using broker = await MemoryBroker.listen();
 * await using connection = await connect(broker.url);
 * const capabilities: BrokerCapabilities = connection.capabilities;
 * assertEquals(capabilities.repeatedDelivery, true);
 * ```
 */
export interface BrokerCapabilities {
  /** Consumers may be `exclusive`. On Artemis the queue must be configured as exclusive. */
  readonly exclusiveConsumers: boolean;
  /** Consumers may be `retroactive`. On Artemis the address must be configured so. */
  readonly retroactiveConsumers: boolean;
  /** Consumers may have a `maximumPendingMessageLimit`. On Artemis a ring queue does this. */
  readonly maximumPendingMessageLimit: boolean;
  /** Messages may be scheduled with `period`, `repeat` and `cron`, not only with `delay`. */
  readonly repeatedDelivery: boolean;
  /** Scheduled messages can be shown and taken back: `connection.scheduledJobs`. */
  readonly scheduledJobs: boolean;
  /**
   * The broker tells of all that `advisoryTopics` has, and of what was there before. Artemis tells only of connections that
   * were opened, and of some destinations.
   */
  readonly advisories: boolean;
  /** There can be a statistics plugin: `connection.statistics`. */
  readonly statistics: boolean;
  /** Messages may have a `deduplicationId`. Only Artemis can detect duplicates by an id of the application. */
  readonly duplicateDetection: boolean;
  /**
   * The chunks of a stream are one message group, so that who knows nothing of streams gets them all. Artemis sometimes skips
   * messages of a group for a consumer with a selector, which those that read streams have.
   */
  readonly groupedStreams: boolean;
}

const ALL: BrokerCapabilities = Object.freeze({
  exclusiveConsumers: true,
  retroactiveConsumers: true,
  maximumPendingMessageLimit: true,
  repeatedDelivery: true,
  scheduledJobs: true,
  advisories: true,
  statistics: true,
  duplicateDetection: true,
  groupedStreams: true,
});

const ACTIVEMQ: BrokerCapabilities = Object.freeze({ ...ALL, duplicateDetection: false });

const ARTEMIS: BrokerCapabilities = Object.freeze({
  exclusiveConsumers: false,
  retroactiveConsumers: false,
  maximumPendingMessageLimit: false,
  repeatedDelivery: false,
  scheduledJobs: false,
  advisories: false,
  statistics: false,
  duplicateDetection: true,
  // Seen in 2.55: 6 of 4,300 streams, and none of 4,280 without groups.
  groupedStreams: false,
});

/** What a broker of a kind can do. */
export function capabilitiesOf(kind: BrokerKind): BrokerCapabilities {
  return kind === "artemis" ? ARTEMIS : kind === "activemq" ? ACTIVEMQ : ALL;
}

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/**
 * Which broker says this of itself. The WireFormatInfo does not tell: Artemis sends that of ActiveMQ's classes.
 *
 * Artemis' broker id is the UUID of its node, and its URL has no scheme; ActiveMQ's URL has one.
 */
export function brokerKindOf(info: BrokerInfo | undefined): BrokerKind {
  if (!info) return "unknown";
  const url = info.brokerURL ?? "";
  if (url.includes("://")) return "activemq";
  const id = info.brokerId?.value ?? "";
  if (UUID.test(id)) return "artemis";
  return id.startsWith("ID:") ? "activemq" : "unknown";
}

/** What to say of each that is missing. */
const REASONS: Readonly<Record<keyof BrokerCapabilities, string>> = {
  exclusiveConsumers: "it ignores `exclusive`; configure the queue as exclusive",
  retroactiveConsumers:
    "it ignores `retroactive`; configure the address with a retroactive-message-count",
  maximumPendingMessageLimit:
    "it ignores `maximumPendingMessageLimit`; configure the queue with a ring-size",
  repeatedDelivery: "it ignores `period`, `repeat` and `cron`; it knows only `delay`",
  scheduledJobs: "it has no scheduler whose jobs can be shown and removed",
  advisories:
    "it tells only of connections that were opened, and of some destinations that come and go",
  statistics: "it has no statistics plugin",
  duplicateDetection:
    "it ignores `deduplicationId`; let consumers detect duplicates by a property of yours",
  groupedStreams: "it skips messages of a group for a consumer with a selector",
};

/**
 * Refuses what the broker is known to ignore.
 *
 * @throws {OpenWireError} `"UNSUPPORTED"`
 */
export function requireCapability(
  capabilities: BrokerCapabilities,
  name: keyof BrokerCapabilities,
  action: string,
): void {
  if (capabilities[name]) return;
  const broker = name === "duplicateDetection" ? "ActiveMQ" : "Artemis";
  throw new OpenWireError(
    "UNSUPPORTED",
    `${action}: the broker is ${broker}, and ${REASONS[name]}`,
  );
}
