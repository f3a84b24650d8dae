/** Which destinations a name with wildcards stands for (Java: DestinationFilter). */

import type { ActiveMQDestination } from "../../codec/mod.ts";
import { partsOf } from "./composite.ts";

/**
 * Whether a destination is one that a pattern stands for: `*` is one part of a name between two dots, `>` at the end all that
 * follow. Both must be queues, or both topics; a composite pattern stands for each of its parts.
 */
export function matchesDestination(
  pattern: ActiveMQDestination,
  destination: ActiveMQDestination,
): boolean {
  const name = destination.physicalName.split(".");
  return partsOf(pattern).some((part) =>
    isQueue(part) === isQueue(destination) && matchesName(part.physicalName, name)
  );
}

/** Whether a destination may stand for several: it is composite, or has wildcards. */
export function isSeveral({ physicalName }: ActiveMQDestination): boolean {
  return physicalName.includes(",") ||
    physicalName.split(".").some((part) => part === "*" || part === ">");
}

function isQueue({ dataType }: ActiveMQDestination): boolean {
  return dataType === "ActiveMQQueue" || dataType === "ActiveMQTempQueue";
}

function matchesName(pattern: string, parts: readonly string[]): boolean {
  const expected = pattern.split(".");
  for (const [index, part] of expected.entries()) {
    // Java: `a.>` stands for `a` too.
    if (part === ">") return true;
    if (index >= parts.length || (part !== "*" && part !== parts[index])) return false;
  }
  return parts.length === expected.length;
}
