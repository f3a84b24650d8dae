/** Faults at certain commands. */
import type { BaseCommand, DataStructure } from "../../../codec/mod.ts";
import type { Direction } from "./conversation.ts";
import type { ProxyConnection } from "./proxy_connection.ts";

/** How a connection ends. */
export type Ending =
  /** Both sides are told that no more comes (FIN), and what they still send is dropped. */
  | "end"
  /** Both sides get a reset (RST). */
  | "reset";

/**
 * What happens to a connection.
 *
 * - `"silence"`: nothing goes on, either way, until {@linkcode ProxyConnection.resume}; nobody is told.
 * - `silence` with a direction: only that way (half-open).
 * - `delay`: what goes the same way waits for these milliseconds, once.
 */
export type FaultAction = Ending | "silence" | { silence: Direction } | { delay: number };

/** A command that may be hit. */
export interface FaultContext {
  readonly direction: Direction;
  readonly connection: ProxyConnection;
  /** For an answer to the client: the command that it answers. */
  readonly request: BaseCommand | undefined;
}

/** Which commands a fault is for, and what it does. */
export interface FaultOptions {
  /** Type of the command, or several; `"Message"` is any message. All by default. */
  readonly command?: string | readonly string[];
  /** Which way it goes. @default {"from-client"} */
  readonly direction?: Direction;
  /** What else has to be so. */
  readonly where?: (command: DataStructure, context: FaultContext) => boolean;
  /** Which of the commands that fit is the first to be hit, counted over all connections from 1. @default {1} */
  readonly nth?: number;
  /** How many are hit, from then on. @default {1} */
  readonly times?: number;
  /** Whether the command still goes through. @default {"after"} */
  readonly when?: "before" | "after";
  /** What happens. */
  readonly action: FaultAction;
}

/** A fault in its place. */
export class Fault {
  /** How many commands it hit. */
  hits = 0;
  readonly options: FaultOptions;
  /** Resolves with the connection that it hit first. */
  readonly hit: Promise<ProxyConnection>;
  readonly #resolveHit: (connection: ProxyConnection) => void;
  #seen = 0;

  constructor(options: FaultOptions) {
    this.options = options;
    const { promise, resolve } = Promise.withResolvers<ProxyConnection>();
    this.hit = promise;
    this.#resolveHit = resolve;
  }

  /** Whether it hits nothing any more. */
  get spent(): boolean {
    return this.hits >= (this.options.times ?? 1);
  }

  /** Whether it hits a command. */
  hitsThis(command: DataStructure, context: FaultContext): boolean {
    const { direction = "from-client", where, nth = 1 } = this.options;
    if (context.direction !== direction || !this.#isFor(command)) return false;
    if (where && !where(command, context)) return false;
    if (++this.#seen < nth || this.spent) return false;
    this.hits++;
    this.#resolveHit(context.connection);
    return true;
  }

  #isFor({ dataType }: DataStructure): boolean {
    const { command } = this.options;
    if (command === undefined) return true;
    const types = typeof command === "string" ? [command] : command;
    return types.includes(dataType) || types.includes(kindOf(dataType));
  }
}

/** The name under which a command is counted: all kinds of messages are `"Message"`. */
export function kindOf(dataType: string): string {
  return /^ActiveMQ.*Message$/.test(dataType) ? "Message" : dataType;
}
