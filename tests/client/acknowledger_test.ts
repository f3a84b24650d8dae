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
import * as fc from "fast-check";

/** What the broker keeps of a subscription, and what it does with acknowledgements (Java: PrefetchSubscription). */
class BrokerModel {
  readonly dispatched: number[] = [];
  /** Messages by which the window is extended. */
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
        this.#contract(1);
        return;
    }
    assert(first >= 0 && first <= last, "the first message is one after the last");
    assertEquals(last - first + 1, ack.messageCount, "Unmatched acknowledge");
    if (ack.ackType === 3) return;
    const range = this.dispatched.splice(first, last - first + 1);
    this.#contract(range.length);
    if (ack.ackType === 1) this.poisoned.push(...range);
    else if (ack.ackType === 6) this.expired.push(...range);
    else this.consumed.push(...range);
  }

  #contract(count: number): void {
    this.extension = Math.max(0, this.extension - count);
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
      const delivery = toDelivery(createMessageDispatch({ message }), message, -1);
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

/** What the application has of a consumer's messages. */
interface Application {
  dispatched: number;
  buffered: Delivery[];
  delivered: Delivery[];
}

type Step = fc.AsyncCommand<Application, Rig>;

/** Something that the application, the broker or the time may do with a rig. */
function step(
  name: string,
  check: (application: Readonly<Application>) => boolean,
  run: (application: Application, rig: Rig) => unknown,
): Step {
  return {
    check,
    run: async (application, rig) => {
      await run(application, rig);
      const { dispatched, extension } = rig.broker;
      assertEquals(rig.acknowledger.outstanding, dispatched.length - extension);
    },
    toString: () => name,
  };
}

const noCause = { className: "java.lang.Throwable", message: "", stackTrace: [], cause: null };

function steps(mode: AcknowledgeMode): fc.Arbitrary<Step>[] {
  const has = ({ delivered }: Readonly<Application>): boolean => delivered.length > 0;
  const waits = ({ buffered }: Readonly<Application>): boolean => buffered.length > 0;
  const take = ({ delivered }: Application, at: number): Delivery =>
    delivered.splice(at % delivered.length, 1)[0]!;
  const once = fc.constant(undefined);
  const which = fc.nat({ max: 20 });
  return [
    once.map(() =>
      step("a message comes", () => true, (application, { dispatch }) => {
        application.buffered.push(dispatch(++application.dispatched));
      })
    ),
    once.map(() =>
      step("one is given out", waits, (application, { acknowledger }) => {
        acknowledger.asked();
        const delivery = application.buffered.shift()!;
        acknowledger.delivered(delivery);
        application.delivered.push(delivery);
      })
    ),
    once.map(() =>
      step(
        "one is too old",
        waits,
        ({ buffered }, { acknowledger }) => acknowledger.expired(buffered.shift()!),
      )
    ),
    which.map((at) =>
      step(
        `${at} is given up`,
        has,
        (application, { acknowledger }) => acknowledger.poison(take(application, at), noCause),
      )
    ),
    fc.array(which, { minLength: 1, maxLength: 4 }).map((places) =>
      step(`${places} are given again`, has, (application, { acknowledger }) => {
        const again = places.slice(0, application.delivered.length)
          .map((at) => take(application, at));
        acknowledger.redelivered(new Set(again));
        for (const delivery of again) delivery.state = "buffered";
        application.buffered.unshift(...again);
      })
    ),
    which.map((at) =>
      step(`${at} is done`, has, (application, { acknowledger }) => {
        if (mode === "client") return acknowledger.all(application.delivered.splice(0));
        const delivery = take(application, at);
        return mode === "individual"
          ? acknowledger.individual(delivery)
          : acknowledger.done(delivery);
      })
    ),
    fc.nat({ max: 30 }).map((size) =>
      step(
        `the prefetch size is ${size}`,
        () => true,
        (_, { acknowledger }) => acknowledger.setPrefetchSize(size),
      )
    ),
    once.map(() =>
      step("the time is over", () => true, (_, { acknowledger }) => acknowledger.flush())
    ),
    once.map(() =>
      step(
        "the broker may be replaced",
        () => true,
        (_, { acknowledger }) => acknowledger.stopOptimizing(),
      )
    ),
  ];
}

for (const { mode, optimize = false } of kinds) {
  test(`Acknowledgements in mode ${mode}${optimize ? ", optimized," : ""} fit the broker's list in any order`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: 20 }),
        fc.commands(steps(mode), { maxCommands: 120, size: "max" }),
        async (prefetchSize, commands) => {
          const application: Application = { dispatched: 0, buffered: [], delivered: [] };
          const made = rig(mode, { prefetchSize, optimize });
          const { broker, acknowledger } = made;
          await fc.asyncModelRun(() => ({ model: application, real: made }), commands);
          // What is left is done, too.
          for (const delivery of application.buffered.splice(0)) {
            acknowledger.delivered(delivery);
            application.delivered.push(delivery);
          }
          if (mode === "client") await acknowledger.all(application.delivered);
          for (const delivery of mode === "client" ? [] : application.delivered) {
            if (mode === "individual") await acknowledger.individual(delivery);
            else await acknowledger.done(delivery);
          }
          acknowledger.flush();
          const all = [...broker.consumed, ...broker.poisoned, ...broker.expired];
          assertEquals(
            all.sort((a, b) => a - b),
            Array.from({ length: application.dispatched }, (_, i) => i + 1),
          );
          assertEquals([broker.dispatched.length, acknowledger.size], [0, 0]);
        },
      ),
      { seed: 1, numRuns: 500 },
    );
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
