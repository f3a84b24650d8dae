/** A temporary queue for the answers to one question. */

import type { CallOptions } from "../call_options.ts";
import type { Connection } from "../connection.ts";
import type { MessageConsumer } from "../consumer/message_consumer.ts";
import type { TemporaryQueue } from "../destination/temporary_destination.ts";

/** A temporary queue with its consumer. */
export class ReplyQueue implements AsyncDisposable {
  readonly queue: TemporaryQueue;
  readonly consumer: MessageConsumer;
  readonly #limits: CallOptions;

  private constructor(queue: TemporaryQueue, consumer: MessageConsumer, limits: CallOptions) {
    this.queue = queue;
    this.consumer = consumer;
    this.#limits = limits;
  }

  static async open(
    connection: Pick<Connection, "createTemporaryQueue" | "createConsumer">,
    limits: CallOptions,
  ): Promise<ReplyQueue> {
    const queue = await connection.createTemporaryQueue(limits);
    try {
      return new ReplyQueue(queue, await connection.createConsumer(queue, limits), limits);
    } catch (error) {
      queue.delete().catch(() => {});
      throw error;
    }
  }

  /** Never fails: the answers count, and what stays of it goes with the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { timeout, signal } = this.#limits;
    const closed = this.consumer.close({ timeout: timeout || undefined })
      .then(() => this.queue.delete({ timeout: timeout || undefined })).catch(() => {});
    if (signal?.aborted) return;
    const { promise: aborted, resolve } = Promise.withResolvers<void>();
    const abort = (): void => resolve();
    signal?.addEventListener("abort", abort);
    await Promise.race([closed, aborted]);
    signal?.removeEventListener("abort", abort);
  }
}
