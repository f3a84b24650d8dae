/** Names that stand for several destinations, with commas between them. */

import {
  type ActiveMQDestination,
  createActiveMQQueue,
  createActiveMQTopic,
} from "../../codec/mod.ts";

/**
 * The destinations that a composite one names, in their order; another one itself. A part is of the kind of the whole unless
 * it begins with `queue://` or `topic://`.
 */
export function partsOf(destination: ActiveMQDestination): ActiveMQDestination[] {
  if (!destination.physicalName.includes(",")) return [destination];
  return destination.physicalName.split(",").map((part) => part.trim()).filter(Boolean)
    .map((part) => {
      const [, prefix, physicalName] = /^(?:(queue|topic):\/\/)?([^]*)$/.exec(part) as unknown as [
        string,
        string | undefined,
        string,
      ];
      if (prefix === "queue") return createActiveMQQueue({ physicalName });
      if (prefix === "topic") return createActiveMQTopic({ physicalName });
      return { ...destination, physicalName };
    });
}
