/** Equal texts for values that Java takes for equal, as the cache of what was written needs them. */

import type { DataStructure } from "./generated/types.ts";
import type { Long } from "./long.ts";

/**
 * The text of a value, or undefined when it is of a type whose values are never equal: those aren't cached.
 *
 * A string of the peer's choice always stands last, so no two values have one text. A value whose fields are of the wrong
 * type has a text that no right value has: it must not be taken for one, but be refused.
 */
export function cacheId(value: DataStructure | null): string | undefined {
  if (value === null) return "null";
  switch (value.dataType) {
    case "ActiveMQQueue":
      return `q:${text(value.physicalName)}`;
    case "ActiveMQTopic":
      return `t:${text(value.physicalName)}`;
    case "ActiveMQTempQueue":
      return `tq:${text(value.physicalName)}`;
    case "ActiveMQTempTopic":
      return `tt:${text(value.physicalName)}`;
    case "ConnectionId":
      return `n:${text(value.value)}`;
    case "BrokerId":
      return `b:${text(value.value)}`;
    case "SessionId":
      return `s:${long(value.value)}:${text(value.connectionId)}`;
    case "ConsumerId":
      return `c:${long(value.sessionId)}:${long(value.value)}:${text(value.connectionId)}`;
    case "ProducerId":
      return `p:${long(value.sessionId)}:${long(value.value)}:${text(value.connectionId)}`;
    case "LocalTransactionId":
      return `l:${long(value.value)}:${cacheId(value.connectionId ?? null)}`;
    case "XATransactionId":
      return `x:${long(value.formatId)}:${bytes(value.globalTransactionId)}:${
        bytes(value.branchQualifier)
      }`;
    default:
      return undefined;
  }
}

const WRONG = "?";

function text(value: string | null | undefined): string {
  if (value === null || value === undefined) return "-";
  return typeof value === "string" ? `+${value}` : WRONG;
}

function long(value: Long): string {
  return typeof value === "number" || typeof value === "bigint" ? String(value) : WRONG;
}

function bytes(value: Uint8Array | null | undefined): string {
  if (value === null || value === undefined) return "-";
  // Not by its toString(), which for a Buffer is text.
  return value instanceof Uint8Array ? `+${value.join()}` : WRONG;
}
