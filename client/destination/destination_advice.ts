/** Names of destinations as other clients, protocols and programs write them, which would be those of queues here. */

import { harmless } from "../harmless.ts";

/** What may stand before a name: then it is meant as it is. */
const PREFIX = /^(?:queue|topic|temp-queue|temp-topic):\/\//;

/** How others write the kind of a destination. The groups are `temp-`, the kind, and the name. */
const spellings: readonly RegExp[] = [
  // STOMP, and names of JNDI.
  /^\/?(temp-)?(queue|topic)\/+([^]+)$/i,
  // One slash or none, or capital letters. With `::` it is an address of Artemis and its queue.
  /^(temp-)?(queue|topic):(?!:)\/*([^]+)$/i,
  // JNDI of ActiveMQ.
  /^(temp-)?dynamic(queue|topic)s\/([^]+)$/i,
  // Camel, and the URIs of JMS (RFC 6167).
  /^(?:activemq|jms|sjms2?):(?:\/\/)?(temp-)?(queue|topic):(?:\/\/)?([^]+)$/i,
];

/** What is no name at all. The text is not shown: it may have a password. */
const others: readonly [pattern: RegExp, problem: string][] = [
  [/^java:/i, "it begins with `java:`, as names of JNDI do: write the name that the broker has"],
  [
    /^(?:tcp|ssl|nio|auto|vm|amqps?|stomps?|mqtts?|wss?|https?)(?:\+\w+)*:\/\/|^(?:failover|static|masterslave):(?:\(|\/\/|\w+:)/i,
    "it begins like the URL of a broker",
  ],
  [/^[a-z][a-z0-9+.-]*:\/\//i, "before `://` queue or topic is expected"],
];

const FORCE = "For a queue of this very name write queue:// before it, or use queue()";

/**
 * What is wrong with a text that is given as a destination and can only be a mistake; undefined if nothing is.
 *
 * @param text Without options; several names have commas between them.
 */
export function destinationAdvice(text: string): string | undefined {
  const parts = text.includes(",") ? text.split(",") : [text];
  for (const part of parts) {
    const advice = adviceOn(part.trim());
    if (advice !== undefined) return advice;
  }
  return undefined;
}

function adviceOn(name: string): string | undefined {
  // Most names have neither.
  if ((!name.includes("/") && !name.includes(":")) || PREFIX.test(name)) return undefined;
  for (const spelling of spellings) {
    const found = spelling.exec(name);
    if (!found) continue;
    const [, temporary = "", kind, own] = found;
    const right = `${temporary}${kind}://`.toLowerCase() + own;
    return `Cannot use "${harmless(name)}" as a destination: write ${harmless(right)}. ${FORCE}`;
  }
  const other = others.find(([pattern]) => pattern.test(name));
  return other && `Cannot use the name of a destination: ${other[1]}. ${FORCE}`;
}
