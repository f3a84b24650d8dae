/** A message on its way through a consumer. */

import type { Message as WireMessage, MessageDispatch, TransactionId } from "../../codec/mod.ts";

/**
 * Where a message is:
 *
 * - `buffered`: waits to be taken.
 * - `delivered`: the application has it.
 * - `delayed`: will be buffered again, to be given again.
 * - `done`: the application is done with it, and the broker is to be told.
 * - `held`: the broker was told, in a transaction that goes on.
 * - `gone`: the broker was told.
 * - `lost`: the connection over which it came was lost; the broker delivers it again.
 */
export type DeliveryState =
  | "buffered"
  | "delivered"
  | "delayed"
  | "done"
  | "held"
  | "gone"
  | "lost";

/** A message on its way through a consumer. */
export interface Delivery {
  readonly dispatch: MessageDispatch;
  readonly message: WireMessage;
  /** Bytes that it takes here, about. */
  readonly size: number;
  state: DeliveryState;
  /** How often it was given to the application here. */
  attempts: number;
  /** How often it was delivered before. */
  redeliveryCount: number;
  /** Whether the broker has been told that the application has it. */
  reported: boolean;
  /** The transaction in which the application got it last. */
  transactionId: TransactionId | null;
}

/** What a message takes beside its body and properties, about. */
const OVERHEAD = 256;

/**
 * Deliveries beyond a policy's maximum that are taken for true. ActiveMQ goes on counting from what a sender has put into
 * the message.
 */
const PLAUSIBLE = 1000;

/**
 * How often a message was delivered before, as far as the broker can be believed.
 *
 * @param counter What the broker says.
 * @param maximum How often a message may be redelivered; below 0 there is no limit.
 */
function countOf(counter: number, maximum: number): number {
  const isLie = maximum >= 0 && counter > maximum + PLAUSIBLE;
  return isLie ? maximum : Math.max(0, counter);
}

/**
 * The delivery for what came from the broker.
 *
 * @param dispatch The command.
 * @param message The message in it.
 * @param maximum How often it may be redelivered; below 0 there is no limit.
 */
export function toDelivery(
  dispatch: MessageDispatch,
  message: WireMessage,
  maximum: number,
): Delivery {
  const { content, marshalledProperties } = message;
  return {
    dispatch,
    message,
    size: (content?.length ?? 0) + (marshalledProperties?.length ?? 0) + OVERHEAD,
    state: "buffered",
    attempts: 0,
    redeliveryCount: countOf(dispatch.redeliveryCounter, maximum),
    reported: false,
    transactionId: null,
  };
}
