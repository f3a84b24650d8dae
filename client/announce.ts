/** Telling the broker of something new. */

import type { CallOptions } from "./call_options.ts";
import { TimeoutError } from "./errors.ts";
import { inTime } from "./in_time.ts";
import type { Command } from "./link/commands.ts";
import { limitsOf } from "./options.ts";
import type { SessionContext } from "./session_context.ts";

/**
 * Tells the broker of something new and waits for its answer. If the call ends before, the broker may have it: it is told to
 * drop it once it has answered, and whether it does so is no error for anybody.
 *
 * @param info Tells of it.
 * @param action What can't be done if it fails.
 * @param options How long to wait.
 * @param removal Makes the command that has it dropped.
 */
export async function announce(
  { request, settings, deadlines }: Pick<SessionContext, "request" | "settings" | "deadlines">,
  info: Command,
  action: string,
  options: CallOptions,
  removal: () => Command,
): Promise<void> {
  const { timeout, signal } = limitsOf(options, settings.requestTimeout);
  signal?.throwIfAborted();
  const drop = (): void => void request(removal(), action).catch(() => {});
  // Without the signal: it is not known whether there is something to drop before the broker has answered.
  const answered = request(info, action, { timeout });
  try {
    const late = (): Error => new TimeoutError(`${action}: no answer within ${timeout} ms`);
    await inTime(answered, { deadlines, timeout: 0, signal, late });
  } catch (error) {
    answered.then(drop, (error) => {
      if (error instanceof TimeoutError) drop();
    });
    throw error;
  }
}
