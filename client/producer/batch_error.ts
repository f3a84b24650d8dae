/**
 * What becomes of a batch of messages.
 *
 * @module
 */

import { OpenWireError } from "../../errors.ts";
import type { SendResult } from "./send_options.ts";

/**
 * Some messages of a batch were sent and others failed. Its `code` is `"BATCH"`; it is retryable if all failures are.
 *
 * @example Sending again what failed
 * ```ts
 * import { BatchError, type MessageProducer } from "../../mod.ts";
 *
 * async function sendAll(producer: MessageProducer, texts: string[]) {
 *   try {
 *     return await producer.sendBatch(texts);
 *   } catch (error) {
 *     if (!(error instanceof BatchError) || !error.retryable) throw error;
 *     const failed = texts.filter((_, i) => error.results[i]?.status === "rejected");
 *     return await producer.sendBatch(failed);
 *   }
 * }
 * ```
 */
export class BatchError extends OpenWireError {
  /** Name of the class. */
  override readonly name: string = "BatchError";
  /** What became of each message, in the order of the batch. */
  readonly results: readonly PromiseSettledResult<SendResult>[];

  /**
   * Creates an error.
   *
   * @param results What became of each message; at least one has failed.
   */
  constructor(results: readonly PromiseSettledResult<SendResult>[]) {
    const reasons = results.flatMap((result) =>
      result.status === "rejected" ? [result.reason] : []
    );
    const [first] = reasons;
    const text = first instanceof Error ? first.message : String(first);
    super("BATCH", `${reasons.length} of ${results.length} messages failed, the first: ${text}`, {
      cause: first,
      retryable: reasons.every((reason) => reason instanceof OpenWireError && reason.retryable),
    });
    this.results = results;
  }
}
