/** Messages that brokers take and clients may stumble over: each field at its limits, and beyond what is sensible. */

import {
  type ActiveMQDestination,
  createActiveMQQueue,
  createActiveMQTempQueue,
  createActiveMQTempTopic,
  createActiveMQTopic,
  createBrokerId,
  createConsumerId,
  createLocalTransactionId,
  createMessageId,
  createProducerId,
  createXATransactionId,
  deflateMessage,
  encodeMapBody,
  encodePrimitiveMap,
  encodeStreamBody,
  encodeTextBody,
  type Long,
  type Message as WireMessage,
  OpenWireEncoder,
  OpenWireFormat,
  type TransactionId,
} from "../../codec/mod.ts";
import * as codec from "../../codec/mod.ts";
import { seededRandom } from "../_random.ts";
import { int } from "./_attack.ts";

/** A message, and the bytes of a data structure for it. */
export interface HostileMessage {
  readonly fields: Partial<WireMessage>;
  readonly structure: readonly number[] | undefined;
}

const TYPES: readonly WireMessage["dataType"][] = [
  "ActiveMQMessage",
  "ActiveMQBytesMessage",
  "ActiveMQMapMessage",
  "ActiveMQObjectMessage",
  "ActiveMQStreamMessage",
  "ActiveMQTextMessage",
  "ActiveMQBlobMessage",
];
const NUMBERS = [0, 1, -1, 7, 255, -(2 ** 31), 2 ** 31 - 1];
const LONGS: readonly Long[] = [
  0,
  -1,
  2 ** 53 - 1,
  2n ** 63n - 1n,
  -(2n ** 63n),
  4_102_444_800_000,
];
const TEXTS = [
  "",
  "a",
  "__proto__",
  "\u0000\u001b[31m\r\nERROR",
  "\ud800",
  "\u202egro",
  "ID:x-1-1-1:1:1:1",
  "x".repeat(30_000),
  "é".repeat(9000),
  "😀",
];
const encoder = new OpenWireEncoder(OpenWireFormat.fixed());
/** One of each type that a data structure may be. */
const STRUCTURES: readonly (readonly number[])[] = Object.entries(codec)
  .filter(([name]) => name.startsWith("create"))
  .flatMap(([, create]) => {
    try {
      return [[...encoder.encode((create as () => codec.DataStructure)()).subarray(4)]];
    } catch {
      return [];
    }
  });
const LEVEL = [32, ...int(0), 0, ...int(0), 1];
const LEAF = [10, ...int(0), 0];

