/** A producer's window against a broker that takes messages when it likes, and whose answers overtake its acknowledgements. */

import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { type Charge, ProducerWindow } from "../../client/producer/producer_window.ts";
import { test } from "../_harness.ts";

/** A message that was sent. */
interface Sent {
  readonly charge: Charge;
  readonly size: number;
  /** ProducerAcks that the broker makes for it. */
  readonly acks: number;
}

/** The broker, and what is on its way from it. */
interface Model {
  /** What it has not taken, in order. */
  readonly waiting: Sent[];
  /** How many ProducerAcks are on their way. */
  acks: number;
  /** Answers that are on their way, in order. */
  readonly answers: Sent[];
  /** Bytes that it has not taken. */
  bytes: number;
  /** Whether each message has as many ProducerAcks as were expected. */
  exact: boolean;
  largest: number;
}

type Step = fc.Command<Model, ProducerWindow>;

function step(
  name: string,
  check: (model: Readonly<Model>) => boolean,
  run: (model: Model, window: ProducerWindow) => void,
): Step {
  return {
    check,
    toString: () => name,
    run: (model, window) => {
      run(model, window);
      checkWindow(model, window);
    },
  };
}

/** What must always be so. */
function checkWindow(model: Model, window: ProducerWindow): void {
  assert(window.used >= 0);
  // A producer that waits while it is closed has little more on its way than the window: the message that closes it, and the
  // one that asks when it has just been opened.
  assert(window.used < window.size + 2 * model.largest, `${window.used} of ${window.size}`);
  const asking = [...model.waiting, ...model.answers].some(({ charge }) => charge.asks);
  if (!asking) assert(window.open, "it is closed, and no answer will open it");
  // What the broker has not taken counts, as long as acknowledgements mean what they seem to.
  if (model.exact) assert(window.used >= model.bytes, `${window.used}, ${model.bytes} wait`);
}

function takeAll(model: Model, window: ProducerWindow): void {
  while (model.waiting.length > 0) take(model);
  while (model.acks > 0) {
    model.acks--;
    window.acknowledged();
  }
  while (model.answers.length > 0) window.answered(model.answers.shift()!.charge);
}

function take(model: Model): void {
  const sent = model.waiting.shift()!;
  model.bytes -= sent.size;
  if (sent.charge.asks) model.answers.push(sent);
  else model.acks += sent.acks;
}

/** @param wrong By how many ProducerAcks a message may have more or fewer than expected. */
function steps(wrong: number): fc.Arbitrary<Step>[] {
  const once = fc.constant(undefined);
  const message = fc.record({
    size: fc.integer({ min: 1, max: 700 }),
    expected: fc.integer({ min: 1, max: 3 }),
    more: fc.integer({ min: -wrong, max: wrong }),
  });
  return [
    message.map(({ size, expected, more }) =>
      step(
        `send(${size} bytes, ${expected} acks, ${more} more)`,
        () => true,
        (model, window) => {
          if (!window.open) return;
          const charge = window.charge(size, expected);
          const acks = Math.max(0, expected + more);
          model.largest = Math.max(model.largest, size);
          model.bytes += size;
          if (!charge.asks && acks !== expected) model.exact = false;
          model.waiting.push({ charge, size, acks });
        },
      )
    ),
    once.map(() => step("the broker takes one", ({ waiting }) => waiting.length > 0, take)),
    once.map(() =>
      step("an acknowledgement comes", ({ acks }) => acks > 0, (model, window) => {
        model.acks--;
        window.acknowledged();
      })
    ),
    once.map(() =>
      step("an answer comes", ({ answers }) => answers.length > 0, (model, window) => {
        window.answered(model.answers.shift()!.charge);
      })
    ),
    once.map(() =>
      step(
        "the last is not sent after all",
        ({ waiting }) => waiting.length > 0,
        (model, window) => {
          const { charge, size } = model.waiting.pop()!;
          model.bytes -= size;
          window.withdraw(charge);
        },
      )
    ),
  ];
}

for (const wrong of [0, 3]) {
  const how = wrong === 0
    ? "as many acknowledgements as expected"
    : "any number of acknowledgements";
  test(`a window counts what the broker has not taken, and never stays closed, with ${how}`, () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3000 }),
        fc.commands(steps(wrong), { maxCommands: 150, size: "max" }),
        (size, commands) => {
          const window = new ProducerWindow(size);
          const model: Model = {
            waiting: [],
            acks: 0,
            answers: [],
            bytes: 0,
            exact: true,
            largest: 0,
          };
          fc.modelRun(() => ({ model, real: window }), commands);
          takeAll(model, window);
          checkWindow(model, window);
          assertEquals(window.open, true);
          if (model.exact) assertEquals(window.used, 0);
          // An answer says that all before it was taken, whatever became of the acknowledgements.
          while (true) {
            const charge = window.charge(1, 1);
            if (!charge.asks) continue;
            window.answered(charge);
            break;
          }
          assertEquals(window.used, 0);
        },
      ),
      { seed: 1, numRuns: 1000 },
    );
  });
}
