/** How many messages the broker may send, against a model of what it was told. */

import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { type ConsumerControl, createActiveMQQueue, createConsumerId } from "../../codec/mod.ts";
import { ConsumerCredit } from "../../client/consumer/consumer_credit.ts";
import type { SessionContext } from "../../client/session_context.ts";
import { test } from "../_harness.ts";

const LIMIT = 1000;

/** What the broker knows, and what waits here. */
interface Model {
  /** What the broker was told last. */
  told: number;
  /** What the application wants. */
  wanted: number;
  /** Requests for one message that it has not answered. */
  pulls: number;
  bytes: number;
  ended: boolean;
  /** Whether the broker has just changed it by itself; what waits is looked at with the next message. */
  surprised: boolean;
  /** Answers that are on their way. */
  answers: (() => void)[];
  /** Changes of the application that were not answered. */
  changes: Set<Promise<void>>;
}

type Step = fc.AsyncCommand<Model, ConsumerCredit>;

function step(
  name: string,
  run: (model: Model, credit: ConsumerCredit) => unknown,
  check: (model: Readonly<Model>) => boolean = () => true,
): Step {
  return {
    check,
    toString: () => name,
    run: async (model, credit) => {
      await run(model, credit);
      checkCredit(model, credit);
    },
  };
}

function checkCredit(model: Model, credit: ConsumerCredit): void {
  const { told, wanted, pulls, bytes, ended, surprised } = model;
  assert(pulls <= 1, `${pulls} messages are asked for at a time`);
  if (model.changes.size > 0) return;
  assertEquals(credit.prefetchSize, wanted);
  if (ended || wanted === 0 || surprised) return;
  if (bytes > LIMIT) assertEquals(told, 0, "too much waits, and the broker sends more");
  if (bytes <= LIMIT / 2) assertEquals(told, wanted, "little waits, and the broker sends nothing");
}

/** The broker answers all that it was asked. */
async function answerAll({ answers, changes }: Model): Promise<void> {
  for (const answer of answers.splice(0)) answer();
  await Promise.all(changes);
}

/** Steps with the checks that a consumer makes after each. */
function steps(): fc.Arbitrary<Step>[] {
  const once = fc.constant(undefined);
  const sizes = fc.integer({ min: 0, max: 2000 });
  const sets = fc.nat({ max: 5 });
  return [
    sizes.map((bytes) =>
      step(`${bytes} bytes wait`, (model, credit) => {
        model.bytes = bytes;
        model.surprised = false;
        credit.check(bytes);
      })
    ),
    sets.map((size) =>
      step(`setPrefetchSize(${size})`, (model, credit) => {
        if (model.ended || model.changes.size > 0) return;
        const change = credit.change(size, () => model.bytes, {}).then(() => {
          model.wanted = size;
          model.surprised = false;
          model.changes.delete(change);
        });
        model.changes.add(change);
      })
    ),
    once.map(() => step("the broker answers", answerAll)),
    sets.map((size) =>
      step(`the broker sets ${size}`, (model, credit) => {
        if (model.changes.size > 0) return;
        model.told = model.wanted = size;
        model.surprised = true;
        credit.changed(size);
      })
    ),
    once.map(() => step("somebody waits", (_, credit) => credit.pull(0))),
    once.map(() =>
      step("a message comes, or the news that there is none", (model, credit) => {
        model.pulls = 0;
        credit.answered();
      }, ({ pulls, wanted }) => pulls > 0 || wanted > 0)
    ),
    once.map(() =>
      step("it ends", (model, credit) => {
        model.ended = true;
        credit.end();
      })
    ),
  ];
}

test("a consumer asks for one message at a time, and for none while too much waits", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat({ max: 5 }),
      fc.commands(steps(), { maxCommands: 60, size: "max" }),
      async (prefetchSize, commands) => {
        const model: Model = {
          told: prefetchSize,
          wanted: prefetchSize,
          pulls: 0,
          bytes: 0,
          ended: false,
          surprised: false,
          answers: [],
          changes: new Set(),
        };
        const context: Partial<SessionContext> = {
          log: undefined,
          request: (command) => {
            assertEquals(model.ended, false, "it has ended, and goes on");
            model.told = (command as ConsumerControl).prefetch;
            return new Promise((resolve) => model.answers.push(() => resolve({} as never)));
          },
          send: () => {
            assertEquals(model.ended, false, "it has ended, and goes on");
            assertEquals(model.wanted, 0, "the broker sends by itself, and is asked");
            model.pulls++;
            return Promise.resolve();
          },
        };
        const credit = new ConsumerCredit({
          context: context as SessionContext,
          consumerId: createConsumerId({ connectionId: "c", sessionId: 1, value: 1 }),
          destination: createActiveMQQueue({ physicalName: "orders" }),
          prefetchSize,
          maxBufferedBytes: LIMIT,
        });
        await fc.asyncModelRun(() => ({ model, real: credit }), commands);
        await answerAll(model);
        checkCredit(model, credit);
      },
    ),
    { seed: 1, numRuns: 1000 },
  );
});
