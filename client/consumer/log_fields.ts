/** What a logger is told of a message: never its body or properties. */

import { formatDestination } from "../destination/destination.ts";
import type { LogFields } from "../observe/logger.ts";
import { formatMessageId } from "../message/message.ts";
import type { Delivery } from "./delivery.ts";

/** What a logger is told of a message. */
export function logFieldsOf({ message, redeliveryCount }: Delivery): LogFields {
  const { destination, messageId } = message;
  return {
    destination: destination && formatDestination(destination),
    messageId: formatMessageId(messageId),
    redeliveryCount,
  };
}
