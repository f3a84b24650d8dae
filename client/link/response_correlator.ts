/** Brings the broker's answers to the commands that wait for them. */

import type { Command, ExceptionResponse, Response } from "./commands.ts";
import type { Deadlines } from "../deadlines.ts";
import { BrokerError, TimeoutError } from "../errors.ts";

/** How long to wait for an answer, and what to call the matter in errors. */
export interface RequestOptions {
  /** Milliseconds until it fails; 0 waits for ever. */
  readonly timeout: number;
  /** Ends the wait; the broker may still do what was asked. */
  readonly signal?: AbortSignal | undefined;
  /** What can't be done if it fails, such as `"Cannot open a consumer"`. */
  readonly action: string;
}

/** A command that waits for its answer. */
export interface PendingRequest {
  readonly command: Command;
  readonly action: string;
  /** It was answered, or it has failed. */
  settle(response: Response | undefined, error?: unknown): void;
}

/** The open requests of a connection, by their command ids. */
export class ResponseCorrelator {
  readonly #pending: Map<number, PendingRequest> = new Map();
  readonly #deadlines: Deadlines;
  readonly #settled: (command: Command, answered: boolean) => void;

  /**
   * @param deadlines For those that wait too long.
   * @param settled Is told of each command that waits no more, and whether it was answered.
   */
  constructor(
    deadlines: Deadlines,
    settled: (command: Command, answered: boolean) => void = () => {},
  ) {
    this.#deadlines = deadlines;
    this.#settled = settled;
  }

  /** Number of requests that wait for their answers. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Those that wait now, in the order in which they were sent. */
  requests(): PendingRequest[] {
    return [...this.#pending.values()];
  }

  /** Waits for the answer to a command. */
  wait(command: Command, { timeout, signal, action }: RequestOptions): Promise<Response> {
    const { commandId } = command;
    return new Promise((resolve, reject) => {
      const abort = (): void => settle(undefined, signal!.reason);
      const settle = (response: Response | undefined, error?: unknown): void => {
        this.#pending.delete(commandId);
        cancel();
        signal?.removeEventListener("abort", abort);
        this.#settled(command, response !== undefined);
        if (response === undefined) return reject(error);
        if (response.dataType !== "ExceptionResponse") return resolve(response);
        reject(new BrokerError(action, (response as ExceptionResponse).exception));
      };
      const cancel = this.#deadlines.add(timeout, () => {
        settle(undefined, new TimeoutError(`${action}: no answer within ${timeout} ms`));
      });
      this.#pending.set(commandId, { command, action, settle });
      signal?.addEventListener("abort", abort);
    });
  }

  /** Takes an answer; false when nobody waits for it. */
  take(response: Response): boolean {
    const pending = this.#pending.get(response.correlationId);
    pending?.settle(response);
    return pending !== undefined;
  }

  /** Lets one request fail. */
  fail(commandId: number, error: unknown): boolean {
    const pending = this.#pending.get(commandId);
    pending?.settle(undefined, error);
    return pending !== undefined;
  }

  /** Lets all requests fail. */
  failAll(error: unknown): void {
    for (const { settle } of this.requests()) settle(undefined, error);
  }
}
