import { Buffer } from "node:buffer";
import {
  assert,
  assertEquals,
  assertNotEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { concat } from "@std/bytes";
import {
  type ConsumerInfo,
  createActiveMQQueue,
  createActiveMQTextMessage,
  createActiveMQTopic,
  createBrokerId,
  createConnectionId,
  createConnectionInfo,
  createConsumerId,
  createConsumerInfo,
  createLocalTransactionId,
  createMessageAck,
  createMessageId,
  createProducerId,
  createRemoveInfo,
  createRemoveSubscriptionInfo,
  createSessionId,
  createSessionInfo,
  createTransactionInfo,
  createXATransactionId,
  type DataArrayResponse,
  type DataStructure,
  EncodeError,
  type MessageAck,
  OpenWireDecoder,
  OpenWireEncoder,
  OpenWireFormat,
  ProtocolError,
  type SessionInfo,
  type TransactionInfo,
  type XATransactionId,
} from "../../codec/mod.ts";
import { test } from "../_harness.ts";
import { seededRandom } from "../_random.ts";
import { bytes, frame, hex, LOOSE, refusedBy, type Settings, TIGHT } from "./_codec.ts";

const LOOSE_CACHE: Settings = { ...LOOSE, cacheEnabled: true };
const TIGHT_CACHE: Settings = { ...TIGHT, cacheEnabled: true };
const BOTH = [LOOSE_CACHE, TIGHT_CACHE] as const;

function pair(settings: Settings): [encoder: OpenWireEncoder, decoder: OpenWireDecoder] {
  const format = OpenWireFormat.fixed(settings);
  return [new OpenWireEncoder(format), new OpenWireDecoder(format)];
}

const session = (value: number) =>
  createSessionInfo({ sessionId: createSessionId({ connectionId: "c", value }) });

test("a value is written once and then by its key (loose)", () => {
  const [encoder, decoder] = pair(LOOSE_CACHE);
  const id = createConnectionId({ value: "c" });
  const info = createConnectionInfo({ connectionId: id });
  const first = encoder.encode(createTransactionInfo({ connectionId: id }));
  assertEquals(
    hex(first),
    hex(frame("07 | 00 00 00 00 00 | 01 00 00 | 01 78 01 00 01 63 | 01 00 01 00 | 00")),
  );
  const again = encoder.encode(createTransactionInfo({ connectionId: id }));
  assertEquals(hex(again), hex(frame("07 | 00 00 00 00 00 | 00 00 00 | 00 00 01 | 00")));
  const seen = decoder.push(concat([first, again, encoder.encode(info)])) as TransactionInfo[];
  assertEquals(seen.map(({ connectionId }) => connectionId), [id, id, id]);
  assertStrictEquals(seen[0]!.connectionId, seen[2]!.connectionId);
});

test("a value is written once and then by its key (tight)", () => {
  const [encoder, decoder] = pair(TIGHT_CACHE);
  const of = () => createTransactionInfo({ connectionId: createConnectionId({ value: "c" }) });
  const first = encoder.encode(of());
  // Bits: response 0; new 1, there 1, text 1, ASCII 1; new 1, there 0.
  assertEquals(
    hex(first),
    hex(frame("07 | 01 3e | 00 00 00 00 | 00 00 78 00 01 63 | 00 01 | 00")),
  );
  const again = encoder.encode(of());
  assertEquals(hex(again), hex(frame("07 | 01 00 | 00 00 00 00 | 00 00 | 00 01 | 00")));
  const seen = decoder.push(concat([first, again]));
  assertEquals(seen, [of(), of()]);
});

test("keys go to the outer value first in loose encoding, last in tight", () => {
  const connectionId = createConnectionId({ value: "c" });
  const info = createTransactionInfo({
    transactionId: createLocalTransactionId({ value: 1, connectionId }),
  });
  const [loose] = pair(LOOSE_CACHE);
  assertEquals(
    hex(loose.encode(info)),
    hex(frame(
      "07 00000000 00 | 01 0000 00 | 01 0001 01 6f 0000000000000001 | 01 0002 01 78 01 0001 63 | 00",
    )),
  );
  const [tight] = pair(TIGHT_CACHE);
  // Null has key 0, the connection id 1, the transaction id 2.
  assertEquals(
    hex(tight.encode(info)),
    hex(frame("07 | 02 da 07 | 00000000 | 0000 | 0002 6f 0001 | 0001 78 0001 63 | 00")),
  );
  for (const settings of BOTH) {
    const [encoder, decoder] = pair(settings);
    assertEquals(decoder.push(concat([encoder.encode(info), encoder.encode(info)])), [info, info]);
  }
});

test("null is a value of the cache", () => {
  for (const settings of BOTH) {
    const [encoder, decoder] = pair(settings);
    const info = createConsumerInfo();
    const [first, second] = [encoder.encode(info), encoder.encode(info)];
    assert(second.length <= first.length);
    assertEquals(decoder.push(concat([first, second])), [info, info]);
  }
});

test("values of one frame are found within it", () => {
  for (const settings of BOTH) {
    const [encoder, decoder] = pair(settings);
    const id = () => createProducerId({ connectionId: "c", sessionId: 1, value: 2 });
    const message = createActiveMQTextMessage({
      producerId: id(),
      messageId: createMessageId({ producerId: id(), producerSequenceId: 5 }),
      destination: createActiveMQQueue({ physicalName: "Q" }),
      originalDestination: createActiveMQQueue({ physicalName: "Q" }),
    });
    const [once] = decoder.push(encoder.encode(message)) as [typeof message];
    assertEquals(once, message);
    assertStrictEquals(once.producerId, once.messageId?.producerId);
    assertStrictEquals(once.destination, once.originalDestination);
  }
});

test("values that look alike are told apart", () => {
  const values: readonly DataStructure[] = [
    createActiveMQQueue({ physicalName: "-" }),
    createActiveMQTopic({ physicalName: "-" }),
    createActiveMQQueue({ physicalName: "undefined" }),
    createActiveMQQueue({ physicalName: "null" }),
    { dataType: "ActiveMQTempQueue", physicalName: "-" },
    { dataType: "ActiveMQTempTopic", physicalName: "-" },
  ];
  const ids: readonly DataStructure[] = [
    createConnectionId(),
    createConnectionId({ value: "" }),
    createConnectionId({ value: "-" }),
    createConnectionId({ value: "+" }),
    createConnectionId({ value: "undefined" }),
    createConnectionId({ value: "null" }),
    createConnectionId({ value: "__proto__" }),
  ];
  for (const settings of BOTH) {
    const [encoder, decoder] = pair(settings);
    const commands: DataStructure[] = [];
    for (let turn = 0; turn < 2; turn++) {
      for (const destination of values) {
        commands.push(createConsumerInfo({ destination } as Partial<ConsumerInfo>));
      }
      for (const connectionId of ids) {
        commands.push(createRemoveSubscriptionInfo({ connectionId } as object));
      }
      for (
        const consumerId of [
          createConsumerId({ connectionId: "1:2", sessionId: 3, value: 4 }),
          createConsumerId({ connectionId: "2", sessionId: 3, value: 4 }),
          createConsumerId({ connectionId: "2", sessionId: 4, value: 3 }),
          createConsumerId({ connectionId: null, sessionId: 4, value: 3 }),
          createConsumerId({ connectionId: "", sessionId: 4, value: 3 }),
          createConsumerId({ connectionId: "", sessionId: 2n ** 60n, value: 3 }),
          createConsumerId({ connectionId: "", sessionId: 2n ** 60n + 1n, value: 3 }),
        ]
      ) commands.push(createMessageAck({ consumerId }));
      const branches = [null, new Uint8Array(0), Uint8Array.of(1), Uint8Array.of(1, 2)];
      for (const globalTransactionId of branches) {
        for (const branchQualifier of branches) {
          commands.push(createMessageAck({
            transactionId: createXATransactionId({ globalTransactionId, branchQualifier }),
          }));
        }
      }
    }
    const decoded = commands.flatMap((command) => decoder.push(encoder.encode(command)));
    assertEquals(decoded, commands);
  }
});

test("transaction ids of buffers are told apart by their bytes", () => {
  for (const settings of BOTH) {
    const [encoder, decoder] = pair(settings);
    for (const byte of [0xff, 0xfe, 0x80]) {
      const globalTransactionId = Buffer.of(byte);
      const encoded = encoder.encode(createMessageAck({
        transactionId: createXATransactionId({ globalTransactionId }),
      }));
      const [ack] = decoder.push(encoded) as MessageAck[];
      assertEquals((ack!.transactionId as XATransactionId).globalTransactionId![0], byte);
    }
  }
});

test("an absent field of a cached value is null, not the text undefined", () => {
  for (const settings of BOTH) {
    const [encoder, decoder] = pair(settings);
    const named = createTransactionInfo({
      connectionId: createConnectionId({ value: "undefined" }),
    });
    const bare = createTransactionInfo({
      connectionId: { dataType: "ConnectionId" } as unknown as null,
    });
    encoder.write(named);
    encoder.write(bare);
    const [, second] = decoder.push(encoder.take()) as TransactionInfo[];
    assertEquals(second!.connectionId, createConnectionId());
  }
});

// Eviction

for (const cacheSize of [100, 101, 150, 1024]) {
  for (const settings of BOTH) {
    const how = settings === TIGHT_CACHE ? "tight" : "loose";
    test(`a cache of ${cacheSize} serves far more values than it has slots (${how})`, () => {
      const random = seededRandom(cacheSize);
      const [encoder, decoder] = pair({ ...settings, cacheSize });
      const count = cacheSize === 1024 ? 100_000 : 20_000;
      let size = 0;
      for (let i = 0; i < count; i++) {
        // Some values again and again, most of them new.
        const value = Math.floor(random() ** 3 * (i + 10));
        const command = session(random() < 0.2 ? value % 7 : value);
        const encoded = encoder.encode(command);
        size += encoded.length;
        const [got] = decoder.push(encoded) as SessionInfo[];
        if (got!.sessionId!.value !== command.sessionId!.value) {
          throw new Error(
            `command ${i}: ${got!.sessionId!.value} is no ${command.sessionId!.value}`,
          );
        }
      }
      // The cache does work: a new loose value takes 27 bytes. With 100 slots all are evicted before each frame.
      assert(cacheSize < 150 || size < count * 26, `${size / count} bytes a command`);
    }, { timeout: 60_000 });

    test(`a cache of ${cacheSize} takes a frame with more values than it has slots (${how})`, () => {
      const [encoder, decoder] = pair({ ...settings, cacheSize });
      const data = Array.from({ length: 2000 }, (_, i) => session(i % 1500));
      const command: DataStructure = {
        dataType: "DataArrayResponse",
        commandId: 1,
        responseRequired: false,
        correlationId: 2,
        data,
      };
      for (let turn = 0; turn < 3; turn++) {
        assertEquals(decoder.push(encoder.encode(command)), [command]);
      }
    });
  }
}

for (const cacheSize of [1, 2, 16, 64, 99]) {
  test(`a cache of ${cacheSize}, with which a Java peer hangs, works`, () => {
    const random = seededRandom(cacheSize);
    for (const settings of BOTH) {
      const [encoder, decoder] = pair({ ...settings, cacheSize });
      for (let i = 0; i < 3000; i++) {
        const command = createMessageAck({
          consumerId: createConsumerId({ value: Math.floor(random() * 40) }),
          destination: createActiveMQQueue({ physicalName: `q${Math.floor(random() * 200)}` }),
        });
        assertEquals(decoder.push(encoder.encode(command)), [command]);
      }
    }
  });
}

test("keys go round, and the newest value of a slot wins", () => {
  const [encoder, decoder] = pair({ ...LOOSE_CACHE, cacheSize: 100 });
  const keys = new Set<number>();
  for (let i = 0; i < 250; i++) {
    const encoded = encoder.encode(session(i));
    keys.add(new DataView(encoded.buffer, encoded.byteOffset).getInt16(11));
    assertEquals(decoder.push(encoded), [session(i)]);
  }
  assertEquals(keys.size, 100);
  assertEquals([Math.min(...keys), Math.max(...keys)], [0, 99]);
});

// Refused commands

test("a refused command leaves both caches in agreement", () => {
  const random = seededRandom(5);
  for (const settings of BOTH) {
    for (const cacheSize of [100, 120, 1024]) {
      const [encoder, decoder] = pair({ ...settings, cacheSize });
      let refusals = 0;
      for (let i = 0; i < 5000; i++) {
        const destination = createActiveMQQueue({ physicalName: `q${Math.floor(random() * i)}` });
        const consumerId = createConsumerId({ value: Math.floor(random() * 30) });
        const good = createConsumerInfo({ destination, consumerId });
        if (random() < 0.3) {
          // New values come first, then what can't be encoded.
          const bad = { ...good, prefetchSize: 0.5 };
          const nested = { ...good, brokerPath: [createBrokerId(), 5 as unknown as null] };
          for (const command of [bad, nested]) {
            assertThrows(() => encoder.encode(command), EncodeError);
            refusals++;
          }
        }
        assertEquals(decoder.push(encoder.encode(good)), [good]);
      }
      assert(refusals > 1000);
    }
  }
});

test("a refused command is not taken for sent", () => {
  for (const settings of BOTH) {
    const [encoder, decoder] = pair(settings);
    const good = session(1);
    assertThrows(
      () => encoder.encode({ ...createConsumerInfo(), destination: 5 as unknown as null }),
      EncodeError,
    );
    assertThrows(() => encoder.encode({ ...good, commandId: 0.5 }), EncodeError);
    const late = { ...createConnectionInfo({ connectionId: createConnectionId() }), brokerPath: 5 };
    assertThrows(() => encoder.encode(late as unknown as DataStructure), EncodeError);
    const [first, second] = [encoder.encode(good), encoder.encode(good)];
    assertEquals(decoder.push(concat([first, second])), [good, good]);
    assertNotEquals(first.length, second.length);
  }
});

test("a refused command takes no keys", () => {
  for (const settings of BOTH) {
    const [encoder] = pair(settings);
    const [other] = pair(settings);
    assertThrows(
      () => encoder.encode({ ...createConsumerInfo(), brokerPath: 5 } as never),
      EncodeError,
    );
    assertEquals(hex(encoder.encode(session(1))), hex(other.encode(session(1))));
  }
});

test("a value with absent fields in the cache does not let wrong ones pass", () => {
  for (const settings of BOTH) {
    const [encoder] = pair(settings);
    const of = (id: object) => createTransactionInfo({ connectionId: id as never });
    encoder.encode(of({ dataType: "ConnectionId" }));
    assertThrows(() => encoder.encode(of({ dataType: "ConnectionId", value: 5 })), EncodeError);
  }
});

// A frame that is read twice, because it has no size and comes in pieces

test("OpenWireDecoder.push() forgets what a frame did to the cache when it reads it again", () => {
  const settings = { version: 1, cacheEnabled: true, cacheSize: 4, sizePrefixDisabled: true };
  const producer = (key: string, value: number) =>
    `01 ${key} 01 7b 01 0001 63 000000000000000${value} 0000000000000000`;
  const ack = (producerId: string) =>
    `01 16 00000000 00 01 ffff 00 01 ffff 00 01 ffff 00 00 ` +
    `01 6e ${producerId} 0000000000000000 0000000000000000 00 00000000`;
  const acks = (...producerIds: string[]) =>
    bytes(`21 00000000 00 00000000 01 000${producerIds.length} ${producerIds.map(ack).join(" ")}`);
  const stream = concat([
    acks(producer("0000", 1)),
    // The first is the one before, the last is the one between.
    acks("00 0000", producer("0000", 2), "00 0000", producer("0000", 3), "00 0000"),
    acks("00 0000"),
  ]);
  for (const size of [1, 7, 50, stream.length]) {
    const decoder = new OpenWireDecoder(OpenWireFormat.fixed(settings));
    const seen: (number | bigint)[] = [];
    for (let at = 0; at < stream.length; at += size) {
      for (const command of decoder.push(stream.subarray(at, at + size))) {
        for (const item of (command as DataArrayResponse).data as MessageAck[]) {
          seen.push(item.firstMessageId!.producerId!.value);
        }
      }
    }
    assertEquals(seen, [1, 1, 2, 2, 3, 3, 3], `in pieces of ${size}`);
  }
});

// What a decoder refuses

const head = "04 00000000 00";
const fresh = (key: string, value: number) =>
  frame(`${head} 01 ${key} 01 79 01 0001 63 000000000000000${value}`);
const hit = (key: string) => frame(`${head} 00 ${key}`);

function cacheDecoder(cacheSize: number): OpenWireDecoder {
  return new OpenWireDecoder(OpenWireFormat.fixed({ ...LOOSE_CACHE, cacheSize }));
}

test("OpenWireDecoder.push() takes keys in any order, and the newest value wins", () => {
  const commands = cacheDecoder(100).push(
    concat([fresh("0063", 1), fresh("0000", 2), hit("0063"), fresh("0063", 3), hit("0063")]),
  ) as SessionInfo[];
  assertEquals(commands.map(({ sessionId }) => sessionId!.value), [1, 2, 1, 3, 3]);
});

test("OpenWireDecoder.push() does not keep a value whose key is -1", () => {
  const decoder = cacheDecoder(100);
  assertEquals(decoder.push(fresh("ffff", 1)).length, 1);
  refusedBy(decoder, hit("ffff"), "nothing is cached under key -1");
});

test("OpenWireDecoder.push() refuses keys out of range", () => {
  for (const key of ["0064", "7fff", "fffe", "8000"]) {
    const error = refusedBy(cacheDecoder(100), fresh(key, 1), "the cache has 100 slots");
    assertEquals([error.dataType, error.field], ["SessionInfo", "sessionId"]);
    refusedBy(cacheDecoder(100), hit(key), "nothing is cached");
  }
});

test("OpenWireDecoder.push() refuses a key under which nothing is kept", () => {
  const decoder = cacheDecoder(100);
  decoder.push(fresh("0001", 1));
  refusedBy(decoder, hit("0000"), "nothing is cached under key 0");
});

test("OpenWireDecoder.push() refuses to keep what is no id and no destination", () => {
  // A RemoveInfo names what it removes by a value of any type, which the peer could make a large one.
  for (
    const [type, name] of [["0a 00000000 00", "KeepAliveInfo"], [
      "1e 00000000 00 00000000",
      "Response",
    ]]
  ) {
    const removal = (key: string) => frame(`0c 00000000 00 01 ${key} 01 ${type} 0000000000000000`);
    assertEquals(cacheDecoder(100).push(removal("ffff")).length, 1);
    refusedBy(cacheDecoder(100), removal("0000"), `no ${name} can be cached`);
  }
  // 16,000 messages of a megabyte each would be 16 GB.
  for (const settings of BOTH) {
    const format = OpenWireFormat.fixed(settings);
    const [encoder, decoder] = [new OpenWireEncoder(format), new OpenWireDecoder(format)];
    const content = new Uint8Array(100_000);
    const removal = createRemoveInfo({ objectId: createActiveMQTextMessage({ content }) });
    for (let i = 0; i < 3; i++) assertEquals(decoder.push(encoder.encode(removal)), [removal]);
  }
});

test("OpenWireDecoder.push() refuses a cached value of the wrong type", () => {
  const decoder = cacheDecoder(100);
  decoder.push(fresh("0000", 1));
  const error = refusedBy(
    decoder,
    frame("07 00000000 00 00 0000 01 0001 00 00"),
    "a ConnectionId is expected, the cache holds a SessionId",
  );
  assertEquals([error.dataType, error.field], ["TransactionInfo", "connectionId"]);
  const destination = cacheDecoder(100);
  destination.push(fresh("0000", 1));
  refusedBy(destination, frame("16 00000000 00 00 0000"), "ActiveMQDestination is expected");
});

test("OpenWireDecoder.push() refuses a cached value that refers to itself before it is there", () => {
  refusedBy(
    cacheDecoder(100),
    frame("07 00000000 00 01 0000 00 01 0001 01 6f 0000000000000001 00 0001 00"),
    "nothing is cached under key 1",
  );
});

test("OpenWireDecoder.push() refuses keys that are cut off", () => {
  for (const cut of ["01", "01 00", "00", "00 00", "01 00 00"]) {
    refusedBy(cacheDecoder(100), frame(`${head} ${cut}`), "remain");
  }
});

test("decoded values of the cache are frozen, because many commands share them", () => {
  for (const settings of BOTH) {
    const [encoder, decoder] = pair(settings);
    const [command] = decoder.push(encoder.encode(session(1))) as SessionInfo[];
    assert(Object.isFrozen(command!.sessionId));
    assertThrows(() => {
      (command!.sessionId as { value: number }).value = 2;
    }, TypeError);
    assertEquals(decoder.push(encoder.encode(session(1))), [session(1)]);
  }
});

test("cached transaction ids keep their bytes and not the chunk that these came in", () => {
  for (const settings of BOTH) {
    const [encoder, decoder] = pair(settings);
    const command = createMessageAck({
      transactionId: createXATransactionId({
        formatId: 5,
        globalTransactionId: bytes("01 02 03"),
        branchQualifier: bytes("04"),
      }),
    });
    const chunk = Buffer.from(concat([encoder.encode(command)]));
    const [first] = decoder.push(chunk) as MessageAck[];
    const id = first!.transactionId as XATransactionId;
    assert(id.globalTransactionId!.buffer !== chunk.buffer);
    chunk.fill(0xff);
    const [second] = decoder.push(encoder.encode(command)) as MessageAck[];
    assertEquals(second!.transactionId, command.transactionId);
  }
});

test("each connection has a cache of its own", () => {
  const format = OpenWireFormat.fixed(LOOSE_CACHE);
  const encoder = new OpenWireEncoder(format);
  encoder.encode(session(1));
  const later = encoder.encode(session(1));
  refusedBy(new OpenWireDecoder(format), later, "nothing is cached");
  // Both directions of one connection, too.
  assertEquals(new OpenWireEncoder(format).encode(session(1)).length, 27);
});

test("all cached values together have a bound in bytes", () => {
  for (const settings of BOTH) {
    const format = OpenWireFormat.fixed({ ...settings, cacheSize: 32_767 });
    const encoder = new OpenWireEncoder(format);
    const decoder = new OpenWireDecoder(format);
    const push = (i: number) =>
      decoder.push(encoder.encode(
        createMessageAck({
          destination: createActiveMQQueue({ physicalName: `${i}:`.padEnd(32_000, "x") }),
        }),
      ));
    let error: ProtocolError | undefined;
    let count = 0;
    while (error === undefined && count < 1000) {
      try {
        push(count++);
      } catch (failure) {
        error = failure as ProtocolError;
      }
    }
    assert(
      error?.message.includes("the cached values have more than 8388608 bytes"),
      error?.message,
    );
    assertEquals(count, Math.ceil(8_388_608 / 64_000));
  }
});

test("a value that takes the slot of another takes its bytes, too", () => {
  for (const settings of BOTH) {
    const format = OpenWireFormat.fixed({ ...settings, cacheSize: 100 });
    const [encoder, decoder] = [new OpenWireEncoder(format), new OpenWireDecoder(format)];
    for (let i = 0; i < 1000; i++) {
      const name = `${i}:`.padEnd(30_000, "x");
      const ack = createMessageAck({ destination: createActiveMQQueue({ physicalName: name }) });
      assertEquals(decoder.push(encoder.encode(ack)), [ack]);
    }
  }
});

test("on a negotiated connection XA ids of more than 64 bytes a part are not cached", () => {
  for (const tightEncodingEnabled of [false, true]) {
    for (const [global, branch, ok] of [[64, 64, true], [65, 1, false], [1, 65, false]] as const) {
      const offer = { cacheEnabled: true, tightEncodingEnabled };
      const [ours, theirs] = [new OpenWireFormat(offer), new OpenWireFormat(offer)];
      theirs.negotiate(ours.info());
      const encoder = new OpenWireEncoder(theirs);
      const decoder = new OpenWireDecoder(ours);
      decoder.push(new OpenWireEncoder(new OpenWireFormat()).encode(theirs.info()));
      const ack = createMessageAck({
        transactionId: createXATransactionId({
          globalTransactionId: new Uint8Array(global),
          branchQualifier: new Uint8Array(branch),
        }),
      });
      if (ok) assertEquals(decoder.push(encoder.encode(ack)), [ack]);
      else assertThrows(() => decoder.push(encoder.encode(ack)), ProtocolError, "65 bytes");
    }
  }
});
