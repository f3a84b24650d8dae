/**
 * A TCP proxy between clients and a broker that understands OpenWire, and does to connections what networks and brokers do
 * at the worst of times. The bytes go through as they are; nothing is reordered or changed.
 */
import type { DataStructure } from "../../../codec/mod.ts";
import { type Direction, DIRECTIONS } from "./conversation.ts";
import { Fault, type FaultContext, type FaultOptions } from "./fault.ts";
import { NetListener, NetSocket } from "./net_socket.ts";
import { type ConnectionOwner, ProxyConnection } from "./proxy_connection.ts";

/**
 * What becomes of those who connect.
 *
 * - `"accept"`: they are connected to the broker, or reset when it can't be reached.
 * - `"silence"`: they are accepted, and nothing comes (black hole).
 * - `"end"` and `"reset"`: they are accepted, and the connection ends at once.
 */
export type Admission = "accept" | "silence" | "end" | "reset";

/** A proxy with faults. */
export class FaultProxy implements AsyncDisposable {
  /** What becomes of those who connect. */
  admission: Admission = "accept";
  /** The broker, for those who connect from now on. */
  upstream: string;
  /** Is told of each connection before anything goes through it. */
  onConnection: (connection: ProxyConnection) => void = () => {};
  /** How many connections were accepted so far, whatever became of them. */
  accepted = 0;
  readonly #port: number;
  #listener: NetListener | undefined;
  /** Accepted and not connected to a broker. */
  readonly #waiting: Set<NetSocket> = new Set();
  readonly #accepting: Set<Promise<void>> = new Set();
  readonly #connections: ProxyConnection[] = [];
  readonly #faults: Set<Fault> = new Set();
  readonly #delays: Record<Direction, number> = { "from-client": 0, "to-client": 0 };
  readonly #rates: Record<Direction, number> = { "from-client": Infinity, "to-client": Infinity };
  #watchers: (() => void)[] = [];
  /** Counts of connections that are gone. */
  readonly #counts: Map<string, number> = new Map();
  readonly #owner: ConnectionOwner;
  #connected = 0;

  private constructor(upstream: string, port: number) {
    this.upstream = upstream;
    this.#port = port;
    this.#owner = {
      delayOf: (direction) => this.#delays[direction],
      rateOf: (direction) => this.#rates[direction],
      faultsFor: (command, context) => this.#faultsFor(command, context),
      changed: () => this.#changed(),
    };
  }

  /** Stands before a broker, on a free port. */
  static async listen(upstream: string): Promise<FaultProxy> {
    let accept = (_client: NetSocket): void => {};
    const listener = await NetListener.listen(0, (client) => accept(client));
    const proxy = new FaultProxy(upstream, listener.port);
    accept = (client) => proxy.#accept(client);
    proxy.#listener = listener;
    return proxy;
  }

  /** Where clients find it. */
  get url(): string {
    return `tcp://127.0.0.1:${this.#port}`;
  }

  /** The connections that are open. */
  get connections(): readonly ProxyConnection[] {
    return this.#connections;
  }

  /** The newest connection; there must be one. */
  get connection(): ProxyConnection {
    const newest = this.#connections.at(-1);
    if (!newest) throw new Error("There is no connection through the proxy");
    return newest;
  }

  /** How many commands of a kind came so far, over all connections; `"Message"` is any message. */
  count(kind: string, direction: Direction = "from-client"): number {
    let count = this.#counts.get(`${direction} ${kind}`) ?? 0;
    for (const { commands } of this.#connections) count += commands[direction].get(kind) ?? 0;
    return count;
  }

  /** Waits until something is so. It is asked whenever a command came, or a connection came or went. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => this.#watchers.push(resolve));
    }
  }

  /** Puts a fault in the way of some commands. */
  fault(options: FaultOptions): Fault {
    const fault = new Fault(options);
    this.#faults.add(fault);
    return fault;
  }

  /** Takes all faults away. What has happened has happened. */
  clear(): void {
    this.#faults.clear();
    for (const direction of DIRECTIONS) {
      this.#delays[direction] = 0;
      this.#rates[direction] = Infinity;
    }
  }

  /** Has bytes come late by some milliseconds. */
  delay(milliseconds: number, direction?: Direction): void {
    for (const one of direction ? [direction] : DIRECTIONS) this.#delays[one] = milliseconds;
  }

  /** Lets so many bytes a second through; `Infinity` ends it. */
  throttle(bytesPerSecond: number, direction?: Direction): void {
    if (!(bytesPerSecond >= 1)) throw new RangeError("A byte a second is the least");
    for (const one of direction ? [direction] : DIRECTIONS) this.#rates[one] = bytesPerSecond;
  }

  /** Ends all connections again and again, by FIN and RST in turns. The timer is for `clearInterval()`. */
  breakEvery(milliseconds: number): ReturnType<typeof setInterval> {
    let count = 0;
    return setInterval(() => {
      const action = count++ % 2 === 0 ? "end" : "reset";
      for (const connection of [...this.#connections]) connection.apply(action);
    }, milliseconds);
  }

  /** Refuses those who connect; open connections stay. */
  suspend(): void {
    this.#listener?.close();
    this.#listener = undefined;
  }

  /** Listens again where it was. */
  async resume(): Promise<void> {
    this.#listener ??= await NetListener.listen(this.#port, (client) => this.#accept(client));
  }

  /** Ends all connections and stops listening. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.suspend();
    this.admission = "reset";
    for (const client of this.#waiting) client.destroy();
    await Promise.all(this.#accepting);
    const connections = [...this.#connections];
    for (const connection of connections) connection.destroy();
    await Promise.all([...this.#waiting, ...connections].map(({ closed }) => closed));
  }

  #accept(client: NetSocket): void {
    this.accepted++;
    this.#waiting.add(client);
    client.closed.then(() => this.#waiting.delete(client));
    if (this.admission === "accept") {
      const accepting = this.#connect(client).finally(() => this.#accepting.delete(accepting));
      this.#accepting.add(accepting);
    } else if (this.admission === "end") client.end();
    else if (this.admission === "reset") client.reset();
    this.#changed();
  }

  async #connect(client: NetSocket): Promise<void> {
    const broker = await NetSocket.connect(this.upstream).catch(() => undefined);
    if (!broker) return client.reset();
    this.#waiting.delete(client);
    const connection = new ProxyConnection(++this.#connected, client, broker, this.#owner);
    this.onConnection(connection);
    this.#connections.push(connection);
    void this.#follow(connection);
    this.#changed();
  }

  /** Forgets it when it is gone, but for its counts. */
  async #follow(connection: ProxyConnection): Promise<void> {
    await connection.closed;
    this.#connections.splice(this.#connections.indexOf(connection), 1);
    for (const direction of DIRECTIONS) {
      for (const [kind, count] of connection.commands[direction]) {
        const key = `${direction} ${kind}`;
        this.#counts.set(key, (this.#counts.get(key) ?? 0) + count);
      }
    }
    this.#changed();
  }

  #faultsFor(command: DataStructure, context: FaultContext): Fault[] {
    const hitting: Fault[] = [];
    for (const fault of this.#faults) {
      if (fault.hitsThis(command, context)) hitting.push(fault);
      if (fault.spent) this.#faults.delete(fault);
    }
    return hitting;
  }

  #changed(): void {
    const watchers = this.#watchers;
    this.#watchers = [];
    for (const watcher of watchers) watcher();
  }
}
