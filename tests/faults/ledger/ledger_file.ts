/** A file to which a process appends what happens to it. */
import { closeSync, openSync, writeSync } from "node:fs";
import { OpenWireError } from "../../../mod.ts";
import type { Begin, Line } from "./entries.ts";

/** A call that failed, after it was written down. */
export class CallFailed extends Error {
  override readonly name = "CallFailed";
}

/** An append-only ledger. What was written is with the system when the call returns. */
export class LedgerFile implements Disposable {
  readonly #name: string;
  readonly #file: number;
  #calls = 0;
  #deliveries = 0;

  /** Opens it; `name` is that of the process. */
  constructor(path: string, name: string) {
    this.#file = openSync(path, "a");
    this.#name = name;
  }

  /** Writes a line. */
  write(line: Line): void {
    const at = performance.timeOrigin + performance.now();
    writeSync(this.#file, `${JSON.stringify({ at, by: this.#name, ...line })}\n`);
  }

  /** Writes what helps to understand. */
  note(text: string): void {
    this.write({ what: "note", text });
  }

  /** A message was given to the application. Returns the number of the delivery. */
  delivered(key: string, messageId: string, redelivered: boolean): number {
    const delivery = ++this.#deliveries;
    this.write({ what: "delivery", delivery, key, messageId, redelivered });
    return delivery;
  }

  /**
   * Makes a call, and writes when it begins and how it settles. One that is pending at its deadline is left.
   *
   * @throws {CallFailed} When it failed, whatever the error was: that is in the ledger.
   */
  async call<T>(
    { kind, confirmed, ...detail }: Omit<Begin, "what" | "call"> & {
      /** Whether the broker has answered when it succeeds. */
      confirmed?: (value: T) => boolean;
    },
    make: () => Promise<T>,
  ): Promise<T> {
    const call = ++this.#calls;
    this.write({ what: "begin", call, kind, ...detail });
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.write({ what: "hang", call });
        reject(new CallFailed(`${kind} hangs`));
      }, detail.deadline);
    });
    const settled = (async () => await make())().then((value) => {
      this.write({ what: "end", call, ...(confirmed && { confirmed: confirmed(value) }) });
      return value;
    }, (error) => {
      const code = error instanceof OpenWireError ? { code: error.code } : {};
      this.write({ what: "fail", call, ...code, message: String(error?.message ?? error) });
      throw new CallFailed(`${kind} failed: ${error?.message ?? error}`, { cause: error });
    });
    try {
      return await Promise.race([settled, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Closes it. */
  [Symbol.dispose](): void {
    closeSync(this.#file);
  }
}
