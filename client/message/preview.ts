/**
 * What a console and JSON show of a message's body and properties: little of them, whatever the sender has put there. Nothing is
 * inflated, nothing large is decoded, and nothing is thrown.
 */

import {
  bytesRemark,
  decodeMapBody,
  decodePrimitiveMap,
  decodeStreamBody,
  decodeTextBody,
  type DecodeValuesOptions,
  type Message as WireMessage,
  type PrimitiveMap,
  Remark,
} from "../../codec/mod.ts";
import { thrownText } from "../../errors.ts";

/** Characters of a text, be it a body or a property. */
export const LONGEST_PREVIEW = 200;

/** Bytes of values that are decoded. */
const MOST_BYTES = 65_536;

/** Bytes that a text's length takes. */
const LENGTH = 4;

/** What is shown of the properties; undefined if there are none. */
export function previewProperties(
  { marshalledProperties: bytes }: WireMessage,
  limits: DecodeValuesOptions,
): PrimitiveMap | Remark | undefined {
  if (bytes === null) return undefined;
  if (bytes.length > MOST_BYTES) return new Remark(`${bytes.length} bytes`);
  const properties = readable(() => decodePrimitiveMap(bytes, limits));
  return properties instanceof Remark || properties.size > 0 ? properties : undefined;
}

/** What is shown of the body; null if there is none. */
export function previewBody(command: WireMessage, limits: DecodeValuesOptions): unknown {
  const { content, compressed, dataType } = command;
  if (dataType === "ActiveMQBlobMessage") return new Remark("kept elsewhere");
  if (compressed && content !== null) return new Remark(`${content.length} bytes, compressed`);
  switch (dataType) {
    case "ActiveMQTextMessage":
      return content && readable(() => textOf(content));
    case "ActiveMQMapMessage":
      return valuesOf(content, () => decodeMapBody(content, limits));
    case "ActiveMQStreamMessage":
      return valuesOf(content, () => decodeStreamBody(content, limits));
    case "ActiveMQBytesMessage":
      return bytesRemark(content ?? new Uint8Array());
    default:
      return content && bytesRemark(content);
  }
}

function valuesOf(content: Uint8Array | null, decode: () => object): unknown {
  return content && content.length > MOST_BYTES ? bytesRemark(content) : readable(decode);
}

/** A text, or the beginning of a long one with the number of its bytes. */
function textOf(content: Uint8Array): unknown {
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const length = content.length < LENGTH ? 0 : view.getInt32(0);
  const isLong = length > MOST_BYTES && length <= content.length - LENGTH;
  if (!isLong) return decodeTextBody(content);
  // No character takes more than three bytes, and none is cut in two.
  let end = LENGTH + 3 * LONGEST_PREVIEW;
  while (end > LENGTH && (content[end]! & 0xc0) === 0x80) end--;
  const start = content.slice(0, end);
  new DataView(start.buffer).setInt32(0, end - LENGTH);
  const size = `… (${length} bytes)`;
  const text = decodeTextBody(start)!.slice(0, LONGEST_PREVIEW - size.length);
  return text.replace(/[\ud800-\udbff]$/, "") + size;
}

/** What can be read, or why it can't be. */
function readable<T>(read: () => T): T | Remark {
  try {
    return read();
  } catch (error) {
    return new Remark(`unreadable: ${thrownText(error)}`);
  }
}
