import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { concat } from "@std/bytes";
import {
  createActiveMQBytesMessage,
  createConnectionInfo,
  createKeepAliveInfo,
  type DataStructure,
  EncodeError,
  OpenWireDecoder,
  OpenWireDecoderStream,
  OpenWireEncoder,
  OpenWireEncoderStream,
  OpenWireFormat,
  ProtocolError,
} from "../../codec/mod.ts";
import { test } from "../_harness.ts";
import { bytes, encode, frame, LOOSE } from "./_codec.ts";

const KEEP_ALIVE = frame("0a 00000007 01");
const keepAlive = createKeepAliveInfo({ commandId: 7, responseRequired: true });
const bad = frame("4d");
const fixed = () => OpenWireFormat.fixed(LOOSE);

function streamOf<T>(...chunks: T[]): ReadableStream<T> {
  return new ReadableStream({
    pull(controller) {
      if (chunks.length > 0) controller.enqueue(chunks.shift()!);
      else controller.close();
    },
  }, { highWaterMark: 0 });
}

/** Lets everything happen that needs no more input. */
async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
  await new Promise((resolve) => setTimeout(resolve, 0));
}

async function all<T>(stream: ReadableStream<T>): Promise<T[]> {
  const items: T[] = [];
  const reader = stream.getReader();
  while (true) {
    const { done, value } = await reader.read();
    if (done) return items;
    items.push(value as T);
  }
}

test("OpenWireDecoderStream gives commands from chunks of any size", async () => {
  const whole = concat([KEEP_ALIVE, KEEP_ALIVE, KEEP_ALIVE]);
  for (const size of [1, 2, 3, 9, 10, 11, 25, 30]) {
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < whole.length; at += size) chunks.push(whole.subarray(at, at + size));
    const stream = new OpenWireDecoderStream(fixed());
    const commands = await all(streamOf(...chunks).pipeThrough(stream));
    assertEquals(commands, [keepAlive, keepAlive, keepAlive]);
    assertEquals(stream.byteCount, 30);
  }
});

test("OpenWireDecoderStream errors after the commands before the bad bytes", async () => {
  for (const good of [0, 1, 2, 50]) {
    for (const cut of [0, 1, 3]) {
      const whole = concat([...new Array(good).fill(KEEP_ALIVE), bad]);
      const chunks = [whole.subarray(0, whole.length - cut), whole.subarray(whole.length - cut)];
      const reader = streamOf(...chunks).pipeThrough(new OpenWireDecoderStream(fixed()))
        .getReader();
      for (let i = 0; i < good; i++) {
        assertEquals(await reader.read(), { done: false, value: keepAlive });
        // However slow the reader is.
        if (i < 3) await settled();
      }
      const error = await assertRejects(() => reader.read(), ProtocolError, "type code");
      assertEquals(error.offset, good * 10 + 5);
      assertStrictEquals(await assertRejects(() => reader.closed), error);
    }
  }
});

test("OpenWireDecoderStream errors also when the peer then falls silent", async () => {
  const stream = new OpenWireDecoderStream(fixed());
  const writer = stream.writable.getWriter();
  const written = writer.write(concat([KEEP_ALIVE, KEEP_ALIVE, bad]));
  const reader = stream.readable.getReader();
  assertEquals((await reader.read()).value, keepAlive);
  assertEquals((await reader.read()).value, keepAlive);
  const error = await assertRejects(() => reader.read(), ProtocolError);
  assertStrictEquals(await assertRejects(() => written), error);
  assertStrictEquals(await assertRejects(() => writer.write(KEEP_ALIVE)), error);
  await assertRejects(() => writer.closed);
});

test("OpenWireDecoderStream errors at an end within a frame, after the commands before", async () => {
  const chunk = concat([KEEP_ALIVE, KEEP_ALIVE, KEEP_ALIVE.subarray(0, 7)]);
  const reader = streamOf(chunk).pipeThrough(new OpenWireDecoderStream(fixed())).getReader();
  assertEquals((await reader.read()).value, keepAlive);
  assertEquals((await reader.read()).value, keepAlive);
  await assertRejects(() => reader.read(), ProtocolError, "the bytes end after 7 bytes");
});

test("OpenWireDecoderStream does not read on before its commands were read", async () => {
  let pulled = 0;
  const source = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulled++;
      controller.enqueue(KEEP_ALIVE);
    },
  }, { highWaterMark: 0 });
  const reader = source.pipeThrough(new OpenWireDecoderStream(fixed())).getReader();
  await settled();
  assert(pulled <= 1, `${pulled} chunks before the first read`);
  for (let i = 0; i < 10; i++) await reader.read();
  await settled();
  assert(pulled <= 12, `${pulled} chunks for 10 commands`);
  await reader.cancel();
});

