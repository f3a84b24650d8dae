/** Equal texts for values that Java takes for equal, as the cache of what was written needs them. */

import type { DataStructure } from "./generated/types.ts";

/**
 * The text of a value, or undefined when it is of a type whose values are never equal: those aren't cached.
 *
 * A string of the peer's choice always stands last, so no two values have one text.
 */
export function cacheId(value: DataStructure | null): string | undefined {
  if (value === null) return "null";
  switch (value.dataType) {
    case "ActiveMQQueue":
      return `q:${value.physicalName}`;
    case "ActiveMQTopic":
      return `t:${value.physicalName}`;
    case "ActiveMQTempQueue":
      return `tq:${value.physicalName}`;
    case "ActiveMQTempTopic":
      return `tt:${value.physicalName}`;
    case "ConnectionId":
      return `n:${text(value.value)}`;
    case "BrokerId":
      return `b:${text(value.value)}`;
    case "SessionId":
      return `s:${value.value}:${text(value.connectionId)}`;
    case "ConsumerId":
      return `c:${value.sessionId}:${value.value}:${text(value.connectionId)}`;
    case "ProducerId":
      return `p:${value.sessionId}:${value.value}:${text(value.connectionId)}`;
    case "LocalTransactionId":
      return `l:${value.value}:${cacheId(value.connectionId)}`;
    case "XATransactionId":
      return `x:${value.formatId}:${bytes(value.globalTransactionId)}:${
        bytes(value.branchQualifier)
      }`;
    default:
      return undefined;
  }
}

function text(value: string | null): string {
  return value === null ? "-" : `+${value}`;
}

function bytes(value: Uint8Array | null): string {
  return value === null ? "-" : `+${value}`;
}
