import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { concat } from "@std/bytes";
import { Buffer } from "node:buffer";
import process from "node:process";
import {
  createActiveMQBytesMessage,
  createActiveMQMapMessage,
  createActiveMQMessage,
  createActiveMQObjectMessage,
  createActiveMQStreamMessage,
  createActiveMQTextMessage,
  decodeMapBody,
  decodeTextBody,
  deflateMessage,
  encodeMapBody,
  encodeStreamBody,
  encodeTextBody,
  inflateMessage,
  type Message,
  ProtocolError,
} from "../../codec/mod.ts";
import { test } from "../_harness.ts";
import { bytes, hex } from "./_codec.ts";

async function zlib(data: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([data]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const text = (content: Uint8Array) => createActiveMQTextMessage({ compressed: true, content });

function bytesMessage(declared: number, data: Uint8Array): Message {
  const content = new Uint8Array(4 + data.length);
  new DataView(content.buffer).setInt32(0, declared);
  content.set(data, 4);
  return createActiveMQBytesMessage({ compressed: true, content });
}

async function refused(message: Message, text = "", maxInflatedSize = 1e6): Promise<ProtocolError> {
  const error = await assertRejects(
    async () => await inflateMessage(message, { maxInflatedSize }),
    ProtocolError,
    text,
  );
  assertEquals([error.dataType, error.field], [message.dataType, "content"]);
  return error;
}

test("inflateMessage() reads what Java compressed", async () => {
  const twenty = text(bytes("78 9c 63 60 60 10 49 c4 02 00 51 4e 07 a9"));
  const inflated = await inflateMessage(twenty);
  assertEquals([inflated.compressed, decodeTextBody(inflated.content)], [false, "a".repeat(20)]);
  assertEquals(twenty.compressed, true);
  const map = createActiveMQMapMessage({
    compressed: true,
    content: bytes("78 9c 63 60 60 60 64 60 4c 64 65 00 d2 00 02 7c 00 6a"),
  });
  assertEquals([...decodeMapBody((await inflateMessage(map)).content)], [["a", 1]]);
});

test("inflateMessage() reads text that Artemis compressed: flushed, but not ended", async () => {
  const flushed = text(bytes("78 9c 62 60 60 10 49 c4 02 00 00 00 00 ff ff"));
  assertEquals(decodeTextBody((await inflateMessage(flushed)).content), "a".repeat(20));
  const torn = text(bytes("78 9c ff 60 60 10 49 c4 02 00 00 00 00 ff ff"));
  await refused(torn, "no zlib data");
});

test("inflateMessage() takes from a bytes message as much as it declares", async () => {
  // Java compresses its whole buffer: 1028 bytes, of which 20 count.
  const buffer = new Uint8Array(1028);
  buffer.fill(97, 0, 20);
  const { content } = await inflateMessage(bytesMessage(20, await zlib(buffer)));
  assertEquals(content, new Uint8Array(20).fill(97));
  const all = await inflateMessage(bytesMessage(1028, await zlib(buffer)));
  assertEquals(all.content, buffer);
});

test("inflateMessage() returns a message that isn't compressed as it is", async () => {
  for (const content of [null, bytes("00 01 02")]) {
    const message = createActiveMQTextMessage({ content });
    assertStrictEquals(await inflateMessage(message), message);
  }
});

test("inflateMessage() takes an empty body as empty", async () => {
  for (const content of [null, new Uint8Array(0)]) {
    for (const create of [createActiveMQTextMessage, createActiveMQBytesMessage]) {
      const message = await inflateMessage(create({ compressed: true, content }));
      assertEquals([message.compressed, message.content], [false, content]);
    }
  }
  for (const data of [new Uint8Array(0), await zlib(new Uint8Array(5))]) {
    const { content } = await inflateMessage(bytesMessage(0, data));
    assertEquals(content, new Uint8Array(0));
  }
});

test("inflateMessage() reads views of larger buffers, and Buffers", async () => {
  const data = await zlib(encodeTextBody("x".repeat(9000))!);
  const poisoned = concat([new Uint8Array(7).fill(0xee), data, new Uint8Array(9).fill(0xee)]);
  for (const content of [poisoned.subarray(7, 7 + data.length), Buffer.from(data)]) {
    assertEquals(decodeTextBody((await inflateMessage(text(content))).content)!.length, 9000);
  }
  const counted = bytesMessage(9004, data).content!;
  const odd = concat([new Uint8Array(3), counted]).subarray(3);
  const message = createActiveMQBytesMessage({ compressed: true, content: odd });
  assertEquals((await inflateMessage(message)).content!.length, 9004);
});

test("inflateMessage() refuses data that is cut off, wherever", async () => {
  const body = new Uint8Array(20_000).map((_, i) => (i * i) >> 5);
  const data = await zlib(body);
  const cuts = [...Array(40).keys(), ...Array.from({ length: 40 }, (_, i) => data.length - 1 - i)];
  for (const cut of [...cuts, data.length >> 1]) {
    if (cut > 0) await refused(text(data.subarray(0, cut)), "no zlib data");
    await refused(bytesMessage(20_000, data.subarray(0, cut)));
  }
});

test("inflateMessage() refuses bytes after the data", async () => {
  const body = new Uint8Array(3000).fill(5);
  const data = await zlib(body);
  for (const junk of [1, 4, 10_000]) {
    await refused(text(concat([data, new Uint8Array(junk)])), "no zlib data");
    await refused(bytesMessage(3000, concat([data, new Uint8Array(junk)])), "no zlib data");
  }
  await refused(text(concat([data, data])), "no zlib data");
});

test("inflateMessage() refuses what is no zlib data", async () => {
  const good = await zlib(new Uint8Array(1000).fill(7));
  const checksum = good.slice();
  checksum[checksum.length - 1]! ^= 1;
  for (const data of [bytes("01 02 03 04 05 06 07 08"), bytes("1f 8b 08 00"), checksum]) {
    const error = await refused(text(data), "no zlib data");
    assertEquals(error.code, "PROTOCOL");
    await refused(bytesMessage(1000, data));
  }
  // A raw deflate stream, as some clients wrote.
  await refused(text(good.subarray(2, good.length - 4)), "no zlib data");
});

test("inflateMessage() refuses a bad length of a bytes message", async () => {
  const data = await zlib(new Uint8Array(1000));
  await refused(bytesMessage(1001, data), "it ends after 1000 of 1001 bytes");
  await refused(bytesMessage(-1, data), "its length is -1");
  const large = await refused(bytesMessage(0x7fffffff, data), "more than 1000000 bytes");
  assertEquals(large.code, "INFLATED_TOO_LARGE");
  for (const content of [bytes("00"), bytes("00 00 03")]) {
    const short = createActiveMQBytesMessage({ compressed: true, content });
    await refused(short, "its length alone takes 4");
  }
});

test("inflateMessage() takes bodies up to the limit", async () => {
  const data = await zlib(new Uint8Array(100_000));
  for (const message of [text(data), bytesMessage(100_000, data)]) {
    const { content } = await inflateMessage(message, { maxInflatedSize: 100_000 });
    assertEquals(content!.length, 100_000);
    assertEquals((await refused(message, "99999 bytes", 99_999)).code, "INFLATED_TOO_LARGE");
  }
});

test("inflateMessage() stops at the limit, whatever the data would become", async () => {
  // 300 MB of zeros in 300 KB. Made piece by piece, so that only the reader could take much memory.
  const stream = new CompressionStream("deflate");
  const writer = stream.writable.getWriter();
  const written = (async () => {
    for (let i = 0; i < 300; i++) await writer.write(new Uint8Array(1e6));
    await writer.close();
  })();
  const bomb = new Uint8Array(await new Response(stream.readable).arrayBuffer());
  await written;
  assert(bomb.length < 500_000);

  const before = process.memoryUsage().rss;
  for (let i = 0; i < 10; i++) {
    assertEquals((await refused(text(bomb))).code, "INFLATED_TOO_LARGE");
    // A bytes message says less than there is: only that much is taken.
    const { content } = await inflateMessage(bytesMessage(1000, bomb), { maxInflatedSize: 1e6 });
    assertEquals(content!.length, 1000);
  }
  const grown = process.memoryUsage().rss - before;
  // Whole, they would take 6 GB.
  assert(grown < 200e6, `${Math.round(grown / 1e6)} MB`);
});

test("deflateMessage() makes what inflateMessage() reads, of each type of message", async () => {
  const messages: Message[] = [
    createActiveMQTextMessage({ content: encodeTextBody("text ".repeat(100)) }),
    createActiveMQBytesMessage({ content: new Uint8Array(10_000).map((_, i) => i * i) }),
    createActiveMQMapMessage({ content: encodeMapBody({ a: "x".repeat(100) }) }),
    createActiveMQStreamMessage({ content: encodeStreamBody([1, 2, "3"]) }),
    createActiveMQObjectMessage({ content: bytes("ac ed 00 05 70") }),
  ];
  for (const message of messages) {
    const small = await deflateMessage(message);
    assertEquals(small.compressed, true);
    const start = message.dataType === "ActiveMQBytesMessage" ? 4 : 0;
    assertEquals(small.content![start], 0x78);
    assertEquals(await inflateMessage(small), message);
    assertStrictEquals(await deflateMessage(small), small);
  }
  const counted = await deflateMessage(createActiveMQBytesMessage({ content: new Uint8Array(20) }));
  assertEquals(hex(counted.content!.subarray(0, 5)), "00 00 00 14 78");
});

test("deflateMessage() returns a message without a body as it is", async () => {
  for (const content of [null, new Uint8Array(0)]) {
    const message = createActiveMQMessage({ content });
    assertStrictEquals(await deflateMessage(message), message);
  }
});

test("many messages can be inflated at the same time", async () => {
  const bodies = Array.from({ length: 50 }, (_, i) => `${i} `.repeat(5000));
  const messages = await Promise.all(
    bodies.map((body) =>
      deflateMessage(createActiveMQTextMessage({ content: encodeTextBody(body) }))
    ),
  );
  const inflated = await Promise.all(messages.map((message) => inflateMessage(message)));
  assertEquals(inflated.map(({ content }) => decodeTextBody(content)), bodies);
});

test("inflateMessage() stops at a map or stream of too many values, before all of it is inflated", async () => {
  const many = 20_000_000;
  const map = new Uint8Array(many);
  new DataView(map.buffer).setInt32(0, many / 4);
  const messages = [
    createActiveMQMapMessage({ compressed: true, content: await zlib(map) }),
    createActiveMQStreamMessage({ compressed: true, content: await zlib(new Uint8Array(many)) }),
  ];
  for (const message of messages) {
    const error = assertThrows(
      () => inflateMessage(message, { maxInflatedSize: 10_000_000 }),
      ProtocolError,
    );
    assertEquals(error.code, "TOO_MANY_VALUES");
    const large = assertThrows(
      () => inflateMessage(message, { maxInflatedSize: 10_000_000, maxDecodedValues: 2 ** 31 - 1 }),
      ProtocolError,
    );
    assertEquals(large.code, "INFLATED_TOO_LARGE");
  }
});
