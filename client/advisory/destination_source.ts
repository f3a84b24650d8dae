/**
 * Which destinations a broker has.
 *
 * @module
 */

import { SIGNAL_OPTION } from "../call_options.ts";
import {
  type ActiveMQDestination,
  type ActiveMQQueue,
  type ActiveMQTempQueue,
  type ActiveMQTempTopic,
  type ActiveMQTopic,
  inspectAs,
} from "../../codec/mod.ts";
import type { CallOptions } from "../call_options.ts";
import type { Connection } from "../connection.ts";
import type { Deadlines } from "../deadlines.ts";
import { type Destination, formatDestination, toDestination } from "../destination/destination.ts";
import type { TemporaryQueue } from "../destination/temporary_destination.ts";
import { ConnectionClosedError, TimeoutError } from "../errors.ts";
import { leavable } from "../iterate.ts";
import { inTime } from "../in_time.ts";
import { milliseconds } from "../options.ts";
import type { AdvisoryConsumer } from "./advisory_consumer.ts";
import { advisoryTopics } from "./advisory_topics.ts";

/**
 * A destination that has come or gone.
 *
 * @example
 * ```ts
 * import type { DestinationChange } from "../../mod.ts";
 *
 * const describe = ({ type, destination }: DestinationChange) => `${destination.physicalName} was ${type}`;
 * ```
 */
export interface DestinationChange {
  /** What has happened to it. */
  readonly type: "created" | "deleted";
  /** The destination. */
  readonly destination: ActiveMQDestination;
}

/** What a {@linkcode DestinationSource} needs. */
export interface DestinationSourceParts {
  readonly connection: Pick<Connection, "advisories" | "createTemporaryQueue" | "status">;
  readonly deadlines: Deadlines;
  readonly requestTimeout: number;
}

/**
 * The destinations of a broker, kept up to date by its advisories. ActiveMQ only, if its `advisorySupport` is on, as it is by
 * default.
 *
 * @example
 * ```ts
 * import { type Connection } from "../../mod.ts";
 *
 * // Waits until there is a queue of this name.
 * async function untilThere(connection: Connection, name: string): Promise<void> {
 *   await using source = await connection.watchDestinations();
 *   if (source.has(name)) return;
 *   for await (const { type, destination } of source) {
 *     if (type === "created" && destination.physicalName === name) return;
 *   }
 * }
 * ```
 */
export class DestinationSource implements AsyncIterable<DestinationChange>, AsyncDisposable {
  readonly #parts: DestinationSourceParts;
  /** By text. */
  readonly #destinations: Map<string, ActiveMQDestination> = new Map();
  /** The texts of those that have come or gone, in that order; the older ones are dropped, and then all are compared. */
  #log: string[] = [];
  /** How many were dropped. */
  #dropped = 0;
  /** Those who wait for a change. */
  readonly #wakers: Set<() => void> = new Set();
  #advisories: AdvisoryConsumer | undefined;
  #following: Promise<void> | undefined;
  /** The queue that was made to know the end of what was there before. */
  #marker: string | undefined;
  /** What the broker has told of since the connection was lost; undefined while all is known. */
  #heard: Set<string> | undefined;
  /** Ends the watch for losses. */
  readonly #closing: AbortController = new AbortController();
  #ended = false;
  /** What has ended it, unless it was closed. */
  #failure: unknown;

  /**
   * Use `connection.watchDestinations()`.
   *
   * @ignore Not for users.
   */
  constructor(parts: DestinationSourceParts) {
    this.#parts = parts;
  }

  /** The queues, in the order in which the broker told of them. */
  get queues(): ActiveMQQueue[] {
    return this.#all().filter((found) => found.dataType === "ActiveMQQueue");
  }

  /** The topics but for those of advisories, in the order in which the broker told of them. */
  get topics(): ActiveMQTopic[] {
    return this.#all().filter((found) => found.dataType === "ActiveMQTopic");
  }

  /** The temporary queues of all connections. */
  get temporaryQueues(): ActiveMQTempQueue[] {
    return this.#all().filter((found) => found.dataType === "ActiveMQTempQueue");
  }

