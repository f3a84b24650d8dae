/**
 * One connection as a way for commands: the codec's streams around a transport, and signs of life. It knows nothing of
 * answers, sessions and messages.
 */

import {
  type DataStructure,
  type EncodeError,
  OpenWireDecoderStream,
  OpenWireEncoderStream,
  type OpenWireFormat,
  ProtocolError,
  type UnreadableDispatch,
  type WireFormatSettings,
} from "../../codec/mod.ts";
import { createKeepAliveInfo } from "../../codec/mod.ts";
import { type Transport, TransportError } from "../../transport/mod.ts";
import type { Deadlines } from "../deadlines.ts";
import { ConnectionClosedError } from "../errors.ts";
import { inTime } from "../in_time.ts";
import type { TrafficStats } from "../observe/stats.ts";
import { toError } from "../../errors.ts";
import { FrameWatch } from "./frame_watch.ts";
import { InactivityMonitor } from "./inactivity_monitor.ts";
import type { CommandInspector } from "../options.ts";
import { Outbox } from "./outbox.ts";
import { Probes } from "./probes.ts";

/** What a {@linkcode BrokerLink} needs. */
export interface BrokerLinkOptions {
  readonly transport: Transport;
  readonly format: OpenWireFormat;
  readonly deadlines: Deadlines;
  /** Is shown each command on its way. */
  readonly inspect?: CommandInspector | undefined;
  /** The number of the next command. */
  readonly nextId: () => number;
  /** Whether the next command may be read; looked at after each, and by {@linkcode BrokerLink.readOn}. */
  readonly mayRead: () => boolean;
  /** Takes each command that came, until the connection has ended. */
  readonly receive: (command: DataStructure) => void;
  /** Takes each message that could not be read and was skipped. */
  readonly unreadable: (dispatch: UnreadableDispatch) => void;
  /** Decides whether to connect again after bytes that could not be read and not be skipped. */
  readonly mayTryAgain: (error: ProtocolError) => boolean;
  /** Is told of a command that could not be encoded, and was not sent. */
  readonly refused: (command: DataStructure, error: EncodeError) => void;
}

/** What went over a connection so far. */
export type LinkTraffic = Omit<TrafficStats, "pendingRequests">;

/** Commands that may wait before keep-alives are answered no more. */
const MOST_ANSWERS = 256;

/** Milliseconds that the peer has to end the connection after it was told that no more comes. */
const LINGER = 1000;

/** One connection to a broker, from the first byte to the last. */
export class BrokerLink {
  /** Resolves with what ended it; undefined when it was closed here. */
  readonly closed: Promise<Error | undefined>;
  readonly #transport: Transport;
  readonly #format: OpenWireFormat;
  readonly #receive: (command: DataStructure) => void;
  readonly #mayRead: () => boolean;
  readonly #inspect: CommandInspector | undefined;
  readonly #deadlines: Deadlines;
  readonly #nextId: () => number;
  readonly #mayTryAgain: (error: ProtocolError) => boolean;
  readonly #decoder: OpenWireDecoderStream;
  readonly #encoder: OpenWireEncoderStream;
  readonly #outbox: Outbox;
  readonly #resolveClosed: (error: Error | undefined) => void;
  #failure: Error | undefined;
  #closing = false;
  #written = 0;
  /** Commands that could not be encoded. */
  #refused = 0;
  #received = 0;
  /** Reads on; there is one while nothing is read. */
  #readOn: (() => void) | undefined;
  #monitor: InactivityMonitor | undefined;
  /** Asks for signs of life, if the broker sends none by itself. */
  #probes: Probes | undefined;
  #checks: ReturnType<typeof setInterval> | undefined;

