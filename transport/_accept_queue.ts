import type { Listener, Transport } from "./transport.ts";

type Result = IteratorResult<Transport, undefined>;

const END: IteratorReturnResult<undefined> = { done: true, value: undefined };

/** A {@linkcode Listener} for runtimes that bring connections as events, or one by one. */
export class AcceptQueue implements Listener {
  readonly hostname: string;
  readonly port: number;
  readonly #stop: () => void | Promise<void>;
  #waiting: Transport[] = [];
  readonly #takers: Set<PromiseWithResolvers<Result>> = new Set();
  #ended = false;
  #closed = false;
  /** What has ended it and was told to nobody. */
  #failure: Error | undefined;

  constructor(hostname: string, port: number, stop: () => void | Promise<void>) {
    this.hostname = hostname;
    this.port = port;
    this.#stop = stop;
  }

  /** Brings a connection. */
  push(transport: Transport): void {
    const [taker] = this.#takers;
    if (taker) {
      this.#takers.delete(taker);
      taker.resolve({ done: false, value: transport });
    } else if (this.#ended) transport.close();
    else this.#waiting.push(transport);
  }

  /** No more come. */
  fail(error: Error): void {
    if (this.#ended) return;
    if (this.#takers.size === 0) this.#failure = error;
    this.#end((taker) => taker.reject(error));
  }

  [Symbol.asyncIterator](): AsyncIterator<Transport, undefined> {
    const own: Set<PromiseWithResolvers<Result>> = new Set();
    let left = false;
    return {
      next: () => left ? Promise.resolve(END) : this.#next(own),
      return: () => {
        left = true;
        for (const taker of own) {
          this.#takers.delete(taker);
          taker.resolve(END);
        }
        return Promise.resolve(END);
      },
    };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#failure = undefined;
    this.#end((taker) => taker.resolve(END));
    for (const transport of this.#waiting.splice(0)) transport.close();
    await this.#stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #end(settle: (taker: PromiseWithResolvers<Result>) => void): void {
    this.#ended = true;
    for (const taker of this.#takers) settle(taker);
    this.#takers.clear();
  }

  #next(own: Set<PromiseWithResolvers<Result>>): Promise<Result> {
    const value = this.#waiting.shift();
    if (value) return Promise.resolve({ done: false, value });
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure) return Promise.reject(failure);
    if (this.#ended) return Promise.resolve(END);
    const taker = Promise.withResolvers<Result>();
    own.add(taker);
    this.#takers.add(taker);
    return taker.promise.finally(() => own.delete(taker));
  }
}
