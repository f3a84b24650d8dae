import { connect } from "../../mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import type { Transport } from "../../transport/mod.ts";
import { assertEquals } from "@std/assert";
import { test } from "../_harness.ts";

/** A transport that counts its writes. */
function counted(transport: Transport): { transport: Transport; writes: () => number } {
  let writes = 0;
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      writes++;
      controller.enqueue(chunk);
    },
  });
  counter.readable.pipeTo(transport.writable).catch(() => {});
  return {
    writes: () => writes,
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
