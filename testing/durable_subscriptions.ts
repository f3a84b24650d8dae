/**
 * Durable subscriptions by the name of their client and their own (Java: TopicRegion).
 *
 * @module
 */

import type { ConsumerInfo, RemoveSubscriptionInfo } from "../codec/mod.ts";
import type { DestinationRegistry } from "./destination_registry.ts";
import { isTemporary, qualifiedName } from "./destinations.ts";
import { DurableSubscription } from "./durable_subscription.ts";
import { jmsException, required } from "./exceptions.ts";
import { LastDelivered } from "./queue.ts";
import type { Outlet, Surroundings } from "./subscription.ts";

/** They stay when their consumer goes, until they are removed or replaced. */
export class DurableSubscriptions {
  readonly #destinations: DestinationRegistry;
  readonly #around: Surroundings;
  readonly #byKey: Map<string, DurableSubscription> = new Map();

  constructor(destinations: DestinationRegistry, around: Surroundings) {
    this.#destinations = destinations;
    this.#around = around;
  }

  /** One of a client; undefined when there is none. */
  find(clientId: string | null, name: string | null): DurableSubscription | undefined {
    return this.#byKey.get(key(clientId, name));
  }

  /** Continues a subscription, or makes one. With another topic, selector or noLocal the old one is dropped. */
  open(info: ConsumerInfo, clientId: string | null, outlet: Outlet): DurableSubscription {
    if (isTemporary(required(info.destination, "destination"))) {
      throw jmsException("A durable subscription cannot be created for a temporary topic.");
    }
    const name = info.subscriptionName;
    const found = this.find(clientId, name);
    if (found?.active) {
      throw jmsException(
        `Durable consumer is in use for client: ${clientId} and subscriptionName: ${name}`,
      );
    }
    if (found !== undefined && same(found.info, info)) {
      found.activate(info, outlet);
      return found;
    }
    const made = new DurableSubscription(info, outlet, this.#around);
    if (found !== undefined) this.#drop(found);
    this.#byKey.set(key(clientId, name), made);
    this.#destinations.subscribe(made);
    return made;
  }

  /** Forgets a subscription whose consumer is not there. */
  remove({ clientId, subscriptionName }: RemoveSubscriptionInfo): void {
    const found = this.find(clientId, subscriptionName);
    if (found === undefined) {
      throw jmsException(
        `No durable subscription exists for clientID: ${clientId} and subscriptionName: ${subscriptionName}`,
        "InvalidDestinationException",
      );
    }
    if (found.active) throw jmsException("Durable consumer is in use");
    this.#byKey.delete(key(clientId, subscriptionName));
    this.#drop(found);
  }

  #drop(subscription: DurableSubscription): void {
    this.#destinations.unsubscribe(subscription, LastDelivered.None);
  }
}

function key(clientId: string | null, name: string | null): string {
  return JSON.stringify([clientId, name]);
}

function same(a: ConsumerInfo, b: ConsumerInfo): boolean {
  const topic = ({ destination }: ConsumerInfo) =>
    qualifiedName(required(destination, "destination"));
  return a.selector === b.selector && a.noLocal === b.noLocal && topic(a) === topic(b);
}
