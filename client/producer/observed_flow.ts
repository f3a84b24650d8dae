/** The flow of a producer whose connection has hooks. */

import type { Observer } from "../observe/observer.ts";
import { type Prepared, ProducerFlow, type ProducerFlowParts } from "./producer_flow.ts";
import type { SendResult } from "./send_options.ts";
import type { TransactionContext } from "../transaction/transaction_context.ts";

/** Sends the messages of one producer, each within a hook. */
export class ObservedFlow extends ProducerFlow {
  readonly #observer: Observer;
  readonly #transaction: TransactionContext | undefined;

  constructor(parts: ProducerFlowParts, observer: Observer) {
    super(parts);
    this.#observer = observer;
    this.#transaction = parts.transaction;
  }

  override send(prepared: Prepared): Promise<SendResult> {
    const { destination } = prepared.command;
    const transaction = this.#transaction;
    const subject = {
      // It is another one when its body was compressed.
      get command() {
        return prepared.command;
      },
      get transactionId() {
        return prepared.command.transactionId ?? transaction?.current;
      },
      destination,
    };
    return this.#observer.send(subject, () => super.send(prepared));
  }
}
