/** Whatever fails in whatever order, each message is done or given up in the end, and those of a group stay in their order. */

import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import {
  createActiveMQTextMessage,
  createMessageDispatch,
  createMessageId,
} from "../../codec/mod.ts";
import type { Acknowledger } from "../../client/consumer/acknowledger.ts";
import type { Deadlines } from "../../client/deadlines.ts";
import { type Delivery, toDelivery } from "../../client/consumer/delivery.ts";
import { DeliveryQueue } from "../../client/consumer/delivery_queue.ts";
import { Redeliverer } from "../../client/consumer/redeliverer.ts";
import {
  redeliveryDelay,
  type RedeliveryPolicy,
  resolveRedeliveryPolicy,
} from "../../client/consumer/redelivery_policy.ts";
import { test } from "../_harness.ts";

/** A clock that goes on when it is told to. */
class Clock {
  now = 0;
  #alarms: { readonly at: number; readonly ring: () => void }[] = [];

  readonly deadlines: Pick<Deadlines, "add"> = {
    add: (delay, ring) => {
      this.#alarms.push({ at: this.now + delay, ring });
      return () => {};
    },
  };

  advance(by: number): void {
    const until = this.now + by;
    while (true) {
      this.#alarms.sort((a, b) => a.at - b.at);
      const next = this.#alarms[0];
      if (next === undefined || next.at > until) break;
      this.#alarms.shift();
      this.now = next.at;
      next.ring();
    }
    this.now = until;
  }
}

/** A consumer without a broker, and the application with it. */
class Consumer {
  readonly maximum: number;
  readonly clock: Clock = new Clock();
  readonly queue: DeliveryQueue;
  readonly redeliverer: Redeliverer;
  readonly given: Delivery[] = [];
  readonly poisoned: Delivery[] = [];
  readonly waiting: Waiting;
  arrived = 0;
  done = 0;
  #receiving = false;

  constructor(maximum: number, policy: RedeliveryPolicy) {
    this.maximum = maximum;
    this.waiting = new Waiting(this, policy);
    const acknowledger: Partial<Acknowledger> = {
      redelivered: (deliveries) => {
        for (const delivery of deliveries) delivery.state = "delayed";
      },
      poison: (delivery) => {
        this.poisoned.push(delivery);
        return Promise.resolve();
      },
    };
    this.queue = new DeliveryQueue({
      isBehind: (delivery) => this.redeliverer.isBehind(delivery),
      withdraw: () => false,
      mayGive: () => true,
      limited: () => {},
      starved: () => {},
      changed: () => {},
    });
    this.redeliverer = new Redeliverer({
      policy: resolveRedeliveryPolicy({ ...policy, maximumRedeliveries: maximum }),
      acknowledger: acknowledger as Acknowledger,
      queue: this.queue,
      deadlines: this.clock.deadlines as Deadlines,
      log: undefined,
      report: (error) => {
        throw error;
      },
      settled: () => {},
    });
  }

  arrive(group: string | null): void {
    const messageId = createMessageId({ producerSequenceId: ++this.arrived });
    const message = createActiveMQTextMessage({ messageId, groupID: group });
    this.queue.push(toDelivery(createMessageDispatch({ message }), message, -1));
  }

