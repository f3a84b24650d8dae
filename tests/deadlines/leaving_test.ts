/** An iteration can be left while it waits: `return()` settles, and so does the `next()` that waits. */

import { assertEquals } from "@std/assert";
import { advisoryTopics } from "../../mod.ts";
import { test } from "../_harness.ts";
import { outcomeOf } from "./_outcomes.ts";
import { SilentBroker } from "./_silence.ts";
import { Stage } from "./_stage.ts";

type Iteration = (stage: Stage) => Promise<AsyncIterator<unknown>> | AsyncIterator<unknown>;

const iterations: Record<string, Iteration> = {
  "connection.status()": ({ connection }) => connection.status(),
  "connection.requestMany()": ({ connection, queue }) =>
    connection.requestMany(queue, "who?", { timeout: 0 }),
  "consumer.messages()": async ({ connection, queue }) =>
    (await connection.createConsumer(queue)).messages(),
  "consumer.readable": async ({ connection, queue }) => {
    const reader = (await connection.createConsumer(queue)).readable.getReader();
    return {
      next: () => reader.read() as Promise<IteratorResult<unknown>>,
      return: () => reader.cancel().then(() => ({ done: true, value: undefined })),
    };
  },
  "browser.messages()": async ({ connection, queue }) =>
    (await connection.createBrowser(queue)).messages(),
  "advisories.events()": async ({ connection }) =>
    (await connection.advisories(advisoryTopics.consumers("nobody"))).events(),
  "source.changes()": async ({ connection }) => (await connection.watchDestinations()).changes(),
};

for (const [name, open] of Object.entries(iterations)) {
  test(`${name} can be left while it waits`, async () => {
    await using broker = await SilentBroker.open();
    await using stage = await Stage.open(broker.url, {});
    const iterator = await open(stage);
    const next = iterator.next();
    const left = iterator.return!();
    assertEquals((await next).done, true);
    assertEquals((await left).done, true);
    assertEquals((await iterator.next()).done, true);
  }, { timeout: 5000 });
}

test("what has failed is over: to leave it does not fail again", async () => {
  await using broker = await SilentBroker.open({ requestTimeout: 50, closeTimeout: 50 });
  await using stage = await Stage.open(broker.url, broker.options);
  // Only the browser is to be late.
  await stage.connection.send(stage.queue, "hello", { timeout: 0 });
  const browser = await stage.connection.createBrowser(stage.queue, {
    prefetchSize: 1,
    timeout: 0,
  });
  broker.silence();
  const messages = browser.messages();
  // It calls return() after a failure, in V8 again and again while that fails.
  assertEquals(await outcomeOf(Array.fromAsync(messages)), "TIMEOUT");
  assertEquals((await messages.return!()).done, true);
  assertEquals((await messages.next()).done, true);
});
