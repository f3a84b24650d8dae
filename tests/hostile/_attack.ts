/** A broker that means harm, and a client that is connected to it. */

import { indexOfNeedle } from "@std/bytes";
import { connect, type Connection, type ConnectOptions, OpenWireError } from "../../mod.ts";
import {
  type ConsumerId,
  type ConsumerInfo,
  createActiveMQMessage,
  createActiveMQQueue,
  createConsumerId,
  createMessageDispatch,
  createMessageId,
  createProducerId,
  type DataStructure,
  type Message,
  type MessageId,
  OpenWireEncoder,
  OpenWireFormat,
  type WireFormatSettings,
} from "../../codec/mod.ts";
import { assert, assertInstanceOf } from "@std/assert";
import { fakePeer, Script } from "../client/_fake_broker.ts";

/** A client that is connected to a broker that does as a test says. */
export interface Victim {
  readonly connection: Connection;
  readonly script: Script;
  /** What the client has sent since it was connected. */
  readonly commands: DataStructure[];
  /** What its status has told. */
  readonly failures: Error[];
  /** Sends raw bytes to it. */
  attack(bytes: Uint8Array): Promise<void>;
}

/** Short times, and no cache, so that a test knows what stands where. */
const CAREFUL: ConnectOptions = {
  username: "app",
  password: "secret",
  requestTimeout: 10_000,
  closeTimeout: 500,
  wireFormat: { cacheEnabled: false, maxFrameSize: 1_048_576 },
};

/** Connects a client, attacks it, and closes it. The broker answers what the client asks. */
export async function withVictim(
  attack: (victim: Victim) => Promise<void>,
  options: ConnectOptions = {},
): Promise<void> {
  const { promise: connected, resolve } = Promise.withResolvers<Script>();
  const commands: DataStructure[] = [];
  await using peer = await fakePeer(async (transport) => {
    const script = new Script(transport, { stackTraceEnabled: true, tightEncodingEnabled: true });
    await script.accept();
    resolve(script);
    await script.answerAll((command) => void commands.push(command));
  });
  const connection = await connect(peer.url, {
    ...CAREFUL,
    ...options,
    wireFormat: { ...CAREFUL.wireFormat, ...options.wireFormat },
  });
  const failures: Error[] = [];
  const watching = (async () => {
    for await (const status of connection.status()) {
      if (status.type === "error") failures.push(status.error);
    }
  })();
  const script = await connected;
  try {
    const sendBytes = (bytes: Uint8Array): Promise<void> => script.sendBytes(bytes).catch(() => {}); // The client may have left already.
    await attack({ connection, script, commands, failures, attack: sendBytes });
    await assertSettles(connection);
  } finally {
    await connection.close();
    await watching;
  }
}

/** Whatever was done to a connection, calls come to an end: well, or with an error of ours. */
export async function assertSettles(connection: Connection): Promise<void> {
  const calls = [
    connection.ping(),
    connection.send("orders", "hello"),
    connection.createConsumer("orders"),
    connection.createSession({ acknowledgeMode: "transacted" }).then((session) => session.close()),
    connection.createTemporaryQueue(),
    connection.request("orders", "question", { timeout: 20 }),
  ];
  for (const result of await Promise.allSettled<unknown>(calls)) {
    if (result.status === "rejected") assertInstanceOf(result.reason, OpenWireError);
  }
}

/** The error that has ended a connection. */
export async function endOf(connection: Connection): Promise<OpenWireError> {
  const error = await connection.closed;
  if (error instanceof OpenWireError) return error;
  throw error ?? new Error("it was closed here");
}

/** Fails unless a connection is as before: it answers, and gives messages. */
export async function assertUnharmed({ connection, script }: Victim): Promise<void> {
  assert(await connection.ping() >= 0);
  const consumer = await connection.createConsumer("unharmed");
  await script.send(dispatchTo(consumer.id, textMessage("fine")));
  const message = await consumer.receive();
  assert(message?.text === "fine");
  await consumer.close();
}

/** The bytes of a frame, without the cache. */
export function frame(
  command: DataStructure,
  settings: Partial<WireFormatSettings> = {},
): Uint8Array {
  return new OpenWireEncoder(OpenWireFormat.fixed(settings)).encode(command);
}

/** The same bytes with others in place of some. */
export function overwrite(bytes: Uint8Array, at: number, ...values: number[]): Uint8Array {
  const result = bytes.slice();
  result.set(values, at);
  return result;
}

/** Where a text stands in bytes. */
export function find(bytes: Uint8Array, text: string): number {
  const at = indexOfNeedle(bytes, new TextEncoder().encode(text));
  assert(at >= 0, `${text} is there`);
  return at;
}

/** A size and that many bytes. */
export function sized(...bytes: number[]): Uint8Array {
  return Uint8Array.of(0, 0, bytes.length >> 8, bytes.length & 0xff, ...bytes);
}

/** An int as bytes. */
export function int(value: number): number[] {
  return [value >> 24 & 0xff, value >> 16 & 0xff, value >> 8 & 0xff, value & 0xff];
}

/** How the client has announced its last consumer. */
export function consumerInfo(commands: readonly DataStructure[]): ConsumerInfo {
  const info = commands.findLast(({ dataType }) => dataType === "ConsumerInfo");
  if (info?.dataType !== "ConsumerInfo") throw new Error("There is no consumer");
  return info;
}

/** A dispatch to a consumer, by the text of its id. */
export function dispatchTo(consumer: string, message: Message | null): DataStructure {
  return createMessageDispatch({
    consumerId: consumerIdOf(consumer),
    destination: message?.destination ?? createActiveMQQueue({ physicalName: "orders" }),
    message,
  });
}

/** The id that a consumer's text stands for: the client goes by the numbers. */
function consumerIdOf(text: string): ConsumerId {
  const [sessionId, value] = text.split(":").map(Number);
  return createConsumerId({ connectionId: "evil", sessionId: sessionId!, value: value! });
}

let sequence = 0;

/** An id that no other message has. */
function freshMessageId(): MessageId {
  return createMessageId({
    producerId: createProducerId({ connectionId: "evil", sessionId: 1, value: 1 }),
    producerSequenceId: ++sequence,
    brokerSequenceId: sequence,
  });
}

/** A text message with its body. */
export function textMessage(text: string): Message {
  const bytes = new TextEncoder().encode(text);
  return {
    ...emptyMessage("ActiveMQTextMessage"),
    content: Uint8Array.of(...int(bytes.length), ...bytes),
  };
}

/** A message of a kind, without a body. */
export function emptyMessage(dataType: Message["dataType"]): Message {
  const destination = createActiveMQQueue({ physicalName: "orders" });
  const message = createActiveMQMessage({ messageId: freshMessageId(), destination });
  return { ...message, dataType } as Message;
}
