import { closedError } from "./_runtime_errors.ts";
import type { Socket } from "./_socket.ts";
import type { Transport } from "./transport.ts";

/** Bytes that may wait in the writable before `writer.ready` waits. */
const writeHighWaterMark = 64 * 1024;

/** The streams of a {@linkcode Socket}: the one place that knows how halves end, for all runtimes. */
export class SocketTransport implements Transport {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  readonly closed: Promise<void>;

  readonly #socket: Socket;
  #readController!: ReadableStreamDefaultController<Uint8Array>;
  #writeController!: WritableStreamDefaultController;
  #reading = false;
  #cancelled = false;
  #readEnded = false;
  #writeEnded = false;
  #closeCalled = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.readable = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#readController = controller;
      },
      pull: () => this.#read(),
      cancel: () => {
        this.#cancelled = true;
        if (!this.#reading && !this.#readEnded) void this.#read();
      },
    }, { highWaterMark: 0 });
    this.writable = new WritableStream<Uint8Array>({
      start: (controller) => {
        this.#writeController = controller;
        // The sink's abort() would only be called after a pending write, which may never end.
        // The types of Bun lack the signal.
        const { signal } = controller as typeof controller & { signal: AbortSignal };
        signal.addEventListener("abort", () => this.close(signal.reason));
      },
      write: (bytes) => socket.write(bytes),
      close: async () => {
        await socket.shutdown();
        this.#writeEnded = true;
        this.#releaseIfEnded();
      },
    }, new ByteLengthQueuingStrategy({ highWaterMark: writeHighWaterMark }));
    this.closed = socket.closed.then((error) => {
      if (error) this.#writeController.error(error);
    });
  }

  get remoteAddress(): string {
    return this.#socket.remoteAddress;
  }

  close(reason?: unknown): void {
    if (this.#closeCalled) return;
    this.#closeCalled = true;
    const error = closedError(this.remoteAddress, reason);
    this.#readController.error(error);
    this.#writeController.error(error);
    this.#socket.destroy(error);
  }

  /** Reads one chunk, or all there will be if nobody wants them. Never rejects. */
  async #read(): Promise<void> {
    this.#reading = true;
    try {
      let bytes: Uint8Array | null;
      do bytes = await this.#socket.read(); while (bytes && this.#cancelled);
      if (bytes) return this.#readController.enqueue(bytes);
      this.#readEnded = true;
      if (!this.#cancelled) this.#readController.close();
      this.#releaseIfEnded();
    } catch (error) {
      this.#readEnded = true;
      this.#readController.error(error);
    } finally {
      this.#reading = false;
    }
  }

  #releaseIfEnded(): void {
    if (this.#readEnded && this.#writeEnded) this.#socket.destroy(closedError(this.remoteAddress));
  }
}
