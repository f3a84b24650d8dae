import { assert, assertEquals } from "@std/assert";
import { test } from "../_harness.ts";
import { assertSameBytes, pairs, pattern, readAll, StalledWriter, writeAll } from "./_pairs.ts";

const MB = 1024 * 1024;

for (const [kind, pair] of Object.entries(pairs)) {
  test(`${kind} transport carries megabytes both ways at once`, async () => {
    const [a, b] = await pair();
    const [fromA, fromB] = [pattern(5 * MB, 0, 1), pattern(4 * MB, 0, 2)];
    const [atB, atA] = await Promise.all([
      readAll(b.readable),
      readAll(a.readable),
      writeAll(a.writable, fromA, 100_003),
      writeAll(b.writable, fromB, 7_919),
    ]);
    assertSameBytes(atB, fromA);
    assertSameBytes(atA, fromB);
    await Promise.all([a.closed, b.closed]);
  });

  test(`${kind} transport echoes through pipeTo()`, async () => {
    const [a, b] = await pair();
    const sent = pattern(3 * MB);
    const [, , received] = await Promise.all([
      b.readable.pipeTo(b.writable),
      writeAll(a.writable, sent, 65_536),
      readAll(a.readable),
    ]);
    assertSameBytes(received, sent);
    await Promise.all([a.closed, b.closed]);
  });

  test(`${kind} transport carries one huge write`, async () => {
    const [a, b] = await pair();
    const sent = pattern(8 * MB);
    const [received] = await Promise.all([
      readAll(b.readable),
      writeAll(a.writable, sent, sent.length),
    ]);
    assertSameBytes(received, sent);
    a.close();
    b.close();
    await Promise.all([a.closed, b.closed]);
  });

  test(`${kind} transport carries writes of one byte and of none`, async () => {
    const [a, b] = await pair();
    const sent = pattern(3_000);
    const reading = readAll(b.readable);
    const writer = a.writable.getWriter();
    for (const byte of sent) {
      void writer.write(Uint8Array.of(byte));
      void writer.write(new Uint8Array());
      await writer.ready;
    }
    await writer.close();
    assertSameBytes(await reading, sent);
    a.close();
    b.close();
  });

  test(`${kind} transport lets the writer reuse its buffer after a write`, async () => {
    const [a, b] = await pair();
    const writer = a.writable.getWriter();
    const buffer = new Uint8Array(1_000);
    const reading = readAll(b.readable);
    for (let i = 0; i < 300; i++) await writer.write(buffer.fill(i));
    buffer.fill(255);
    await writer.close();
    const received = await reading;
    assertEquals(received.length, 300_000);
    assert(received.every((byte, i) => byte === (Math.floor(i / 1_000) & 0xff)));
    a.close();
    b.close();
  });

  test(`${kind} transport keeps what arrives before anybody reads`, async () => {
    const [a, b] = await pair();
    await writeAll(a.writable, pattern(10_000), 1_000);
    await writeAll(b.writable, pattern(10), 10);
    assertSameBytes(await readAll(a.readable), pattern(10));
    assertSameBytes(await readAll(b.readable), pattern(10_000));
    await Promise.all([a.closed, b.closed]);
  });

  test(`${kind} transport holds a writer back while the peer doesn't read`, async () => {
    const [a, b] = await pair();
    const limit = 96 * MB;
    const stalled = new StalledWriter(a, limit);
    await stalled.stalled();
    assert(stalled.accepted < limit / 2, `${stalled.accepted} bytes were accepted`);

    // Goes on as soon as the peer reads, and nothing is lost.
    const reader = b.readable.getReader();
    const target = stalled.accepted + 2 * MB;
    let received = 0;
    while (received < target) {
      const { value } = await reader.read();
      assertSameBytes(value!, pattern(value!.length, received));
      received += value!.length;
    }
    a.close();
    b.close();
    await Promise.all([stalled.failure, a.closed, b.closed]);
  });

  test(`${kind} transport sends on after the peer's end of stream`, async () => {
    const [a, b] = await pair();
    await a.writable.close();
    assertEquals((await readAll(b.readable)).length, 0);
    const [received] = await Promise.all([
      readAll(a.readable),
      writeAll(b.writable, pattern(2 * MB), 50_000),
    ]);
    assertSameBytes(received, pattern(2 * MB));
    await Promise.all([a.closed, b.closed]);
  });

  test(`${kind} transport delivers everything to a slow reader after close()`, async () => {
    const [a, b] = await pair();
    // Both sides end while the other still sends: the case where a careless close() loses bytes.
    const sent = pattern(6 * MB);
    const writing = Promise.all([
      writeAll(a.writable, sent, 200_000),
      writeAll(b.writable, sent, 300_000),
    ]);
    const [atB, atA] = await Promise.all([slowly(b.readable), slowly(a.readable)]);
    assertSameBytes(atB, sent);
    assertSameBytes(atA, sent);
    await writing;
    await Promise.all([a.closed, b.closed]);
  });

  test(`${kind} transport delivers what was written before the end while it reads nothing`, async () => {
    const [a, b] = await pair();
    const stalled = new StalledWriter(b, 64 * MB);
    await stalled.stalled();
    const [received] = await Promise.all([
      readAll(b.readable),
      writeAll(a.writable, pattern(4 * MB), 100_000),
    ]);
    assertSameBytes(received, pattern(4 * MB));
    a.close();
    b.close();
    await Promise.all([stalled.failure, a.closed, b.closed]);
  });

  test(`${kind} transport goes on writing when the readable is cancelled`, async () => {
    const [a, b] = await pair();
    await a.readable.cancel("not wanted");
    const [received] = await Promise.all([
      readAll(b.readable),
      writeAll(a.writable, pattern(MB), 30_000),
      writeAll(b.writable, pattern(MB), 30_000),
    ]);
    assertSameBytes(received, pattern(MB));
    await Promise.all([a.closed, b.closed]);
  });
}

/** Reads with a turn of the event loop after each chunk. */
function slowly(readable: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return readAll(readable.pipeThrough(
    new TransformStream({
      async transform(chunk, controller) {
        await new Promise((resolve) => setTimeout(resolve, 0));
        controller.enqueue(chunk);
      },
    }),
  ));
}
