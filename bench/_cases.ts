/** The commands of the benchmarks, one of each kind and size. */
import {
  createActiveMQBytesMessage,
  createActiveMQMapMessage,
  createActiveMQObjectMessage,
  createActiveMQQueue,
  createActiveMQStreamMessage,
  createActiveMQTextMessage,
  createConsumerId,
  createConsumerInfo,
  createKeepAliveInfo,
  createLocalTransactionId,
  createMessageAck,
  createMessageDispatch,
  createMessageId,
  createMessagePull,
  createProducerId,
  createProducerInfo,
  createResponse,
  createTransactionInfo,
  type DataStructure,
  encodeMapBody,
  encodePrimitiveMap,
  encodeStreamBody,
  encodeTextBody,
  int,
  long,
  OpenWireEncoder,
  type PrimitiveInput,
} from "../codec/mod.ts";
import { formatOf, textOf } from "./corpus.ts";

/** The ways in which a frame can be written. The first is what the others are compared with. */
export const FORMS = [
  { title: "loose", tight: false, cache: false },
  { title: "loose, cache", tight: false, cache: true },
  { title: "tight", tight: true, cache: false },
  { title: "tight, cache", tight: true, cache: true },
] as const;

/** Sizes of bodies. */
export const SIZES = [["100 B", 100], ["1 KiB", 1024], ["64 KiB", 65536]] as const;

/** A command and the name of its group. */
export interface Case {
  name: string;
  command: DataStructure;
}

const producerId = createProducerId({
  connectionId: "ID:host-12345-1700000000000-1:1",
  sessionId: 1,
  value: 1,
});
const consumerId = createConsumerId({
  connectionId: "ID:client-54321-1700000000000-1:1",
  sessionId: 1,
  value: 1,
});
const messageId = createMessageId({ producerId, producerSequenceId: 70_000 });
const destination = createActiveMQQueue({ physicalName: "orders.incoming" });
const transactionId = createLocalTransactionId({
  connectionId: { dataType: "ConnectionId", value: consumerId.connectionId },
  value: 9,
});

const message = {
  producerId,
  messageId,
  destination,
  persistent: true,
  priority: 4,
  timestamp: 1_700_000_000_000,
  brokerInTime: 1_700_000_000_500,
  marshalledProperties: encodePrimitiveMap({ region: "eu-west-1", attempt: int(1) }),
};

/** Names and values of many types that take about `size` bytes. */
export function valuesOf(size: number): [name: string, value: PrimitiveInput][] {
  const entries: [string, PrimitiveInput][] = [];
  for (let i = 0, bytes = 0; bytes < size; i++) {
    const name = `field${i}`;
    const kinds: [PrimitiveInput, number][] = [
      [int(i), 5],
      [`value ${i}`, 9 + String(i).length],
      [i / 3, 9],
      [long(1_700_000_000_000 + i), 9],
      [i % 2 === 0, 2],
    ];
    const [value, takes] = kinds[i % kinds.length]!;
    entries.push([name, value]);
    bytes += 2 + name.length + takes;
  }
  return entries;
}

/** Bytes that look like a serialized object. */
function objectOf(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => [0xac, 0xed, 0, 5][i] ?? i & 0xff);
}

function dispatched(size: number): [kind: string, DataStructure][] {
  const dispatch = { consumerId, destination };
  const values = valuesOf(size);
  const messages = {
    text: createActiveMQTextMessage({ ...message, content: encodeTextBody(textOf(1, size)) }),
    bytes: createActiveMQBytesMessage({ ...message, content: objectOf(size) }),
    map: createActiveMQMapMessage({
      ...message,
      content: encodeMapBody(Object.fromEntries(values)),
    }),
    stream: createActiveMQStreamMessage({
      ...message,
      content: encodeStreamBody(values.map(([, value]) => value)),
    }),
    object: createActiveMQObjectMessage({ ...message, content: objectOf(size) }),
  };
  return Object.entries(messages).map((
    [kind, message],
  ) => [kind, createMessageDispatch({ ...dispatch, commandId: 1, message })]);
}

/** All cases: a dispatched message of each kind and size, and what else a client sends and receives. */
export const CASES: readonly Case[] = [
  ...SIZES.flatMap(([title, size]) =>
    dispatched(size).map(([kind, command]) => ({ name: `${kind} message, ${title}`, command }))
  ),
  {
    name: "ack",
    command: createMessageAck({
      commandId: 1,
      consumerId,
      destination,
      ackType: 2,
      firstMessageId: messageId,
      lastMessageId: messageId,
      messageCount: 1,
    }),
  },
  {
    name: "consumer info",
    command: createConsumerInfo({
      commandId: 1,
      responseRequired: true,
      consumerId,
      destination,
      prefetchSize: 1000,
      selector: "region = 'eu-west-1'",
      dispatchAsync: true,
    }),
  },
  {
    name: "producer info",
    command: createProducerInfo({ commandId: 1, responseRequired: true, producerId, destination }),
  },
  {
    name: "message pull",
    command: createMessagePull({ commandId: 1, consumerId, destination, timeout: 1000 }),
  },
  {
    name: "transaction info",
    command: createTransactionInfo({
      commandId: 1,
      connectionId: transactionId.connectionId,
      transactionId,
      type: 2,
    }),
  },
  { name: "response", command: createResponse({ commandId: 2, correlationId: 1 }) },
  { name: "keep-alive info", command: createKeepAliveInfo({ commandId: 1 }) },
];

/**
 * The first frame of a command, and the frame of every later one like it: with the cache they differ, because ids and
 * destinations have keys from the first on.
 */
export function framesIn(
  form: typeof FORMS[number],
  command: DataStructure,
): { first: Uint8Array; later: Uint8Array } {
  const encoder = new OpenWireEncoder(formatOf(form));
  return { first: encoder.encode(command), later: encoder.encode(command) };
}

/** Title of a benchmark, with what a user weighs its time against. */
export function titled(title: string, bytes: number): string {
  return `${title} — ${bytes} B`;
}
