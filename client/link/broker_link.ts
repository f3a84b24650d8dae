/**
 * A connection as a way for commands: the codec's streams around a transport, numbering and answers, signs of life. It
 * knows nothing of sessions and messages.
 */

import {
  type DataStructure,
  type EncodeError,
  OpenWireDecoderStream,
  OpenWireEncoderStream,
  type OpenWireFormat,
  type WireFormatSettings,
} from "../../codec/mod.ts";
import { createKeepAliveInfo } from "../../codec/mod.ts";
import type { Transport } from "../../transport/mod.ts";
import type { Command, Response } from "./commands.ts";
import type { Deadlines } from "../deadlines.ts";
import { ConnectionClosedError, TimeoutError } from "../errors.ts";
import { inTime } from "../in_time.ts";
import type { TrafficStats } from "../observe/stats.ts";
import { InactivityMonitor } from "./inactivity_monitor.ts";
import type { CommandInspector } from "../options.ts";
import { afterTurn, Outbox } from "./outbox.ts";
import { type RequestOptions, ResponseCorrelator } from "./response_correlator.ts";

/** What a {@linkcode BrokerLink} needs. */
export interface BrokerLinkOptions {
  readonly transport: Transport;
  readonly format: OpenWireFormat;
  readonly deadlines: Deadlines;
  /** Is shown each command on its way. */
  readonly inspect?: CommandInspector | undefined;
  /** Takes each command that answers no request. */
  readonly receive: (command: DataStructure) => void;
}

/** That something took too long; whoever waits for it knows what. */
const LATE = new Error("late");

/** Milliseconds that the peer has to end the connection after it was told that no more comes. */
const LINGER = 1000;

/** Commands that may wait to be written before their senders wait, too. */
const KEEPS_UP = 256;
const DONE: Promise<void> = Promise.resolve();

/** One connection to a broker, from the first byte to the last. */
export class BrokerLink {
  /** Resolves with what ended it; undefined when it was closed here. */
  readonly closed: Promise<Error | undefined>;
  readonly #transport: Transport;
  readonly #format: OpenWireFormat;
  readonly #receive: (command: DataStructure) => void;
  readonly #inspect: CommandInspector | undefined;
  readonly #deadlines: Deadlines;
  readonly #correlator: ResponseCorrelator;
  readonly #decoder: OpenWireDecoderStream;
  readonly #encoder: OpenWireEncoderStream;
  readonly #outbox: Outbox;
  readonly #refusals: WeakMap<DataStructure, EncodeError> = new WeakMap();
  readonly #resolveClosed: (error: Error | undefined) => void;
  #failure: Error | undefined;
  #closing = false;
  /** What is sent in this turn of the event loop. */
  #turn:
    | { readonly written: Promise<void>; readonly timeout: number; readonly wait: Promise<void> }
    | undefined;
  #commandId = 0;
  #written = 0;
  /** Commands that could not be encoded. */
  #refused = 0;
  #received = 0;
  #monitor: ReturnType<typeof setInterval> | undefined;

