/** Closing, which is done once for all who want it, while each of them waits as long as it may. */

import { CALL_OPTIONS } from "./call_options.ts";
import type { CallOptions } from "./call_options.ts";
import type { Deadlines } from "./deadlines.ts";
import { ConnectionClosedError, TimeoutError } from "./errors.ts";
import { inTime } from "./in_time.ts";
import type { Command } from "./link/commands.ts";
import { type Limits, limitsOf } from "./options.ts";
import type { SessionContext } from "./session_context.ts";

/** Closes something with the options of a call; if they are wrong, the call fails, and it is closed with the defaults. */
export async function closeWith(
  options: CallOptions,
  closeTimeout: number,
  close: (limits: Limits) => Promise<void>,
): Promise<void> {
  let limits: Limits;
  try {
    CALL_OPTIONS.check(options, "Cannot close");
    limits = limitsOf(options, closeTimeout);
  } catch (error) {
    close({ timeout: closeTimeout, signal: undefined }).catch(() => {});
    throw error;
  }
  await close(limits);
}

/**
 * Tells the broker that something was closed.
 *
 * It is told even if nobody waits for the answer any more: else it would go on sending messages.
 */
export class SaidClosed {
  readonly #answered: Promise<void>;
  readonly #action: string;
  readonly #deadlines: Deadlines;
  /** Whether there is nothing more to wait for: calling `close()` again does not fail again. */
  #settled = false;

  constructor(
    { request, settings, deadlines }: Pick<SessionContext, "request" | "settings" | "deadlines">,
    command: Command,
    action: string,
    { timeout }: Limits,
  ) {
    this.#action = action;
    this.#deadlines = deadlines;
    // Others may wait longer than the first.
    const longest = timeout && settings.closeTimeout && Math.max(timeout, settings.closeTimeout);
    this.#answered = request(command, action, { timeout: longest }).then(() => {}, (error) => {
      // It has gone with the connection.
      if (!(error instanceof ConnectionClosedError)) throw error;
    }).finally(() => this.#settled = true);
    this.#answered.catch(() => {});
  }

  /** Waits for the answer. */
  async within({ timeout, signal }: Limits): Promise<void> {
    if (this.#settled) return;
    const late = (): Error => new TimeoutError(`${this.#action}: no answer within ${timeout} ms`);
    try {
      await inTime(this.#answered, { deadlines: this.#deadlines, timeout, signal, late });
    } catch (error) {
      if (!(error instanceof ConnectionClosedError)) throw error;
    }
  }
}
