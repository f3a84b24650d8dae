/** Refuses options that nobody knows: a mistyped one would be ignored without a word. */

import { oneLine, typeName } from "./errors.ts";
import { nearestName } from "./nearest_name.ts";

/** What options are called in other clients, and here. */
const ALIASES: ReadonlyMap<string, readonly string[]> = new Map(Object.entries({
  ack: ["acknowledgeMode"],
  ackmode: ["acknowledgeMode"],
  acknowledge: ["acknowledgeMode"],
  acknowledgementmode: ["acknowledgeMode"],
  ca: ["caCerts"],
  certificate: ["cert"],
  clientidentifier: ["clientId"],
  containerid: ["clientId"],
  correlation: ["correlationId"],
  creditwindow: ["prefetchSize"],
  credit: ["prefetchSize"],
  deliverymode: ["persistent"],
  dedupid: ["deduplicationId"],
  durable: ["subscriptionName", "persistent"],
  expiration: ["timeToLive"],
  expires: ["timeToLive"],
  filter: ["selector"],
  group: ["groupId"],
  headers: ["properties"],
  applicationproperties: ["properties"],
  login: ["username"],
  user: ["username"],
  name: ["subscriptionName"],
  pass: ["password"],
  passcode: ["password"],
  passwd: ["password"],
  prefetch: ["prefetchSize"],
  prefetchcount: ["prefetchSize"],
  parallel: ["concurrency"],
  maxconcurrency: ["concurrency"],
  reconnect: ["failover"],
  ssl: ["tls"],
  ttl: ["timeToLive"],
  timeoutms: ["timeout"],
}));

/** Names that an error shows, at most, and their longest. */
const MOST_NAMES = 12;
const LONGEST_NAME = 40;

/** The names of the options of a call. */
export class OptionNames<T extends object> {
  readonly #names: ReadonlySet<string>;

  /**
   * Takes the names.
   *
   * @param names Each option of the type: one that is missing here does not compile.
   */
  constructor(names: Readonly<Record<keyof T, true>>) {
    this.#names = new Set(Object.keys(names));
  }

  /** Whether there is such an option. */
  has(name: string): boolean {
    return this.#names.has(name);
  }

  /**
   * Refuses what is no object, and names that are not known. Names that an object inherits do not count.
   *
   * @param given What the user gave as options.
   * @param action What cannot be done, such as `Cannot send`.
   * @throws {TypeError} When it is no object of such options. The error shows names, never values.
   */
  check(given: unknown, action: string): void {
    if (typeof given !== "object" || given === null || Array.isArray(given)) {
      const what = given === null ? "null" : typeName(given);
      throw new TypeError(
        `${action}: an object is expected as options, not ${article(what)}${this.#list()}`,
      );
    }
    for (const name in given) {
      if (!this.#names.has(name) && Object.hasOwn(given, name)) this.#refuse(name, action);
    }
  }

  #refuse(name: string, action: string): never {
    const shown = oneLine(name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name);
    const advice = this.#advice(name);
    const rest = advice === undefined ? this.#list() : `. Did you mean "${advice}"?`;
    throw new TypeError(`${action}: "${shown}" is not an option${rest}`);
  }

  /** What was meant, if that can be told. */
  #advice(name: string): string | undefined {
    const plain = name.slice(0, LONGEST_NAME).replace(/[-_]/g, "").toLowerCase();
    const names = [...this.#names];
    const alias = ALIASES.get(plain)?.find((alias) => this.#names.has(alias));
    if (alias !== undefined) return alias;
    const same = names.find((known) => known.toLowerCase() === plain);
    return same ?? nearestName(plain, names, Math.max(1, Math.floor(plain.length / 3)));
  }

  #list(): string {
    const names = [...this.#names];
    if (names.length === 0 || names.length > MOST_NAMES) return "";
    return `. ${names.length === 1 ? "The option is" : "The options are"} ${names.join(", ")}`;
  }
}

function article(what: string): string {
  return what === "null" || what === "undefined"
    ? what
    : `${/^[aeiou]/i.test(what) ? "an" : "a"} ${what}`;
}