  constructor({ transport, format, deadlines, receive, inspect }: BrokerLinkOptions) {
    const { promise, resolve } = Promise.withResolvers<Error | undefined>();
    this.closed = promise;
    this.#resolveClosed = resolve;
    this.#transport = transport;
    this.#format = format;
    this.#receive = receive;
    this.#inspect = inspect;
    this.#deadlines = deadlines;
    this.#correlator = new ResponseCorrelator(deadlines);
    this.#decoder = new OpenWireDecoderStream(format);
    const encoder = this.#encoder = new OpenWireEncoderStream(format, {
      refused: (command, error) => this.#refuse(command, error),
    });
    this.#outbox = new Outbox(encoder.writable, (error) => this.fail(error));
    encoder.readable.pipeTo(transport.writable).catch((error) => this.fail(error));
    this.#read();
  }

  /** What went over it so far. */
  get traffic(): TrafficStats {
    return {
      commandsSent: this.#written - this.#refused,
      commandsReceived: this.#received,
      bytesSent: this.#encoder.byteCount,
      bytesReceived: this.#decoder.byteCount,
      pendingRequests: this.#correlator.pending,
    };
  }

  /** Says what we speak, and waits until the peer has said it too. */
  async negotiate(): Promise<WireFormatSettings> {
    this.#push(this.#format.info());
    const settings = await this.#format.agreement;
    this.#watch(settings);
    return settings;
  }

  /**
   * Sends a command and waits for the answer.
   *
   * @throws {BrokerError} When the broker refuses.
   * @throws {EncodeError} When the command can't be sent.
   */
  request(command: Command, options: RequestOptions): Promise<Response> {
    if (this.#failure) return Promise.reject(this.#failure);
    if (options.signal?.aborted) return Promise.reject(options.signal.reason);
    command.commandId = this.#nextId();
    command.responseRequired = true;
    const response = this.#correlator.wait(command.commandId, options);
    this.#push(command);
    return response;
  }

  /**
   * Sends a command that isn't answered. Resolves when it was handed to the runtime.
   *
   * @throws {EncodeError} When the command can't be sent.
   * @throws {TimeoutError} When the runtime did not take it in time; it will be sent when the broker reads again.
   */
  async send(command: Command, { timeout, signal, action }: RequestOptions): Promise<void> {
    if (this.#failure) throw this.#failure;
    command.commandId = this.#nextId();
    command.responseRequired = false;
    const written = this.#push(command);
    try {
      await (signal ? this.#inTime(written, timeout, signal) : this.#turnsWait(written, timeout));
    } catch (error) {
      if (error !== LATE) throw error;
      throw new TimeoutError(`${action}: the broker took nothing for ${timeout} ms`);
    }
    const refusal = this.#refusals.get(command);
    if (refusal) throw refusal;
  }

  /**
   * Sends a command that isn't answered, for senders that need not know when it left: resolves at once, unless so many
   * commands wait already that the broker doesn't keep up. Then it does as {@linkcode send}.
   */
  post(command: Command, options: () => RequestOptions): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure);
    if (this.#outbox.waiting >= KEEPS_UP) return this.send(command, options());
    command.commandId = this.#nextId();
    command.responseRequired = false;
    this.#push(command, false);
    return DONE;
  }

  /**
   * Sends what waits, tells the peer that no more comes, and gives it a moment to say the same.
   *
   * @param timeout Milliseconds after which the connection is ended in any case.
   */
  async close(timeout: number): Promise<void> {
    this.#closing = true;
    // Whether that was in time or not, the next step is the same.
    await this.#inTime(this.#outbox.close(), timeout).catch(() => {});
    await this.#inTime(this.#transport.closed, LINGER).catch(() => {});
    this.fail(undefined);
  }

  #inTime(done: Promise<void>, timeout: number, signal?: AbortSignal): Promise<void> {
    return inTime(done, { deadlines: this.#deadlines, timeout, signal, late: () => LATE });
  }

  /** All that is sent in one turn of the event loop is written together, and waits together: that is much cheaper. */
  #turnsWait(written: Promise<void>, timeout: number): Promise<void> {
    const turn = this.#turn;
    if (turn?.written === written && turn.timeout === timeout) return turn.wait;
    if (!turn) afterTurn(() => this.#turn = undefined);
    const wait = this.#inTime(written, timeout);
    this.#turn = { written, timeout, wait };
    return wait;
  }

  /** Ends the connection at once. The first reason counts. */
  fail(reason: unknown): void {
    if (this.#failure) return;
    this.#failure = this.#closing
      ? new ConnectionClosedError("The connection was closed")
      : endOf(reason);
    clearInterval(this.#monitor);
    this.#format.fail(this.#failure);
    this.#correlator.failAll(this.#failure);
    this.#outbox.fail(this.#failure);
    this.#transport.close(this.#failure);
    this.#resolveClosed(this.#closing ? undefined : this.#failure);
  }

  #push(command: DataStructure, waited = true): Promise<void> {
    this.#written++;
    this.#show(command, "sent");
    return this.#outbox.push(command, waited);
  }

  #nextId(): number {
    return this.#commandId = this.#commandId === 0x7fffffff ? 1 : this.#commandId + 1;
  }

  #refuse(command: DataStructure, error: EncodeError): void {
    this.#refused++;
    if ("commandId" in command && this.#correlator.fail(command.commandId, error)) return;
    this.#refusals.set(command, error);
  }

  async #read(): Promise<void> {
    try {
      const reader = this.#transport.readable.pipeThrough(this.#decoder).getReader();
      while (true) {
        const { done, value } = await reader.read();
        if (done) break;
        this.#take(value);
      }
      this.fail(new ConnectionClosedError("The broker closed the connection", { retryable: true }));
    } catch (error) {
      this.fail(error);
    }
  }

  #show(command: DataStructure, direction: "sent" | "received"): void {
    if (!this.#inspect) return;
    const hidden = "password" in command && command.password !== null;
    this.#inspect(hidden ? { ...command, password: "***" } : command, direction);
  }

  #take(command: DataStructure): void {
    this.#received++;
    this.#show(command, "received");
    switch (command.dataType) {
      case "Response":
      case "ExceptionResponse":
      case "DataResponse":
      case "DataArrayResponse":
      case "IntegerResponse":
        return this.#correlator.take(command);
      case "KeepAliveInfo":
        if (command.responseRequired) this.#push({ ...command, responseRequired: false });
        return;
      case "ShutdownInfo":
        // The broker ends the connection after this; whoever waits should know at once.
        return this.fail(
          new ConnectionClosedError("The broker is shutting down", { retryable: true }),
        );
      default:
        this.#receive(command);
    }
  }

  #watch({ maxInactivityDuration, maxInactivityDurationInitialDelay }: WireFormatSettings): void {
    const monitor = new InactivityMonitor(
      maxInactivityDuration,
      maxInactivityDurationInitialDelay,
      performance.now(),
    );
    if (monitor.interval === 0) return;
    const check = async (): Promise<void> => {
      const verdict = monitor.check(performance.now(), this.#decoder.byteCount, this.#written);
      if (verdict === "keep-alive") this.#push(createKeepAliveInfo({ commandId: this.#nextId() }));
      if (verdict !== "suspect") return;
      // What the peer sent may be here already and only not be read yet.
      const seen = this.#decoder.byteCount;
      await new Promise((resolve) => setTimeout(resolve, 0));
      if (this.#decoder.byteCount !== seen) return;
      const message = `Nothing came from the broker for ${maxInactivityDuration} ms`;
      this.fail(new ConnectionClosedError(message, { retryable: true }));
    };
    this.#monitor = setInterval(check, monitor.interval);
  }
}

/** The error for what ended a connection. */
function endOf(reason: unknown): ConnectionClosedError {
  if (reason instanceof ConnectionClosedError) return reason;
  const text = reason instanceof Error ? reason.message : String(reason);
  return new ConnectionClosedError(`The connection broke: ${text}`, {
    cause: reason,
    retryable: true,
  });
}
