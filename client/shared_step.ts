/** A first step that several calls have in common, such as the opening of a session. */

import type { CallOptions } from "./call_options.ts";
import { TimeoutError } from "./errors.ts";
import { inTime } from "./in_time.ts";
import { milliseconds } from "./options.ts";
import type { SessionContext } from "./session_context.ts";

type StepContext = Pick<SessionContext, "deadlines" | "settings" | "pendingSends">;

/** Is done once; each call waits for it as long as it may itself. */
export class SharedStep<T> {
  readonly done: Promise<T>;
  readonly #action: string;
  #value: { readonly value: T } | undefined;

  constructor(done: Promise<T>, action: string) {
    this.done = done;
    this.#action = action;
    done.then((value) => this.#value = { value }, () => {});
  }

  /**
   * Its result, and the options of the call with what is left of its time.
   *
   * @param bytes What the call keeps in memory meanwhile, if it is a message that is to be sent.
   * @throws {OpenWireError} `"SEND_BUFFER_FULL"`
   */
  async within<Options extends CallOptions>(
    options: Options,
    { deadlines, settings, pendingSends }: StepContext,
    bytes = 0,
  ): Promise<readonly [T, Options]> {
    if (this.#value) return [this.#value.value, options];
    pendingSends.add(bytes, "Cannot send");
    try {
      return await this.#wait(options, deadlines, settings);
    } finally {
      pendingSends.remove(bytes);
    }
  }

  async #wait<Options extends CallOptions>(
    options: Options,
    deadlines: StepContext["deadlines"],
    settings: StepContext["settings"],
  ): Promise<readonly [T, Options]> {
    const start = performance.now();
    const { signal } = options;
    const timeout = milliseconds("timeout", options.timeout, settings.requestTimeout);
    const late = (): Error => new TimeoutError(`${this.#action}: no answer within ${timeout} ms`);
    const value = await inTime(this.done, { deadlines, timeout, signal, late });
    // Without a time of its own each step has that of the connection.
    if (!options.timeout) return [value, options];
    return [value, { ...options, timeout: Math.max(1, timeout - (performance.now() - start)) }];
  }
}
