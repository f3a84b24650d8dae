/** A relay between clients and a broker that can stop reading and writing, as a network does that is half open. */

import { dial, listen, type Listener, type Transport } from "../../transport/mod.ts";
import type { Scene } from "./_outcomes.ts";

/** Passes bytes on, until it is frozen. */
export class Relay implements Scene {
  readonly #listener: Listener;
  readonly #brokerUrl: string;
  readonly #open: Set<Transport> = new Set();
  readonly #serving: Promise<void>;
  #gate: PromiseWithResolvers<void> | undefined;

  private constructor(listener: Listener, brokerUrl: string) {
    this.#listener = listener;
    this.#brokerUrl = brokerUrl;
    this.#serving = this.#serve();
  }

  static async open(brokerUrl: string): Promise<Relay> {
    return new Relay(await listen(), brokerUrl);
  }

  get url(): string {
    return `tcp://127.0.0.1:${this.#listener.port}`;
  }

  /** Reads and writes nothing any more. */
  freeze(): void {
    this.#gate ??= Promise.withResolvers();
  }

  /** Goes on as if nothing had been. */
  thaw(): void {
    this.#gate?.resolve();
    this.#gate = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listener.close();
    for (const transport of this.#open) transport.close();
    this.thaw();
    await this.#serving;
  }

  async #serve(): Promise<void> {
    const pumps: Promise<void>[] = [];
    for await (const client of this.#listener) pumps.push(this.#pass(client));
    await Promise.all(pumps);
  }

  async #pass(client: Transport): Promise<void> {
    this.#open.add(client);
    const broker = await dial(this.#brokerUrl);
    this.#open.add(broker);
    await Promise.all([this.#pump(client, broker), this.#pump(broker, client)]);
    client.close();
    broker.close();
    await Promise.all([client.closed, broker.closed]);
    this.#open.delete(client);
    this.#open.delete(broker);
  }

  async #pump(from: Transport, to: Transport): Promise<void> {
    const writer = to.writable.getWriter();
    writer.closed.catch(() => {});
    try {
      const reader = from.readable.getReader();
      while (true) {
        await this.#gate?.promise;
        const { done, value } = await reader.read();
        await this.#gate?.promise;
        if (done) break;
        await writer.write(value);
      }
      await writer.close();
    } catch {
      // One end has gone; so does the other.
      from.close();
      to.close();
    }
  }
}
