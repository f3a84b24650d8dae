import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  createConsumerInfo,
  createLastPartialCommand,
  createPartialCommand,
  createSessionId,
  createSessionInfo,
  cutFrame,
  type LastPartialCommand,
  OpenWireDecoder,
  OpenWireEncoder,
  OpenWireFormat,
  type PartialCommand,
  PartialCommandJoiner,
  ProtocolError,
} from "../../codec/mod.ts";
import { test } from "../_harness.ts";
import { bytes, decode, encode, frame, hex, LOOSE, TIGHT } from "./_codec.ts";

test("PartialCommand is an id and bytes that are there", () => {
  const piece = createPartialCommand({ commandId: 5, data: bytes("010203") });
  assertEquals(hex(encode(piece, LOOSE)), hex(frame("3c | 00 00 00 05 | 01 00 00 00 03 01 02 03")));
  assertEquals(
    hex(encode(piece, TIGHT)),
    hex(frame("3c | 01 01 | 00 00 00 05 | 00 00 00 03 010203")),
  );
  const last = createLastPartialCommand({ commandId: 5, data: bytes("010203") });
  assertEquals(hex(encode(last, LOOSE)), hex(frame("3d | 00 00 00 05 | 01 00 00 00 03 01 02 03")));
  assertEquals(decode(encode(last, TIGHT), TIGHT), last);
});

test("PartialCommandJoiner joins what cutFrame() cut, at each size", () => {
  for (const settings of [LOOSE, TIGHT]) {
    const command = createSessionInfo({
      commandId: 9,
      sessionId: createSessionId({ connectionId: "c", value: 1 }),
    });
    const whole = encode(command, settings);
    for (let size = 1; size <= whole.length + 1; size++) {
      const joiner = new PartialCommandJoiner();
      const pieces = cutFrame(whole, size, 3);
      assertEquals(pieces.length, Math.ceil(whole.length / size));
      const results = pieces.map((piece) =>
        // Over the wire and back.
        joiner.push(decode<PartialCommand | LastPartialCommand>(encode(piece, settings), settings))
      );
      assert(results.slice(0, -1).every((result) => result === undefined));
      assertEquals(decode(results.at(-1)!, settings), command);
      assertEquals(joiner.pending, 0);
    }
  }
});

test("PartialCommandJoiner serves one command after another, through the cache", () => {
  const format = OpenWireFormat.fixed({ ...LOOSE, cacheEnabled: true });
  const [encoder, decoder] = [new OpenWireEncoder(format), new OpenWireDecoder(format)];
  const joiner = new PartialCommandJoiner();
  const command = createConsumerInfo({ subscriptionName: "s".repeat(100) });
  for (let i = 0; i < 5; i++) {
    for (const piece of cutFrame(encoder.encode(command), 17)) {
      const whole = joiner.push(piece);
      if (whole) assertEquals(decoder.push(whole), [command]);
    }
  }
});

test("PartialCommandJoiner takes a single last piece, and pieces without bytes", () => {
  const joiner = new PartialCommandJoiner();
  const last = (data: Uint8Array) => createLastPartialCommand({ data });
  assertEquals(hex(joiner.push(last(bytes("0102")))!), "01 02");
  assertEquals(joiner.push(createPartialCommand({ data: new Uint8Array(0) })), undefined);
  assertEquals(hex(joiner.push(last(bytes("03")))!), "03");
  assertEquals(joiner.push(last(new Uint8Array(0)))!.length, 0);
});

test("PartialCommandJoiner refuses a piece without data and forgets the others", () => {
  const joiner = new PartialCommandJoiner();
  joiner.push(createPartialCommand({ data: bytes("01") }));
  const error = assertThrows(() => joiner.push(createPartialCommand()), ProtocolError, "no data");
  assertEquals([error.dataType, error.field, joiner.pending], ["PartialCommand", "data", 0]);
  assertEquals(hex(joiner.push(createLastPartialCommand({ data: bytes("02") }))!), "02");
});

test("PartialCommandJoiner refuses pieces that together are too large", () => {
  const joiner = new PartialCommandJoiner({ maxSize: 100 });
  const piece = createPartialCommand({ data: new Uint8Array(50) });
  joiner.push(piece);
  joiner.push(piece);
  assertEquals(joiner.pending, 100);
  const one = createLastPartialCommand({ data: new Uint8Array(1) });
  const error = assertThrows(() => joiner.push(one), ProtocolError, "100 are allowed");
  assertEquals([error.code, joiner.pending], ["FRAME_TOO_LARGE", 0]);
  joiner.push(piece);
  assertEquals(joiner.push(createLastPartialCommand({ data: new Uint8Array(50) }))?.length, 100);
});

test("PartialCommandJoiner.clear() forgets the pieces so far", () => {
  const joiner = new PartialCommandJoiner();
  joiner.push(createPartialCommand({ data: bytes("01") }));
  joiner.clear();
  assertEquals(hex(joiner.push(createLastPartialCommand({ data: bytes("02") }))!), "02");
});

test("cutFrame() copies nothing, and refuses sizes that are no positive integer", () => {
  const whole = new Uint8Array(10);
  for (const { data } of cutFrame(whole, 3)) assertStrictEquals(data?.buffer, whole.buffer);
  for (const size of [0, -1, 0.5, NaN, Infinity]) {
    assertThrows(() => cutFrame(whole, size), RangeError);
  }
  assertEquals(cutFrame(new Uint8Array(0), 5).map(({ dataType }) => dataType), [
    "LastPartialCommand",
  ]);
});
