/** What a connection has open. */
import type { Connection } from "../../../mod.ts";

/** What is open now, of all that a connection counts. */
export function openOf(connection: Connection): Record<string, number> {
  const {
    sessions,
    consumers,
    producers,
    pendingRequests,
    windowBytes,
    bufferedMessages,
    bufferedBytes,
    unsettledMessages,
  } = connection.stats();
  return {
    sessions,
    consumers,
    producers,
    pendingRequests,
    windowBytes,
    bufferedMessages,
    bufferedBytes,
    unsettledMessages,
  };
}
