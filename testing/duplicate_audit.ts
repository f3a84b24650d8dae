/**
 * Which messages came before.
 *
 * @module
 */

import type { Long, MessageId } from "../codec/mod.ts";
import { memberKey } from "./messages.ts";

/** Producers that are remembered, those left out that sent last a long time ago. */
const PRODUCERS = 64;
/** Messages of each producer that are remembered. */
const MESSAGES = 10_000;

/** What a queue remembers of persistent messages (Java: ActiveMQMessageAudit). */
export class DuplicateAudit {
  readonly #producers: Map<string, Set<Long>> = new Map();

  /** Notes a message. False when it was noted before. */
  add({ producerId, producerSequenceId }: MessageId): boolean {
    if (producerId === null) return true;
    const key = memberKey(producerId);
    const known = this.#producers.get(key) ?? new Set();
    if (known.has(producerSequenceId)) return false;
    known.add(producerSequenceId);
    trim(known, MESSAGES);
    this.#producers.delete(key);
    this.#producers.set(key, known);
    trim(this.#producers, PRODUCERS);
    return true;
  }

  /** Forgets a message: it may come again. */
  forget({ producerId, producerSequenceId }: MessageId): void {
    if (producerId !== null) this.#producers.get(memberKey(producerId))?.delete(producerSequenceId);
  }
}

function trim(collection: Map<string, unknown> | Set<Long>, size: number): void {
  if (collection.size <= size) return;
  for (const oldest of collection.keys()) {
    (collection as Set<unknown>).delete(oldest);
    return;
  }
}
