/** What we write, as the Java marshallers read it. */
import { assertEquals } from "@std/assert";
import {
  createActiveMQQueue,
  createActiveMQTopic,
  createBrokerId,
  createConnectionId,
  createConsumerId,
  createConsumerInfo,
  createLocalTransactionId,
  createMessageAck,
  createMessageDispatch,
  createMessageId,
  createProducerId,
  createRemoveInfo,
  createSessionId,
  createSessionInfo,
  createTransactionInfo,
  createXATransactionId,
  type DataStructure,
  decodePrimitiveMap,
  deflateMessage,
  encodeMapBody,
  encodePrimitiveMap,
  encodeStreamBody,
  encodeTextBody,
  inflateMessage,
  type Message,
  OpenWireDecoder,
  OpenWireEncoder,
  OpenWireFormat,
  PrimitiveList,
  PrimitiveMap,
} from "../../codec/mod.ts";
import { concreteTypes } from "../../codec/schema/model.ts";
import { test } from "../_harness.ts";
import { seededRandom } from "../_random.ts";
import { fromBase64, fromFields, toFields, toHex } from "../conformance/convert.ts";
import { canonical, sorted, typedFromJson, type TypedJson } from "../conformance/typed_json.ts";
import { ownVectors, readVectors } from "../conformance/vectors.ts";
import { type CheckAnswer, type CheckLine, checkWithJava, javaSkip } from "../java/java.ts";
import { RandomValues } from "./_values.ts";

const options = { skip: javaSkip, timeout: 180_000 };

interface Written {
  readonly line: CheckLine;
  readonly commands: readonly DataStructure[];
}

/** Asserts that Java reads from each line what went into it. */
async function assertReadByJava(written: readonly Written[]): Promise<void> {
  const answers = await checkWithJava(written.map(({ line }) => line));
  const wrong: string[] = [];
  for (const [i, { line, commands }] of written.entries()) {
    const answer = answers[i]!;
    const read = line.stream ? answer.commands : [{ type: answer.type, fields: answer.fields }];
    const got = answer.error ?? JSON.stringify(read);
    const expected = JSON.stringify(commands.map((command) => ({
      type: command.dataType,
      fields: toFields(command, line.version, line.stackTrace),
    })));
    if (got !== expected) {
      wrong.push(`${line.id}\n  ${difference(expected, got)}\n  ${line.hex.slice(0, 300)}`);
    }
  }
  if (wrong.length > 0) {
    throw new Error(
      `Java reads ${wrong.length} of ${written.length} differently:\n${
        wrong.slice(0, 5).join("\n")
      }`,
    );
  }
}

function difference(expected: string, got: string): string {
  let at = 0;
  while (at < expected.length && expected[at] === got[at]) at++;
  const from = Math.max(0, at - 60);
  return `expected …${expected.slice(from, at + 80)}\n  got      …${got.slice(from, at + 80)}`;
}

function write(
  id: string,
  commands: readonly DataStructure[],
  settings: Omit<CheckLine, "id" | "hex" | "sizePrefixDisabled"> & { sizePrefixDisabled?: boolean },
): Written {
  const { version, tight, cache, stackTrace, cacheSize, sizePrefixDisabled = false } = settings;
  const format = OpenWireFormat.fixed({
    version,
    tightEncodingEnabled: tight,
    cacheEnabled: cache,
    stackTraceEnabled: stackTrace,
    sizePrefixDisabled,
    ...(cacheSize === undefined ? {} : { cacheSize }),
  });
  const encoder = new OpenWireEncoder(format);
  for (const command of commands) encoder.write(command);
  const bytes = encoder.take();
  // What Java is to read, we read too.
  assertEquals(new OpenWireDecoder(format).push(bytes).length, commands.length);
  return { line: { ...settings, id, sizePrefixDisabled, hex: toHex(bytes) }, commands };
}

for (let version = 1; version <= 12; version++) {
  test(`Java reads random values of all types of version ${version} as we wrote them`, async () => {
    const random = seededRandom(version);
    const values = new RandomValues(random, version);
    const written: Written[] = [];
    for (const type of [...values.types, ...values.types, ...values.types]) {
      for (const tight of [false, true]) {
        for (const cache of [false, true]) {
          for (const stackTrace of [false, true]) {
            const sizePrefixDisabled = random() < 0.1;
            const id = `v${version}/${type}/${tight ? "tight" : "loose"}/${cache}/${stackTrace}`;
            const settings = { version, tight, cache, stackTrace, sizePrefixDisabled };
            written.push(write(id, [values.of(type)], settings));
          }
        }
      }
    }
    await assertReadByJava(written);
  }, options);
}

