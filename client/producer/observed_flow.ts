/** The flow of a producer whose connection has hooks. */

import type { Observer } from "../observe/observer.ts";
import { type Prepared, ProducerFlow, type ProducerFlowParts } from "./producer_flow.ts";
import type { SendResult } from "./send_options.ts";

/** Sends the messages of one producer, each within a hook. */
export class ObservedFlow extends ProducerFlow {
  readonly #observer: Observer;

  constructor(parts: ProducerFlowParts, observer: Observer) {
    super(parts);
    this.#observer = observer;
  }

  override send(prepared: Prepared): Promise<SendResult> {
    const { command } = prepared;
    const subject = { command, destination: command.destination };
    return this.#observer.send(subject, () => super.send(prepared));
  }
}
