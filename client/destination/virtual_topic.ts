/**
 * Virtual topics.
 *
 * @module
 */

import {
  type ActiveMQDestination,
  type ActiveMQQueue,
  createActiveMQQueue,
} from "../../codec/mod.ts";
import { harmless } from "../harmless.ts";
import { type Destination, nameOf, toDestination } from "./destination.ts";

/** What names of virtual topics begin with, unless the broker is configured otherwise. */
export const VIRTUAL_TOPIC_PREFIX = "VirtualTopic.";

/**
 * The queue from which a group of consumers takes its copy of what is sent to a virtual topic. Each message goes to one
 * consumer of each group, and waits while a group has no consumer: what JMS 2.0 calls a shared durable subscription. The option
 * `shared` of `createConsumer()` does the same on Artemis, too, and checks that the broker has virtual topics.
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
  if (!isVirtualTopic(destination)) {
    throw new TypeError(
      `Cannot share ${
        nameOf(destination)
      }: a topic whose name begins with ${VIRTUAL_TOPIC_PREFIX} is expected`,
    );
  }
  checkGroup(group);
  return createActiveMQQueue({ physicalName: `Consumer.${group}.${destination.physicalName}` });
}

/** Whether ActiveMQ, as shipped, copies what is sent there to queues. */
export function isVirtualTopic({ dataType, physicalName }: ActiveMQDestination): boolean {
  return dataType === "ActiveMQTopic" && physicalName.startsWith(VIRTUAL_TOPIC_PREFIX);
}

/**
 * Checks the name of a group of consumers.
 *
 * @throws {TypeError} When it can't be a part of a queue's name.
 */
export function checkGroup(group: string): void {
  if (group !== "" && !/[.,*>\s?]/.test(group)) return;
  throw new TypeError(
    `Cannot use "${
      harmless(group)
    }" as the name of a group: one without dots, commas, spaces and wildcards is expected`,
  );
}