/** Commands that need far more values than any cache has, with all types that can be cached. */
function cachedCommands(random: () => number, count: number): DataStructure[] {
  const some = (spread: number) => Math.floor(random() ** 2 * spread);
  const commands: DataStructure[] = [];
  for (let commandId = 1; commandId <= count; commandId++) {
    const connection = createConnectionId({ value: `ID:${some(40)}` });
    const consumerId = createConsumerId({
      connectionId: "c",
      sessionId: some(9),
      value: some(500),
    });
    const destination = random() < 0.5
      ? createActiveMQQueue({ physicalName: `Q${some(800)}` })
      : createActiveMQTopic({ physicalName: `Q${some(800)}` });
    const transactionId = random() < 0.3
      ? null
      : random() < 0.5
      ? createLocalTransactionId({ value: some(1000), connectionId: connection })
      : createXATransactionId({
        formatId: some(3),
        globalTransactionId: Uint8Array.of(some(200), 1),
        branchQualifier: new Uint8Array(some(3)),
      });
    const messageId = createMessageId({
      producerId: createProducerId({ connectionId: "c", sessionId: 1, value: some(300) }),
      producerSequenceId: commandId,
    });
    switch (Math.floor(random() * 6)) {
      case 0:
        commands.push(
          createConsumerInfo({
            commandId,
            consumerId,
            destination,
            brokerPath: [createBrokerId()],
          }),
        );
        break;
      case 1:
        commands.push(
          createMessageAck({
            commandId,
            consumerId,
            destination,
            transactionId,
            lastMessageId: messageId,
          }),
        );
        break;
      case 2:
        commands.push(
          createTransactionInfo({ commandId, connectionId: connection, transactionId }),
        );
        break;
      case 3:
        commands.push(createSessionInfo({
          commandId,
          sessionId: createSessionId({ connectionId: "c", value: some(2000) }),
        }));
        break;
      case 4:
        commands.push(
          createRemoveInfo({ commandId, objectId: random() < 0.5 ? consumerId : connection }),
        );
        break;
      default:
        commands.push(createMessageDispatch({ commandId, consumerId, destination }));
    }
  }
  return commands;
}

for (const cacheSize of [100, 1024]) {
  for (const tight of [false, true]) {
    const how = tight ? "tight" : "loose";
    test(
      `Java reads streams through a cache of ${cacheSize} as we wrote them (${how})`,
      async () => {
        const written = [1, 6, 12].map((version) => {
          const commands = cachedCommands(seededRandom(cacheSize + version), 6000);
          const settings = {
            version,
            tight,
            cache: true,
            stackTrace: false,
            stream: true,
            cacheSize,
          };
          return write(`stream/v${version}`, commands, settings);
        });
        await assertReadByJava(written);
      },
      options,
    );
  }
}

test("Java reads streams of random values through the cache as we wrote them", async () => {
  const written: Written[] = [];
  for (const version of [1, 3, 9, 10, 12]) {
    for (const tight of [false, true]) {
      const values = new RandomValues(seededRandom(version * 7), version);
      // Java fails on a frame with more values than the cache has free slots.
      const commands = Array.from({ length: 400 }, () => values.any());
      const settings = {
        version,
        tight,
        cache: true,
        stackTrace: true,
        stream: true,
        cacheSize: 1024,
      };
      written.push(write(`random/v${version}`, commands, settings));
    }
  }
  await assertReadByJava(written);
}, options);

