/** The commands of the codec that a client sends and gets. */

import type { DataStructure, Message } from "../../codec/mod.ts";

/** Anything with a command id. */
export type Command = Extract<DataStructure, { commandId: number; responseRequired: boolean }>;

/** Anything that answers a command. */
export type Response = Extract<DataStructure, { correlationId: number; commandId: number }>;

export type { ConnectionError, ExceptionResponse } from "../../codec/mod.ts";

/** Java: TransactionInfo. */
export const TransactionType = {
  begin: 0,
  prepare: 1,
  commitOnePhase: 2,
  commitTwoPhase: 3,
  rollback: 4,
  recover: 5,
  forget: 6,
  end: 7,
} as const;

/** Java: DestinationInfo. */
export const DestinationOperation = { add: 0, remove: 1 } as const;

/** Whether a command is a message. */
export function isMessage(command: Command): command is Message {
  return "messageId" in command && "marshalledProperties" in command;
}
