/**
 * The commands that all benchmarks of the codec use.
 *
 * Workloads and values are those of `java/CodecBench.java`, so that both sides time the same bytes: keep them alike.
 */
import {
  type ActiveMQTextMessage,
  type ConsumerId,
  createActiveMQQueue,
  createActiveMQTextMessage,
  createConsumerId,
  createMessageAck,
  createMessageDispatch,
  createMessageId,
  createProducerId,
  type DataStructure,
  encodePrimitiveMap,
  encodeTextBody,
  int,
  type MessageAck,
  type MessageDispatch,
  OpenWireEncoder,
  OpenWireFormat,
} from "../codec/mod.ts";

/** Rows of commands as connections see them. */
export const WORKLOADS = [
  "dispatch-100",
  "dispatch-1k",
  "dispatch-64k",
  "ack",
  "send-1k",
  "mixed",
] as const;

/** One of {@linkcode WORKLOADS}. */
export type Workload = typeof WORKLOADS[number];

/** What is timed over the commands of a cell. */
export const PASSES = ["decode", "decodeFull", "encode", "encodeFull"] as const;

/** One of {@linkcode PASSES}. */
export type Pass = typeof PASSES[number];

/** A data structure that is sent by itself. */
export type Command = Extract<DataStructure, { commandId: number }>;

/** A workload in one form. */
export interface Cell {
  name: string;
  workload: Workload;
  tight: boolean;
  cache: boolean;
}

const MIX = ["dispatch-1k", "ack", "send-1k", "ack", "dispatch-100"] as const;
const STANDARD_ACK = 2;
const COUNT = 1000;
/** 50 messages of 64 KiB are as many bytes as the caches of a processor hold. */
const COUNT_64K = 50;

/** All cells of these workloads. */
export function cells(workloads: readonly Workload[] = WORKLOADS): Cell[] {
  return workloads.flatMap((workload) =>
    [false, true].flatMap((tight) =>
      [false, true].map((cache) => ({
        name: `${workload}-${tight ? "tight" : "loose"}-${cache ? "cache" : "nocache"}`,
        workload,
        tight,
        cache,
      }))
    )
  );
}

/** The passes of a workload. */
export function passes(workload: Workload): readonly Pass[] {
  return workload === "send-1k" ? PASSES : PASSES.filter((pass) => pass !== "encodeFull");
}

/** The format that both directions of a cell use. */
export function formatOf({ tight, cache }: { tight: boolean; cache: boolean }): OpenWireFormat {
  return OpenWireFormat.fixed({
    version: 12,
    tightEncodingEnabled: tight,
    cacheEnabled: cache,
    maxFrameSize: 2 ** 31 - 1,
  });
}

/** The frames of a cell, each in its own array, as they follow each other on a connection. */
export function framesOf(cell: Cell): Uint8Array<ArrayBuffer>[] {
  const encoder = new OpenWireEncoder(formatOf(cell));
  return commandsOf(cell.workload).map((command) => encoder.encode(command));
}

/** The commands of a workload. */
export function commandsOf(workload: Workload): Command[] {
  const count = workload === "dispatch-64k" ? COUNT_64K : COUNT;
  return Array.from({ length: count }, (_, i) => command(workload, i));
}

function command(workload: Workload, i: number): Command {
  const kind = workload === "mixed" ? MIX[i % MIX.length]! : workload;
  const header = { commandId: i + 1, responseRequired: i % 10 === 0 };
  switch (kind) {
    case "ack":
      return { ...ack(i), ...header };
    case "send-1k":
      return { ...message(i, 1024), ...header };
    case "dispatch-100":
      return { ...dispatch(i, 100), ...header };
    case "dispatch-1k":
      return { ...dispatch(i, 1024), ...header };
    case "dispatch-64k":
      return { ...dispatch(i, 65536), ...header };
  }
}

/** Text of `size` characters. */
export function textOf(i: number, size: number): string {
  const line = `order line ${i} of many; `;
  return line.repeat(size / line.length + 1).slice(0, size);
}

function message(i: number, size: number): ActiveMQTextMessage {
  const producerId = createProducerId({
    connectionId: `ID:host-12345-1700000000000-1:${1 + i % 3}`,
    sessionId: 1 + i % 2,
    value: 1,
  });
  return createActiveMQTextMessage({
    producerId,
    messageId: createMessageId({ producerId, producerSequenceId: i + 1 }),
    destination: createActiveMQQueue({ physicalName: `orders.incoming.${i % 5}` }),
    persistent: i % 2 === 0,
    ...filled(i, textOf(i, size)),
  });
}

/** The fields that a producer sets for each message. */
export function filled(
  i: number,
  text: string,
): Pick<ActiveMQTextMessage, "content" | "marshalledProperties" | "timestamp" | "priority"> {
  return {
    content: encodeTextBody(text),
    marshalledProperties: encodePrimitiveMap({ region: "eu-west-1", attempt: int(i % 7) }),
    timestamp: 1_700_000_000_000 + i,
    priority: 4,
  };
}

function consumer(i: number): ConsumerId {
  const connectionId = "ID:client-54321-1700000000000-1:1";
  return createConsumerId({ connectionId, sessionId: 1, value: 1 + i % 3 });
}

function dispatch(i: number, size: number): MessageDispatch {
  const inner = { ...message(i, size), brokerInTime: 1_700_000_000_500 + i };
  return createMessageDispatch({
    consumerId: consumer(i),
    destination: inner.destination,
    message: inner,
  });
}

function ack(i: number): MessageAck {
  const { destination, messageId } = message(i, 0);
  return createMessageAck({
    consumerId: consumer(i),
    destination,
    ackType: STANDARD_ACK,
    firstMessageId: messageId,
    lastMessageId: messageId,
    messageCount: 1,
  });
}
