/** Connections in reserve: to brokers that may be needed soon (Java: backup, priorityBackup). */

import type { BrokerTarget } from "../url/broker_url.ts";
import { reconnectDelay } from "./reconnect_delay.ts";
import type { ResolvedFailover } from "./failover_options.ts";
import { sameBroker } from "./broker_text.ts";

/** A connection that can be held. */
export interface Spare {
  /** Resolves when it has ended. */
  readonly closed: Promise<unknown>;
  /** Ends it. */
  fail(reason: unknown): void;
}

/** What {@linkcode Standby} needs. */
export interface StandbyOptions<Link extends Spare> {
  readonly failover: ResolvedFailover;
  /** Brokers to which there should be one, the first ones first. */
  wanted(): readonly BrokerTarget[];
  /** Makes one. */
  open(broker: BrokerTarget, signal: AbortSignal): Promise<Link>;
  /** There is one to a broker. */
  found(broker: BrokerTarget): void;
  /** Waits that many milliseconds; rejects when the signal is aborted. */
  wait(delay: number, signal: AbortSignal): Promise<void>;
}

/** Keeps connections in reserve while another one is in use. */
export class Standby<Link extends Spare> {
  readonly #options: StandbyOptions<Link>;
  readonly #spares: Map<BrokerTarget, Link> = new Map();
  #running: AbortController | undefined;
  #wake: (() => void) | undefined;

  constructor(options: StandbyOptions<Link>) {
    this.#options = options;
  }

  /** Number of connections in reserve. */
  get size(): number {
    return this.#spares.size;
  }

  /** Begins to look for brokers, until {@linkcode stop}. */
  start(): void {
    if (this.#running) return;
    const { signal } = this.#running = new AbortController();
    // It ends when it is stopped, and fails with nothing else.
    this.#run(signal).catch(() => {});
  }

  /** Looks no more. What is in reserve stays. */
  stop(): void {
    this.#running?.abort();
    this.#running = undefined;
  }

  /** Ends it all. */
  close(reason: unknown): void {
    this.stop();
    for (const link of this.#spares.values()) link.fail(reason);
    this.#spares.clear();
  }

  /** Gives one away: the one that is wanted most. */
  take(): { broker: BrokerTarget; link: Link } | undefined {
    const order = this.#options.wanted();
    const rank = (broker: BrokerTarget): number =>
      order.findIndex((wanted) => sameBroker(wanted, broker)) >>> 0;
    const [found] = [...this.#spares].sort(([one], [other]) => rank(one) - rank(other));
    if (!found) return undefined;
    const [broker, link] = found;
    this.#spares.delete(broker);
    return { broker, link };
  }

  async #run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      const missing = this.#missing();
      if (missing.length === 0) {
        failures = 0;
        await this.#changed(signal);
        continue;
      }
      for (const broker of missing) {
        await this.#try(broker, signal).catch(() => {});
        if (signal.aborted) return;
      }
      failures = this.#missing().length > 0 ? failures + 1 : 0;
      if (failures > 0) {
        await this.#options.wait(reconnectDelay(this.#options.failover, failures), signal);
      }
    }
  }

  #missing(): BrokerTarget[] {
    const has = (broker: BrokerTarget): boolean =>
      [...this.#spares.keys()].some((known) => sameBroker(known, broker));
    return this.#options.wanted().filter((broker) => !has(broker));
  }

  async #try(broker: BrokerTarget, signal: AbortSignal): Promise<void> {
    const link = await this.#options.open(broker, signal);
    if (signal.aborted) return link.fail(signal.reason);
    this.#spares.set(broker, link);
    link.closed.then(() => {
      if (this.#spares.get(broker) === link) this.#spares.delete(broker);
      this.#wake?.();
    });
    this.#options.found(broker);
  }

  /** Waits until one in reserve has ended. */
  #changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
  }
}
