/**
 * What the processes of a ledger test write down: one line of JSON for each thing that happened, in the order in which it
 * happened to them. Nothing is ever changed.
 */

/** Calls that are written down when they begin and when they settle. */
export type CallKind =
  | "connect"
  | "open"
  | "send"
  | "receive"
  | "ack"
  | "commit"
  | "rollback"
  | "close";

/** A token, and how often it was moved so far. */
export interface Hop {
  readonly token: string;
  readonly hop: number;
}

/** A call begins. */
export interface Begin {
  readonly what: "begin";
  /** Number of the call in its process. */
  readonly call: number;
  readonly kind: CallKind;
  /** Of a send: the message. Of an acknowledgement: the delivered message. */
  readonly key?: string;
  /** Of an acknowledgement: the number of the delivery in its process. */
  readonly delivery?: number;
  /** Of a commit or rollback: the tokens that it moves, with the hops that they had. */
  readonly moves?: readonly Hop[];
  /** Milliseconds that it may take. */
  readonly deadline: number;
}

/** A call succeeded. */
export interface End {
  readonly what: "end";
  readonly call: number;
  /** Of an acknowledgement: whether the broker has answered it. Of a send: whether the broker has the message. */
  readonly confirmed?: boolean;
}

/** A call failed. */
export interface Fail {
  readonly what: "fail";
  readonly call: number;
  /** The code of the error; absent when it was no error of the module. */
  readonly code?: string;
  readonly message: string;
}

/** A call takes longer than its deadline, and is left to itself. */
export interface Hang {
  readonly what: "hang";
  readonly call: number;
}

/** A message was given to the application. */
export interface Delivery {
  readonly what: "delivery";
  /** Number of the delivery in its process. */
  readonly delivery: number;
  readonly key: string;
  readonly messageId: string;
  readonly redelivered: boolean;
}

/** A token was put into the queues before anything began. */
export interface Issued {
  readonly what: "issued";
  readonly token: string;
  readonly amount: number;
}

/** Something was in a queue when all was over. */
export interface Found {
  readonly what: "found";
  readonly queue: string;
  /** Of a message that was sent. */
  readonly key?: string;
  /** Of a token. */
  readonly token?: string;
  readonly hop?: number;
  readonly amount?: number;
  readonly redelivered: boolean;
}

/** A process ended. */
export interface Exit {
  readonly what: "exit";
  readonly process: string;
  /** Its code; `null` when it had to be ended. */
  readonly code: number | null;
  /** What it said last. */
  readonly log: string;
}

/** Something that helps to understand what happened: a fault, a status of the connection. */
export interface Note {
  readonly what: "note";
  readonly text: string;
}

/** What was written, and when and by whom. */
export type Entry =
  & {
    /** Milliseconds since 1970. */
    readonly at: number;
    /** Name of the process. */
    readonly by: string;
  }
  & (Begin | End | Fail | Hang | Delivery | Issued | Found | Exit | Note);

/** What a process writes; the rest is filled in. */
export type Line = Begin | End | Fail | Hang | Delivery | Issued | Found | Exit | Note;

/** Reads what was written; of a process that was killed the last line may not be complete. */
export function parseEntries(text: string): Entry[] {
  const lines = text.split("\n");
  lines.pop();
  return lines.map((line) => JSON.parse(line));
}