test("OpenWireDecoderStream reads on while a frame is not complete", async () => {
  const chunks = Array.from(KEEP_ALIVE, (_, i) => KEEP_ALIVE.subarray(i, i + 1));
  const reader = streamOf(...chunks).pipeThrough(new OpenWireDecoderStream(fixed())).getReader();
  assertEquals((await reader.read()).value, keepAlive);
  assertEquals((await reader.read()).done, true);
});

test("OpenWireDecoderStream serves many reads at once", async () => {
  const stream = new OpenWireDecoderStream(fixed());
  const reader = stream.readable.getReader();
  const reads = Array.from({ length: 7 }, () => reader.read());
  const writer = stream.writable.getWriter();
  await writer.write(concat([KEEP_ALIVE, KEEP_ALIVE]));
  await writer.write(KEEP_ALIVE.subarray(0, 4));
  await writer.write(concat([KEEP_ALIVE.subarray(4), KEEP_ALIVE, KEEP_ALIVE, KEEP_ALIVE]));
  await writer.close();
  const seen = await Promise.all(reads);
  assertEquals(seen.map(({ done }) => done), [false, false, false, false, false, false, true]);
});

test("OpenWireDecoderStream can be closed before its commands were read", async () => {
  const stream = new OpenWireDecoderStream(fixed());
  const writer = stream.writable.getWriter();
  const reader = stream.readable.getReader();
  const first = reader.read();
  await writer.write(concat([KEEP_ALIVE, KEEP_ALIVE]));
  await writer.close();
  assertEquals((await first).value, keepAlive);
  assertEquals((await reader.read()).value, keepAlive);
  assertEquals((await reader.read()).done, true);
});

test("OpenWireDecoderStream passes on that the reader gave up", async () => {
  const format = new OpenWireFormat();
  const reason = new Error("enough");
  let cancelled: unknown;
  const source = new ReadableStream<Uint8Array>({ cancel: (why) => void (cancelled = why) });
  const reader = source.pipeThrough(new OpenWireDecoderStream(format)).getReader();
  await reader.cancel(reason);
  await settled();
  assertStrictEquals(cancelled, reason);
  assertStrictEquals(await assertRejects(() => format.agreement), reason);
});

test("OpenWireDecoderStream passes on that its source failed", async () => {
  const format = new OpenWireFormat();
  const reason = new Error("reset");
  const source = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(reason) });
  const reader = source.pipeThrough(new OpenWireDecoderStream(format)).getReader();
  assertStrictEquals(await assertRejects(() => reader.read()), reason);
  assertStrictEquals(await assertRejects(() => format.agreement), reason);
});

test("OpenWireDecoderStream can be aborted while its reader is slow", async () => {
  const stream = new OpenWireDecoderStream(fixed());
  const writer = stream.writable.getWriter();
  const first = writer.write(KEEP_ALIVE);
  const reason = new Error("gone");
  const aborted = writer.abort(reason);
  await assertRejects(() => first);
  await aborted;
  assertStrictEquals(await assertRejects(() => stream.readable.getReader().read()), reason);
  await assertRejects(() => writer.closed);
});

test("OpenWireDecoderStream gives the WireFormatInfo that it negotiates by first", async () => {
  const format = new OpenWireFormat();
  const info = encode(new OpenWireFormat().info(), LOOSE);
  const chunk = concat([info, KEEP_ALIVE]);
  const commands = await all(streamOf(chunk).pipeThrough(new OpenWireDecoderStream(format)));
  assertEquals(commands.map(({ dataType }) => dataType), ["WireFormatInfo", "KeepAliveInfo"]);
  assertEquals(format.negotiated, true);
});

// Encoder

test("OpenWireEncoderStream makes one chunk of each command, or of each array", async () => {
  const input = streamOf<DataStructure | DataStructure[]>(
    keepAlive,
    [keepAlive, keepAlive],
    [],
    keepAlive,
  );
  const chunks = await all(input.pipeThrough(new OpenWireEncoderStream(fixed())));
  assertEquals(chunks, [KEEP_ALIVE, concat([KEEP_ALIVE, KEEP_ALIVE]), KEEP_ALIVE]);
});

test("OpenWireEncoderStream begins a new chunk at 64 KiB", async () => {
  const content = new Uint8Array(30_000).fill(1);
  const batch = Array.from(
    { length: 7 },
    (_, commandId) => createActiveMQBytesMessage({ commandId, content }),
  );
  const chunks = await all(
    streamOf<DataStructure[]>(batch).pipeThrough(new OpenWireEncoderStream(fixed())),
  );
  assertEquals(chunks.map(({ length }) => Math.floor(length / 30_000)), [3, 3, 1]);
  const commands = new OpenWireDecoder(fixed()).push(concat([...chunks]));
  assertEquals(commands, batch);
});

