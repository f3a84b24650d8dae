import type { Listener, Transport } from "./transport.ts";

/** A {@linkcode Listener} for runtimes that bring connections as events. */
export class AcceptQueue implements Listener {
  readonly hostname: string;
  readonly port: number;
  readonly #stop: () => void;
  #waiting: Transport[] = [];
  #takers: ((result: IteratorResult<Transport, undefined>) => void)[] = [];
  #closed = false;

  constructor(hostname: string, port: number, stop: () => void) {
    this.hostname = hostname;
    this.port = port;
    this.#stop = stop;
  }

  /** Brings a connection. */
  push(transport: Transport): void {
    const taker = this.#takers.shift();
    if (taker) taker({ done: false, value: transport });
    else if (this.#closed) transport.close();
    else this.#waiting.push(transport);
  }

  [Symbol.asyncIterator](): AsyncIterator<Transport, undefined> {
    return { next: () => this.#next() };
  }

  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#stop();
      for (const transport of this.#waiting.splice(0)) transport.close();
      for (const taker of this.#takers.splice(0)) taker({ done: true, value: undefined });
    }
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #next(): Promise<IteratorResult<Transport, undefined>> {
    const value = this.#waiting.shift();
    if (value) return Promise.resolve({ done: false, value });
    if (this.#closed) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => this.#takers.push(resolve));
  }
}
