/**
 * A consumer as the broker sees it: what it wants, and how much of it may be on its way.
 *
 * @module
 */

import {
  type ActiveMQDestination,
  type BaseCommand,
  type ConsumerInfo,
  createMessageDispatch,
  type Message,
  type MessageAck,
  type Throwable,
} from "../codec/mod.ts";
import { includes, overlaps, parts } from "./destinations.ts";
import { jmsException, required } from "./exceptions.ts";
import { parseSelector, type Selector } from "../client/mod.ts";
import type { Advisories } from "./advisories.ts";
import type { Counts } from "./counts.ts";
import type { TopicPolicies } from "./topic_policies.ts";
import type { Transaction } from "./transaction.ts";

/** Takes commands for a client. */
export type Outlet = (command: BaseCommand) => void;

/** What subscriptions and destinations need of the broker. */
export interface Surroundings {
  /** The time in milliseconds since 1970. */
  readonly now: () => number;
  /** Takes a message that nobody can consume. */
  readonly bury: (message: Message, cause: Throwable | null) => void;
  /** What is done with the messages of topics. */
  readonly topicPolicies: TopicPolicies;
  /** What the whole broker counts. */
  readonly totals: Counts;
  /** What is reported on advisory topics. */
  readonly advisories: Advisories;
  /** Takes a message whose time is over. */
  readonly expire: (message: Message) => void;
}

/** What all subscriptions share: the window, and what they accept. */
export abstract class Subscription<Place> {
  /** Destinations that it wants, patterns among them. All are of one kind: the others of a composite are left out. */
  readonly wanted: readonly ActiveMQDestination[];
  /** Destinations that it is attached to. */
  readonly places: Set<Place> = new Set();
  /** Messages that may be on their way. 0: only those that are pulled. */
  prefetch: number;
  /** Messages that were sent, over all its life. */
  sent = 0;
  /** The broker around it. */
  protected readonly around: Surroundings;
  #info: ConsumerInfo;
  #outlet: Outlet;
  readonly #selector: Selector | undefined;
  /** Messages that the client has, that are not acknowledged, and that don't count against the window; or were asked for. */
  #extension = 0;

  /** Refuses a selector that makes no sense. */
  constructor(info: ConsumerInfo, outlet: Outlet, around: Surroundings) {
    const destination = required(info.destination, "destination");
    this.#info = info;
    this.#outlet = outlet;
    this.around = around;
    this.wanted = parts(destination).filter(({ dataType }) => dataType === destination.dataType);
    this.prefetch = info.prefetchSize;
    this.#selector = info.selector === null ? undefined : compile(info.selector);
  }

  /** What the client asked for. */
  get info(): ConsumerInfo {
    return this.#info;
  }

  /** Messages sent and not acknowledged. */
  abstract get inFlight(): number;

  /** Applies an acknowledgement; in a transaction it counts when that is committed. */
  abstract acknowledge(ack: MessageAck, transaction: Transaction | undefined): void;

  /** Sends what can be sent. */
  abstract dispatch(): void;

  /** Whether no more may be sent now. */
  get full(): boolean {
    if (this.prefetch === 0) return this.#extension === 0;
    return this.inFlight - this.#extension >= this.prefetch;
  }

  /** Whether it wants messages of a destination that is made. */
  wants(destination: ActiveMQDestination): boolean {
    return this.wanted.some((wanted) => includes(wanted, destination));
  }

  /** Whether it is attached to a destination that is there when it comes: messages to wildcards make some with wildcards. */
  wantsOld(destination: ActiveMQDestination): boolean {
    return this.wanted.some((wanted) => overlaps(wanted, destination));
  }

  /** Whether it wants a message. */
  accepts(message: Message): boolean {
    const { noLocal, consumerId } = this.#info;
    if (noLocal && message.producerId?.connectionId === consumerId?.connectionId) return false;
    return this.#selector === undefined || this.#selector.matches(message);
  }

  /** Opens the window of a consumer that pulls for one message. */
  ask(): void {
    this.#extension = 1;
  }

  /** Says that there is nothing, and closes the window of a consumer that pulls. */
  sendNothing(): void {
    this.#outlet(createMessageDispatch({ consumerId: this.#info.consumerId }));
    if (this.prefetch === 0) this.#extension = 0;
  }

  /** Another consumer continues this one, with an empty window. */
  protected continueAs(info: ConsumerInfo, outlet: Outlet): void {
    this.#info = info;
    this.#outlet = outlet;
    this.prefetch = info.prefetchSize;
    this.#extension = 0;
  }

  /** Sends a message to the client. */
  protected transmit(
    message: Message,
    redeliveryCounter: number = message.redeliveryCounter,
  ): void {
    this.sent++;
    if (this.prefetch === 0) this.#extension = Math.max(0, this.#extension - 1);
    this.#outlet(createMessageDispatch({
      consumerId: this.#info.consumerId,
      destination: message.destination,
      message: { ...message, brokerOutTime: this.around.now() },
      redeliveryCounter,
    }));
  }

  /** These messages don't count any more, although they are not gone. */
  protected expand(count: number): void {
    if (this.prefetch !== 0) this.#extension += Math.max(0, count);
  }

  /** Messages are gone, so they don't have to be left out. */
  protected contract(count: number): void {
    if (this.prefetch !== 0) this.#extension = Math.max(0, this.#extension - count);
  }
}

function compile(text: string): Selector {
  try {
    return parseSelector(text);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw jmsException(message, "InvalidSelectorException");
  }
}
