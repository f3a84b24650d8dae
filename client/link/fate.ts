/**
 * What becomes of a command when the connection is lost before it was answered, or is given while there is none. It knows
 * no sockets: it looks at the command alone.
 */

import {
  DeliveryLostError,
  OutcomeUnknownError,
  TransactionInDoubtError,
  TransactionRolledBackError,
} from "../loss_errors.ts";
import { type Command, DestinationOperation, isMessage, TransactionType } from "./commands.ts";

/** What becomes of a command. */
export type Fate =
  /** It is sent again, or for the first time, when there is a connection. */
  | "sent"
  /** There is nothing left to be done: it is as good as done. */
  | "done"
  /** It has failed; makes the error for what it was to do, such as `"Cannot commit"`. */
  | ((action: string) => Error);

/**
 * What becomes of a command.
 *
 * @param command The command.
 * @param wasSent Whether the broker may have got it.
 * @param replay Whether messages are sent again that the broker may have.
 */
export function fateOf(command: Command, wasSent: boolean, replay: boolean): Fate {
  if (isMessage(command)) {
    // What was not prepared the broker has rolled back.
    if (command.transactionId?.dataType === "XATransactionId") return rolledBack;
    return wasSent && !replay && command.transactionId === null ? unknown : "sent";
  }
  switch (command.dataType) {
    case "MessageAck":
      return lost;
    case "MessagePull":
    case "RemoveInfo":
    case "ShutdownInfo":
      return "done";
    case "DestinationInfo":
      return command.operationType === DestinationOperation.remove &&
          command.destination?.dataType.startsWith("ActiveMQTemp")
        ? "done"
        : "sent";
    case "TransactionInfo":
      return fateOfTransaction(command.type, command.transactionId?.dataType, wasSent);
    default:
      return "sent";
  }
}

function fateOfTransaction(type: number, kind: string | undefined, wasSent: boolean): Fate {
  switch (type) {
    case TransactionType.prepare:
    case TransactionType.commitOnePhase:
    case TransactionType.commitTwoPhase:
      return wasSent ? inDoubt : "sent";
    case TransactionType.rollback:
      // A local transaction has gone with the connection.
      return kind === "LocalTransactionId" ? "done" : "sent";
    case TransactionType.end:
      return "done";
    default:
      return "sent";
  }
}

function lost(action: string): Error {
  return new DeliveryLostError(
    `${action}: the connection over which the message came was lost; the broker delivers it again`,
  );
}

function unknown(action: string): Error {
  return new OutcomeUnknownError(
    `${action}: the connection was lost before the broker answered, which may have taken the message`,
  );
}

function rolledBack(action: string): Error {
  return new TransactionRolledBackError(
    `${action}: the connection was lost, with which the broker rolls the transaction back`,
  );
}

function inDoubt(action: string): Error {
  return new TransactionInDoubtError(
    `${action}: the connection was lost before the broker answered; it may have done so`,
  );
}
