/**
 * One client's bytes: the codec and the inactivity monitor between a transport and the handler of commands.
 *
 * @module
 */

import {
  type BaseCommand,
  createBrokerId,
  createBrokerInfo,
  createKeepAliveInfo,
  type DataStructure,
  EncodeError,
  OpenWireDecoder,
  OpenWireEncoder,
  OpenWireFormat,
  type WireFormatOptions,
} from "../codec/mod.ts";
import type { Transport } from "../transport/mod.ts";
import type { CommandHandler, Peer } from "./command_handler.ts";
import { InactivityMonitor } from "./inactivity_monitor.ts";

/** Milliseconds that a client has to take what was sent last, and to close its side. */
const GRACE = 2000;

/** What a link tells of the broker. */
export interface BrokerIdentity {
  /** Unique id. */
  readonly id: string;
  /** Name. */
  readonly name: string;
  /** Address. */
  readonly url: string;
}

/** A client's link to the broker, from its first byte to its last. */
export class Link {
  /** Resolves when the link is gone; never rejects. */
  readonly done: Promise<void>;
  readonly #transport: Transport;
  readonly #identity: BrokerIdentity;
  readonly #handler: CommandHandler;
  readonly #settled: () => void;
  readonly #format: OpenWireFormat;
  readonly #encoder: OpenWireEncoder;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #monitor: InactivityMonitor;
  #introduced = false;
  #flushing = false;
  #ending = false;
  #grace: ReturnType<typeof setTimeout> | undefined;

  /** `settled` is called after each turn in which commands were handled. */
  constructor(
    transport: Transport,
    wireFormat: WireFormatOptions,
    identity: BrokerIdentity,
    makeHandler: (peer: Peer) => CommandHandler,
    settled: () => void,
  ) {
    this.#transport = transport;
    this.#identity = identity;
    this.#settled = settled;
    this.#format = new OpenWireFormat(wireFormat);
    this.#encoder = new OpenWireEncoder(this.#format);
    this.#writer = transport.writable.getWriter();
    this.#writer.closed.catch(() => {}); // the reading side notices, too
    this.#monitor = new InactivityMonitor({
      keepAlive: () => this.#send(createKeepAliveInfo()),
      dead: () => transport.close(),
    });
    this.#handler = makeHandler({
      address: transport.remoteAddress,
      send: (command) => this.#send(command),
      end: () => this.end(),
    });
    this.done = this.#run();
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
      }
      this.end();
    } catch {
      // Lost, closed by us, or bytes that can't be decoded: ActiveMQ closes without a word then.
      void this.close();
    }
    this.#handler.leave();
    this.#settled();
    await this.#transport.closed;
    this.#ending = true;
    this.#monitor.stop();
    clearTimeout(this.#grace);
  }

  #receive(command: DataStructure): void {
    if (this.#ending) return;
    if (command.dataType === "WireFormatInfo") return this.#introduce();
    if (!isCommand(command)) throw new TypeError(`${command.dataType} is no command`);
    if (command.dataType !== "KeepAliveInfo") return this.#handler.handle(command);
    if (command.responseRequired) this.#send({ ...command, responseRequired: false });
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

  /** Commands of one turn leave together. */
  #send(command: DataStructure): void {
    if (this.#ending) return;
    try {
      this.#encoder.write(command);
    } catch (error) {
      if (!(error instanceof EncodeError)) throw error;
      // As with ActiveMQ: a client that can't take what it asked for is disconnected.
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
