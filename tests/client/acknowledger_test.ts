/** Whatever order messages are done in, the broker finds what an acknowledgement names. */

import { assert, assertEquals } from "@std/assert";
import {
  createActiveMQTextMessage,
  createConsumerId,
  createMessageDispatch,
  createMessageId,
  createProducerId,
  type MessageAck,
} from "../../codec/mod.ts";
import type { AcknowledgeMode } from "../../client/consumer/acknowledge_mode.ts";
import { Acknowledger } from "../../client/consumer/acknowledger.ts";
import { MessageCounters } from "../../client/observe/stats.ts";
import { type Delivery, toDelivery } from "../../client/consumer/delivery.ts";
import { test } from "../_harness.ts";
import { seededRandom } from "../_random.ts";

/** What the broker keeps of a subscription, and what it does with acknowledgements (Java: PrefetchSubscription). */
class BrokerModel {
  readonly dispatched: number[] = [];
  /** How often the window was extended. */
  extension = 0;
  readonly consumed: number[] = [];
  readonly poisoned: number[] = [];
  readonly expired: number[] = [];

  acknowledge(ack: MessageAck): void {
    const sequence = (id: MessageAck["lastMessageId"]): number => Number(id!.producerSequenceId);
    const last = this.dispatched.indexOf(sequence(ack.lastMessageId));
    assert(last >= 0, `Could not correlate acknowledgment with dispatched message: ${last}`);
    const first = ack.firstMessageId === null
      ? 0
      : this.dispatched.indexOf(sequence(ack.firstMessageId));
    switch (ack.ackType) {
      case 0:
        this.extension += ack.messageCount;
        return;
      case 4:
        this.consumed.push(...this.dispatched.splice(last, 1));
        return;
    }
    assert(first >= 0 && first <= last, "the first message is one after the last");
    assertEquals(last - first + 1, ack.messageCount, "Unmatched acknowledge");
    if (ack.ackType === 3) return;
    const range = this.dispatched.splice(first, last - first + 1);
    if (ack.ackType === 1) this.poisoned.push(...range);
    else if (ack.ackType === 6) this.expired.push(...range);
    else this.consumed.push(...range);
  }
}

interface Rig {
  readonly broker: BrokerModel;
  readonly acknowledger: Acknowledger;
  readonly sent: MessageAck[];
  dispatch(sequence: number): Delivery;
}

const producerId = createProducerId({ connectionId: "ID:test", sessionId: 1, value: 1 });

function rig(
  mode: AcknowledgeMode,
  { prefetchSize = 10, optimize = false }: { prefetchSize?: number; optimize?: boolean } = {},
): Rig {
  const broker = new BrokerModel();
  const sent: MessageAck[] = [];
  const acknowledger = new Acknowledger({
    consumerId: createConsumerId({ connectionId: "ID:test", sessionId: 1, value: 1 }),
    mode,
    prefetchSize,
    optimize,
    optimizeTimeout: 300,
    individualInTransaction: false,
    transaction: undefined,
    counters: new MessageCounters(),
    send: (ack) => {
      sent.push(ack);
      broker.acknowledge(ack);
      return Promise.resolve();
    },
    report: (error) => {
      throw error;
    },
    later: () => () => {},
  });
  return {
    broker,
    acknowledger,
    sent,
    dispatch: (producerSequenceId) => {
      const messageId = createMessageId({ producerId, producerSequenceId });
      const message = createActiveMQTextMessage({ messageId });
      const delivery = toDelivery(createMessageDispatch({ message }), message);
      broker.dispatched.push(producerSequenceId);
      acknowledger.arrived(delivery);
      return delivery;
    },
  };
}

const kinds: readonly { mode: AcknowledgeMode; optimize?: boolean }[] = [
  { mode: "auto" },
  { mode: "auto", optimize: true },
  { mode: "dups-ok" },
  { mode: "individual" },
  { mode: "client" },
];

