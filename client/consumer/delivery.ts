/** A message on its way through a consumer. */

import type { Message as WireMessage, MessageDispatch } from "../../codec/mod.ts";

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
  /** The message with its body inflated, when it is ready to be read. */
  readable: WireMessage | undefined;
  /** Why the body can't be read. */
  bodyError: unknown;
  /** Whether the broker has been told that the application has it. */
  reported: boolean;
}

/** What a message takes beside its body and properties, about. */
const OVERHEAD = 256;

/** The delivery for what came from the broker. */
export function toDelivery(dispatch: MessageDispatch, message: WireMessage): Delivery {
  const { content, marshalledProperties } = message;
  return {
    dispatch,
    message,
    size: (content?.length ?? 0) + (marshalledProperties?.length ?? 0) + OVERHEAD,
    state: "buffered",
    attempts: 0,
    redeliveryCount: dispatch.redeliveryCounter,
    readable: message.compressed ? undefined : message,
    bodyError: undefined,
    reported: false,
  };
}
