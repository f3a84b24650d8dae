/**
 * Asks a broker for signs of life that sends none by itself, because it has switched keep-alives off. Its answers to a
 * FlushCommand are the signs: the one to a KeepAliveInfo ActiveMQ writes into the midst of what it sends at the same time.
 */

import { createFlushCommand, type DataStructure } from "../../codec/mod.ts";
import { type Command, isMessage } from "./commands.ts";

/** Asks one broker, over one connection. */
export class Probes {
  /** Whether the broker answers commands: before it has accepted the connection it may not. */
  #answers = false;
  /** Id of the question that was not answered yet; 0 for none. */
  #asked = 0;
  /** Id of the last message that the broker may not have taken; 0 for none. */
  #message = 0;
  #conclusive = false;
  #bytesRead = 0;

  /** Whether silence tells anything: a broker that waits for space for a message reads no later question. */
  get conclusive(): boolean {
    return this.#asked > 0 && this.#conclusive;
  }

  /**
   * Checks.
   *
   * @param bytesRead Bytes that came so far.
   * @param nextId Numbers the question.
   * @returns The question, when nothing has come since the last check.
   */
  check(bytesRead: number, nextId: () => number): DataStructure | undefined {
    const silent = bytesRead === this.#bytesRead;
    this.#bytesRead = bytesRead;
    if (!silent || !this.#answers || this.#asked > 0) return undefined;
    this.#asked = nextId();
    this.#conclusive = this.#message === 0;
    return createFlushCommand({ commandId: this.#asked, responseRequired: true });
  }

  /** A command was sent. */
  sent(command: DataStructure): void {
    if ("commandId" in command && isMessage(command as Command)) {
      this.#message = command.commandId;
    }
  }

  /** An answer has come; returns whether it is the one to a question. Artemis answers that it does not know the command. */
  answered(correlationId: number): boolean {
    this.#answers = true;
    // Commands are handled in their order.
    if (correlationId >= this.#message) this.#message = 0;
    if (correlationId !== this.#asked) return false;
    this.#asked = 0;
    return true;
  }
}
