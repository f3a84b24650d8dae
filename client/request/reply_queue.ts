/** A temporary queue for the answers to one question. */

import type { Message as WireMessage, ProducerId } from "../../codec/mod.ts";
import { OpenWireError } from "../../errors.ts";
import type { CallOptions } from "../call_options.ts";
import type { Connection } from "../connection.ts";
import type { MessageConsumer } from "../consumer/message_consumer.ts";
import { formatDestination } from "../destination/destination.ts";
import type { TemporaryQueue } from "../destination/temporary_destination.ts";
import { ConnectionClosedError } from "../errors.ts";
import type { Message } from "../message/message.ts";
import type { Logger } from "../observe/logger.ts";

/** Bytes of all answers to one question that are kept, as `maxPendingSendBytes` is by default. */
const MAX_BYTES = 134_217_728;

/** Bytes that a message takes besides body and properties, about. */
const MESSAGE_BYTES = 1024;

/** A temporary queue with its consumer. */
export class ReplyQueue implements AsyncDisposable {
  readonly queue: TemporaryQueue;
  readonly #consumer: MessageConsumer;
  readonly #limits: CallOptions;
  readonly #log: Logger | undefined;
  #skipped = 0;
  #bytes = 0;

  private constructor(
    queue: TemporaryQueue,
    consumer: MessageConsumer,
    limits: CallOptions,
    log: Logger | undefined,
  ) {
    this.queue = queue;
    this.#consumer = consumer;
    this.#limits = limits;
    this.#log = log;
  }

  static async open(
    connection: Pick<Connection, "createTemporaryQueue" | "createConsumer">,
    limits: CallOptions,
    log: Logger | undefined,
  ): Promise<ReplyQueue> {
    const queue = await connection.createTemporaryQueue(limits);
    try {
      return new ReplyQueue(queue, await connection.createConsumer(queue, limits), limits, log);
    } catch (error) {
      queue.delete().catch(() => {});
      throw error;
    }
  }

  /**
   * The next message that is an answer. Everybody can send to the queue, for advisories tell its name: others are skipped.
   *
   * @throws {ConnectionClosedError} When the connection is being closed.
   * @throws {OpenWireError} `"ANSWERS_TOO_LARGE"`
   */
  async next({ signal }: CallOptions, isAnswer: (message: Message) => boolean): Promise<Message> {
    while (true) {
      const message = await this.#consumer.receive({ timeout: 0, signal });
      if (message === null) throw new ConnectionClosedError("The connection is being closed");
      if (!isAnswer(message)) {
        this.#skipped++;
        continue;
      }
      const { content, marshalledProperties } = message.command;
      this.#bytes += (content?.length ?? 0) + (marshalledProperties?.length ?? 0) + MESSAGE_BYTES;
      if (this.#bytes <= MAX_BYTES) return message;
      throw new OpenWireError(
        "ANSWERS_TOO_LARGE",
        `Cannot keep the broker's answers: they have more than ${MAX_BYTES} bytes`,
      );
    }
  }

  /**
   * Answers that tell nothing of their question, from the next answer with a correlation id that nobody can guess to the one
   * after that. All have the same producer, and numbers between those of the two.
   *
   * The broker refuses messages with the id of a producer that their connection doesn't have. But who knows the id can connect
   * under it, and a queue drops what comes with the id of a message that it has.
   *
   * @throws {OpenWireError} `"ANSWERS_TOO_LARGE"`
   */
  async between(first: Message, limits: CallOptions): Promise<Message[]> {
    const { correlationId, command } = first;
    const found: Message[] = [];
    while (true) {
      // No more of a message is read: what others send may be malformed.
      const message = await this.next(
        limits,
        (message) => message.correlationId === correlationId || isAfter(message.command, command),
      );
      if (message.correlationId !== correlationId) found.push(message);
      else return found.filter((before) => isAfter(message.command, before.command));
    }
  }

  /** Never fails: the answers count, and what stays of it goes with the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#skipped > 0) {
      this.#log?.warn("Messages of others came to a reply queue; they were skipped", {
        destination: formatDestination(this.queue),
        messages: this.#skipped,
      });
    }
    const { timeout, signal } = this.#limits;
    const closed = this.#consumer.close({ timeout: timeout || undefined })
      .then(() => this.queue.delete({ timeout: timeout || undefined })).catch(() => {});
    if (signal?.aborted) return;
    const { promise: aborted, resolve } = Promise.withResolvers<void>();
    const abort = (): void => resolve();
    signal?.addEventListener("abort", abort);
    await Promise.race([closed, aborted]);
    signal?.removeEventListener("abort", abort);
  }
}

/** Whether a message is a later one of the same producer: it has sent it, and has numbered it. */
function isAfter(message: WireMessage, first: WireMessage): boolean {
  return isSame(message.producerId, first.producerId) &&
    isSame(message.messageId?.producerId, first.producerId) &&
    message.messageId!.producerSequenceId > (first.messageId?.producerSequenceId ?? 0);
}

function isSame(a: ProducerId | null | undefined, b: ProducerId | null): boolean {
  return !!a && !!b && a.connectionId === b.connectionId && a.sessionId === b.sessionId &&
    a.value === b.value;
}
