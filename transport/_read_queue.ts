/** Bytes that arrived before anybody asked for them. Turns the events of a socket into reads. */
export class ReadQueue {
  /** Bytes that may wait before the sender has to pause. */
  static readonly limit: number = 256 * 1024;

  #chunks: (Uint8Array | undefined)[] = [];
  /** Where the first chunk is: shifting an array of many small ones would move all of them each time. */
  #first = 0;
  #size = 0;
  #full = false;
  #end: { error?: Error } | undefined;
  #reader: PromiseWithResolvers<Uint8Array | null> | undefined;
  readonly #onResume: () => void;

  /** `onResume` is called when the queue, once full, has been emptied. */
  constructor(onResume: () => void) {
    this.#onResume = onResume;
  }

  /** Bytes that wait. */
  get size(): number {
    return this.#size;
  }

  /** Takes a chunk over; `false` means that the sender has to pause. */
  push(chunk: Uint8Array): boolean {
    if (this.#reader) {
      this.#reader.resolve(chunk);
      this.#reader = undefined;
      return true;
    }
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    // Stays full until empty: some sockets bring another chunk after pause().
    this.#full ||= this.#size >= ReadQueue.limit;
    return !this.#full;
  }

  /** Ends the queue after what is in it, with an error if there is one. Only the first call counts. */
  end(error?: Error): void {
    if (this.#end) return;
    this.#end = error ? { error } : {};
    if (!this.#reader) return;
    if (error) this.#reader.reject(error);
    else this.#reader.resolve(null);
    this.#reader = undefined;
  }

  /** The next chunk, or `null` at the end. One read at a time. */
  read(): Promise<Uint8Array | null> {
    const chunk = this.#take();
    if (chunk) {
      this.#size -= chunk.length;
      if (this.#full && this.#size === 0) {
        this.#full = false;
        this.#onResume();
      }
      return Promise.resolve(chunk);
    }
    if (this.#end?.error) return Promise.reject(this.#end.error);
    if (this.#end) return Promise.resolve(null);
    this.#reader = Promise.withResolvers();
    return this.#reader.promise;
  }

  #take(): Uint8Array | undefined {
    const chunk = this.#chunks[this.#first];
    if (!chunk) return undefined;
    this.#chunks[this.#first++] = undefined;
    if (this.#first > 64 && this.#first * 2 > this.#chunks.length) {
      this.#chunks = this.#chunks.slice(this.#first);
      this.#first = 0;
    }
    return chunk;
  }
}
