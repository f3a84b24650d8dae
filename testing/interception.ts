/**
 * Faults on purpose: what tests may do to commands on their way.
 *
 * @module
 */

import type { BaseCommand } from "../codec/mod.ts";
import { BrokerException } from "./exceptions.ts";

/**
 * Which way a command goes.
 *
 * @example
 * ```ts
 * import type { CommandDirection } from "./mod.ts";
 *
 * const direction: CommandDirection = "from-client";
 * ```
 */
export type CommandDirection = "from-client" | "to-client";

/**
 * The connection on which a command is.
 *
 * @example
 * ```ts
 * import { type InterceptedConnection, MemoryBroker } from "./mod.ts";
 *
 * await using broker = new MemoryBroker();
 * const isMine = ({ clientId }: InterceptedConnection) => clientId === "worker-1";
 * broker.intercept((_command, { connection }) => isMine(connection) ? "drop" : undefined);
 * ```
 */
export interface InterceptedConnection {
  /** Address of the client; `"memory"` without a socket. */
  readonly remoteAddress: string;
  /** Id of the client, once it has introduced itself. */
  readonly clientId: string | null;
}

/**
 * What an {@linkcode Interceptor} gets to know besides the command.
 *
 * @example
 * ```ts
 * import { type InterceptContext, MemoryBroker } from "./mod.ts";
 *
 * await using broker = new MemoryBroker();
 * // Commits happen, but the client never hears of it.
 * const answersCommit = ({ request }: InterceptContext) =>
 *   request?.dataType === "TransactionInfo" && request.type === 2;
 * broker.intercept((_command, context) => answersCommit(context) ? "close" : undefined);
 * ```
 */
export interface InterceptContext {
  /** Which way the command goes. */
  readonly direction: CommandDirection;
  /** The connection on which it is. */
  readonly connection: InterceptedConnection;
  /** For an answer to the client: the command that it answers. */
  readonly request: BaseCommand | undefined;
}

/**
 * What becomes of a command.
 *
 * - `"drop"`: nothing. The broker does not handle it, or the client does not get it.
 * - `"close"`: the connection ends instead. What was sent before still arrives.
 * - `delay`: it and all that go the same way on its connection wait, for milliseconds or for a promise. While a client's
 *   command waits, the broker reads nothing from it. A promise that rejects ends the connection.
 * - `refuse`: the client gets an exception instead: as the answer to its command, or in place of the answer, or as a
 *   ConnectionError when it doesn't wait for an answer. A text is the message of a `javax.jms.JMSException`.
 *
 * @example
 * ```ts
 * import type { InterceptAction } from "./mod.ts";
 *
 * const actions: InterceptAction[] = [
 *   "drop",
 *   "close",
 *   { delay: 50 },
 *   { refuse: "not today" },
 *   { refuse: { className: "javax.jms.ResourceAllocationException", message: "full" } },
 * ];
 * ```
 */
export type InterceptAction =
  | "drop"
  | "close"
  | { readonly delay: number | PromiseLike<unknown> }
  | { readonly refuse: string | { readonly className: string; readonly message: string } };

/**
 * Says what becomes of a command; undefined lets it pass. One that throws ends the connection.
 *
 * @example
 * ```ts
 * import { type Interceptor, MemoryBroker } from "./mod.ts";
 *
 * await using broker = new MemoryBroker();
 * const silence: Interceptor = (command) => command.dataType === "KeepAliveInfo" ? "drop" : undefined;
 * broker.intercept(silence);
 * ```
 */
export type Interceptor = (
  command: BaseCommand,
  context: InterceptContext,
) => InterceptAction | undefined;

/**
 * An {@linkcode Interceptor} in its place. Made by {@linkcode MemoryBroker.intercept}.
 *
 * @example
 * ```ts
 * import { type Interception, MemoryBroker } from "./mod.ts";
 *
 * await using broker = new MemoryBroker();
 * const interception: Interception = broker.intercept(() => "drop");
 * interception.remove();
 * ```
 */
export interface Interception extends Disposable {
  /** Takes it away. Commands that wait go on waiting. */
  remove(): void;
}

/** Those who may interfere, in the order in which they came. */
export class Interceptors {
  readonly #all: Set<{ readonly decide: Interceptor }> = new Set();
  readonly #timers: { set(delay: number, call: () => void): () => void };

  constructor(timers: { set(delay: number, call: () => void): () => void }) {
    this.#timers = timers;
  }

  /** Whether there are none. */
  get none(): boolean {
    return this.#all.size === 0;
  }

  /** Adds one. What it gives takes it away. */
  add(decide: Interceptor): () => void {
    const entry = { decide };
    this.#all.add(entry);
    return () => void this.#all.delete(entry);
  }

  /** What becomes of a command: the first that says something decides. */
  decide(command: BaseCommand, context: InterceptContext): InterceptAction | undefined {
    for (const { decide } of this.#all) {
      const action = decide(command, context);
      if (action !== undefined) return action;
    }
  }

  /** Waits as an action says. */
  async wait(delay: number | PromiseLike<unknown>): Promise<void> {
    if (typeof delay !== "number") return void await delay;
    await new Promise<void>((resolve) => this.#timers.set(delay, resolve));
  }
}

/** The exception with which a command is refused. */
export function refusal(
  { refuse }: Extract<InterceptAction, { refuse: unknown }>,
): BrokerException {
  return typeof refuse === "string"
    ? new BrokerException("javax.jms.JMSException", refuse)
    : new BrokerException(refuse.className, refuse.message);
}
