/**
 * Messages as a producer sends them.
 *
 * @module
 */

import {
  createActiveMQBytesMessage,
  createActiveMQMapMessage,
  createActiveMQMessage,
  createActiveMQObjectMessage,
  createActiveMQStreamMessage,
  createActiveMQTextMessage,
  encodeMapBody,
  encodePrimitiveMap,
  encodeStreamBody,
  encodeTextBody,
  type Message as WireMessage,
  type PrimitiveInput,
  PrimitiveMap,
  type PrimitiveMapInput,
} from "../codec/mod.ts";
import { type Destination, toDestination } from "./destination.ts";

/**
 * What can be sent: a string makes a text message, a `Uint8Array` a bytes message, null a message without a body. The
 * others are named: `{ map }`, `{ stream }`, and `{ object }` for a serialized Java object.
 *
 * @example
 * ```ts
 * import { type MessageBody, short } from "../mod.ts";
 *
 * const bodies: MessageBody[] = ["text", Uint8Array.of(1), { map: { id: 7 } }, { stream: [1, short(2)] }, null];
 * ```
 */
export type MessageBody =
  | string
  | Uint8Array
  | null
  | { readonly text: string | null }
  | { readonly bytes: Uint8Array }
  | { readonly map: PrimitiveMapInput }
  | { readonly stream: Iterable<PrimitiveInput> }
  | { readonly object: Uint8Array };

/**
 * The headers of a message.
 *
 * @example
 * ```ts
 * import type { MessageHeaders } from "../mod.ts";
 *
 * const headers: MessageHeaders = { priority: 9, timeToLive: 60_000, properties: { region: "eu-west-1" } };
 * ```
 */
export interface MessageHeaders {
  /** JMSDeliveryMode: whether the message survives a restart of the broker. @default {true} */
  persistent?: boolean;
  /** JMSPriority, 0 to 9. @default {4} */
  priority?: number;
  /** Milliseconds after which nobody needs the message any more; 0 for never. @default {0} */
  timeToLive?: number;
  /** JMSCorrelationID. */
  correlationId?: string;
  /** JMSReplyTo: where an answer is expected. */
  replyTo?: Destination;
  /** JMSType. */
  type?: string;
  /** JMSXGroupID: messages of one group go to one consumer. */
  groupId?: string;
  /** JMSXGroupSeq: a 32-bit integer. */
  groupSequence?: number;
  /**
   * The application's properties. Byte arrays can't be properties; what begins with `JMS` is a header and has an option
   * of its own.
   */
  properties?: PrimitiveMapInput;
}

/** The command for a body and headers; who sends it, where and as what number is filled in later. */
export function toCommand(body: MessageBody, headers: MessageHeaders): WireMessage {
  const { priority = 4, timeToLive = 0, properties } = headers;
  if (!Number.isInteger(priority) || priority < 0 || priority > 9) {
    throw new RangeError(
      `Cannot send with priority ${priority}: an integer from 0 to 9 is expected`,
    );
  }
  if (!Number.isSafeInteger(timeToLive) || timeToLive < 0) {
    throw new RangeError(
      `Cannot send with time to live ${timeToLive}: milliseconds, 0 or more, are expected`,
    );
  }
  const command = withBody(body);
  command.persistent = headers.persistent ?? true;
  command.priority = priority;
  command.timestamp = Date.now();
  command.expiration = timeToLive > 0 ? command.timestamp + timeToLive : 0;
  if (headers.correlationId !== undefined) command.correlationId = headers.correlationId;
  if (headers.replyTo !== undefined) command.replyTo = toDestination(headers.replyTo);
  if (headers.type !== undefined) command.type = headers.type;
  if (headers.groupId !== undefined) command.groupID = headers.groupId;
  if (headers.groupSequence !== undefined) command.groupSequence = headers.groupSequence;
  if (properties !== undefined) command.marshalledProperties = encodeProperties(properties);
  return command;
}

function withBody(body: MessageBody): WireMessage {
  if (typeof body === "string") return createActiveMQTextMessage({ content: encodeTextBody(body) });
  if (body === null) return createActiveMQMessage();
  if (body instanceof Uint8Array) {
    return createActiveMQBytesMessage({ content: bytesContent(body) });
  }
  if (typeof body === "object") {
    if ("text" in body) return createActiveMQTextMessage({ content: encodeTextBody(body.text) });
    if ("bytes" in body) return createActiveMQBytesMessage({ content: bytesContent(body.bytes) });
    if ("map" in body) return createActiveMQMapMessage({ content: encodeMapBody(body.map) });
    if ("stream" in body) {
      return createActiveMQStreamMessage({ content: encodeStreamBody(body.stream) });
    }
    if ("object" in body) {
      return createActiveMQObjectMessage({ content: bytesContent(body.object) });
    }
  }
  throw new TypeError(
    "Cannot send this body: a string, a Uint8Array, null, { text }, { bytes }, { map }, { stream } or { object } is expected",
  );
}

/** A copy, because the caller may use the array again before the bytes are sent. */
function bytesContent(bytes: Uint8Array): Uint8Array | null {
  if (!(bytes instanceof Uint8Array)) {
    throw new TypeError("Cannot send this body: a Uint8Array is expected");
  }
  return bytes.length === 0 ? null : bytes.slice();
}

function encodeProperties(properties: PrimitiveMapInput): Uint8Array | null {
  const map = new PrimitiveMap(properties);
  for (const [name, { type }] of map.typedEntries()) {
    if (name === "") throw new TypeError("Cannot send a property without a name");
    if (name.startsWith("JMS")) {
      throw new TypeError(`Cannot send ${name} as a property: headers have options of their own`);
    }
    if (type === "bytes") {
      throw new TypeError(`Cannot send the property ${name}: byte arrays can't be properties`);
    }
  }
  return map.size === 0 ? null : encodePrimitiveMap(map);
}
