/**
 * One client's bytes: the codec and the inactivity monitor between a transport and the handler of commands.
 *
 * @module
 */

import {
  type BaseCommand,
  createBrokerId,
  createBrokerInfo,
  createConnectionError,
  createExceptionResponse,
  createKeepAliveInfo,
  type DataStructure,
  EncodeError,
  OpenWireDecoder,
  OpenWireEncoder,
  OpenWireFormat,
  type WireFormatOptions,
} from "../codec/mod.ts";
import type { Transport } from "../transport/mod.ts";
import type { BrokerIdentity } from "./broker_identity.ts";
import { CommandGate } from "./command_gate.ts";
import type { CommandHandler, Peer } from "./command_handler.ts";
import { toThrowable } from "./exceptions.ts";
import { InactivityMonitor } from "./inactivity_monitor.ts";
import {
  type CommandDirection,
  type InterceptAction,
  type InterceptedConnection,
  type Interceptors,
  refusal,
} from "./interception.ts";

/** Milliseconds that a client has to take what was sent last, and to close its side. */
const GRACE = 2000;

/** What a link is made of. */
export interface LinkParts {
  /** Its bytes. */
  readonly transport: Transport;
  /** What to offer to the client. */
  readonly wireFormat: WireFormatOptions;
  /** Whose link it is. */
  readonly identity: BrokerIdentity;
  /** Who may interfere. */
  readonly interceptors: Interceptors;
  /** Makes what handles the commands. */
  readonly makeHandler: (peer: Peer) => CommandHandler;
  /** Is called after each turn in which commands were handled. */
  readonly settled: () => void;
}

/** A client's link to the broker, from its first byte to its last. */
export class Link implements InterceptedConnection {
  /** Resolves when the link is gone; never rejects. */
  readonly done: Promise<void>;
  readonly #transport: Transport;
  readonly #identity: BrokerIdentity;
  readonly #handler: CommandHandler;
  readonly #interceptors: Interceptors;
  readonly #incoming: CommandGate = new CommandGate(() => this.#settled(), () => void this.close());
  readonly #outgoing: CommandGate = new CommandGate(() => {}, () => void this.close());
  readonly #settled: () => void;
  readonly #format: OpenWireFormat;
  readonly #encoder: OpenWireEncoder;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #monitor: InactivityMonitor;
  #introduced = false;
  #flushing = false;
  #ending = false;
  #grace: ReturnType<typeof setTimeout> | undefined;

