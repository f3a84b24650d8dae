/** Telling the broker that something was closed. */

import type { RemoveInfo } from "../codec/mod.ts";
import type { CallOptions } from "./call_options.ts";
import { ConnectionClosedError, TimeoutError } from "./errors.ts";
import { inTime } from "./in_time.ts";
import type { SessionContext } from "./session_context.ts";

/**
 * Tells the broker that something was closed, and waits for its answer.
 *
 * It is told even if nobody waits for that any more: else it would go on sending messages.
 */
export async function sayClosed(
  { request, settings, deadlines }: Pick<SessionContext, "request" | "settings" | "deadlines">,
  info: RemoveInfo,
  action: string,
  { timeout = settings.closeTimeout, signal }: CallOptions,
): Promise<void> {
  const answered = request(info, action, { timeout });
  const late = (): Error => new TimeoutError(`${action}: no answer within ${timeout} ms`);
  try {
    await inTime(answered, { deadlines, timeout, signal, late });
  } catch (error) {
    // It has gone with the connection.
    if (!(error instanceof ConnectionClosedError)) throw error;
  }
}

/** Waits for a close under way, whose failure is its caller's, as long as another one may. */
export async function asLongAs(
  closing: Promise<void>,
  { settings, deadlines }: Pick<SessionContext, "settings" | "deadlines">,
  { timeout = settings.closeTimeout, signal }: CallOptions,
): Promise<void> {
  const late = (): Error => new TimeoutError(`Not closed within ${timeout} ms`);
  await inTime(closing, { deadlines, timeout, signal, late }).catch(() => {});
}
