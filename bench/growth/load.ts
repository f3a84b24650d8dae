/** What one process does when a point of a curve is measured. */
import { type MessageBody, type SendOptions, short, type WireFormatOptions } from "../../mod.ts";

/** What can be measured. */
export type Operation = "send" | "receive" | "connect";

/** What one process does. */
export interface Load {
  /** What is measured of it. */
  readonly operations: readonly Operation[];
  /** Connections of the process; the messages are spread over them. */
  readonly connections: number;
  /** Consumers of each queue on each connection. */
  readonly consumers: number;
  /** Queues that the messages are spread over. */
  readonly destinations: number;
  /** Prefetch size of each consumer. */
  readonly prefetch: number;
  /** What a message is. */
  readonly message: MessageName | number;
  /** How commands are encoded. */
  readonly encoding: EncodingName;
}

/** One consumer on one connection. */
export const USUAL: Load = {
  operations: ["receive"],
  connections: 1,
  consumers: 1,
  destinations: 1,
  prefetch: 1000,
  message: "text of 100 B",
  encoding: "loose, cache",
};

/** What is measured of an operation. All are means over the messages, or over the connections. */
export interface Figures {
  /** Microseconds of CPU time. */
  readonly cpu: number;
  /** Microseconds from the first to the last, divided by their number. */
  readonly time: number;
  /** Bytes that went to the broker. */
  readonly bytesSent?: number;
  /** Bytes that came from it. */
  readonly bytesReceived?: number;
  /** Bytes by which the process has grown. */
  readonly memory?: number;
}

/** What the process tells. */
export type Measured = Partial<Record<Operation, Figures>>;

const PROPERTIES = {
  region: "eu-west-1",
  tenant: "acme",
  kind: "invoice",
  currency: "EUR",
  attempt: 1,
  items: 12,
  total: 129.5,
  express: true,
  gift: false,
  channel: short(7),
};

/** Names of messages. */
export type MessageName = "text of 100 B" | "text of 1 KiB, 10 properties" | "map of 10 entries";

/** A message as it is sent. */
export interface Content {
  readonly body: MessageBody;
  readonly properties?: SendOptions["properties"];
}

const MESSAGES: Record<MessageName, Content> = {
  "text of 100 B": { body: "x".repeat(100) },
  "text of 1 KiB, 10 properties": { body: "x".repeat(1024), properties: PROPERTIES },
  "map of 10 entries": { body: { map: PROPERTIES } },
};

/** All of them. */
export const MESSAGE_NAMES = Object.keys(MESSAGES) as readonly MessageName[];

/** A message by its name, or a bytes message by its size. */
export function messageOf(message: MessageName | number): Content {
  return typeof message === "number"
    ? { body: new Uint8Array(message).fill(120) }
    : MESSAGES[message];
}

/** Bytes that the broker counts for a message, about. */
export function weightOf(message: MessageName | number): number {
  return 1024 + (typeof message === "number" ? message : 1024);
}

/** Names of encodings. */
export type EncodingName = "loose" | "tight" | "loose, cache" | "tight, cache";

const ENCODINGS: Record<EncodingName, WireFormatOptions> = {
  "loose": { tightEncodingEnabled: false, cacheEnabled: false },
  "tight": { tightEncodingEnabled: true, cacheEnabled: false },
  "loose, cache": { tightEncodingEnabled: false, cacheEnabled: true },
  "tight, cache": { tightEncodingEnabled: true, cacheEnabled: true },
};

/** All of them. */
export const ENCODING_NAMES = Object.keys(ENCODINGS) as readonly EncodingName[];

/** What to negotiate for an encoding. */
export function wireFormatOf(encoding: EncodingName): WireFormatOptions {
  return ENCODINGS[encoding];
}
