/** A client's connection through the proxy. */
import type { DataStructure } from "../../../codec/mod.ts";
import { Conversation, type Direction, DIRECTIONS } from "./conversation.ts";
import { type Fault, type FaultAction, type FaultContext, kindOf } from "./fault.ts";
import type { NetSocket } from "./net_socket.ts";
import { type Passage, Pump } from "./pump.ts";

/** What a {@linkcode ProxyConnection} asks of its proxy. */
export interface ConnectionOwner {
  /** Milliseconds by which bytes are late now. */
  delayOf(direction: Direction): number;
  /** Bytes a second that pass now. */
  rateOf(direction: Direction): number;
  /** The faults that hit a command. */
  faultsFor(command: DataStructure, context: FaultContext): Fault[];
  /** Something happened. */
  changed(): void;
}

/** A client's connection through the proxy. */
export class ProxyConnection {
  /** Which connection of the proxy it is, counted from 1. */
  readonly number: number;
  /** Resolves when both sides are gone. */
  readonly closed: Promise<void>;
  /** Commands that came, by direction and kind; `"Message"` is any message. */
  readonly commands: Record<Direction, Map<string, number>> = {
    "from-client": new Map(),
    "to-client": new Map(),
  };
  readonly #owner: ConnectionOwner;
  readonly #client: NetSocket;
  readonly #broker: NetSocket;
  readonly #conversation: Conversation = new Conversation();
  readonly #pumps: Record<Direction, Pump>;
  #open = true;

  constructor(number: number, client: NetSocket, broker: NetSocket, owner: ConnectionOwner) {
    this.number = number;
    this.#owner = owner;
    this.#client = client;
    this.#broker = broker;
    this.#pumps = {
      "from-client": new Pump(client, broker, this.#pumpOwner("from-client")),
      "to-client": new Pump(broker, client, this.#pumpOwner("to-client")),
    };
    this.closed = this.#run();
  }

  /** Whether one of the sides is there. */
  get open(): boolean {
    return this.#open;
  }

  /** Bytes that were passed on. */
  bytes(direction: Direction): number {
    return this.#pumps[direction].bytes;
  }

  /** Why what goes this way can't be understood any more; it is passed on nevertheless. */
  failure(direction: Direction): Error | undefined {
    return this.#conversation.failure(direction);
  }

  /** Has something happen now. */
  apply(action: FaultAction): void {
    if (action === "end") this.end();
    else if (action === "reset") this.reset();
    else if (action === "silence") this.silence();
    else if ("silence" in action) this.silence(action.silence);
    else throw new TypeError("A delay needs a command to be late");
  }

  /** Tells both sides that no more comes (FIN), and drops what they still send. */
  end(): void {
    for (const direction of DIRECTIONS) this.#pumps[direction].stop();
    this.#client.end();
    this.#broker.end();
  }

  /** Resets both sides (RST). */
  reset(): void {
    for (const direction of DIRECTIONS) this.#pumps[direction].stop();
    this.#client.reset();
    this.#broker.reset();
  }

  /** Passes nothing on any more until {@linkcode resume}: both ways, or one. Nobody is told. */
  silence(direction?: Direction): void {
    for (const one of direction ? [direction] : DIRECTIONS) this.#pumps[one].pause();
  }

  /** Goes on after {@linkcode silence}. */
  resume(): void {
    for (const direction of DIRECTIONS) this.#pumps[direction].resume();
  }

  /** Lets so many bytes through this way in all; then something happens. */
  truncate(direction: Direction, bytes: number, action: FaultAction): void {
    this.#pumps[direction].truncate(bytes, () => this.apply(action));
  }

  /** Releases both sides. */
  destroy(): void {
    for (const direction of DIRECTIONS) this.#pumps[direction].stop();
    this.#client.destroy();
    this.#broker.destroy();
  }

  async #run(): Promise<void> {
    // Whoever has it just now may say what is to happen before anything does.
    await Promise.resolve();
    await Promise.all(
      // Who breaks off on one side does so on the other.
      DIRECTIONS.map((direction) => this.#pumps[direction].run().catch(() => this.reset())),
    );
    this.destroy();
    await Promise.all([this.#client.closed, this.#broker.closed]);
    this.#open = false;
  }

  #pumpOwner(direction: Direction) {
    const owner = this.#owner;
    return {
      pass: (frame: Uint8Array): Passage => this.#pass(direction, frame),
      get delay(): number {
        return owner.delayOf(direction);
      },
      get bytesPerSecond(): number {
        return owner.rateOf(direction);
      },
    };
  }

  #pass(direction: Direction, frame: Uint8Array): Passage {
    const heard = this.#conversation.hear(direction, frame);
    if (!heard) return {};
    const { command, request } = heard;
    const kind = kindOf(command.dataType);
    const counts = this.commands[direction];
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
    const [fault] = this.#owner.faultsFor(command, { direction, connection: this, request });
    this.#owner.changed();
    if (!fault) return {};
    const { when = "after", action } = fault.options;
    const delay = typeof action === "object" && "delay" in action ? action.delay : undefined;
    return {
      when,
      happen: () => delay === undefined ? this.apply(action) : this.#pumps[direction].wait(delay),
    };
  }
}
