/** Destinations with options for consumers and producers. */

import type { ActiveMQDestination } from "../../codec/mod.ts";
import type { ConsumerOptions } from "../consumer/consumer_options.ts";
import { type Destination, parseDestination } from "./destination.ts";
import type { ProducerOptions } from "../producer/producer_options.ts";

/** A destination, and what its name says of consumers and producers. */
export interface ResolvedDestination {
  readonly destination: ActiveMQDestination;
  /** Options that count less than those of `createConsumer()`. */
  readonly consumer: ConsumerOptions;
  /** Options that count less than those of `createProducer()`. */
  readonly producer: ProducerOptions;
}

/** The destination that a user gave for a consumer or producer. */
export function resolveDestination(given: Destination): ResolvedDestination {
  const { destination, options } = parseDestination(given);
  return { destination, consumer: options?.consumer ?? {}, producer: options?.producer ?? {} };
}
