/**
 * The way of a producer's messages to the broker: in the order of the calls, no faster than the window lets them, each with
 * its deadline.
 */

import {
  type ActiveMQDestination,
  createMessageId,
  deflateMessage,
  EncodeError,
  type Message,
  type ProducerId,
} from "../../codec/mod.ts";
import { formatDestination } from "../destination/destination.ts";
import { BrokerError, ConnectionClosedError, TimeoutError } from "../errors.ts";
import { inTime } from "../in_time.ts";
import { formatMessageId } from "../message/message.ts";
import { MINIMUM_SIZE } from "./pending_sends.ts";
import { type Charge, countDestinations, ProducerWindow } from "./producer_window.ts";
import { SendLine, type Waiting } from "./send_line.ts";
import type { SendOutcome, SendResult } from "./send_options.ts";
import type { SessionContext } from "../session_context.ts";
import type { TransactionContext } from "../transaction/transaction_context.ts";

/** A message that can be sent. */
export interface Prepared {
  /** Without its number. */
  command: Message & { readonly destination: ActiveMQDestination };
  /** Whether the body must be compressed before. */
  compress: boolean;
  /** Whether that has begun. */
  compressing?: boolean;
  /** Why it can't be sent. */
  failure?: unknown;
  /** Whether to wait for the broker's answer. */
  readonly confirm: boolean;
  /** Bytes that it takes, before it is compressed. */
  readonly size: number;
  /** What can't be done if it fails. */
  readonly action: string;
  readonly timeout: number;
  readonly signal: AbortSignal | undefined;
}

/** What a {@linkcode ProducerFlow} needs. */
export interface ProducerFlowParts {
  readonly context: SessionContext;
  readonly producerId: ProducerId;
  readonly transaction: TransactionContext | undefined;
  /** Bytes at which the window closes; 0 for none. */
  readonly windowSize: number;
}

/** Sends the messages of one producer. */
export class ProducerFlow {
  readonly #context: SessionContext;
  readonly #producerId: ProducerId;
  readonly #transaction: TransactionContext | undefined;
  readonly #window: ProducerWindow | undefined;
  readonly #line: SendLine = new SendLine();
  #sequence = 0;

  constructor({ context, producerId, transaction, windowSize }: ProducerFlowParts) {
    this.#context = context;
    this.#producerId = producerId;
    this.#transaction = transaction;
    if (windowSize > 0) this.#window = new ProducerWindow(windowSize);
  }

  /** Bytes in the window. */
  get used(): number {
    return this.#window?.used ?? 0;
  }

  /**
   * Counts messages that are about to be sent; each of them must be given to {@linkcode send} then.
   *
   * @throws {OpenWireError} `"SEND_BUFFER_FULL"`
   */
  admit(size: number, action: string): void {
    this.#context.pendingSends.add(size, action);
  }

  /** Sends a message at once if it can, else when it is its turn. */
  send(prepared: Prepared): Promise<SendResult> {
    const atOnce = this.#line.empty && this.#mayGo(prepared);
    if (!atOnce) return this.#sendLater(prepared);
    return this.#write(prepared, prepared.timeout, prepared.signal);
  }

