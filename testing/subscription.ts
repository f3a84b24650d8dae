/**
 * A consumer as the broker sees it: its prefetch window, and what it may acknowledge.
 *
 * @module
 */

import {
  type ActiveMQDestination,
  type ConsumerInfo,
  createMessageDispatch,
  type DataStructure,
  type Message,
} from "../codec/mod.ts";
import { includes, parts } from "./destinations.ts";
import { required } from "./exceptions.ts";

/** Takes commands for a client. */
export type Outlet = (command: DataStructure) => void;

/** What queue and topic subscriptions share: the window. */
export abstract class Subscription<Place> {
  /** What the client asked for. */
  readonly info: ConsumerInfo;
  /** Destinations that it wants, patterns among them. All are of one kind: the others of a composite are left out. */
  readonly wanted: readonly ActiveMQDestination[];
  /** Destinations that it is attached to. */
  readonly places: Set<Place> = new Set();
  /** Messages that may be on their way. 0: only those that are pulled. */
  prefetch: number;
  /** Messages that the client has, that are not acknowledged, and that don't count against the window. */
  protected extension = 0;
  readonly #outlet: Outlet;

  constructor(info: ConsumerInfo, outlet: Outlet) {
    const destination = required(info.destination, "destination");
    this.info = info;
    this.wanted = parts(destination).filter(({ dataType }) => dataType === destination.dataType);
    this.prefetch = info.prefetchSize;
    this.#outlet = outlet;
  }

  /** Messages sent and not acknowledged. */
  abstract get inFlight(): number;

  /** Whether no more may be sent now. A window of 0 stays closed until pulling is supported. */
  get full(): boolean {
    return this.prefetch === 0 || this.inFlight - this.extension >= this.prefetch;
  }

  /** Whether it wants messages of a destination. */
  wants(destination: ActiveMQDestination): boolean {
    return this.wanted.some((wanted) => includes(wanted, destination));
  }

  /** Whether it wants a message. Selectors will belong here. */
  accepts(message: Message): boolean {
    return !(this.info.noLocal &&
      message.producerId?.connectionId === this.info.consumerId?.connectionId);
  }

  /** Sends a message to the client. */
  protected transmit(message: Message, now: number): void {
    this.#outlet(createMessageDispatch({
      consumerId: this.info.consumerId,
      destination: message.destination,
      message: { ...message, brokerOutTime: now },
      redeliveryCounter: message.redeliveryCounter,
    }));
  }

  /** A DELIVERED acknowledgement: these messages don't count any more. */
  protected expand(count: number): void {
    if (this.prefetch !== 0) this.extension += Math.max(0, count);
  }

  /** The messages are gone, so they don't have to be left out. */
  protected contract(count: number): void {
    if (this.prefetch !== 0) this.extension = Math.max(0, this.extension - count);
  }
}
