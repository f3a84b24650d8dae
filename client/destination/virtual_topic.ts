/**
 * Virtual topics.
 *
 * @module
 */

import { type ActiveMQQueue, createActiveMQQueue } from "../../codec/mod.ts";
import { harmless } from "../harmless.ts";
import { type Destination, nameOf, toDestination } from "./destination.ts";

/** What names of virtual topics begin with, unless the broker is configured otherwise. */
const PREFIX = "VirtualTopic.";

/**
 * The queue from which a group of consumers takes its copy of what is sent to a virtual topic. Each message goes to one
 * consumer of each group, and waits while a group has no consumer: what JMS 2.0 calls a shared durable subscription, which
 * OpenWire doesn't have.
 *
 * ActiveMQ makes such queues for topics whose names begin with `VirtualTopic.`, unless it is configured otherwise. The queue
 * exists from the first time that somebody consumes from it.
 *
 * @param group Name of the group: without dots, commas and wildcards.
 * @param topic The virtual topic.
 * @returns The queue.
 * @throws {TypeError} When the group's name can't be used, or the topic is none or has another prefix.
 *
 * @example
 * ```ts
 * import { connect, topic, virtualTopicQueue } from "../../mod.ts";
 * import { MemoryBroker } from "../../testing/mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * await using broker = await MemoryBroker.listen();
 * await using connection = await connect(broker.url);
 * const orders = topic("VirtualTopic.orders");
 * const billing = await connection.createConsumer(virtualTopicQueue("billing", orders));
 * const shipping = await connection.createConsumer(virtualTopicQueue("shipping", orders));
 * await connection.send(orders, "one copy for each group");
 * assertEquals((await billing.receive())?.text, "one copy for each group");
 * assertEquals((await shipping.receive())?.text, "one copy for each group");
 * ```
 */
export function virtualTopicQueue(group: string, topic: Destination): ActiveMQQueue {
  const destination = toDestination(topic);
  const { dataType, physicalName } = destination;
  if (dataType !== "ActiveMQTopic" || !physicalName.startsWith(PREFIX)) {
    throw new TypeError(
      `Cannot share ${nameOf(destination)}: a topic whose name begins with ${PREFIX} is expected`,
    );
  }
  if (group === "" || /[.,*>\s?]/.test(group)) {
    throw new TypeError(
      `Cannot use "${
        harmless(group)
      }" as the name of a group: one without dots, commas, spaces and wildcards is expected`,
    );
  }
  return createActiveMQQueue({ physicalName: `Consumer.${group}.${physicalName}` });
}
