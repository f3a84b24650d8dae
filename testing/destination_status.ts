/**
 * What a test sees of a queue or topic.
 *
 * @module
 */

import type { DestinationStatus } from "./memory_broker_options.ts";
import { Queue } from "./queue.ts";
import type { Topic } from "./topic.ts";

const NONE: DestinationStatus = {
  size: 0,
  consumers: 0,
  enqueued: 0,
  dequeued: 0,
  inFlight: 0,
  blocked: 0,
  discarded: 0,
};

/** What a destination is now; undefined is one that does not exist. */
export function statusOf(place: Queue | Topic | undefined): DestinationStatus {
  if (place === undefined) return NONE;
  const { enqueued, dequeued } = place.counts;
  if (place instanceof Queue) {
    const { size, consumers, inFlight, flow: { blocked } } = place;
    return { ...NONE, size, consumers: consumers.length, enqueued, dequeued, inFlight, blocked };
  }
  const consumers = [...place.consumers].filter(({ active }) => active);
  const inFlight = consumers.reduce((sum, consumer) => sum + consumer.inFlight, 0);
  const { discarded } = place;
  return { ...NONE, consumers: consumers.length, enqueued, dequeued, inFlight, discarded };
}