  /** The temporary topics of all connections. */
  get temporaryTopics(): ActiveMQTempTopic[] {
    return this.#all().filter((found) => found.dataType === "ActiveMQTempTopic");
  }

  /**
   * Whether there is a destination.
   *
   * @param destination A single one, without wildcards.
   * @throws {TypeError} When it is no destination.
   */
  has(destination: Destination): boolean {
    return this.#destinations.has(formatDestination(toDestination(destination)));
  }

  /**
   * What changes from the call on, until the source is closed. Whoever is slow is told what differs from what it was told: a
   * destination that has come and gone meanwhile is left out. Leaving the loop leaves the source open.
   *
   * @param options Ends the loop with the signal's reason.
   * @throws {ConnectionClosedError} From the loop, when the connection has ended.
   * @throws {ClosedError} From the loop, when the broker has closed the consumer of the advisories.
   */
  changes(options: Pick<CallOptions, "signal"> = {}): AsyncIterableIterator<DestinationChange> {
    SIGNAL_OPTION.check(options, "Cannot watch destinations");
    const { signal } = options;
    const told = new Map(this.#known());
    const since = this.#end;
    return leavable((either) => this.#changes(told, since, either), signal);
  }

  /** The same as {@linkcode changes}. */
  [Symbol.asyncIterator](): AsyncIterableIterator<DestinationChange> {
    return this.changes();
  }

  /**
   * Follows no changes any more. Calling it again changes nothing.
   *
   * @param options How long to wait; the connection's `closeTimeout` by default.
   */
  async close(options: CallOptions = {}): Promise<void> {
    this.#closing.abort();
    await this.#advisories?.close(options);
    await this.#following;
  }

  /** The same as {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** What a log or a console shows of it: whether it is open, and how many destinations of each kind there are. */
  toJSON(): Record<string, unknown> {
    return {
      state: this.#ended ? "closed" : "open",
      queues: this.queues.length,
      topics: this.topics.length,
      temporaryQueues: this.temporaryQueues.length,
      temporaryTopics: this.temporaryTopics.length,
    };
  }

  static {
    inspectAs(this, "DestinationSource", (source) => source.toJSON());
  }

  /**
   * Waits until all is known that is there.
   *
   * @ignore Not for users.
   */
  async open({ timeout, signal }: CallOptions): Promise<void> {
    const { connection, deadlines, requestTimeout } = this.#parts;
    const limits = { timeout: milliseconds("timeout", timeout, requestTimeout), signal };
    // The signal would end the loop, too.
    const opening = connection.advisories(advisoryTopics.destinations(), {
      timeout: limits.timeout,
    });
    const late = (): Error =>
      new TimeoutError(
        `Cannot watch destinations: the broker did not tell of them within ${limits.timeout} ms. ` +
          "Its advisorySupport must be on, and the connection started",
      );
    try {
      this.#advisories = await inTime(opening, { deadlines, signal, timeout: 0, late });
    } catch (error) {
      opening.then((advisories) => advisories.close()).catch(() => {});
      throw error;
    }
    this.#following = this.#follow(this.#advisories);
    let marker: TemporaryQueue | undefined;
    try {
      // The broker tells what was there before, then what comes later: so this is the first that is new.
      marker = await connection.createTemporaryQueue(limits);
      this.#marker = formatDestination(marker);
      await inTime(this.#told(this.#marker), { ...limits, deadlines, late });
      await marker.delete(limits);
      // It ends when it is told to, and fails with nothing else.
      this.#watchLosses().catch(() => {});
    } catch (error) {
      // Who has waited long enough does not wait for that, too.
      this.close().catch(() => {});
      marker?.delete().catch(() => {});
      throw error;
    }
  }

  /** After a loss the broker tells anew what there is. */
  async #watchLosses(): Promise<void> {
    const { signal } = this.#closing;
    for await (const { type } of this.#parts.connection.status({ signal })) {
      if (type === "interrupted") this.#heard = new Set();
      // If the connection is lost again meanwhile, it begins anew.
      if (type === "resumed") this.#forgetUnheard().catch(() => {});
    }
  }

  /** What the broker does not tell of any more has gone while there was no connection. */
  async #forgetUnheard(): Promise<void> {
    const heard = this.#heard;
    // What comes after this is new.
    const marker = await this.#parts.connection.createTemporaryQueue();
    this.#marker = formatDestination(marker);
    await this.#told(this.#marker);
    if (heard && this.#heard === heard) {
      this.#heard = undefined;
      for (const key of [...this.#destinations.keys()]) {
        if (heard.has(key)) continue;
        this.#destinations.delete(key);
        this.#note(key);
      }
      this.#wakeAll();
    }
    await marker.delete();
  }

  /** Waits for a destination. */
  async #told(key: string): Promise<void> {
    while (!this.#destinations.has(key)) {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#ended) throw new ConnectionClosedError("The connection is being closed");
      await this.#wake();
    }
  }

  async #follow(advisories: AdvisoryConsumer): Promise<void> {
    try {
      for await (const event of advisories) {
        if (event.type === "destination-created") {
          const key = formatDestination(event.destination);
          this.#destinations.set(key, event.destination);
          this.#heard?.add(key);
          this.#note(key);
        } else if (event.type === "destination-deleted") {
          const key = formatDestination(event.destination);
          this.#destinations.delete(key);
          this.#note(key);
        } else continue;
        this.#wakeAll();
      }
    } catch (error) {
      this.#failure = error;
    } finally {
      this.#ended = true;
      this.#wakeAll();
    }
  }

