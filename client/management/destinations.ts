/** Creating and deleting queues and topics. */

import { type ActiveMQDestination, createDestinationInfo } from "../../codec/mod.ts";
import type { CallOptions } from "../call_options.ts";
import { type Destination, nameOf, toDestination } from "../destination/destination.ts";
import { isSeveral } from "../destination/destination_pattern.ts";
import { DestinationOperation } from "../link/commands.ts";
import type { SessionContext } from "../session_context.ts";

/** What is needed of the connection. */
export type DestinationContext = Pick<SessionContext, "connectionId" | "request">;

/**
 * Has the broker create or delete a queue or topic.
 *
 * @throws {TypeError} When it is temporary, or stands for several.
 */
export async function changeDestination(
  { connectionId, request }: DestinationContext,
  operation: "create" | "delete",
  given: Destination,
  options: CallOptions,
): Promise<void> {
  const destination = toDestination(given);
  const action = `Cannot ${operation} ${nameOf(destination)}`;
  const problem = problemOf(destination);
  if (problem) throw new TypeError(`${action}: ${problem}`);
  const operationType = DestinationOperation[operation === "create" ? "add" : "remove"];
  // Its timeout is 0: with another one ActiveMQ deletes what is in use.
  const info = createDestinationInfo({ connectionId, destination, operationType });
  await request(info, action, options);
}

function problemOf(destination: ActiveMQDestination): string | undefined {
  const { dataType } = destination;
  if (dataType === "ActiveMQTempQueue" || dataType === "ActiveMQTempTopic") {
    return "it is temporary, see createTemporaryQueue(), createTemporaryTopic() and their delete()";
  }
  // ActiveMQ would take the name as it is, or delete nothing without a word.
  if (isSeveral(destination)) return "a single queue or topic is expected, without wildcards";
}