  constructor({ transport, wireFormat, identity, interceptors, makeHandler, settled }: LinkParts) {
    this.#transport = transport;
    this.#identity = identity;
    this.#interceptors = interceptors;
    this.#settled = settled;
    this.#format = new OpenWireFormat(wireFormat);
    // As ActiveMQ and Artemis: they heed no limit of the client.
    const { maxFrameSize } = this.#format.offer;
    this.#encoder = new OpenWireEncoder(this.#format, { maxFrameSize });
    this.#writer = transport.writable.getWriter();
    this.#writer.closed.catch(() => {}); // the reading side notices, too
    this.#monitor = new InactivityMonitor({
      keepAlive: () => this.#send(createKeepAliveInfo()),
      dead: () => transport.close(),
    });
    this.#handler = makeHandler({
      address: transport.remoteAddress,
      send: (command, request) => this.#send(command, request),
      end: () => this.end(),
    });
    this.done = this.#run();
  }

  /** Address of the client. */
  get remoteAddress(): string {
    return this.#transport.remoteAddress;
  }

  /** Id of the client, once it has introduced itself. */
  get clientId(): string | null {
    return this.#handler.clientId;
  }

  /** Sends a command that nobody asked for. */
  send(command: BaseCommand): void {
    this.#send(command);
  }

  /** Ends the link after all that was sent. The client may close its side first, for a while. */
  end(): void {
    if (this.#ending) return;
    this.#flush();
    this.#ending = true;
    this.#monitor.stop();
    this.#writer.close().catch(() => {});
    this.#grace = setTimeout(() => this.#transport.close(), GRACE);
  }

  /** Ends the link now, but for what was sent. */
  async close(): Promise<void> {
    this.end();
    await Promise.race([this.#writer.closed.catch(() => {}), this.done]);
    this.#transport.close();
    await this.done;
  }

  async #run(): Promise<void> {
    const decoder = new OpenWireDecoder(this.#format);
    this.#send(this.#format.info());
    this.#monitor.startWaiting(this.#format.offer.maxInactivityDuration);
    try {
      const reader = this.#transport.readable.getReader();
      for (let next; !(next = await reader.read()).done;) {
        this.#monitor.noteRead();
        decoder.pushTo(next.value!, (command) => this.#receive(command));
        this.#settled();
        if (this.#incoming.held !== undefined) await this.#hold(this.#incoming.held);
      }
      this.end();
    } catch {
      // Lost, closed by us, or bytes that can't be decoded: ActiveMQ closes without a word then.
      void this.close();
    }
    this.#incoming.close();
    this.#handler.leave();
    this.#settled();
    await this.#transport.closed;
    this.#outgoing.close();
    this.#ending = true;
    this.#monitor.stop();
    clearTimeout(this.#grace);
  }

  /** Reads no more while a command waits. */
  async #hold(held: Promise<void>): Promise<void> {
    this.#monitor.busy = true;
    await Promise.race([held, this.#transport.closed]);
    this.#monitor.busy = false;
  }

  #receive(command: DataStructure): void {
    if (this.#ending) return;
    if (command.dataType === "WireFormatInfo") return this.#introduce();
    if (!isCommand(command)) throw new TypeError(`${command.dataType} is no command`);
    this.#incoming.push(() =>
      this.#intercept(command, "from-client", undefined, () => {
        if (command.dataType !== "KeepAliveInfo") return this.#handler.handle(command);
        if (command.responseRequired) this.#send({ ...command, responseRequired: false });
      })
    );
  }

  /** Lets the interceptors say what becomes of a command; `pass` does what should without them. */
  #intercept(
    command: BaseCommand,
    direction: CommandDirection,
    request: BaseCommand | undefined,
    pass: () => void | Promise<void>,
  ): void | Promise<void> {
    if (this.#ending) return;
    let action: InterceptAction | undefined;
    try {
      action = this.#interceptors.decide(command, { direction, connection: this, request });
    } catch {
      // It may be another client's command that makes us send this one: the mistake must not be his.
      action = "close";
    }
    if (action === undefined) return pass();
    if (action === "drop") return;
    if (action === "close") return void this.close();
    if ("delay" in action) {
      return this.#interceptors.wait(action.delay).then(() => this.#ending ? undefined : pass());
    }
    const exception = toThrowable(refusal(action));
    const correlationId = direction === "from-client" ? answered(command) : answers(command);
    const refused = correlationId === undefined
      ? createConnectionError({ exception })
      : createExceptionResponse({ correlationId, exception });
    if (direction === "to-client") this.#write(refused);
    else this.#send(refused, command);
  }

  #introduce(): void {
    if (this.#introduced) return;
    this.#introduced = true;
    const { id, name, url } = this.#identity;
    this.#monitor.start(this.#format.settings);
    this.#send(createBrokerInfo({
      brokerId: createBrokerId({ value: id }),
      brokerName: name,
      brokerURL: url,
    }));
  }

  /** Sends a command, unless somebody interferes. */
  #send(command: DataStructure, request?: BaseCommand): void {
    if (this.#ending) return;
    if (this.#interceptors.none && this.#outgoing.held === undefined || !isCommand(command)) {
      return this.#write(command);
    }
    const write = () => this.#write(command);
    this.#outgoing.push(() => this.#intercept(command, "to-client", request, write));
  }

  /** Commands of one turn leave together. */
  #write(command: DataStructure): void {
    if (this.#ending) return;
    try {
      this.#encoder.write(command);
    } catch (error) {
      if (!(error instanceof EncodeError)) throw error;
      // As with ActiveMQ: a client for which a command can't be written is disconnected.
      return void this.close();
    }
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    this.#flushing = false;
    if (this.#ending) return;
    const bytes = this.#encoder.take();
    if (bytes.length === 0) return;
    this.#monitor.noteWrite();
    this.#writer.write(bytes).catch(() => {});
  }
}

function isCommand(command: DataStructure): command is BaseCommand {
  return "commandId" in command && "responseRequired" in command;
}

/** The number under which a command wants to be answered. */
function answered({ commandId, responseRequired }: BaseCommand): number | undefined {
  return responseRequired ? commandId : undefined;
}

/** The number of the command that an answer is for. */
function answers(command: BaseCommand): number | undefined {
  return "correlationId" in command && typeof command.correlationId === "number"
    ? command.correlationId
    : undefined;
}