  async *#changes(
    told: Map<string, ActiveMQDestination>,
    since: number,
    signal: AbortSignal,
  ): AsyncGenerator<DestinationChange, void, undefined> {
    while (true) {
      signal.throwIfAborted();
      const changes = this.#differences(told, since);
      since = this.#end;
      for (const change of changes) {
        yield change;
        signal.throwIfAborted();
      }
      if (changes.length > 0) continue;
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#ended) return;
      await this.#wake(signal);
    }
  }

  /** Notes that a destination has come or gone. */
  #note(key: string): void {
    this.#log.push(key);
    if (this.#log.length <= 2 * this.#destinations.size + 1000) return;
    this.#dropped += this.#log.length;
    this.#log = [];
  }

  /** Up to where the log goes. */
  get #end(): number {
    return this.#dropped + this.#log.length;
  }

  /** What differs, and is told from now on. Only what has changed since a place of the log can. */
  #differences(told: Map<string, ActiveMQDestination>, since: number): DestinationChange[] {
    const keys = new Set<string>();
    const changed = since < this.#dropped
      ? [...told.keys(), ...this.#destinations.keys()]
      : this.#log.slice(since - this.#dropped);
    for (const key of changed) {
      // What has come again is the last of all.
      keys.delete(key);
      keys.add(key);
    }
    const changes: DestinationChange[] = [];
    for (const key of keys) {
      const destination = told.get(key);
      if (destination === undefined || this.#destinations.has(key)) continue;
      told.delete(key);
      changes.push({ type: "deleted", destination });
    }
    for (const key of keys) {
      const destination = this.#destinations.get(key);
      if (destination === undefined || told.has(key) || key === this.#marker) continue;
      told.set(key, destination);
      changes.push({ type: "created", destination });
    }
    return changes;
  }

  /** Resolves at the next change, or when the signal is aborted. */
  async #wake(signal?: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = (): void => resolve();
    this.#wakers.add(wake);
    signal?.addEventListener("abort", wake);
    await promise;
    signal?.removeEventListener("abort", wake);
    this.#wakers.delete(wake);
  }

  #wakeAll(): void {
    for (const wake of this.#wakers) wake();
  }

  *#known(): Generator<[string, ActiveMQDestination]> {
    for (const entry of this.#destinations) if (entry[0] !== this.#marker) yield entry;
  }

  #all(): ActiveMQDestination[] {
    return Array.from(this.#known(), ([, destination]) => destination);
  }
}
