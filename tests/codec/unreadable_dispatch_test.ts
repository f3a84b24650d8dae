/** Dispatches that can't be decoded or are too large: they are skipped, and what comes behind them is not lost. */

import {
  type ActiveMQBytesMessage,
  createActiveMQBytesMessage,
  createActiveMQQueue,
  createBrokerInfo,
  createConsumerId,
  createDataResponse,
  createKeepAliveInfo,
  createMessageDispatch,
  createMessageId,
  createProducerId,
  createXATransactionId,
  type DataStructure,
  type Message,
  type MessageDispatch,
  OpenWireDecoder,
  OpenWireDecoderStream,
  OpenWireEncoder,
  OpenWireFormat,
  ProtocolError,
  type UnreadableDispatch,
  type WireFormatSettings,
} from "../../codec/mod.ts";
import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { concat, indexOfNeedle } from "@std/bytes";
import { test } from "../_harness.ts";

const LIMIT = 100_000;
const SLACK = 16_384;
const consumerId = createConsumerId({ connectionId: "ID:c-1", sessionId: 1, value: 7 });
const destination = createActiveMQQueue({ physicalName: "orders" });
const producerId = createProducerId({ connectionId: "ID:p-1", sessionId: 2, value: 3 });
const messageId = createMessageId({ producerId, producerSequenceId: 5, brokerSequenceId: 9 });
const behind = createKeepAliveInfo({ commandId: 77 });

const FORMS: Partial<WireFormatSettings>[] = [1, 2, 9, 12].flatMap((version) =>
  [false, true].map((tightEncodingEnabled) => ({ version, tightEncodingEnabled }))
);

function dispatch(message: Partial<Message> = {}): DataStructure {
  return createMessageDispatch({
    consumerId,
    destination,
    message: {
      ...createActiveMQBytesMessage({ messageId, producerId, destination }),
      ...message,
    } as ActiveMQBytesMessage,
  });
}

/** The bytes of a command; the writer has no limit. */
function encode(command: DataStructure, form: Partial<WireFormatSettings>): Uint8Array {
  return new OpenWireEncoder(OpenWireFormat.fixed(form)).encode(command);
}

/** DataResponses in each other, as many as no encoder writes. */
function nested(levels: number): DataStructure {
  return levels === 0 ? createDataResponse() : createDataResponse({ data: nested(levels - 1) });
}

/** What a decoder makes of chunks. */
function decode(
  form: Partial<WireFormatSettings>,
  chunks: readonly Uint8Array[],
): { skipped: UnreadableDispatch[]; commands: DataStructure[] } {
  const skipped: UnreadableDispatch[] = [];
  const commands: DataStructure[] = [];
  const format = OpenWireFormat.fixed({ maxFrameSize: LIMIT, ...form });
  const decoder = new OpenWireDecoder(format, { unreadable: (one) => skipped.push(one) });
  for (const chunk of chunks) decoder.pushTo(chunk, (command) => commands.push(command));
  assertEquals(decoder.pendingByteCount, 0);
  decoder.end();
  return { skipped, commands };
}

