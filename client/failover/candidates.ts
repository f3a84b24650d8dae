/** Which brokers to try, and in what order. It knows no sockets. */

import type { BrokerTarget } from "../url/broker_url.ts";
import { sameBroker, textOf } from "./broker_text.ts";
import { shuffled } from "./shuffled.ts";

/** Brokers that were pushed by others and are kept, at most. */
const MOST_PUSHED = 32;

/** What {@linkcode Candidates} needs. */
export interface CandidatesOptions {
  /** Those that the user has listed; others may be {@linkcode Candidates.found}. */
  readonly brokers: readonly BrokerTarget[];
  readonly randomize: boolean;
  /** Texts of those that are to be preferred; the first of the list if there are none. */
  readonly priority: readonly string[];
  /** Whether those are tried first. */
  readonly priorityBackup: boolean;
  /** Chance, 0 to 1. */
  readonly random?: () => number;
}

/** Brokers that may be connected to. */
export class Candidates {
  readonly #options: CandidatesOptions;
  readonly #priority: ReadonlySet<string>;
  /** What the application has found, the last time. */
  #found: readonly BrokerTarget[] = [];
  /** What brokers have told of others, each with the text of its address. */
  #pushed: ReadonlyMap<string, BrokerTarget> = new Map();
  /** The one that is to be tried before all others, once. */
  #next: BrokerTarget | undefined;

  constructor(options: CandidatesOptions) {
    this.#options = options;
    this.#priority = new Set(options.priority);
  }

  /** Number of brokers. */
  get size(): number {
    return this.all().length;
  }

  /** All of them, those that were pushed first. */
  all(): BrokerTarget[] {
    const found = new Map(this.#pushed);
    for (const broker of this.#listed()) {
      // What the user has listed may have options of its own.
      found.set(textOf(broker), broker);
    }
    return [...found.values()];
  }

  /**
   * The order in which they are to be tried.
   *
   * @param failed The one whose connection was lost; it comes last.
   */
  order(failed?: BrokerTarget): BrokerTarget[] {
    const { randomize, priorityBackup, random = Math.random } = this.#options;
    const all = this.all();
    const order = randomize ? shuffled(all, random) : all;
    const next = this.#next;
    this.#next = undefined;
    const rank = (broker: BrokerTarget): number => {
      if (next && sameBroker(broker, next)) return 0;
      if (priorityBackup && this.isPriority(broker)) return 1;
      return failed && sameBroker(broker, failed) ? 3 : 2;
    };
    return order.sort((one, other) => rank(one) - rank(other));
  }

  /** Whether a broker is one of those that are preferred. */
  isPriority(broker: BrokerTarget): boolean {
    if (this.#priority.size > 0) return this.#priority.has(textOf(broker));
    const [first] = this.#listed();
    return first !== undefined && sameBroker(first, broker);
  }

  /** Notes which brokers the application has found, in place of those that it has found before. */
  found(brokers: readonly BrokerTarget[]): void {
    this.#found = brokers;
  }

  /**
   * Notes what a broker has told of others. It replaces what was told before, and never what the user has listed.
   *
   * @returns Whether something has changed.
   */
  push(brokers: readonly BrokerTarget[]): boolean {
    const pushed = new Map(brokers.slice(0, MOST_PUSHED).map((broker) => [textOf(broker), broker]));
    const changed = pushed.size !== this.#pushed.size ||
      [...pushed.keys()].some((text) => !this.#pushed.has(text));
    this.#pushed = pushed;
    return changed;
  }

  /** Has a broker be tried first, the next time. */
  prefer(broker: BrokerTarget): void {
    this.#next = broker;
    const text = textOf(broker);
    if (this.all().some((known) => textOf(known) === text)) return;
    this.push([broker, ...this.#pushed.values()]);
  }

  #listed(): readonly BrokerTarget[] {
    return [...this.#options.brokers, ...this.#found];
  }
}
