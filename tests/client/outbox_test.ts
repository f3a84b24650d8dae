import { connect, type Message, TimeoutError } from "../../mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import type { Transport } from "../../transport/mod.ts";
import { assert, assertEquals } from "@std/assert";
import { test } from "../_harness.ts";

/** A transport that counts its writes, and lets them wait once it is blocked. */
function counted(
  transport: Transport,
): { transport: Transport; writes: () => number; block: () => void } {
  let writes = 0;
  let blocked = false;
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    async transform(chunk, controller) {
      writes++;
      if (blocked) await new Promise(() => {});
      controller.enqueue(chunk);
    },
  });
  counter.readable.pipeTo(transport.writable).catch(() => {});
  return {
    writes: () => writes,
    block: () => void (blocked = true),
    transport: {
      readable: transport.readable,
      writable: counter.writable,
      closed: transport.closed,
      remoteAddress: transport.remoteAddress,
      close: (reason) => transport.close(reason),
    },
  };
}

test("the frames of one turn of the event loop leave in one write", async () => {
  await using broker = new MemoryBroker();
  const { transport, writes } = counted(broker.connect());
  await using connection = await connect("tcp://memory", { transport });
  const session = await connection.createSession({ acknowledgeMode: "individual" });
  const producer = await session.createProducer("orders");
  const consumer = await session.createConsumer("orders");

  let before = writes();
  await Promise.all(
    Array.from({ length: 100 }, (_, i) => producer.send(String(i), { persistent: false })),
  );
  assertEquals(writes() - before, 1);

  await broker.until(() => broker.queue("orders").inFlight === 100);
  before = writes();
  // Many continuations, all of one turn.
  for (let i = 0; i < 100; i++) {
    const message = await consumer.receive();
    message?.ack();
  }
  await broker.until(() => broker.queue("orders").size === 0);
  assertEquals(writes() - before, 1);
});

test("what is waited for leaves within its turn of the event loop", async () => {
  await using broker = new MemoryBroker();
  const { transport, writes } = counted(broker.connect());
  await using connection = await connect("tcp://memory", { transport });
  await connection.ping();
  // Between two timers every turn has ended, whatever comes first, timers or what is due after a turn.
  for (let i = 0; i < 2; i++) await new Promise((resolve) => setTimeout(resolve));

  const before = writes();
  const answers = [connection.ping(), connection.ping()];
  // Continuations of this turn only.
  for (let i = 0; i < 100; i++) await Promise.resolve();
  assertEquals(writes() - before, 1);
  await Promise.all(answers);
});

test("acknowledgements wait for a broker that does not keep up", async () => {
  await using broker = new MemoryBroker();
  const { transport, block } = counted(broker.connect());
  const connection = await connect("tcp://memory", { transport });
  const session = await connection.createSession({ acknowledgeMode: "individual" });
  const consumer = await session.createConsumer("orders");
  const messages: Message[] = [];
  const handling = consumer.consume((message) => void messages.push(message));
  const all = Array.from({ length: 320 }, (_, i) => connection.send("orders", String(i)));
  await Promise.all(all);
  while (messages.length < 320) await new Promise((resolve) => setTimeout(resolve));

  block();
  // The streams take a few writes before they stand still.
  for (const message of messages.splice(0, 20)) {
    await message.ack();
    await new Promise((resolve) => setTimeout(resolve));
  }
  const results = await Promise.allSettled(messages.map((message) => message.ack({ timeout: 50 })));
  const failed = results.filter((result) => result.status === "rejected");
  assert(failed.length >= 300 - 256 && failed.length < 300 - 200, `${failed.length} waited`);
  for (const { reason } of failed) assert(reason instanceof TimeoutError, String(reason));
  connection.abort();
  await handling.catch(() => {});
});
