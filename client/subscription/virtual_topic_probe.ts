/** Whether a broker has virtual topics, which it does not say of itself. */

import type { CallOptions } from "../call_options.ts";
import type { Connection } from "../connection.ts";
import { queue, topic } from "../destination/destination.ts";
import { VIRTUAL_TOPIC_PREFIX, virtualTopicQueue } from "../destination/virtual_topic.ts";
import { BrokerError, TimeoutError } from "../errors.ts";

/** What is needed of the connection. */
export type ProbedConnection = Pick<
  Connection,
  "createConsumer" | "send" | "deleteDestination"
>;

/** Milliseconds after which the broker may drop the two messages, if nobody could take them. */
const TIME_TO_LIVE = 60_000;

/**
 * Tries whether the broker copies what is sent to a virtual topic, with a topic of its own that is deleted afterwards.
 *
 * The copy is in the queue before a message that is sent there next, so the first message of the queue tells, and nothing has
 * to be waited for that may never come.
 *
 * @param connection Where to try it.
 * @param started Whether the connection was started; it works without that, too.
 * @param options How long each step may take.
 * @returns Whether it does; undefined when the user may not use that topic, so that it can't be told.
 */
export async function hasVirtualTopics(
  connection: ProbedConnection,
  started: boolean,
  options: CallOptions,
): Promise<boolean | undefined> {
  const copied = topic(`${VIRTUAL_TOPIC_PREFIX}openwire.probe.${crypto.randomUUID()}`);
  const place = queue(virtualTopicQueue("openwire", copied).physicalName);
  const sending = { persistent: false, confirm: true, timeToLive: TIME_TO_LIVE, ...options };
  try {
    const consumer = await connection.createConsumer(place, { prefetchSize: 1, ...options });
    try {
      if (!started) consumer.setStarted(true);
      await connection.send(copied, null, sending);
      await connection.send(place, null, sending);
      const first = await consumer.receive(options);
      if (first === null) throw new TimeoutError("Cannot tell whether there are virtual topics");
      return first.originalDestination?.physicalName === copied.physicalName;
    } finally {
      await consumer.close(options);
    }
  } catch (error) {
    if (error instanceof BrokerError && error.code === "SECURITY") return undefined;
    throw error;
  } finally {
    // In the order of the commands; what can't be deleted is empty.
    for (const destination of [place, copied]) {
      connection.deleteDestination(destination, options).catch(() => {});
    }
  }
}
