/** The shared subscriptions of one connection, on whichever broker. */

import {
  type ActiveMQDestination,
  type ConsumerId,
  createConsumerInfo,
  createRemoveInfo,
} from "../../codec/mod.ts";
import { OpenWireError } from "../../errors.ts";
import { announce } from "../announce.ts";
import type { CallOptions } from "../call_options.ts";
import type { BrokerKind } from "../capabilities.ts";
import { type Destination, nameOf, queue, toDestination } from "../destination/destination.ts";
import { virtualTopicQueue } from "../destination/virtual_topic.ts";
import { BrokerError } from "../errors.ts";
import { changeDestination } from "../management/destinations.ts";
import type { Limits } from "../options.ts";
import { SharedStep } from "../shared_step.ts";
import type { SessionContext } from "../session_context.ts";
import {
  ARTEMIS_CLIENT_ID,
  artemisDestination,
  artemisSubscriptionName,
  checkVirtualTopic,
  type SharedSubscription,
  toSharedSubscription,
} from "./shared_subscription.ts";
import { hasVirtualTopics, type ProbedConnection } from "./virtual_topic_probe.ts";

/** What they are made of. */
export interface SharedSubscriptionsParts {
  readonly connection: ProbedConnection;
  readonly context: SessionContext;
  /** Which broker it is, once that is known. */
  readonly brokerKind: (options: CallOptions) => Promise<BrokerKind>;
}

/** Opens and ends shared subscriptions. */
export class SharedSubscriptions {
  readonly #parts: SharedSubscriptionsParts;
  /** Whether the broker has virtual topics, unless it was found to have none. */
  #probe: SharedStep<boolean | undefined> | undefined;

  constructor(parts: SharedSubscriptionsParts) {
    this.#parts = parts;
  }

  /**
   * Makes sure that there is a place for consumers of a subscription.
   *
   * @param subscription What they have in common.
   * @param consumerId Id of a consumer that nobody uses.
   * @param options How long to wait.
   * @returns Where they consume from, and the options with what is left of the time.
   * @throws {OpenWireError} `"UNSUPPORTED"` when the broker can't share the topic.
   */
  async open<Options extends CallOptions>(
    subscription: SharedSubscription,
    consumerId: ConsumerId,
    options: Options,
  ): Promise<readonly [ActiveMQDestination, Options]> {
    const { context, brokerKind } = this.#parts;
    const action = `Cannot share ${nameOf(subscription.topic)}`;
    // An answer to others takes no time of theirs.
    const known = new SharedStep(brokerKind({ timeout: 0 }), action);
    const [kind, left] = await known.within(options, context);
    if (kind !== "artemis") {
      checkVirtualTopic(subscription.topic);
      const [has, rest] = await this.#probed().within(left, context);
      if (has !== false) return [virtualTopicQueue(subscription.name, subscription.topic), rest];
      throw new OpenWireError(
        "UNSUPPORTED",
        `${action}: the broker has virtual topics switched off. Set useVirtualTopics="true" in its configuration.`,
      );
    }
    if (!subscription.durable) return [artemisDestination(subscription), left];
    const declared = new SharedStep(this.#declare(subscription, consumerId, left), action);
    const [, rest] = await declared.within(left, context);
    return [artemisDestination(subscription), rest];
  }

  /**
   * Deletes the queue of a subscription that is not durable, if no consumer is left.
   *
   * @returns Never rejects: a failure is reported.
   */
  async release(place: ActiveMQDestination, limits: Limits): Promise<void> {
    try {
      await this.#delete(place, limits);
    } catch (error) {
      if (error instanceof BrokerError && error.code === "DESTINATION_IN_USE") return;
      if (error instanceof OpenWireError && error.code === "CONNECTION_CLOSED") return;
      if (!limits.signal?.aborted) this.#parts.context.report(error as Error);
    }
  }

  /** Deletes a subscription with its messages. */
  async remove(name: string, topic: Destination, options: CallOptions): Promise<void> {
    const shared = toSharedSubscription(name, toDestination(topic));
    const { context, brokerKind } = this.#parts;
    const known = new SharedStep(brokerKind({ timeout: 0 }), `Cannot unsubscribe ${name}`);
    const [kind, left] = await known.within(options, context);
    if (kind !== "artemis") {
      checkVirtualTopic(shared.topic);
      return await this.#delete(virtualTopicQueue(name, shared.topic), left);
    }
    for (const durable of [true, false]) {
      await this.#delete(artemisDestination({ ...shared, durable }), left);
    }
  }

  /** Both brokers delete it as a queue; Artemis ends the connection when it is told of a topic. */
  async #delete({ physicalName }: ActiveMQDestination, options: CallOptions): Promise<void> {
    await changeDestination(this.#parts.context, "delete", queue(physicalName), options);
  }

  #probed(): SharedStep<boolean | undefined> {
    if (this.#probe) return this.#probe;
    const action = "Cannot tell whether the broker has virtual topics";
    const probe = new SharedStep(this.#tryVirtualTopics(), action);
    this.#probe = probe;
    // It may have been configured otherwise when it is asked again.
    const forget = (): void => {
      if (this.#probe === probe) this.#probe = undefined;
    };
    probe.done.then((has) => has === false && forget(), forget);
    return probe;
  }

  async #tryVirtualTopics(): Promise<boolean | undefined> {
    const { connection, context } = this.#parts;
    const options = { timeout: context.settings.requestTimeout };
    const has = await hasVirtualTopics(connection, context.started(), options);
    if (has !== false) return has;
    // The copy may have been lost with a connection.
    return await hasVirtualTopics(connection, context.started(), options);
  }

  /**
   * Has Artemis make a durable queue, by a durable consumer that is closed at once. A queue that it makes for a consumer of
   * `address::queue` is deleted when it has neither messages nor consumers, unless that is configured otherwise.
   */
  async #declare(
    subscription: SharedSubscription,
    consumerId: ConsumerId,
    options: CallOptions,
  ): Promise<void> {
    const { context } = this.#parts;
    const action = `Cannot open a shared subscription of ${nameOf(subscription.topic)}`;
    const remove = () => createRemoveInfo({ objectId: consumerId, lastDeliveredSequenceId: -1 });
    const info = createConsumerInfo({
      consumerId,
      destination: subscription.topic,
      clientId: ARTEMIS_CLIENT_ID,
      subscriptionName: artemisSubscriptionName(subscription),
      prefetchSize: 0,
    });
    try {
      await announce(context, info, action, options, remove);
    } catch (error) {
      // Who uses it has made it.
      if (error instanceof BrokerError && error.code === "SUBSCRIPTION_IN_USE") return;
      throw error;
    }
    await context.request(remove(), action, options);
  }
}
