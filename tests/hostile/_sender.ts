/** A sender who may do with a message what the codec can write, and some that it can't. */

import {
  type ActiveMQQueue,
  createActiveMQQueue,
  createActiveMQTextMessage,
  createFlushCommand,
  createMessageId,
  createProducerId,
  createProducerInfo,
  encodeTextBody,
  type Message as WireMessage,
  OpenWireEncoder,
  OpenWireFormat,
  type ProducerId,
} from "../../codec/mod.ts";
import { dial } from "../../transport/mod.ts";
import { RawClient } from "../testing/_raw_client.ts";
import { find, int } from "./_attack.ts";

/** Milliseconds in which a broker answers that has read what came before. */
const PATIENCE = 2000;
const MARK = "MARKER-0123456789";
/** No properties, which stand before the data structure, but a text by which the place is found. */
const MARKED = { marshalledProperties: new TextEncoder().encode(MARK), dataStructure: null };

/** The frame of a message, with a data structure and no properties. */
function withStructure(frame: Uint8Array, structure: readonly number[]): Uint8Array<ArrayBuffer> {
  const text = find(frame, MARK);
  // A flag and a length stand before the text, and the flag of the structure behind it.
  const [start, rest] = [text - 5, text + MARK.length + 1];
  const whole = new Uint8Array(start + 2 + structure.length + frame.length - rest);
  whole.set(frame.subarray(0, start));
  whole.set([0, 1, ...structure], start);
  whole.set(frame.subarray(rest), start + 2 + structure.length);
  whole.set(int(whole.length - 4));
  return whole;
}

/** Whoever may write to a queue, with nothing but the codec. */
export class Sender implements AsyncDisposable {
  readonly #client: RawClient;
  readonly #destination: ActiveMQQueue;
  readonly #producerId: ProducerId;
  readonly #encoder: OpenWireEncoder = new OpenWireEncoder(OpenWireFormat.fixed());
  #count = 0;

  private constructor(client: RawClient, name: string) {
    this.#client = client;
    this.#destination = createActiveMQQueue({ physicalName: name });
    this.#producerId = createProducerId({
      connectionId: client.connectionId,
      sessionId: 1,
      value: 1,
    });
  }

  static async open(url: string, name: string): Promise<Sender> {
    const client = await RawClient.open(await dial(url), {
      cacheEnabled: false,
      tightEncodingEnabled: false,
    });
    const sender = new Sender(client, name);
    await client.request(
      createProducerInfo({ producerId: sender.#producerId, destination: sender.#destination }),
    );
    return sender;
  }

  get connectionId(): string {
    return this.#client.connectionId;
  }

  /** The next message, which is valid. */
  message(extra: Partial<WireMessage> = {}): WireMessage {
    const producerSequenceId = ++this.#count;
    return {
      ...createActiveMQTextMessage({
        producerId: this.#producerId,
        destination: this.#destination,
        messageId: createMessageId({ producerId: this.#producerId, producerSequenceId }),
        content: encodeTextBody("bad"),
        persistent: true,
        priority: 4,
      }),
      ...extra,
    } as WireMessage;
  }

  /** Sends a message; the broker may refuse it. */
  async send(message: WireMessage): Promise<void> {
    await this.#client.request(message);
  }

  async request(command: Parameters<RawClient["request"]>[0]): Promise<void> {
    await this.#client.request(command);
  }

  /** Sends a message without waiting for the broker. */
  async post(message: WireMessage): Promise<void> {
    await this.#client.raw(this.#encoder.encode(message));
  }

  /** Sends a message with a data structure whose bytes no codec of ours would write, without waiting. */
  async postStructure(message: WireMessage, structure: readonly number[]): Promise<void> {
    await this.#client.raw(
      withStructure(this.#encoder.encode({ ...message, ...MARKED }), structure),
    );
  }

  /** Waits until the broker has read all; false when it has ended the link, or reads no more. */
  async settle(): Promise<boolean> {
    const answered = this.#client.request(createFlushCommand()).then(() => true, () => false);
    const late = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => late.resolve(false), PATIENCE);
    return await Promise.race([answered, late.promise]).finally(() => clearTimeout(timer));
  }

  /** Sends a message with such a data structure, and waits until the broker has read it; it may end the link. */
  async sendStructure(message: WireMessage, structure: readonly number[]): Promise<void> {
    await this.postStructure(message, structure);
    await this.settle();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
  }
}
