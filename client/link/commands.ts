/** The commands of the codec that a client sends and gets. */

import type { DataStructure } from "../../codec/mod.ts";

/** Anything with a command id. */
export type Command = Extract<DataStructure, { commandId: number; responseRequired: boolean }>;

/** Anything that answers a command. */
export type Response = Extract<DataStructure, { correlationId: number; commandId: number }>;

export type { ConnectionError, ExceptionResponse } from "../../codec/mod.ts";
