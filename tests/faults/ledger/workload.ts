/** What the processes of a ledger test have in common. */

/** What a process does. */
export type Role =
  /** Sends numbered messages. */
  | "producer"
  /** Receives them, and acknowledges each with an answer of the broker. */
  | "consumer"
  /** Takes them with a handler, in mode `"auto"`. */
  | "handler"
  /** Moves tokens from one queue to another in transactions. */
  | "mover";

/** What a process is told, as JSON in its first argument. */
export interface WorkerOptions {
  readonly role: Role;
  readonly name: string;
  /** The broker, as its clients find it. */
  readonly url: string;
  /** The file of its ledger. */
  readonly ledger: string;
  readonly seed: number;
  /** When to end, in milliseconds since 1970. */
  readonly until: number;
  /** Of a mover: where from, and where to. */
  readonly from?: string;
  readonly to?: string;
}

/** The queue of the numbered messages. */
export const MESSAGES = "ledger.messages";
/** The queues between which tokens are moved. */
export const TOKENS: readonly [string, string] = ["ledger.left", "ledger.right"];
/** Where nothing may be. */
export const DEAD_LETTERS = "ActiveMQ.DLQ";

/** A token, as it is sent. */
export interface Token {
  readonly token: string;
  readonly hop: number;
  readonly amount: number;
}