  receive(): void {
    if (this.#receiving) return;
    this.#receiving = true;
    this.queue.add({
      give: (delivery) => {
        this.#receiving = false;
        delivery.state = "delivered";
        delivery.attempts++;
        this.given.push(delivery);
      },
      end: () => {},
    });
  }

  take(at: number): Delivery {
    return this.given.splice(at % this.given.length, 1)[0]!;
  }

  check(): void {
    const places = [this.queue.length, this.redeliverer.delayed, this.given.length, this.done];
    assertEquals(places.reduce((sum, count) => sum + count) + this.poisoned.length, this.arrived);
    for (const delivery of [...this.given, ...this.poisoned]) {
      const tooOften = this.maximum >= 0 && delivery.redeliveryCount > this.maximum;
      assertEquals(this.poisoned.includes(delivery), tooOften);
      assertEquals(delivery.attempts, delivery.redeliveryCount + (tooOften ? 0 : 1));
    }
  }
}

type Step = fc.Command<Consumer, Consumer>;

function step(
  name: string,
  run: (consumer: Consumer) => void,
  check: (consumer: Readonly<Consumer>) => boolean = () => true,
): Step {
  return {
    check,
    toString: () => name,
    run: (consumer) => {
      run(consumer);
      consumer.check();
    },
  };
}

const has = ({ given }: Readonly<Consumer>): boolean => given.length > 0;
const cause = new Error("it failed");
const which = fc.nat({ max: 20 });
const common: fc.Arbitrary<Step>[] = [
  fc.constantFrom(null, "a", "b").map((group) =>
    step(`a message of ${group} comes`, (consumer) => consumer.arrive(group))
  ),
  fc.constant(step("somebody asks", (consumer) => consumer.receive())),
  which.map((at) =>
    step(`${at} is done`, (consumer) => {
      consumer.take(at);
      consumer.done++;
    }, has)
  ),
  fc.integer({ min: 0, max: 5000 }).map((by) =>
    step(`${by} ms pass`, (consumer) => consumer.clock.advance(by))
  ),
];

/** Watches when messages that have failed are given out. */
class Waiting {
  readonly #consumer: Consumer;
  readonly #policy: ReturnType<typeof resolveRedeliveryPolicy>;
  /** When those that have failed may be given again. */
  readonly #due: Map<Delivery, number> = new Map();

  constructor(consumer: Consumer, policy: RedeliveryPolicy) {
    this.#consumer = consumer;
    this.#policy = resolveRedeliveryPolicy({ ...policy, useCollisionAvoidance: false });
    const give = consumer.given.push.bind(consumer.given);
    consumer.given.push = (delivery) => {
      this.#check(delivery!);
      return give(delivery!);
    };
  }

