/** A producer as a WritableStream. */

/** A message on its way. */
export interface BegunSend {
  /** Bytes that it takes. */
  readonly size: number;
  /** Settles when it was sent. */
  readonly done: Promise<unknown>;
}

/** What a {@linkcode ProducerStream} needs. */
export interface ProducerStreamOptions<Chunk> {
  /** Bytes that may be on their way. */
  readonly highWaterMark: number;
  /** Sends a message. What it throws errors the stream. */
  readonly begin: (chunk: Chunk, signal: AbortSignal) => BegunSend;
}

/** Bun has the signal, its types don't. */
type Controller = WritableStreamDefaultController & { readonly signal: AbortSignal };

/**
 * Sends what is written to it.
 *
 * A stream gives its sink one chunk after another, but messages must not wait for the answers to those before them. So a
 * message is sent when the stream asks for its size, which it does as soon as the chunk is written, and the sink only waits
 * for its answer. Thus the stream holds all that is on its way, and knows how much room there is.
 */
export class ProducerStream<Chunk> extends WritableStream<Chunk> {
  readonly #isOpen: () => boolean;
  readonly #close: () => void;

  constructor({ highWaterMark, begin }: ProducerStreamOptions<Chunk>) {
    const begun: Promise<unknown>[] = [];
    let controller: Controller | undefined;
    // What is written to a stream that is closed, aborted or broken is refused, after its size was asked for.
    let open = true;
    const fail = (error: unknown): void => {
      open = false;
      controller!.error(error);
    };
    super({
      start: (given) => void (controller = given as Controller),
      write: async () => void await begun.shift(),
      close: () => void (open = false),
      abort: () => void (open = false),
    }, {
      highWaterMark,
      size: (chunk) => {
        const { signal } = controller!;
        if (!open || signal.aborted) return 0;
        try {
          const { size, done } = begin(chunk!, signal);
          begun.push(done);
          done.catch(fail);
          return size;
        } catch (error) {
          fail(error);
          throw error;
        }
      },
    });
    this.#isOpen = () => open;
    this.#close = () => open = false;
  }

  /** Whether it takes more chunks. */
  get isOpen(): boolean {
    return this.#isOpen();
  }

  /** As of any WritableStream. */
  override getWriter(): WritableStreamDefaultWriter<Chunk> {
    const writer = super.getWriter();
    const close = writer.close;
    writer.close = () => {
      this.#close();
      return close.call(writer);
    };
    return writer;
  }
}
