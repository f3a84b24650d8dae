import { assertEquals, assertRejects } from "@std/assert";
import { ReadQueue } from "../../transport/_read_queue.ts";
import { test } from "../_harness.ts";
import { timesAsLong } from "../_pace.ts";

test("ReadQueue pauses when full and resumes when empty, once", async () => {
  let resumed = 0;
  const queue = new ReadQueue(() => resumed++);
  const half = new Uint8Array(ReadQueue.limit / 2);
  assertEquals(queue.push(half), true);
  assertEquals(queue.push(half), false);
  await queue.read();
  assertEquals(queue.push(Uint8Array.of(1)), false); // a chunk that came after the pause
  await queue.read();
  assertEquals(resumed, 0);
  await queue.read();
  assertEquals(resumed, 1);
  assertEquals(queue.push(Uint8Array.of(1)), true);
  await queue.read();
  assertEquals(resumed, 1);
});

test("ReadQueue gives what it has before its end", async () => {
  const queue = new ReadQueue(() => {});
  queue.push(Uint8Array.of(1));
  queue.end(new Error("lost"));
  queue.end();
  assertEquals(await queue.read(), Uint8Array.of(1));
  await assertRejects(() => queue.read(), Error, "lost");
  await assertRejects(() => queue.read(), Error, "lost");
});

test("ReadQueue ends a read that waits", async () => {
  const queue = new ReadQueue(() => {});
  const reading = queue.read();
  queue.end();
  assertEquals(await reading, null);
  assertEquals(await queue.read(), null);
});

test("ReadQueue gives many small chunks in their order, in linear time", async () => {
  const queue = new ReadQueue(() => {});
  const count = 60_000;
  const pass = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n++) queue.push(Uint8Array.of(n & 0xff));
    for (let n = 0; n < count; n++) {
      const chunk = await queue.read();
      if (chunk![0] !== (n & 0xff)) throw new Error(`chunk ${n} is another one`);
    }
    assertEquals(queue.size, 0);
  };
  const parts = async (): Promise<void> => {
    for (let n = 0; n < 50; n++) await pass(count / 50);
  };
  const times = await timesAsLong(() => pass(count), parts, 10);
  if (times > 10) throw new Error(`all at once took ${times} times as long as in parts`);
  queue.push(Uint8Array.of(7));
  assertEquals(await queue.read(), Uint8Array.of(7));
});
