/**
 * Queues and topics.
 *
 * @module
 */

import {
  type ActiveMQDestination,
  type ActiveMQQueue,
  type ActiveMQTempQueue,
  type ActiveMQTempTopic,
  type ActiveMQTopic,
  createActiveMQQueue,
  createActiveMQTempQueue,
  createActiveMQTempTopic,
  createActiveMQTopic,
} from "../../codec/mod.ts";
import { harmless } from "../harmless.ts";
import { destinationAdvice } from "./destination_advice.ts";
import { type DestinationOptions, destinationOptions } from "../url/destination_options.ts";
import { parseQuery } from "../url/query.ts";

/**
 * Where messages are sent to or come from: an object made by {@linkcode queue} or {@linkcode topic} or taken from a
 * message, or a text.
 *
 * A text is the name of a queue unless it begins with `topic://`, `temp-queue://` or `temp-topic://`; `queue://` may be
 * written too. Names are as in {@linkcode queue}.
 *
 * A text that can only be a mistake is refused with a `TypeError` that says what to write: `/topic/x` (STOMP), `topic:x`,
 * `TOPIC://x`, `dynamicTopics/x` (JNDI), `activemq:topic:x` (Camel), the URL of a broker. A queue that has such a name is
 * `queue("/topic/x")` or `queue:///topic/x`.
 *
 * @example
 * ```ts
 * import { type Destination, topic } from "../../mod.ts";
 *
 * const places: Destination[] = ["orders", "topic://prices", topic("prices"), "orders?consumer.prefetchSize=10"];
 * ```
 */
export type Destination = ActiveMQDestination | string;

/**
 * Makes a queue.
 *
 * Behind a `?` stand options for the consumers and producers that are opened for it, as in Java:
 * `orders?consumer.prefetchSize=10&producer.windowSize=65536`. They are not part of the name, and the options of
 * `createConsumer()` and `createProducer()` count more. A consumer looks only at its own ones, so does a producer. Where
 * neither is opened a destination with options is refused, such as for `replyTo`.
 *
 * @param name Its name, which is taken as it is, with `queue://` before it or without. Brokers take `.` as a separator, `,` between the parts of a composite destination (which may begin
 *   with `queue://` or `topic://` each), and for consumers `*` and `>` as wildcards.
 * @returns The queue; a temporary one when the name begins with `ID:`, as those of temporary destinations do.
 * @throws {TypeError} When the name is empty, or an option is unknown or wrong.
 *
 * @example
 * ```ts
 * import { queue } from "../../mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(queue("orders").physicalName, "orders");
 * assertEquals(queue("orders?consumer.prefetchSize=10").physicalName, "orders");
 * ```
 */
export function queue(name: string): ActiveMQQueue | ActiveMQTempQueue {
  return make(
    name,
    "queue://",
    (physicalName) =>
      physicalName.startsWith(TEMPORARY)
        ? createActiveMQTempQueue({ physicalName })
        : createActiveMQQueue({ physicalName }),
  );
}

/**
 * Makes a topic.
 *
 * @param name Its name, taken as it is, with `topic://` before it or without. It may have options behind a `?`, as in
 *   {@linkcode queue}.
 * @returns The topic; a temporary one when the name begins with `ID:`.
 * @throws {TypeError} When the name is empty, or an option is unknown or wrong.
 *
 * @example
 * ```ts
 * import { topic } from "../../mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(topic("prices").dataType, "ActiveMQTopic");
 * ```
 */
export function topic(name: string): ActiveMQTopic | ActiveMQTempTopic {
  return make(
    name,
    "topic://",
    (physicalName) =>
      physicalName.startsWith(TEMPORARY)
        ? createActiveMQTempTopic({ physicalName })
        : createActiveMQTopic({ physicalName }),
  );
}

/** The object for what a user gave, where options of a destination can't have an effect. */
export function toDestination(given: Destination): ActiveMQDestination {
  const { destination, options } = parseDestination(given);
  if (options === undefined) return destination;
  throw new TypeError(
    `Cannot use options of a destination but to open a consumer or a producer: give ${
      nameOf(destination)
    } without them`,
  );
}

/** The object for a text of the broker, which is the name of a queue unless it begins with `topic://` or such. */
export function fromBrokerText(text: string): ActiveMQDestination {
  return toDestination(/^(?:temp-)?(?:queue|topic):\/\//.test(text) ? text : queue(text));
}

/** The object for what a user gave, and its options. */
export function parseDestination(
  given: Destination,
): { readonly destination: ActiveMQDestination; readonly options?: DestinationOptions } {
  const destination = typeof given === "string" ? fromText(given) : given;
  if (
    typeof destination !== "object" || destination === null || !("physicalName" in destination)
  ) {
    throw new TypeError(
      `Cannot use a ${typeof given} as a destination: a name, queue() or topic() is expected`,
    );
  }
  const options = optionsOf.get(destination);
  return options ? { destination, options } : { destination };
}

/** A destination as text, such as `queue://orders`. */
export function formatDestination({ dataType, physicalName }: ActiveMQDestination): string {
  const kinds = {
    ActiveMQQueue: "queue",
    ActiveMQTopic: "topic",
    ActiveMQTempQueue: "temp-queue",
    ActiveMQTempTopic: "temp-topic",
  };
  return `${kinds[dataType]}://${physicalName}`;
}

/** A destination in a message: its name may be a peer's. */
export function nameOf(destination: ActiveMQDestination): string {
  return harmless(formatDestination(destination));
}

/** What names of temporary destinations begin with: they have the id of their connection. */
const TEMPORARY = "ID:";

/**
 * Options by destination, for they are not part of what is sent. What a peer sent has none, whatever its name is: options are
 * the user's only.
 */
const optionsOf = new WeakMap<ActiveMQDestination, DestinationOptions>();

function fromText(text: string): ActiveMQDestination {
  const trimmed = text.trim();
  const advice = destinationAdvice(trimmed.split("?", 1)[0]!);
  if (advice !== undefined) throw new TypeError(advice);
  if (trimmed.startsWith("topic://")) return topic(trimmed);
  if (trimmed.startsWith("temp-queue://")) {
    return make(
      trimmed,
      "temp-queue://",
      (physicalName) => createActiveMQTempQueue({ physicalName }),
    );
  }
  if (trimmed.startsWith("temp-topic://")) {
    return make(
      trimmed,
      "temp-topic://",
      (physicalName) => createActiveMQTempTopic({ physicalName }),
    );
  }
  return queue(trimmed);
}

function make<Kind extends ActiveMQDestination>(
  text: string,
  prefix: string,
  create: (physicalName: string) => Kind,
): Kind {
  if (typeof text !== "string") {
    throw new TypeError(`Cannot use a ${typeof text} as the name of a destination`);
  }
  const trimmed = text.trim();
  const own = trimmed.startsWith(prefix) ? trimmed.slice(prefix.length) : trimmed;
  const [, before, query = ""] = /^([^?]*)\??([^]*)$/.exec(own)!;
  const name = before!.trim();
  if (!/[^\s,]/.test(name)) throw new TypeError("Cannot use an empty name for a destination");
  const other = /^(temp-)?(queue|topic):\/\//.exec(name);
  if (other) {
    throw new TypeError(`Cannot make a ${prefix} destination of a ${other[0]} one`);
  }
  const destination = create(name);
  if (query !== "") {
    const refuse = (problem: string): TypeError =>
      new TypeError(`Cannot use ${nameOf(destination)}: ${problem}`);
    optionsOf.set(destination, destinationOptions.read(parseQuery(query, refuse), refuse));
  }
  return destination;
}
