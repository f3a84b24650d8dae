/**
 * Names of destinations: composite ones, patterns, temporary ones.
 *
 * @module
 */

import {
  type ActiveMQDestination,
  createActiveMQQueue,
  createActiveMQTempQueue,
  createActiveMQTempTopic,
  createActiveMQTopic,
} from "../codec/mod.ts";

const SCHEMES = {
  ActiveMQQueue: "queue://",
  ActiveMQTopic: "topic://",
  ActiveMQTempQueue: "temp-queue://",
  ActiveMQTempTopic: "temp-topic://",
} as const;

const CREATE = {
  ActiveMQQueue: createActiveMQQueue,
  ActiveMQTopic: createActiveMQTopic,
  ActiveMQTempQueue: createActiveMQTempQueue,
  ActiveMQTempTopic: createActiveMQTempTopic,
} as const;

type Kind = keyof typeof SCHEMES;

/** Name with its kind, such as `queue://orders`. */
export function qualifiedName({ dataType, physicalName }: ActiveMQDestination): string {
  return SCHEMES[dataType] + physicalName;
}

/** Whether messages there go to one consumer each. */
export function isQueue({ dataType }: ActiveMQDestination): boolean {
  return dataType === "ActiveMQQueue" || dataType === "ActiveMQTempQueue";
}

/** Whether it goes away with its connection. */
export function isTemporary({ dataType }: ActiveMQDestination): boolean {
  return dataType === "ActiveMQTempQueue" || dataType === "ActiveMQTempTopic";
}

/** The connection that owns a temporary destination: the name is the connection's id and a number. */
export function owner({ physicalName }: ActiveMQDestination): string {
  return physicalName.slice(0, Math.max(0, physicalName.lastIndexOf(":")));
}

/** The destinations that a name stands for: `A,topic://B` is a queue and a topic. Options are cut off. */
export function parts(destination: ActiveMQDestination): ActiveMQDestination[] {
  const names = destination.physicalName.split("?", 1)[0]!.split(",");
  const found = new Map<string, ActiveMQDestination>();
  for (const name of names.map((name) => name.trim()).filter((name) => name !== "")) {
    const part = parse(name, destination.dataType);
    found.set(qualifiedName(part), part);
  }
  return [...found.values()];
}

function parse(name: string, otherwise: Kind): ActiveMQDestination {
  for (const [kind, scheme] of Object.entries(SCHEMES) as [Kind, string][]) {
    if (name.startsWith(scheme)) return CREATE[kind]({ physicalName: name.slice(scheme.length) });
  }
  return CREATE[otherwise]({ physicalName: name });
}

/** Whether a name has wildcards: `*` is one element between dots, `>` all that follow. */
export function isPattern({ physicalName }: ActiveMQDestination): boolean {
  return physicalName.split(".").some((element) => element === "*" || element === ">");
}

/** Whether a name that may be a pattern includes a destination. `A.>` includes `A` itself. */
export function includes(
  asked: ActiveMQDestination,
  { dataType, physicalName }: ActiveMQDestination,
): boolean {
  return asked.dataType === dataType && matches(asked.physicalName, physicalName);
}

function matches(pattern: string, name: string): boolean {
  const expected = pattern.split(".");
  const actual = name.split(".");
  const open = expected.at(-1) === ">";
  if (open) expected.pop();
  return (open ? actual.length >= expected.length : actual.length === expected.length) &&
    // Java: PrefixDestinationFilter takes the wildcards of both.
    expected.every((element, i) =>
      element === "*" || element === actual[i] || (open && actual[i] === "*")
    );
}

/** Whether a name may stand for what another stands for: both may have wildcards (Java: DestinationMap). */
export function overlaps(a: ActiveMQDestination, b: ActiveMQDestination): boolean {
  if (a.dataType !== b.dataType) return false;
  const [some, others] = [a, b].map(({ physicalName }) => physicalName.split("."));
  for (let i = 0;; i++) {
    const [one, other] = [some![i], others![i]];
    if (one === ">" || other === ">") return true;
    if (one === undefined || other === undefined) return one === other;
    if (one !== other && one !== "*" && other !== "*") return false;
  }
}
