/**
 * Queues and topics.
 *
 * @module
 */

import {
  type ActiveMQDestination,
  type ActiveMQQueue,
  type ActiveMQTopic,
  createActiveMQQueue,
  createActiveMQTopic,
} from "../codec/mod.ts";

/**
 * Where messages are sent to or come from: an object made by {@linkcode queue} or {@linkcode topic} or taken from a
 * message, or a text. A text is the name of a queue unless it begins with `topic://`; `queue://` may be written too.
 *
 * @example
 * ```ts
 * import { type Destination, topic } from "../mod.ts";
 *
 * const places: Destination[] = ["orders", "topic://prices", topic("prices")];
 * ```
 */
export type Destination = ActiveMQDestination | string;

/**
 * Makes a queue.
 *
 * @param name Its name. Brokers take `.` as a separator, `,` between the parts of a composite destination, and for
 *   consumers `*` and `>` as wildcards.
 * @returns The queue.
 * @throws {TypeError} When the name is empty or has options behind a `?`.
 *
 * @example
 * ```ts
 * import { queue } from "../mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(queue("orders").physicalName, "orders");
 * ```
 */
export function queue(name: string): ActiveMQQueue {
  return createActiveMQQueue({ physicalName: checkName(name) });
}

/**
 * Makes a topic.
 *
 * @param name Its name.
 * @returns The topic.
 * @throws {TypeError} When the name is empty or has options behind a `?`.
 *
 * @example
 * ```ts
 * import { topic } from "../mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(topic("prices").dataType, "ActiveMQTopic");
 * ```
 */
export function topic(name: string): ActiveMQTopic {
  return createActiveMQTopic({ physicalName: checkName(name) });
}

/** The object for what a user gave. */
export function toDestination(destination: Destination): ActiveMQDestination {
  if (typeof destination === "object" && destination !== null && "physicalName" in destination) {
    return destination;
  }
  if (typeof destination !== "string") {
    throw new TypeError(
      `Cannot use a ${typeof destination} as a destination: a name, queue() or topic() is expected`,
    );
  }
  if (destination.startsWith("topic://")) return topic(destination.slice("topic://".length));
  return queue(
    destination.startsWith("queue://") ? destination.slice("queue://".length) : destination,
  );
}

/** A destination as text, such as `queue://orders`. */
export function formatDestination({ dataType, physicalName }: ActiveMQDestination): string {
  const kinds = {
    ActiveMQQueue: "queue",
    ActiveMQTopic: "topic",
    ActiveMQTempQueue: "temp-queue",
    ActiveMQTempTopic: "temp-topic",
  };
  return `${kinds[dataType]}://${physicalName}`;
}

function checkName(name: string): string {
  const trimmed = name.trim();
  if (trimmed === "") throw new TypeError("Cannot use an empty name for a destination");
  if (trimmed.includes("?")) {
    throw new TypeError(
      "Cannot use a destination with options behind a `?`: give them to createConsumer() or createProducer()",
    );
  }
  return trimmed;
}