  fail(delivery: Delivery, blocking: boolean): void {
    const { clock: { now }, redeliverer } = this.#consumer;
    const delay = redeliveryDelay(this.#policy, delivery.redeliveryCount + 1);
    this.#due.set(delivery, now + Math.max(1, delay));
    redeliverer.redeliver([delivery], { cause, blocking });
    if (this.#consumer.poisoned.includes(delivery)) this.#due.delete(delivery);
    this.blocking = blocking;
  }

  /** Whether all others wait for those that have failed. */
  blocking = false;

  #check(given: Delivery): void {
    const { now } = this.#consumer.clock;
    for (const [delivery, due] of this.#due) {
      const { groupID } = delivery.message;
      const concerned = this.blocking || delivery === given ||
        (groupID !== null && groupID === given.message.groupID);
      if (concerned) assert(now >= due, `at ${now} before ${due}`);
    }
    this.#due.delete(given);
  }
}

const policies: fc.Arbitrary<RedeliveryPolicy> = fc.record({
  initialRedeliveryDelay: fc.nat({ max: 2000 }),
  redeliveryDelay: fc.nat({ max: 2000 }),
  useExponentialBackOff: fc.boolean(),
  backOffMultiplier: fc.double({ min: 1, max: 10, noNaN: true }),
  maximumRedeliveryDelay: fc.integer({ min: -1, max: 10_000 }),
});
const maximums = fc.integer({ min: -1, max: 5 });

test("each message is done or given up, however others wait to be given again", () => {
  const fails = fc.record({
    places: fc.array(which, { minLength: 1, maxLength: 3 }),
    delay: fc.option(fc.nat({ max: 3000 }), { nil: undefined }),
    blocking: fc.boolean(),
  }).map(({ places, delay, blocking }) =>
    step(
      `${places} fail, to be given again after ${delay ?? "the policy's"} ms, ${
        blocking ? "others wait" : "others go on"
      }`,
      (consumer) => {
        const failed = places.slice(0, consumer.given.length).map((at) => consumer.take(at));
        consumer.redeliverer.redeliver(failed, { cause, delay, blocking });
      },
      has,
    )
  );
  fc.assert(
    fc.property(
      maximums,
      policies,
      fc.commands([...common, fails], { maxCommands: 120, size: "max" }),
      (maximum, policy, commands) => {
        const consumer = new Consumer(maximum, policy);
        fc.modelRun(() => ({ model: consumer, real: consumer }), commands);
        for (let turn = 0; consumer.done + consumer.poisoned.length < consumer.arrived; turn++) {
          assert(turn < 1000, "some are never given out");
          consumer.clock.advance(100_000_000);
          consumer.receive();
          for (; consumer.given.length > 0; consumer.done++) consumer.take(0);
        }
        consumer.check();
      },
    ),
    { seed: 1, numRuns: 500 },
  );
});

test("with one at a time, what fails is given again after its delay and before all others", () => {
  const fails = fc.constant(
    step("it fails", (consumer) => consumer.waiting.fail(consumer.take(0), true), has),
  );
  fc.assert(
    fc.property(
      maximums,
      policies,
      fc.commands([...common, fails], { maxCommands: 120, size: "max" }),
      (maximum, policy, commands) => {
        const consumer = new Consumer(maximum, policy);
        const receive = consumer.receive.bind(consumer);
        consumer.receive = () => {
          if (consumer.given.length === 0) receive();
        };
        const check = consumer.check.bind(consumer);
        let last = 0;
        consumer.check = () => {
          check();
          const [first] = consumer.given;
          if (first === undefined) return;
          const sequence = Number(first.message.messageId!.producerSequenceId);
          assert(sequence >= last, `${sequence} after ${last}`);
          last = sequence;
        };
        fc.modelRun(() => ({ model: consumer, real: consumer }), commands);
      },
    ),
    { seed: 1, numRuns: 500 },
  );
});

test("a message is not given out while it, or one of its group, waits to be given again", () => {
  const fails = which.map((at) =>
    step(`${at} fails`, (consumer) => consumer.waiting.fail(consumer.take(at), false), has)
  );
  fc.assert(
    fc.property(
      policies,
      fc.commands([...common, fails], { maxCommands: 120, size: "max" }),
      (policy, commands) => {
        const consumer = new Consumer(-1, policy);
        fc.modelRun(() => ({ model: consumer, real: consumer }), commands);
      },
    ),
    { seed: 1, numRuns: 500 },
  );
});

test("delays are whole milliseconds that a timer can take, grow with each attempt, and keep the limit", () => {
  const any: fc.Arbitrary<RedeliveryPolicy> = fc.record({
    initialRedeliveryDelay: fc.integer({ min: 0, max: 0x7fffffff }),
    redeliveryDelay: fc.integer({ min: 0, max: 0x7fffffff }),
    useExponentialBackOff: fc.boolean(),
    backOffMultiplier: fc.double({ min: 1, max: Number.MAX_VALUE, noNaN: true }),
    maximumRedeliveryDelay: fc.integer({ min: -1, max: 0x7fffffff }),
    useCollisionAvoidance: fc.boolean(),
    collisionAvoidanceFactor: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  fc.assert(
    fc.property(
      any,
      fc.integer({ min: 1, max: 100_000 }),
      fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
      (given, attempt, chance) => {
        const policy = resolveRedeliveryPolicy(given);
        const delay = redeliveryDelay(policy, attempt, () => chance);
        assert(Number.isInteger(delay) && delay >= 0 && delay <= 0x7fffffff, `${delay}`);
        const sure = { ...policy, useCollisionAvoidance: false };
        const [one, next] = [attempt, attempt + 1].map((n) => redeliveryDelay(sure, n)) as [
          number,
          number,
        ];
        const { maximumRedeliveryDelay: most, redeliveryDelay: usual } = policy;
        if (policy.useExponentialBackOff && attempt > 1) assert(next >= one, `${next} < ${one}`);
        if (most >= 0 && attempt > 1) assert(one <= Math.max(most, usual), `${one}`);
        if (!policy.useExponentialBackOff && attempt > 1 && most < 0) assertEquals(one, usual);
        if (!policy.useCollisionAvoidance) assertEquals(delay, one);
      },
    ),
    { seed: 1, numRuns: 5000 },
  );
});