test("Java reads what stays right after commands that we refused", async () => {
  for (const tight of [false, true]) {
    const format = OpenWireFormat.fixed({
      version: 12,
      tightEncodingEnabled: tight,
      cacheEnabled: true,
      cacheSize: 120,
    });
    const encoder = new OpenWireEncoder(format);
    const random = seededRandom(9);
    const commands = cachedCommands(random, 3000);
    for (const command of commands) {
      if (random() < 0.2) {
        const wrong = { ...createConsumerInfo(), ...command, commandId: 0.5 } as DataStructure;
        try {
          encoder.write(wrong);
          throw new Error("It was taken");
        } catch (error) {
          if ((error as Error).name !== "EncodeError") throw error;
        }
      }
      encoder.write(command);
    }
    const settings = { version: 12, tight, cache: true, stackTrace: false, stream: true };
    const line = { ...settings, id: "refused", sizePrefixDisabled: false, cacheSize: 120 };
    await assertReadByJava([{ line: { ...line, hex: toHex(encoder.take()) }, commands }]);
  }
}, options);

// Bodies

interface BodyVector {
  readonly id: string;
  readonly type: string;
  readonly fields: Parameters<typeof fromFields>[1];
  readonly compressed: boolean;
  readonly properties: readonly [string, TypedJson][];
  readonly body: Record<string, unknown>;
  readonly javaProperties?: readonly [string, TypedJson][];
  readonly javaBody?: Record<string, unknown>;
}

function mapOf(entries: readonly [string, TypedJson][]): PrimitiveMap {
  return new PrimitiveMap(new Map(entries.map(([name, value]) => [name, typedFromJson(value)])));
}

/** The content for the logical body of a vector. */
function contentOf({ type, body }: BodyVector, original: Uint8Array | null): Uint8Array | null {
  switch (type) {
    case "ActiveMQTextMessage":
      return encodeTextBody(body["text"] as string | null);
    case "ActiveMQBytesMessage":
      return fromBase64((body["bytes"] as { $bytes: string }).$bytes);
    case "ActiveMQMapMessage":
      return encodeMapBody(mapOf(body["map"] as [string, TypedJson][]));
    case "ActiveMQStreamMessage":
      return encodeStreamBody(
        new PrimitiveList((body["stream"] as TypedJson[]).map(typedFromJson)),
      );
    default:
      // Objects are carried, not made.
      return original;
  }
}

function canonicalEntries(entries: unknown): unknown {
  return sorted(
    (entries as [string, TypedJson][]).map(([name, value]) => [name, canonical(value)]),
  );
}

function canonicalBody(body: Record<string, unknown>): Record<string, unknown> {
  if ("map" in body) return { map: canonicalEntries(body["map"]) };
  if ("stream" in body) return { stream: (body["stream"] as TypedJson[]).map(canonical) };
  return body;
}

for (const compress of [false, true]) {
  const how = compress ? "compressed" : "plain";
  test(`Java reads properties and bodies that we made as the same (${how})`, async () => {
    const written: { vector: BodyVector; line: CheckLine }[] = [];
    for await (const vector of readVectors(ownVectors, "bodies.jsonl.gz")) {
      const body = vector as unknown as BodyVector;
      const message = await inflateMessage(fromFields(body.type, body.fields) as Message);
      const { marshalledProperties } = message;
      // Java may tell no properties from no map.
      const properties = marshalledProperties === null && body.properties.length === 0
        ? null
        : encodePrimitiveMap(mapOf(body.properties));
      assertEquals(decodePrimitiveMap(properties).size, body.properties.length);
      const ours = {
        ...message,
        content: contentOf(body, message.content),
        marshalledProperties: properties,
      };
      const sent = compress ? await deflateMessage(ours) : ours;
      for (const tight of [false, true]) {
        const { line } = write(body.id, [sent], {
          version: 12,
          tight,
          cache: false,
          stackTrace: false,
        });
        written.push({ vector: body, line: { ...line, decodeBody: true } });
      }
    }
    const answers = await checkWithJava(written.map(({ line }) => line));
    for (const [i, { vector }] of written.entries()) {
      const answer: CheckAnswer = answers[i]!;
      assertEquals(answer.error, undefined, vector.id);
      assertEquals(
        canonicalEntries(answer.properties),
        canonicalEntries(vector.properties),
        vector.id,
      );
      assertEquals(canonicalBody(answer.body!), canonicalBody(vector.body), vector.id);
      assertEquals(answer.javaProperties === undefined, vector.javaProperties === undefined);
      assertEquals(answer.javaBody === undefined, vector.javaBody === undefined, vector.id);
    }
  }, options);
}

test("the random values are of every type", () => {
  const values = new RandomValues(seededRandom(1), 12);
  assertEquals(values.types.length, concreteTypes.length);
});