test("OpenWireEncoderStream sends our WireFormatInfo and waits for the peer's", async () => {
  const format = new OpenWireFormat({ tightEncodingEnabled: true });
  const stream = new OpenWireEncoderStream(format);
  const reader = stream.readable.getReader();
  const writer = stream.writable.getWriter();
  const writes = [
    writer.write([format.info(), keepAlive, keepAlive]),
    writer.write(keepAlive),
    writer.close(),
  ];
  const first = await reader.read();
  assertEquals(first.value![4], 1);
  const second = reader.read();
  let early = false;
  second.then(() => early = true);
  await settled();
  assertEquals(early, false);
  // The decoder of the same connection hears from the peer.
  new OpenWireDecoder(format).push(
    new OpenWireEncoder(new OpenWireFormat()).encode(
      new OpenWireFormat({ tightEncodingEnabled: true }).info(),
    ),
  );
  const tight = bytes("00 00 00 07 0a 01 01 00 00 00 07");
  assertEquals((await second).value, concat([tight, tight]));
  assertEquals((await reader.read()).value, tight);
  assertEquals((await reader.read()).done, true);
  await Promise.all(writes);
});

test("OpenWireEncoderStream errors when there will be no agreement", async () => {
  const format = new OpenWireFormat();
  const stream = new OpenWireEncoderStream(format);
  const writer = stream.writable.getWriter();
  const reader = stream.readable.getReader();
  const read = reader.read();
  const written = writer.write(keepAlive);
  const reason = new Error("no peer");
  format.fail(reason);
  assertStrictEquals(await assertRejects(() => written), reason);
  assertStrictEquals(await assertRejects(() => read), reason);
  await assertRejects(() => writer.closed);
});

test("OpenWireEncoderStream errors at a command that can't be encoded", async () => {
  const wrong = createKeepAliveInfo({ commandId: 0.5 });
  const reader = streamOf(keepAlive, wrong).pipeThrough(new OpenWireEncoderStream(fixed()))
    .getReader();
  assertEquals((await reader.read()).value, KEEP_ALIVE);
  await assertRejects(() => reader.read(), EncodeError, "commandId");
});

test("OpenWireEncoderStream tells of each refused command and goes on", async () => {
  const wrong = createKeepAliveInfo({ commandId: 0.5 });
  const large = createConnectionInfo({ password: "x".repeat(70_000) });
  const told: [DataStructure, string | undefined][] = [];
  const stream = new OpenWireEncoderStream(fixed(), {
    refused: (command, error) => told.push([command, error.field]),
  });
  const input = streamOf<DataStructure | DataStructure[]>(
    [wrong, keepAlive, large, keepAlive],
    wrong,
    [wrong],
    keepAlive,
  );
  assertEquals(await all(input.pipeThrough(stream)), [
    concat([KEEP_ALIVE, KEEP_ALIVE]),
    KEEP_ALIVE,
  ]);
  assertEquals(told, [
    [wrong, "commandId"],
    [large, "password"],
    [wrong, "commandId"],
    [wrong, "commandId"],
  ]);
});

test("OpenWireEncoderStream errors when the one that is told of refusals throws", async () => {
  const reason = new Error("mine");
  const stream = new OpenWireEncoderStream(fixed(), {
    refused: () => {
      throw reason;
    },
  });
  const wrong = createKeepAliveInfo({ commandId: 0.5 });
  const reader = streamOf(wrong).pipeThrough(stream).getReader();
  assertStrictEquals(await assertRejects(() => reader.read()), reason);
});

test("OpenWireEncoderStream does not take more than its reader wants", async () => {
  let pulled = 0;
  const source = new ReadableStream<DataStructure>({
    pull(controller) {
      pulled++;
      controller.enqueue(keepAlive);
    },
  }, { highWaterMark: 0 });
  const reader = source.pipeThrough(new OpenWireEncoderStream(fixed())).getReader();
  await settled();
  assert(pulled <= 2, `${pulled} commands before the first read`);
  for (let i = 0; i < 10; i++) await reader.read();
  await settled();
  assert(pulled <= 13, `${pulled} commands for 10 chunks`);
  await reader.cancel();
});

test("the streams of two peers negotiate and talk", async () => {
  const [here, there] = [new OpenWireFormat(), new OpenWireFormat({ version: 9 })];
  const toThere = new TransformStream<Uint8Array, Uint8Array>();
  const toHere = new TransformStream<Uint8Array, Uint8Array>();
  const talk = async (
    format: OpenWireFormat,
    output: WritableStream<Uint8Array>,
    input: ReadableStream<Uint8Array>,
  ): Promise<DataStructure[]> => {
    const sent = streamOf<DataStructure | DataStructure[]>(format.info(), [keepAlive, keepAlive])
      .pipeThrough(new OpenWireEncoderStream(format)).pipeTo(output);
    const received = await all(input.pipeThrough(new OpenWireDecoderStream(format)));
    await sent;
    return received;
  };
  const [ours, theirs] = await Promise.all([
    talk(here, toThere.writable, toHere.readable),
    talk(there, toHere.writable, toThere.readable),
  ]);
  for (const received of [ours, theirs]) {
    assertEquals(received.slice(1), [keepAlive, keepAlive]);
    assertEquals(received[0]!.dataType, "WireFormatInfo");
  }
  assertEquals(here.settings, there.settings);
});
