/**
 * Message groups: messages with the same JMSXGroupID go to the same consumer.
 *
 * @module
 */

import type { Message } from "../codec/mod.ts";

/** Who gets which group of one queue (Java: Queue.assignMessageGroup). */
export class MessageGroups<Consumer> {
  readonly #owners: Map<string, Consumer> = new Map();

  /** Whether a consumer may have a message. */
  allows(consumer: Consumer, { groupID, groupSequence }: Message): boolean {
    if (groupID === null || groupSequence === 1) return true;
    const owner = this.#owners.get(groupID);
    return owner === undefined || owner === consumer;
  }

  /** Notes that a consumer gets a message, and gives it, marked if it is the first of its group for that consumer. */
  assign(consumer: Consumer, message: Message): Message {
    const { groupID, groupSequence } = message;
    if (groupID === null) return message;
    if (groupSequence === 1 || !this.#owners.has(groupID)) {
      this.#owners.set(groupID, consumer);
      return { ...message, jmsxGroupFirstForConsumer: true };
    }
    // A sequence below zero says that the group is complete.
    if (groupSequence < 0) this.#owners.delete(groupID);
    return message;
  }

  /** Frees the groups of a consumer that is gone. */
  release(consumer: Consumer): void {
    for (const [group, owner] of this.#owners) {
      if (owner === consumer) this.#owners.delete(group);
    }
  }
}
