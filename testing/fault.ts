/**
 * A fault at a certain command.
 *
 * @module
 */

import { OptionNames } from "../option_names.ts";
import type { BaseCommand } from "../codec/mod.ts";
import type {
  CommandDirection,
  InterceptAction,
  InterceptContext,
  Interception,
  Interceptors,
} from "./interception.ts";

/**
 * Which commands a fault is for, and what it does to them.
 *
 * @example The second commit is lost, the third is not
 * ```ts
 * import { type FaultOptions, MemoryBroker } from "./mod.ts";
 *
 * const options: FaultOptions = {
 *   command: "TransactionInfo",
 *   where: (command) => command.dataType === "TransactionInfo" && command.type === 2,
 *   nth: 2,
 *   action: "drop",
 * };
 * await using broker = new MemoryBroker();
 * broker.fault(options);
 * ```
 */
export interface FaultOptions {
  /** Type of the command, or several; `"Message"` is any message. All by default. */
  readonly command?: string | readonly string[] | undefined;
  /** Which way it goes. @default {"from-client"} */
  readonly direction?: CommandDirection | undefined;
  /** What else has to be so. */
  readonly where?: ((command: BaseCommand, context: InterceptContext) => boolean) | undefined;
  /** Which of the commands that fit is the first to be hit, counted over all connections from 1. @default {1} */
  readonly nth?: number | undefined;
  /** How many are hit, from then on. @default {1} */
  readonly times?: number | undefined;
  /** What happens to them. */
  readonly action: InterceptAction;
}

/**
 * A fault in its place. Made by {@linkcode MemoryBroker.fault}.
 *
 * @example
 * ```ts
 * import { type Fault, MemoryBroker } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * await using broker = new MemoryBroker();
 * const fault: Fault = broker.fault({ command: "Message", action: { refuse: "full" } });
 * assertEquals(fault.hits, 0);
 * fault.remove();
 * ```
 */
export interface Fault extends Interception {
  /** How many commands it hit. */
  readonly hits: number;
}

/** What decides for a fault. */
export class FaultTrigger {
  /** How many commands it hit. */
  hits = 0;
  readonly #options: FaultOptions;
  readonly #types: readonly string[] | undefined;
  #seen = 0;

  /** Refuses counts that are none. */
  constructor(options: FaultOptions) {
    FAULT_OPTIONS.check(options, "Cannot make a fault");
    const { command, nth = 1, times = 1 } = options;
    if (!(nth >= 1)) throw new RangeError(`nth must be 1 or more, got ${nth}`);
    if (!(times >= 1)) throw new RangeError(`times must be 1 or more, got ${times}`);
    this.#options = options;
    this.#types = typeof command === "string" ? [command] : command;
  }

  /** Begins to decide. */
  placeIn(interceptors: Interceptors): Fault {
    const remove = interceptors.add((command, context) => this.decide(command, context));
    const hits = () => this.hits;
    return {
      get hits() {
        return hits();
      },
      remove,
      [Symbol.dispose]: remove,
    };
  }

  /** What happens to a command; undefined when it does not concern this fault. */
  decide(command: BaseCommand, context: InterceptContext): InterceptAction | undefined {
    const { direction = "from-client", where, nth = 1, times = 1, action } = this.#options;
    if (context.direction !== direction || !this.#isType(command)) return undefined;
    if (where !== undefined && !where(command, context)) return undefined;
    if (++this.#seen < nth || this.hits >= times) return undefined;
    this.hits++;
    return action;
  }

  #isType(command: BaseCommand): boolean {
    const types = this.#types;
    if (types === undefined || types.includes(command.dataType)) return true;
    return types.includes("Message") && /^ActiveMQ.*Message$/.test(command.dataType);
  }
}

/** The names of these options. */
const FAULT_OPTIONS: OptionNames<FaultOptions> = new OptionNames<FaultOptions>({
  command: true,
  direction: true,
  where: true,
  nth: true,
  times: true,
  action: true,
});