function* pieces(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Where the levels of a nested structure can be put in by hand: our encoder refuses them. */
function tooDeep(form: Partial<WireFormatSettings>): Uint8Array {
  const [few, more] = [20, 21].map((levels) =>
    encode(dispatch({ dataStructure: nested(levels) }), form)
  );
  if (!form.tightEncodingEnabled) {
    // Each level adds the same bytes behind those before it.
    const level = more!.length - few!.length;
    let at = 0;
    while (at < few!.length && few![at + 4] === more![at + 4]) at++;
    const start = at + 4;
    const bytes = concat([
      more!.subarray(0, start),
      ...Array.from({ length: 40 }, () => more!.subarray(start - level, start)),
      more!.subarray(start),
    ]);
    new DataView(bytes.buffer).setInt32(0, bytes.length - 4);
    return bytes;
  }
  // A type that doesn't exist in place of the innermost.
  const bytes = few!.slice();
  bytes[bytes.lastIndexOf(32)] = 99;
  return bytes;
}

test("a decoder skips a dispatch that it can't decode, and tells whose message it was", () => {
  for (const form of FORMS) {
    const good = dispatch();
    const chunk = concat([
      encode(good, form),
      tooDeep(form),
      encode(good, form),
      encode(behind, form),
    ]);
    for (const size of [chunk.length, 1000, 7, 1]) {
      const { skipped, commands } = decode(form, [...pieces(chunk, size)]);
      assertEquals(commands.length, 3, JSON.stringify(form));
      assertEquals(commands[2], behind);
      assertEquals(skipped.length, 1);
      const [one] = skipped;
      assertEquals([one!.consumerId, one!.destination], [consumerId, destination]);
      assertEquals(one!.messageId.producerSequenceId, 5);
      assertEquals(one!.messageId.producerId, producerId);
      assertEquals(one!.error.code, "PROTOCOL");
      assertEquals(one!.size, tooDeep(form).length - 4);
    }
  }
});

test("a decoder skips a dispatch that is too large, without keeping it", () => {
  for (const form of FORMS) {
    const large = encode(dispatch({ content: new Uint8Array(3_000_000) }), form);
    const chunk = concat([large, encode(behind, form)]);
    for (const size of [chunk.length, 65_536, 4097]) {
      const { skipped, commands } = decode(form, [...pieces(chunk, size)]);
      assertEquals(commands, [behind]);
      assertEquals(skipped.length, 1);
      assertEquals(skipped[0]!.error.code, "FRAME_TOO_LARGE");
      assertEquals(skipped[0]!.size, large.length - 4);
      assertEquals(skipped[0]!.messageId.producerSequenceId, 5);
    }
  }
});

test("a decoder tells of a dispatch that is too large before all of it has come", () => {
  const large = encode(dispatch({ content: new Uint8Array(3_000_000) }), {});
  const skipped: UnreadableDispatch[] = [];
  const format = OpenWireFormat.fixed({ maxFrameSize: LIMIT });
  const decoder = new OpenWireDecoder(format, { unreadable: (one) => skipped.push(one) });
  let given = 0;
  for (const piece of pieces(large, 10_000)) {
    decoder.push(piece);
    given += piece.length;
    assertEquals(decoder.pendingByteCount, given < large.length ? given - 4 : 0);
    if (skipped.length === 1) break;
  }
  assert(given < 600_000, `${given}`);
});

test("a dispatch may have some KiB more than the limit, for what the broker adds", () => {
  for (const form of FORMS) {
    const overhead = encode(dispatch({ content: new Uint8Array(0) }), form).length - 4;
    for (
      const [extra, read] of [[0, true], [1, true], [SLACK, true], [SLACK + 1, false]] as const
    ) {
      const size = LIMIT + extra - overhead;
      const content = new Uint8Array(size).fill(7);
      const chunk = concat([encode(dispatch({ content }), form), encode(behind, form)]);
      for (const step of [chunk.length, 5000, 1]) {
        if (step === 1 && form.version !== 12) continue;
        const { skipped, commands } = decode(form, [...pieces(chunk, step)]);
        assertEquals([skipped.length, commands.length], read ? [0, 2] : [1, 1]);
        if (!read) continue;
        const [first] = commands;
        assertEquals((first as MessageDispatch).message?.content, content);
      }
    }
  }
});

test("only dispatches may have more than the limit", () => {
  for (const size of [LIMIT + 1, LIMIT + SLACK + 1, 2 ** 31 - 1]) {
    const bytes = new Uint8Array(20);
    new DataView(bytes.buffer).setInt32(0, size);
    bytes[4] = 2;
    for (const step of [20, 1]) {
      const error = assertThrows(() => decode({}, [...pieces(bytes, step)]), ProtocolError);
      assertEquals(error.code, "FRAME_TOO_LARGE");
      assert(error.message.includes(`1 to ${LIMIT} are allowed`), error.message);
    }
  }
});

test("ids behind a transaction id that is longer than all that is kept are found", () => {
  for (const form of FORMS) {
    for (const [global, branch] of [[2_000_000, 70], [10, 900_000], [700_000, 800_000]] as const) {
      const transactionId = createXATransactionId({
        globalTransactionId: new Uint8Array(global).fill(1),
        branchQualifier: new Uint8Array(branch).fill(2),
      });
      const large = encode(dispatch({ transactionId, content: new Uint8Array(50_000) }), form);
      for (const size of [large.length, 65_536, 999]) {
        const { skipped, commands } = decode(form, [...pieces(large, size), encode(behind, form)]);
        assertEquals([skipped.length, commands.length], [1, 1]);
        assertEquals(skipped[0]!.messageId.producerId, producerId);
      }
    }
  }
});

test("a transaction id that claims more bytes than its frame has ends the decoder", () => {
  const transactionId = createXATransactionId({ globalTransactionId: new Uint8Array(2_000_000) });
  const large = encode(dispatch({ transactionId }), {});
  const at = large.findIndex((_, i) =>
    i > 4 && new DataView(large.buffer, i).getInt32(0) === 2_000_000
  );
  new DataView(large.buffer).setInt32(at, 2 ** 31 - 1);
  const error = assertThrows(() => decode({}, [...pieces(large, 65_536)]), ProtocolError);
  assertEquals(error.code, "FRAME_TOO_LARGE");
});

test("a dispatch whose consumer or message can't be told ends the decoder", () => {
  const bad: DataStructure = { ...createBrokerInfo({ brokerName: "x" }) };
  const info = encode(bad, {});
  info[4] = 222;
  const nobody = createMessageDispatch({
    message: createActiveMQBytesMessage({ messageId, dataStructure: createDataResponse() }),
  });
  const nameless = createMessageDispatch({
    consumerId,
    message: createActiveMQBytesMessage({ dataStructure: createDataResponse() }),
  });
  for (const command of [nobody, nameless]) {
    const bytes = encode(command, {});
    bytes[bytes.lastIndexOf(32)] = 99;
    assertThrows(() => decode({}, [bytes]), ProtocolError);
  }
  assertThrows(() => decode({}, [info]), ProtocolError, "222");
  for (const form of FORMS) {
    // The name of the queue is longer than its frame, so the message id behind it can't be found.
    const bytes = encode(dispatch(), form);
    const name = indexOfNeedle(bytes, new TextEncoder().encode("orders"));
    bytes.set([0x7f, 0xff], name - 2);
    assertThrows(() => decode(form, [bytes]), ProtocolError, "32767 bytes are expected");
  }
});

test("a decoder without the callback, or with a cache, skips nothing", () => {
  const form = { version: 12 };
  const format = OpenWireFormat.fixed({ maxFrameSize: LIMIT, ...form });
  const deep = tooDeep(form);
  const large = encode(dispatch({ content: new Uint8Array(3_000_000) }), form);
  for (const bytes of [deep, large]) {
    assertThrows(() => new OpenWireDecoder(format).push(bytes), ProtocolError);
  }
  const cached = { ...form, cacheEnabled: true, cacheSize: 100 };
  const broken = encode(dispatch({ dataStructure: createDataResponse() }), cached);
  broken[broken.lastIndexOf(32)] = 99;
  assertThrows(() => decode(cached, [broken]), ProtocolError);
  const big = encode(dispatch({ content: new Uint8Array(3_000_000) }), cached);
  assertThrows(() => decode(cached, [big]), ProtocolError, "are allowed");
});

test("what the callback throws ends the decoder", () => {
  const format = OpenWireFormat.fixed({ maxFrameSize: LIMIT });
  const failure = new Error("enough");
  const decoder = new OpenWireDecoder(format, {
    unreadable: () => {
      throw failure;
    },
  });
  const error = assertThrows(() => decoder.push(tooDeep({ version: 12 })));
  assertEquals(error, failure);
});

test("OpenWireDecoderStream hands over what it skips, and goes on", async () => {
  const skipped: UnreadableDispatch[] = [];
  const format = OpenWireFormat.fixed({ maxFrameSize: LIMIT });
  const stream = new OpenWireDecoderStream(format, { unreadable: (one) => skipped.push(one) });
  const chunks = [tooDeep({ version: 12 }), encode(behind, {})];
  const source = new ReadableStream<Uint8Array>({
    pull(controller) {
      const chunk = chunks.shift();
      if (chunk) controller.enqueue(chunk);
      else controller.close();
    },
  });
  const commands = await Array.fromAsync(source.pipeThrough(stream));
  assertEquals(commands, [behind]);
  assertInstanceOf(skipped[0]!.error, ProtocolError);
});
