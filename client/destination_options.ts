/** Options behind the `?` of a destination. */

import type { ActiveMQDestination } from "../codec/mod.ts";
import type { ConsumerOptions } from "./consumer_options.ts";
import { type Destination, toDestination } from "./destination.ts";
import type { ProducerOptions } from "./producer_options.ts";

/** A destination and the options that were behind it. */
export interface ResolvedDestination {
  readonly destination: ActiveMQDestination;
  readonly consumer: ConsumerOptions;
  readonly producer: ProducerOptions;
}

/** Takes the options from a destination. */
export function resolveDestination(destination: Destination): ResolvedDestination {
  return { destination: toDestination(destination), consumer: {}, producer: {} };
}
