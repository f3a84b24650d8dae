/** Shared subscriptions: what the user asks for, and the names that brokers have for it. */

import {
  type ActiveMQDestination,
  type ActiveMQTopic,
  createActiveMQTopic,
} from "../../codec/mod.ts";
import { OpenWireError } from "../../errors.ts";
import type { ConsumerOptions } from "../consumer/consumer_options.ts";
import { nameOf } from "../destination/destination.ts";
import { isSeveral } from "../destination/destination_pattern.ts";
import { checkGroup, isVirtualTopic, VIRTUAL_TOPIC_PREFIX } from "../destination/virtual_topic.ts";
import { harmless } from "../harmless.ts";

/** A subscription that several consumers have in common. */
export interface SharedSubscription {
  readonly name: string;
  readonly topic: ActiveMQTopic;
  /** Whether the broker keeps messages while there is no consumer. */
  readonly durable: boolean;
}

/**
 * The shared subscription that a consumer wants; undefined when it wants none.
 *
 * @throws {TypeError} When the options do not fit, or the destination is not a single topic.
 */
export function sharedSubscriptionOf(
  destination: ActiveMQDestination,
  { shared, durable, subscriptionName, noLocal, retroactive }: ConsumerOptions,
): SharedSubscription | undefined {
  if (durable !== undefined && typeof durable !== "boolean") {
    throw new TypeError(`Cannot use a ${typeof durable} as durable: a boolean is expected`);
  }
  if (shared === undefined) {
    if (!durable) return undefined;
    throw new TypeError(
      "Cannot use durable without shared: a durable subscription of one consumer has a subscriptionName",
    );
  }
  const others = Object.entries({ subscriptionName, noLocal, retroactive })
    .filter(([, value]) => value !== undefined && value !== false).map(([name]) => name);
  if (others.length > 0) {
    throw new TypeError(`Cannot use ${others.join(" and ")} together with shared`);
  }
  return { ...toSharedSubscription(shared, destination), durable: durable ?? false };
}

/**
 * Checks the name and the topic of a shared subscription.
 *
 * @throws {TypeError} When the name can't be used, or the destination is not a single topic.
 */
export function toSharedSubscription(
  name: string,
  destination: ActiveMQDestination,
): Omit<SharedSubscription, "durable"> {
  if (typeof name !== "string") {
    throw new TypeError(
      `Cannot use a ${typeof name} as the name of a shared subscription: a string is expected`,
    );
  }
  checkGroup(name);
  if (
    destination.dataType !== "ActiveMQTopic" || isSeveral(destination) ||
    destination.physicalName.includes("::")
  ) {
    throw new TypeError(
      `Cannot share ${
        nameOf(destination)
      }: a single topic is expected, which is not temporary and has no wildcards`,
    );
  }
  // Without the options that its name may have had.
  const { physicalName } = destination;
  return { name, topic: createActiveMQTopic({ physicalName }) };
}

/**
 * Refuses a topic that ActiveMQ does not copy to queues.
 *
 * @throws {OpenWireError} `"UNSUPPORTED"`
 */
export function checkVirtualTopic(topic: ActiveMQTopic): void {
  if (isVirtualTopic(topic)) return;
  throw new OpenWireError(
    "UNSUPPORTED",
    `Cannot share ${nameOf(topic)}: ActiveMQ shares only virtual topics, whose names begin with ` +
      `${VIRTUAL_TOPIC_PREFIX} Send to topic://${VIRTUAL_TOPIC_PREFIX}${
        harmless(topic.physicalName)
      } and share that. If the broker has other names for virtual topics, consume from their queue without shared.`,
  );
}

/** What Artemis' queue of a durable shared subscription has as its client id: the first part of the queue's name. */
export const ARTEMIS_CLIENT_ID = "Consumer";

/**
 * The name of a durable shared subscription on Artemis. Its queue has the client id and a `.` before it.
 *
 * Names of queues are unique within the broker, so that of the topic is a part of it. Artemis escapes dots in the name of a
 * subscription, and the escaped name can't be consumed from (2.55), so a slash stands for each.
 */
export function artemisSubscriptionName({ name, topic }: SharedSubscription): string {
  return [name, topic.physicalName]
    .map((part) => part.replaceAll(/[%/:]/g, encodeURIComponent).replaceAll(".", "/"))
    .join("/");
}

/** Where consumers of a shared subscription consume from on Artemis: the topic, and behind `::` a queue of it (FQQN). */
export function artemisDestination(subscription: SharedSubscription): ActiveMQTopic {
  const { name, topic: { physicalName }, durable } = subscription;
  const queue = durable
    ? artemisSubscriptionName(subscription)
    : `${name}.${physicalName}`.replaceAll(/[%:]/g, encodeURIComponent);
  return createActiveMQTopic({
    physicalName: `${physicalName}::${ARTEMIS_CLIENT_ID}.${queue}`,
  });
}
