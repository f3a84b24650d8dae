import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { TransportError } from "../../transport/mod.ts";
import { test } from "../_harness.ts";
import { pairs, pattern, readAll, StalledWriter } from "./_pairs.ts";

const MB = 1024 * 1024;

async function assertFails(promise: Promise<unknown>, code: string): Promise<TransportError> {
  const error = await assertRejects(() => promise, TransportError);
  assertEquals(error.code, code, error.message);
  return error;
}

for (const [kind, pair] of Object.entries(pairs)) {
  test(`${kind} transport's close() ends a pending read and a pending write`, async () => {
    const [a, b] = await pair();
    const stalled = new StalledWriter(a, 96 * MB);
    await stalled.stalled();
    const reader = a.readable.getReader();
    const reading = assertFails(reader.read(), "CLOSED");
    const queued = assertFails(stalled.writer.write(pattern(10)), "CLOSED");
    const reason = new Error("enough");
    a.close(reason);
    a.close(new Error("again"));

    assertStrictEquals((await reading).cause, reason);
    await queued;
    assertEquals(await stalled.failure, "CLOSED");
    await a.closed;
    await assertFails(reader.read(), "CLOSED");
    await assertFails(stalled.writer.write(pattern(10)), "CLOSED");
    await assertFails(stalled.writer.closed, "CLOSED");
    b.close();
    await b.closed;
  });

  test(`${kind} transport's close() ends a pending writer.close()`, async () => {
    const [a, b] = await pair();
    const stalled = new StalledWriter(a, 96 * MB);
    await stalled.stalled();
    const closing = assertFails(stalled.writer.close(), "CLOSED");
    a.close();
    await closing;
    await a.closed;
    b.close();
    await Promise.all([stalled.failure, b.closed]);
  });

  test(`${kind} transport's close() is the end of the stream for the peer`, async () => {
    const [a, b] = await pair();
    const reading = readAll(b.readable);
    const writer = a.writable.getWriter();
    await writer.write(pattern(1_000));
    a.close();
    assertEquals((await reading).length, 1_000);
    await a.closed;
    b.close();
    await b.closed;
  });

  test(`${kind} transport fails a pending write when the peer closes without reading`, async () => {
    const [a, b] = await pair();
    const stalled = new StalledWriter(a, 96 * MB);
    await stalled.stalled();
    b.close();
    assertEquals(await stalled.failure, "CONNECTION_RESET");
    await Promise.all([a.closed, b.closed]);
    await assertFails(stalled.writer.write(pattern(1)), "CONNECTION_RESET");
    await assertFails(stalled.writer.closed, "CONNECTION_RESET");
    await assertFails(readAll(a.readable), "CONNECTION_RESET");
    a.close();
  });

  test(`${kind} transport's abort() releases it in the middle of a write`, async () => {
    const [a, b] = await pair();
    const stalled = new StalledWriter(a, 96 * MB);
    await stalled.stalled();
    const reason = new Error("enough");
    await Promise.allSettled([stalled.writer.abort(reason)]);
    await a.closed;
    const error = await assertFails(readAll(a.readable), "CLOSED");
    assertStrictEquals(error.cause, reason);
    b.close();
    await Promise.all([stalled.failure, b.closed]);
  });

  test(`${kind} transport can be closed at any time by both sides, and ignored`, async () => {
    const [a, b] = await pair();
    a.close();
    b.close();
    await Promise.all([a.closed, b.closed]);
    const [c, d] = await pair();
    void c.readable.getReader().read().catch(() => {});
    void c.writable.close().catch(() => {});
    c.close();
    await c.closed;
    d.close();
    await d.closed;
  });

  test(`${kind} transport's close() after its end changes nothing`, async () => {
    const [a, b] = await pair();
    await Promise.all([a.writable.close(), b.writable.close()]);
    assertEquals((await readAll(a.readable)).length, 0);
    assertEquals((await readAll(b.readable)).length, 0);
    await Promise.all([a.closed, b.closed]);
    a.close();
    b.close();
    assertEquals(await a.closed, undefined);
  });
}