  /** Sends a message when it is its turn. */
  #sendLater(prepared: Prepared): Promise<SendResult> {
    // A chain of promises for each would cost more than the sending.
    return new Promise((resolve, reject) => {
      const { timeout, signal } = prepared;
      let waits = true;
      const stop = (): void => {
        cancel();
        signal?.removeEventListener("abort", abort);
      };
      const fail = (error: unknown): void => {
        stop();
        reject(error);
      };
      const refuse = (error: unknown): void => {
        if (waits) this.#context.pendingSends.remove(prepared.size);
        waits = false;
        fail(error);
      };
      const leave = (error: unknown): void => {
        refuse(error);
        this.#line.leave(waiting);
      };
      const abort = (): void => leave(signal!.reason);
      const waiting: Waiting = {
        ready: () => this.#mayGo(prepared),
        go: () => {
          waits = false;
          // The deadline that it has here is for both, its turn and the answer.
          this.#write(prepared, 0, undefined).then((result) => {
            stop();
            resolve(result);
          }, fail);
        },
        fail: refuse,
      };
      const cancel = this.#context.deadlines.add(
        timeout,
        () => leave(waits ? noTurn(prepared) : tooLate(prepared)),
      );
      if (signal?.aborted) return abort();
      signal?.addEventListener("abort", abort);
      if (this.#context.log && this.#line.empty && !prepared.compress) this.#logWait(prepared);
      this.#line.join(waiting);
    });
  }

  /** Resolves when a message could be sent at once. */
  async ready(): Promise<void> {
    const isOpen = () => this.#window?.open ?? true;
    if (this.#line.empty && isOpen()) return;
    await new Promise<void>((resolve, reject) => {
      this.#line.join({ ready: isOpen, go: resolve, fail: reject });
    });
  }

  /** Resolves when nothing waits any more. */
  flush(): Promise<void> {
    return this.#line.emptied();
  }

  /** A ProducerAck came. */
  acknowledged(): void {
    this.#window?.acknowledged();
    this.#line.advance();
  }

  /** No more ProducerAcks may come for what is on its way. */
  windowLost(): void {
    this.#window?.clear();
    this.#line.advance();
  }

  /** The connection was lost, and ProducerAcks with it. */
  interrupted(): void {
    this.#window?.reset();
    this.#line.advance();
  }

  /** What waits is not sent. */
  fail(error: Error): void {
    this.#line.fail(error);
  }

  /** Whether a message may be sent now, if those before it were. */
  #mayGo(prepared: Prepared): boolean {
    if (prepared.compress) {
      this.#compress(prepared);
      return false;
    }
    return prepared.confirm || this.#window === undefined || this.#window.open;
  }

  #logWait({ command }: Prepared): void {
    this.#context.log?.debug("A producer waits for room in its window", {
      destination: formatDestination(command.destination),
      windowBytes: this.used,
    });
  }

  /** Compresses the body. */
  #compress(prepared: Prepared): void {
    if (prepared.compressing) return;
    prepared.compressing = true;
    deflateMessage(prepared.command).then(
      (command) => prepared.command = command,
      (error) => prepared.failure = error,
    ).then(() => {
      prepared.compress = false;
      this.#line.advance();
    });
  }

  async #write(
    prepared: Prepared,
    timeout: number,
    signal: AbortSignal | undefined,
  ): Promise<SendResult> {
    const { command, confirm, action } = prepared;
    const window = this.#window;
    let settled = false;
    try {
      if (prepared.failure !== undefined) throw prepared.failure;
      // Both are given now, in the order of the wire: the broker drops what comes with a lower number.
      command.transactionId = this.#transaction?.begin() ?? null;
      command.messageId = createMessageId({
        producerId: this.#producerId,
        producerSequenceId: ++this.#sequence,
      });
      let outcome: SendOutcome;
      if (confirm) {
        outcome = "confirmed";
        await this.#context.request(command, action, { timeout, signal });
      } else if (window === undefined) {
        outcome = "sent";
        await this.#sendAsync(prepared, timeout, signal);
      } else {
        const charge: Charge = window.charge(
          sizeOf(command),
          countDestinations(command.destination),
          () => this.#context.asyncSends.remove(command.commandId),
        );
        outcome = charge.asks ? "confirmed" : "windowed";
        try {
          if (charge.asks) await this.#ask(prepared, window, charge, timeout, signal);
          else await this.#sendAsync(prepared, timeout, signal);
        } catch (error) {
          if (error instanceof EncodeError) this.#withdraw(window, charge);
          throw error;
        }
      }
      settled = true;
      const { counters } = this.#context;
      counters.messagesSent++;
      counters.bodyBytesSent += command.content?.length ?? 0;
      return {
        messageId: formatMessageId(command.messageId),
        outcome: command.transactionId === null ? outcome : "transactional",
      };
    } catch (error) {
      const { asyncSends } = this.#context;
      if (error instanceof EncodeError) asyncSends.remove(command.commandId);
      else if (confirm && !(error instanceof BrokerError)) asyncSends.abandoned(command);
      throw error;
    } finally {
      const { pendingSends } = this.#context;
      if (settled) pendingSends.remove(prepared.size);
      // What nobody waits for any more may still wait to be written.
      else this.#context.emptied().then(() => pendingSends.remove(prepared.size));
    }
  }

  /** Sends a message that asks for no answer. */
  #sendAsync(
    { command, action }: Prepared,
    timeout: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const sent = this.#context.send(command, action, { timeout, signal });
    this.#context.asyncSends.add(command);
    return sent;
  }

  /** Sends a message whose answer tells that the broker has taken all before it. */
  async #ask(
    prepared: Prepared,
    window: ProducerWindow,
    charge: Charge,
    timeout: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { command, action } = prepared;
    // The window needs the answer when the caller waits no more.
    const answered = this.#context.request(command, action, { timeout: 0 }).then(() => {
      window.answered(charge);
      this.#line.advance();
    }, (error) => {
      // Whoever waits learns of the end of the connection soon.
      if (error instanceof ConnectionClosedError) throw error;
      // What was not sent at all is withdrawn.
      if (!(error instanceof EncodeError)) window.answered(charge);
      this.#line.advance();
      throw error;
    });
    await inTime(answered, {
      deadlines: this.#context.deadlines,
      timeout,
      signal,
      late: () => tooLate(prepared),
    });
  }

  #withdraw(window: ProducerWindow, charge: Charge): void {
    window.withdraw(charge);
    this.#line.advance();
  }
}

function noTurn({ action, timeout }: Prepared): TimeoutError {
  return new TimeoutError(
    `${action}: no room in the producer's window within ${timeout} ms; it was not sent`,
  );
}

function tooLate({ action, timeout }: Prepared): TimeoutError {
  return new TimeoutError(`${action}: no answer within ${timeout} ms`);
}

/** Bytes that a message takes, as the broker counts them. */
export function sizeOf({ content, marshalledProperties }: Message): number {
  return MINIMUM_SIZE + (content?.length ?? 0) + (marshalledProperties?.length ?? 0);
}