for (const { mode, optimize = false } of kinds) {
  test(`Acknowledgements in mode ${mode}${optimize ? ", optimized," : ""} fit the broker's list in any order`, async () => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = seededRandom(seed);
      const integer = (from: number, to: number): number =>
        from + Math.floor(random() * (to - from + 1));
      const prefetchSize = integer(0, 20);
      const { broker, acknowledger, dispatch } = rig(mode, { prefetchSize, optimize });
      const buffered: Delivery[] = [];
      const delivered: Delivery[] = [];
      const total = integer(1, 60);
      let dispatched = 0;
      const take = (list: Delivery[]): Delivery => list.splice(integer(0, list.length - 1), 1)[0]!;
      while (dispatched < total || buffered.length > 0 || delivered.length > 0) {
        const step = integer(0, 9);
        if (step < 3 && dispatched < total) {
          buffered.push(dispatch(++dispatched));
        } else if (step < 6 && buffered.length > 0) {
          acknowledger.asked();
          const delivery = buffered.shift()!;
          acknowledger.delivered(delivery);
          delivered.push(delivery);
        } else if (step === 6 && buffered.length > 0) {
          await acknowledger.expired(buffered.shift()!);
        } else if (step === 7 && delivered.length > 0) {
          await acknowledger.poison(take(delivered), {
            className: "java.lang.Throwable",
            message: "",
            stackTrace: [],
            cause: null,
          });
        } else if (step === 8 && delivered.length > 0) {
          const again = take(delivered);
          acknowledger.redelivered(new Set([again]));
          again.state = "buffered";
          buffered.unshift(again);
        } else if (delivered.length > 0) {
          if (mode === "client") await acknowledger.all(delivered.splice(0));
          else if (mode === "individual") await acknowledger.individual(take(delivered));
          else await acknowledger.done(take(delivered));
        }
      }
      acknowledger.flush();
      const all = [...broker.consumed, ...broker.poisoned, ...broker.expired];
      assertEquals(
        all.sort((a, b) => a - b),
        Array.from({ length: total }, (_, i) => i + 1),
        `seed ${seed}`,
      );
      assertEquals(broker.dispatched, [], `seed ${seed}`);
      assertEquals(acknowledger.size, 0);
    }
  });
}

test("The window is extended by half of the prefetch size", () => {
  const { broker, acknowledger, sent, dispatch } = rig("client", { prefetchSize: 10 });
  for (let i = 1; i <= 10; i++) {
    const delivery = dispatch(i);
    acknowledger.asked();
    acknowledger.delivered(delivery);
  }
  acknowledger.asked();
  assertEquals(sent.map(({ ackType, messageCount }) => [ackType, messageCount]), [[0, 5], [0, 5]]);
  assertEquals(broker.extension, 10);
});

test("With a prefetch size of 0 or 1 nothing is held back", async () => {
  for (const prefetchSize of [0, 1]) {
    for (const mode of ["auto", "dups-ok"] as const) {
      const { broker, acknowledger, dispatch } = rig(mode, { prefetchSize, optimize: true });
      const delivery = dispatch(1);
      acknowledger.delivered(delivery);
      await acknowledger.done(delivery);
      assertEquals(broker.consumed, [1]);
    }
  }
});

test("The last message that was given out and is not done is the one that RemoveInfo names", async () => {
  const { acknowledger, dispatch } = rig("individual");
  const deliveries = [1, 2, 3, 4].map((sequence) => {
    const delivery = dispatch(sequence);
    delivery.message.messageId = createMessageId({
      producerId,
      producerSequenceId: sequence,
      brokerSequenceId: 100 + sequence,
    });
    return delivery;
  });
  assertEquals(acknowledger.lastDeliveredSequenceId, -1);
  for (const delivery of deliveries.slice(0, 3)) acknowledger.delivered(delivery);
  assertEquals(acknowledger.lastDeliveredSequenceId, 103);
  await acknowledger.individual(deliveries[2]!);
  assertEquals(acknowledger.lastDeliveredSequenceId, 102);
});
