/** Bounds what is buffered for a consumer of a topic, from which the broker must not be asked to send less. */

import type { ActiveMQDestination } from "../../codec/mod.ts";
import { formatDestination } from "../destination/destination.ts";
import type { SessionContext } from "../session_context.ts";
import { Episode } from "./episode.ts";

/** What a {@linkcode BufferLimit} needs. */
export interface BufferLimitOptions {
  readonly context: Pick<SessionContext, "log" | "publish" | "readGate">;
  readonly consumerId: string;
  readonly destination: ActiveMQDestination;
  /** Bytes beyond which nothing more is read; 0 for no limit. */
  readonly maxBufferedBytes: number;
  /** Number of messages that are buffered. */
  buffered(): number;
}

/**
 * Has the connection read nothing while a consumer has too much. A smaller prefetch size would not do: ActiveMQ then keeps
 * the messages for the consumer, and discards them beyond a limit of its own (Java: TopicSubscription).
 */
export class BufferLimit {
  readonly #options: BufferLimitOptions;
  readonly #episode: Episode = new Episode();
  #over = false;
  #ended = false;

  constructor(options: BufferLimitOptions) {
    this.#options = options;
  }

  /** Looks whether more is buffered than should be. */
  check(bytes: number): void {
    const { maxBufferedBytes, context } = this.#options;
    if (maxBufferedBytes === 0 || this.#ended) return;
    if (!this.#over && bytes > maxBufferedBytes) {
      this.#over = true;
      context.readGate.close(this);
      this.#tell(bytes);
    } else if (this.#over && bytes <= maxBufferedBytes / 2) {
      this.#open();
    }
    if (bytes <= maxBufferedBytes / 4) this.#episode.end();
  }

  /** Nothing is buffered any more. */
  end(): void {
    this.#ended = true;
    this.#open();
  }

  #open(): void {
    this.#over = false;
    this.#options.context.readGate.release(this);
  }

  #tell(bufferedBytes: number): void {
    const { context, consumerId, maxBufferedBytes } = this.#options;
    const fields = {
      destination: formatDestination(this.#options.destination),
      consumerId,
      bufferedMessages: this.#options.buffered(),
      bufferedBytes,
      maxBufferedBytes,
    };
    if (!this.#episode.begin()) {
      context.log?.info("The connection reads nothing again: too much is buffered", fields);
      return;
    }
    context.log?.warn(
      "The connection reads nothing: a consumer of a topic has too much buffered. Its other consumers get nothing either, and the broker may discard messages",
      fields,
    );
    context.publish({ type: "reading-paused", ...fields });
  }
}
