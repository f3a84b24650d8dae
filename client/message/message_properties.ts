/** The properties that an application may give a message. */

import {
  int,
  long,
  PrimitiveMap,
  type PrimitiveMapInput,
  type TypedValue,
} from "../../codec/mod.ts";
import { harmless } from "../harmless.ts";

/**
 * Checks properties that a user gave.
 *
 * @returns A copy of them.
 * @throws {TypeError} When a name or value can't be sent.
 */
export function checkProperties(given: PrimitiveMapInput, nested: boolean): PrimitiveMap {
  const properties = new PrimitiveMap(given);
  for (const [name, { type }] of properties.typedEntries()) {
    if (name === "") throw new TypeError("Cannot send a property without a name");
    const header = HEADERS.get(name);
    if (header !== undefined) {
      throw new TypeError(`Cannot send ${name} as a property: ${header}`);
    }
    if (type === "bytes") {
      throw new TypeError(
        `Cannot send the property ${harmless(name)}: byte arrays can't be properties`,
      );
    }
  }
  for (const [name, convert] of SCHEDULE) {
    const value = properties.get(name);
    if (typeof value === "number" || typeof value === "bigint") {
      properties.set(name, convert(value));
    }
  }
  if (!nested) refuseNested(properties, "properties");
  return properties;
}

const BROKER = "the broker sets it";
const CLIENT = "the client sets it";

/** Names that Java takes for headers, and what to do instead. */
const HEADERS: ReadonlyMap<string, string> = new Map([
  ["JMSCorrelationID", "use the option `correlationId`"],
  ["JMSDeliveryMode", "use the option `persistent`"],
  ["JMSExpiration", "use the option `timeToLive`"],
  ["JMSPriority", "use the option `priority`"],
  ["JMSReplyTo", "use the option `replyTo`"],
  ["JMSType", "use the option `type`"],
  ["JMSXGroupID", "use the option `groupId`"],
  ["JMSXGroupSeq", "use the option `groupSequence`"],
  ["JMSDestination", "use the destination of `send()`"],
  ["JMSMessageID", CLIENT],
  ["JMSTimestamp", CLIENT],
  ["JMSRedelivered", BROKER],
  ["JMSXDeliveryCount", BROKER],
  ["JMSXGroupFirstForConsumer", BROKER],
  ["JMSXProducerTXID", BROKER],
  ["JMSActiveMQBrokerInTime", BROKER],
  ["JMSActiveMQBrokerOutTime", BROKER],
  ["JMSActiveMQBrokerPath", BROKER],
]);

/** Properties whose type has a meaning: Artemis delivers a message with another one at once. */
const SCHEDULE: readonly (readonly [string, (value: number | bigint) => TypedValue])[] = [
  ["AMQ_SCHEDULED_DELAY", long],
  ["AMQ_SCHEDULED_PERIOD", long],
  ["AMQ_SCHEDULED_REPEAT", (value) => int(Number(value))],
];

/** Refuses maps and lists among values. */
export function refuseNested(values: PrimitiveMap, where: "properties" | "map messages"): void {
  for (const [name, { type }] of values.typedEntries()) {
    if (type !== "map" && type !== "list") continue;
    throw new TypeError(
      `Cannot send the ${type} ${harmless(name)} in ${where}: nestedMapAndListEnabled is false`,
    );
  }
}
