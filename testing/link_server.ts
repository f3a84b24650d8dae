/**
 * The links of all clients, and the port at which they come.
 *
 * @module
 */

import type { BaseCommand, WireFormatOptions } from "../codec/mod.ts";
import { listen, type Listener, memoryPair, type Transport } from "../transport/mod.ts";
import type { BrokerIdentity } from "./broker_identity.ts";
import type { CommandHandler, Peer } from "./command_handler.ts";
import type { InterceptedConnection, Interceptors } from "./interception.ts";
import { Link } from "./link.ts";

/** What all links have in common. */
export interface LinkServerParts {
  /** Name of the broker. */
  readonly name: string;
  /** What to offer to clients. */
  readonly wireFormat: WireFormatOptions;
  /** Who may interfere. */
  readonly interceptors: Interceptors;
  /** Makes what handles the commands of a link. */
  readonly makeHandler: (peer: Peer) => CommandHandler;
  /** Is called after each turn in which commands were handled. */
  readonly settled: () => void;
}

/** Where to listen. */
export interface Address {
  /** The address. */
  readonly hostname: string;
  /** The port; 0 takes a free one. */
  readonly port: number;
}

/** Lets clients in, over TCP or without a socket, as long as it is open. */
export class LinkServer {
  readonly #parts: LinkServerParts;
  readonly #id: string = `ID:${crypto.randomUUID()}`;
  readonly #links: Set<Link> = new Set();
  #address: Address | undefined;
  #listener: Listener | undefined;
  #accepting: Promise<void> | undefined;
  #open = true;

  constructor(parts: LinkServerParts) {
    this.#parts = parts;
  }

  /** How it introduces itself. */
  get identity(): BrokerIdentity {
    return { id: this.#id, name: this.#parts.name, url: this.url };
  }

  /** Where clients find it. */
  get url(): string {
    if (this.#address === undefined) return `vm://${this.#parts.name}`;
    const { hostname, port } = this.#address;
    return `tcp://${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
  }

  /** Lets clients in over TCP, too. */
  async listen(address: Address): Promise<void> {
    const listener = await listen(address);
    this.#address = { hostname: listener.hostname, port: listener.port };
    this.#listener = listener;
    this.#accepting = this.#accept(listener);
  }

  /** Opens a link without a socket. */
  connect(): Transport {
    if (!this.#open) throw new TypeError("Cannot connect: the broker is closed or suspended");
    const [client, server] = memoryPair();
    this.#serve(server);
    return client;
  }

  /** Sends a command to some clients. */
  send(command: BaseCommand, where: (connection: InterceptedConnection) => boolean): void {
    for (const link of this.#links) if (link.clientId !== null && where(link)) link.send(command);
  }

  /** Ends all links. */
  async disconnect(): Promise<void> {
    await Promise.all([...this.#links].map((link) => link.close()));
  }

  /** Ends all links and lets nobody in. */
  async close(): Promise<void> {
    this.#open = false;
    await this.#listener?.close();
    this.#listener = undefined;
    await this.#accepting;
    await this.disconnect();
  }

  /** Lets clients in again, where it did before. */
  async reopen(): Promise<void> {
    this.#open = true;
    if (this.#address !== undefined && this.#listener === undefined) {
      await this.listen(this.#address);
    }
  }

  async #accept(listener: Listener): Promise<void> {
    for await (const transport of listener) this.#serve(transport);
  }

  #serve(transport: Transport): void {
    const link = new Link({ ...this.#parts, transport, identity: this.identity });
    this.#links.add(link);
    void link.done.then(() => this.#links.delete(link));
  }
}