/** Makes the same messages for the same seed. */
export class HostileMessages {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  async next(): Promise<HostileMessage> {
    const dataType = this.#of(TYPES);
    const body = this.#body();
    const fields = {
      dataType,
      content: body,
      compressed: this.#chance(0.1),
      marshalledProperties: this.#properties(),
      persistent: this.#chance(0.2),
      priority: this.#chance(0.2) ? this.#of([-128, -1, 0, 9, 10, 127]) : 4,
      expiration: this.#chance(0.1) ? this.#of(LONGS) : 0,
      timestamp: this.#of(LONGS),
      correlationId: this.#text(),
      type: this.#text(),
      groupID: this.#chance(0.1) ? this.#text() : null,
      groupSequence: this.#of(NUMBERS),
      redeliveryCounter: this.#chance(0.3) ? this.#of(NUMBERS) : 0,
      userID: this.#text(),
      replyTo: this.#destination(),
      originalDestination: this.#destination(),
      originalTransactionId: this.#transaction(),
      targetConsumerId: this.#chance(0.05)
        ? createConsumerId({ connectionId: "?", value: 7 })
        : null,
      brokerPath: this.#chance(0.1)
        ? [createBrokerId({ value: this.#text() ?? "b" }), createBrokerId({ value: "" })]
        : null,
      cluster: this.#chance(0.1) ? [createBrokerId({ value: "c" })] : null,
      arrival: this.#of(LONGS),
      brokerInTime: this.#of(LONGS),
      brokerOutTime: this.#of(LONGS),
      droppable: this.#chance(0.1),
      jmsxGroupFirstForConsumer: this.#chance(0.1),
      ...(dataType === "ActiveMQBlobMessage" && {
        remoteBlobUrl: this.#text(),
        mimeType: this.#text(),
        deletedByBroker: this.#chance(0.5),
      }),
    } as Partial<WireMessage>;
    if (body && this.#chance(0.2)) {
      const { content } = await deflateMessage({ ...fields, compressed: false } as WireMessage);
      Object.assign(fields, { content: this.#damaged(content!), compressed: true });
    }
    return { fields, structure: this.#chance(0.25) ? this.#structure() : undefined };
  }

  /** An id that belongs to nobody. */
  messageId(): Partial<WireMessage> {
    if (!this.#chance(0.05)) return {};
    const producerId = createProducerId({
      connectionId: this.#text() ?? "?",
      value: this.#of(LONGS),
    });
    return {
      messageId: createMessageId({
        producerId,
        producerSequenceId: this.#of(LONGS),
        brokerSequenceId: this.#of(LONGS),
      }),
    } as Partial<WireMessage>;
  }

  #below(end: number): number {
    return Math.floor(this.#random() * end);
  }

  #chance(part: number): boolean {
    return this.#random() < part;
  }

  #of<T>(values: readonly T[]): T {
    return values[this.#below(values.length)]!;
  }

  #text(): string | null {
    return this.#chance(0.8) ? null : this.#of(TEXTS);
  }

  #bytes(most: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#below(most)).map(() => this.#below(256));
  }

  #damaged(bytes: Uint8Array): Uint8Array {
    if (this.#chance(0.5)) return bytes;
    const copy = bytes.slice(0, this.#chance(0.3) ? this.#below(bytes.length + 1) : bytes.length);
    for (let n = this.#below(4); n > 0 && copy.length > 0; n--) {
      copy[this.#below(copy.length)] = this.#below(256);
    }
    return copy;
  }

  #body(): Uint8Array | null {
    const kind = this.#below(8);
    if (kind === 0) return null;
    if (kind === 1) return new Uint8Array(0);
    if (kind === 2) return this.#bytes(300);
    if (kind === 3) return this.#damaged(encodeTextBody(this.#of(TEXTS))!);
    if (kind === 4) return this.#damaged(encodeMapBody(this.#values()));
    if (kind === 5) return this.#damaged(encodeStreamBody([1, "two", null, 4n]));
    if (kind === 6) return Uint8Array.of(...int(this.#of(NUMBERS)), ...this.#bytes(20));
    return new Uint8Array(this.#chance(0.02) ? 1_000_000 : 10_000).fill(this.#of([0, 1, 11, 12]));
  }

  #properties(): Uint8Array | null {
    const kind = this.#below(16);
    if (kind < 8) return null;
    if (kind === 8) return this.#damaged(encodePrimitiveMap(this.#values()));
    if (kind < 15) return encodePrimitiveMap(this.#values());
    return Uint8Array.of(...int(this.#of(NUMBERS)), ...this.#bytes(60));
  }

  #values(): Map<string, codec.PrimitiveInput> {
    const values = new Map<string, codec.PrimitiveInput>();
    for (let n = this.#below(5); n > 0; n--) {
      values.set(
        this.#of(TEXTS).slice(0, 20),
        this.#of<codec.PrimitiveInput>([
          null,
          true,
          codec.char("\ud800"),
          -(2n ** 63n),
          NaN,
          this.#of(TEXTS),
          new Uint8Array(3),
          [1, [2, [3]]],
          { a: { b: null } },
        ]),
      );
    }
    return values;
  }

  #destination(): ActiveMQDestination | null {
    if (this.#chance(0.8)) return null;
    const physicalName = this.#of([
      "a",
      ">",
      "a,b",
      "topic://x",
      "x".repeat(30_000),
      "a?b=c",
    ]);
    const create = this.#of([
      createActiveMQQueue,
      createActiveMQTopic,
      createActiveMQTempQueue,
      createActiveMQTempTopic,
    ]);
    return create({ physicalName });
  }

  #transaction(): TransactionId | null {
    if (this.#chance(0.9)) return null;
    if (this.#chance(0.5)) {
      return createLocalTransactionId({
        value: this.#of(LONGS),
        connectionId: codec.createConnectionId({ value: "?" }),
      });
    }
    return createXATransactionId({
      formatId: this.#of(NUMBERS),
      globalTransactionId: this.#bytes(300),
      branchQualifier: this.#chance(0.1) ? new Uint8Array(200_000) : null,
    });
  }

  /** Mostly what brokers can read. */
  #structure(): readonly number[] {
    const inner = this.#chance(0.9) ? this.#of(STRUCTURES) : [...this.#bytes(20)];
    if (this.#chance(0.5)) return inner;
    const levels = this.#of([1, 31, 32, 33, 40, 500]);
    return [...Array(levels)].flatMap(() => LEVEL).concat(this.#chance(0.5) ? LEAF : inner);
  }
}