  constructor(options: BrokerLinkOptions) {
    const { transport, format, deadlines, receive, inspect, nextId, refused } = options;
    this.#mayTryAgain = options.mayTryAgain;
    const { promise, resolve } = Promise.withResolvers<Error | undefined>();
    this.closed = promise;
    this.#resolveClosed = resolve;
    this.#transport = transport;
    this.#format = format;
    this.#receive = receive;
    this.#mayRead = options.mayRead;
    this.#inspect = inspect;
    this.#deadlines = deadlines;
    this.#nextId = nextId;
    this.#decoder = new OpenWireDecoderStream(format, {
      unreadable: (dispatch) => {
        this.#received++;
        if (!this.#failure) options.unreadable(dispatch);
      },
    });
    const encoder = this.#encoder = new OpenWireEncoderStream(format, {
      refused: (command, error) => {
        this.#refused++;
        refused(command, error);
      },
    });
    this.#outbox = new Outbox(encoder.writable, (error) => this.fail(error));
    encoder.readable.pipeTo(transport.writable).catch((error) => this.fail(error));
    this.#read();
  }

  /** What has ended it, if it has ended. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Address of the broker. */
  get remoteAddress(): string {
    return this.#transport.remoteAddress;
  }

  /** How both sides write commands. */
  get format(): OpenWireFormat {
    return this.#format;
  }

  /** Number of commands that wait for the next write. */
  get waiting(): number {
    return this.#outbox.waiting;
  }

  /** Resolves when all that was sent so far was handed to the runtime, or never will be. */
  get emptied(): Promise<void> {
    return this.#outbox.emptied;
  }

  /** What went over it so far. */
  get traffic(): LinkTraffic {
    return {
      commandsSent: this.#written - this.#refused,
      commandsReceived: this.#received,
      bytesSent: this.#encoder.byteCount,
      bytesReceived: this.#decoder.byteCount,
    };
  }

  /** Says what we speak, and waits until the peer has said it too. */
  async negotiate(): Promise<WireFormatSettings> {
    this.push(this.#format.info());
    const settings = await this.#format.agreement;
    this.#watch(settings);
    return settings;
  }

  /**
   * Sends a command.
   *
   * @param command The command, with its number.
   * @param waited Whether somebody waits for it.
   * @returns Settles when it was handed to the runtime; need not be awaited.
   */
  push(command: DataStructure, waited = true): Promise<void> {
    this.#written++;
    this.#probes?.sent(command);
    this.#show(command, "sent");
    this.readOn();
    return this.#outbox.push(command, waited);
  }

  /** Reads what comes again, if it was not read and may be now. */
  readOn(): void {
    if (this.#readOn && this.#reads) this.#readOn();
  }

  /**
   * Sends what waits, tells the peer that no more comes, and gives it a moment to say the same.
   *
   * @param timeout Milliseconds after which the connection is ended in any case.
   */
  async close(timeout: number): Promise<void> {
    this.#closing = true;
    // Whether that was in time or not, the next step is the same.
    await this.#atMost(timeout, this.#outbox.close());
    await this.#atMost(LINGER, this.#transport.closed);
    this.fail(undefined);
  }

  /** Ends the connection at once. The first reason counts. */
  fail(reason: unknown): void {
    if (this.#failure) return;
    this.#failure = this.#closing
      ? new ConnectionClosedError("The connection was closed")
      : this.#endOf(reason);
    clearInterval(this.#checks);
    this.#format.fail(this.#failure);
    this.#outbox.fail(this.#failure);
    this.#transport.close(this.#failure);
    this.readOn();
    this.#resolveClosed(this.#closing ? undefined : this.#failure);
  }

  async #atMost(timeout: number, done: Promise<void>): Promise<void> {
    const late = (): Error => new Error("late");
    await inTime(done, { deadlines: this.#deadlines, timeout, late }).catch(() => {});
  }

  async #read(): Promise<void> {
    try {
      const reader = this.#transport.readable.pipeThrough(this.#decoder).getReader();
      while (true) {
        const { done, value } = await reader.read();
        if (done) break;
        // What comes after the end is of no connection.
        if (this.#failure) return;
        this.#take(value);
        // Not a look at each turn of a loop: whoever changes the answer says so.
        if (!this.#reads) await new Promise<void>((resolve) => this.#readOn = resolve);
        this.#readOn = undefined;
      }
      const message = `The broker closed the connection${this.#stall()}`;
      this.fail(new ConnectionClosedError(message, { retryable: true }));
    } catch (error) {
      this.fail(error);
    }
  }

  /** Whether what comes is read, if there is anything to come. */
  get #reads(): boolean {
    return this.#failure !== undefined || this.#mayRead();
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
      case "KeepAliveInfo":
        // To a peer that does not read, what waits already will be answer enough.
        if (command.responseRequired && this.#outbox.waiting < MOST_ANSWERS) {
          this.push({ ...command, responseRequired: false });
        }
        return;
      case "ShutdownInfo":
        // The broker ends the connection after this; whoever waits should know at once.
        return this.fail(
          new ConnectionClosedError("The broker is shutting down", { retryable: true }),
        );
      case "Response":
      case "ExceptionResponse":
        if (this.#probes?.answered(command.correlationId)) return;
        return this.#receive(command);
      default:
        this.#receive(command);
    }
  }

  #watch({ maxInactivityDuration, maxInactivityDurationInitialDelay }: WireFormatSettings): void {
    const start = performance.now();
    const { offer } = this.#format;
    // A peer that wants no keep-alives must end its frames, and answer, nevertheless.
    const asks = maxInactivityDuration === 0;
    const limit = maxInactivityDuration || offer.maxInactivityDuration;
    const delay = asks
      ? offer.maxInactivityDurationInitialDelay
      : maxInactivityDurationInitialDelay;
    const monitor = new InactivityMonitor(limit, delay, start);
    const frames = new FrameWatch(limit, start);
    if (limit === 0) return;
    if (asks) this.#probes = new Probes();
    else this.#monitor = monitor;
    const check = async (): Promise<void> => {
      const now = performance.now();
      const { byteCount, pendingByteCount } = this.#decoder;
      // The peer may be alive, and what it says not be read: nothing can be asked then, either.
      const paused = this.#readOn !== undefined;
      const slow = frames.check(now, byteCount, this.#received, pendingByteCount, paused);
      if (slow) return this.fail(new ConnectionClosedError(slow, { retryable: true }));
      const probe = paused ? undefined : this.#probes?.check(byteCount, this.#nextId);
      if (probe) this.push(probe);
      const verdict = monitor.check(now, byteCount, this.#written, paused);
      if (verdict === "keep-alive" && !asks) {
        this.push(createKeepAliveInfo({ commandId: this.#nextId() }));
      }
      if (verdict !== "suspect" || this.#probes?.conclusive === false) return;
      // What the peer sent may be here already and only not be read yet.
      const seen = this.#decoder.byteCount;
      await new Promise((resolve) => setTimeout(resolve, 0));
      if (this.#decoder.byteCount !== seen) return;
      const message = `Nothing came from the broker for ${limit} ms`;
      this.fail(new ConnectionClosedError(message, { retryable: true }));
    };
    this.#checks = setInterval(check, frames.interval);
  }

  /** The error for what ended a connection. */
  #endOf(reason: unknown): ConnectionClosedError {
    if (reason instanceof ConnectionClosedError) return reason;
    const own = toError(reason).message;
    const text = reason instanceof TransportError ? `${own}${this.#stall()}` : own;
    const retryable = !(reason instanceof ProtocolError) || this.#mayTryAgain(reason);
    const again = retryable ? "" : " again";
    return new ConnectionClosedError(`The connection broke${again}: ${text}`, {
      cause: reason,
      retryable,
    });
  }

  /** What to add to the news that the peer has ended the connection, when it had reason to. */
  #stall(): string {
    const blocked = this.#monitor?.blockedFor(performance.now()) ?? 0;
    if (blocked === 0) return "";
    const { maxInactivityDuration } = this.#format.settings;
    return `: the event loop was blocked and nothing was sent for ${
      Math.round(blocked)
    } ms, longer than the ${maxInactivityDuration} ms after which a silent peer is given up`;
  }
}
