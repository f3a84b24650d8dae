/**
 * The way to a broker, whichever it is at the moment: made, lost and made again. It knows the connection as the owner of what
 * has to be opened again, and nothing of messages.
 */

import {
  type BrokerInfo,
  type ConnectionControl,
  type ConnectionId,
  createConnectionControl,
  createConnectionInfo,
  type DataStructure,
  type OpenWireFormat,
  type ProtocolError,
  type UnreadableDispatch,
} from "../codec/mod.ts";
import { OpenWireError, toError } from "../errors.ts";
import type { Transport } from "../transport/mod.ts";
import { brokerKindOf } from "./capabilities.ts";
import type { Connector, Speaker } from "./connector.ts";
import type { Deadlines } from "./deadlines.ts";
import { ConnectionClosedError } from "./errors.ts";
import type { ResolvedFailover } from "./failover/failover_options.ts";
import { type Refusal, restore, type State } from "./failover/restore.ts";
import { toHandshakeError } from "./handshake_error.ts";
import { BrokerLink, type LinkTraffic } from "./link/broker_link.ts";
import { CommandChannel, type ReplayOptions } from "./link/command_channel.ts";
import type { Command, Response } from "./link/commands.ts";
import type { CommandInspector, Credentials } from "./options.ts";
import { waitFor } from "./time_limit.ts";
import type { BrokerTarget } from "./url/broker_url.ts";

/** What is told, and asked, of the connection. */
export interface UpstreamOwner {
  /** Whether what comes from the broker that is in use may be read now. */
  mayRead(): boolean;
  /** Takes each command of the broker that is in use, or about to be. */
  receive(command: DataStructure): void;
  /** Takes each message of that broker that cannot be read. */
  unreadable(dispatch: UnreadableDispatch): void;
  /** What is open. */
  state(): State;
  /** What was open was refused by the next broker. */
  refused(refusals: readonly Refusal[]): void;
  /** A broker has accepted the connection, the first one or another. */
  connected(resumed: boolean): void;
  /** What came over the connection to a broker counts no more; may be called several times in a row. */
  interrupted(): void;
  /** The connection to a broker was lost; another one is looked for. */
  lost(error: Error): void;
  /** All brokers were tried in vain. */
  failed(attempts: number, error: Error): void;
  /** There will be no connection any more. */
  ended(error: Error | undefined): void;
}

/** What {@linkcode Upstream} needs. */
export interface UpstreamOptions {
  readonly connector: Connector;
  readonly connectionId: ConnectionId;
  readonly clientId: string;
  readonly deadlines: Deadlines;
  readonly inspect: CommandInspector | undefined;
  readonly owner: UpstreamOwner;
}

/** Milliseconds after which a connection counts as one that has lasted. */
const SHORT = 1000;

/**
 * Milliseconds that Artemis is given to clear away a lost connection: it does that by the names of its temporary destinations,
 * and would take those that the next connection has made under the same names.
 */
const ARTEMIS_PAUSE = 250;

/** Connections that were lost before long, one after another, after which the next offers nothing but plain frames. */
const MOST_SHORT = 3;

/** Kinds of unreadable bytes that are remembered. */
const MOST_BROKEN = 1000;

/** The connection to one broker after another. */
export class Upstream implements Speaker {
  /** The way of commands. */
  readonly channel: CommandChannel;
  readonly #options: UpstreamOptions;
  readonly #connector: Connector;
  /** The connection that is in use, or was the last, or is being made. */
  #link: BrokerLink | undefined;
  /** What brokers have said of themselves, those in reserve too. */
  readonly #brokerInfos: WeakMap<BrokerLink, BrokerInfo> = new WeakMap();
  #brokerInfo: BrokerInfo | undefined;
  /** What went over those that were lost. */
  #traffic: LinkTraffic = { commandsSent: 0, commandsReceived: 0, bytesSent: 0, bytesReceived: 0 };
  /** The broker that has accepted last. */
  #broker: BrokerTarget | undefined;
  /** When that was, by `performance.now()`. */
  #since = 0;
  /** How often in a row it was lost before long. */
  #losses = 0;
  #reconnections = 0;
  /** What was wrong with bytes that ended a connection, offsets left out. */
  readonly #broken: Set<string> = new Set();
  /** Ends the search for another broker. */
  #search: AbortController | undefined;
  /** Whether it is not to be replaced any more. */
  #closing = false;
  #ended = false;

  constructor(options: UpstreamOptions) {
    this.#options = options;
    this.#connector = options.connector;
    const { reconnects, settings: { failover } } = options.connector;
    const replay = reconnects && failover ? toReplay(failover) : undefined;
    this.channel = new CommandChannel(options.deadlines, replay);
  }

  /** The connection that is in use, or was the last. */
  get link(): BrokerLink | undefined {
    return this.#link;
  }

  /** Whether a broker has ever accepted. */
  get standing(): boolean {
    return this.#broker !== undefined;
  }

  /** What the broker said of itself. */
  get brokerInfo(): BrokerInfo | undefined {
    return this.#brokerInfo;
  }

  /** What went over all connections so far. */
  get traffic(): LinkTraffic {
    return addTraffic(this.#traffic, this.#link?.traffic);
  }

  /** How often a lost connection was replaced. */
  get reconnections(): number {
    return this.#reconnections;
  }

  /** Makes the first connection. */
  async open(): Promise<void> {
    await this.#connector.connect(this, () => this.#moveToPriority());
  }

  async negotiate(
    transport: Transport,
    format: OpenWireFormat,
    signal: AbortSignal,
    secure: boolean,
  ): Promise<BrokerLink> {
    const { deadlines, inspect } = this.#options;
    const link: BrokerLink = new BrokerLink({
      transport,
      format,
      deadlines,
      inspect,
      nextId: () => this.channel.nextId(),
      mayRead: () =>
        link !== this.#link || !this.channel.connected || this.#options.owner.mayRead(),
      receive: (command) => this.#receive(command, link),
      unreadable: (dispatch) => {
        if (link === this.#link) this.#options.owner.unreadable(dispatch);
      },
      mayTryAgain: (error) => this.#mayTryAgain(error, format),
      refused: (command, error) => this.channel.refuse(command as Command, error),
    });
    link.closed.then((error) => this.#linkEnded(link, error));
    // The first one is of use for errors even if it fails.
    this.#link ??= link;
    await this.#unlessAborted(link, signal, () => link.negotiate(), secure);
    return link;
  }

  async introduce(
    link: BrokerLink,
    broker: BrokerTarget,
    { username, password }: Credentials,
    signal: AbortSignal,
  ): Promise<void> {
    if (this.#link !== link) {
      this.#traffic = this.traffic;
      this.#link = link;
    }
    this.#brokerInfo = this.#brokerInfos.get(link) ?? this.#brokerInfo;
    const request = (command: Command, action: string): Promise<Response> =>
      this.channel.requestOn(link, command, { timeout: 0, signal, action });
    await this.#unlessAborted(link, signal, async () => {
      const { connectionId, clientId } = this.#options;
      const faultTolerant = this.#connector.reconnects;
      // What is restored must not be overtaken.
      if (faultTolerant) link.push(createConnectionControl({ faultTolerant }));
      const info = createConnectionInfo({
        connectionId,
        clientId,
        userName: username ?? null,
        password: password ?? null,
        manageable: true,
        clientMaster: true,
        faultTolerant,
        failoverReconnect: this.standing,
      });
      await request(info, `Cannot connect to ${link.remoteAddress}`);
      if (this.standing) await this.#restore(request, signal);
      if (link.failure) throw link.failure;
    });
    this.#use(link, broker);
  }

  /** Tells the broker that no more comes, and ends the connection. */
  async close(timeout: number): Promise<void> {
    if (this.channel.connected) await this.#link!.close(timeout);
  }

  /** Whether a connection that is lost from now on is not replaced. */
  stopReplacing(): void {
    this.#closing = true;
  }

  /** Ends it all at once. */
  end(reason: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#search?.abort(reason);
    this.#connector.close(reason);
    this.#link?.fail(reason);
    this.channel.end(reason);
  }

  /** A broker tells of others, or sends us to them. */
  follow({ connectedBrokers, reconnectTo, rebalanceConnection }: ConnectionControl): void {
    const { settings: { failover }, reconnects } = this.#connector;
    const from = this.#broker;
    if (!reconnects || !failover || !from || !this.channel.connected) return;
    if (reconnectTo && failover.reconnectSupported) {
      if (this.#connector.redirected(reconnectTo, from)) {
        this.#leave("The broker sends us to another");
      }
    } else if (connectedBrokers && failover.updateURIsSupported) {
      const changed = this.#connector.pushed(connectedBrokers, from);
      if (changed && rebalanceConnection && failover.rebalanceUpdateURIs) {
        this.#leave("The broker asks us to choose anew");
      }
    }
  }

  #moveToPriority(): void {
    this.#leave("A broker that is to be preferred is there again");
  }

  /** Gives a connection up for another. */
  #leave(reason: string): void {
    if (!this.channel.connected) return;
    this.#link!.fail(new ConnectionClosedError(reason, { retryable: true }));
  }

  #receive(command: DataStructure, link: BrokerLink): void {
    if (command.dataType === "BrokerInfo") this.#brokerInfos.set(link, command);
    if (link !== this.#link) return;
    if (command.dataType === "BrokerInfo") this.#brokerInfo = command;
    this.#options.owner.receive(command);
  }

  /**
   * Whether another connection may do better after bytes that could not be read. Without the cache and with sizes, which both
   * depend on all bytes before, it may; else once more, because the broker sends a message again that was not settled.
   */
  #mayTryAgain({ message }: ProtocolError, { negotiated, settings }: OpenWireFormat): boolean {
    if (!negotiated) return false;
    if (settings.cacheEnabled || settings.sizePrefixDisabled) {
      this.#connector.simplifyWireFormat();
      return true;
    }
    const problem = message.replace(/ at offset \d+/, "");
    if (this.#broken.has(problem)) return false;
    if (this.#broken.size >= MOST_BROKEN) this.#broken.clear();
    this.#broken.add(problem);
    return true;
  }

  /** One step of making a connection. */
  async #unlessAborted(
    link: BrokerLink,
    signal: AbortSignal,
    step: () => Promise<unknown>,
    secure = false,
  ): Promise<void> {
    const abort = (): void => link.fail(signal.reason);
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
    try {
      await step();
    } catch (error) {
      link.fail(error);
      if (this.standing && this.#link === link) this.#options.owner.interrupted();
      if (signal.aborted) throw signal.reason;
      const action = `Cannot connect to ${link.remoteAddress}`;
      const { format: { negotiated }, traffic: { bytesReceived } } = link;
      throw toHandshakeError(action, error, { negotiated, bytesReceived, secure });
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  /** From now on all goes over a connection that stands. */
  #use(link: BrokerLink, broker: BrokerTarget): void {
    const resumed = this.standing;
    this.#broker = broker;
    this.#since = performance.now();
    this.channel.attach(link);
    if (resumed) this.#reconnections++;
    this.#options.owner.connected(resumed);
  }

  /** Opens again what was open. */
  async #restore(
    request: (command: Command, action: string) => Promise<Response>,
    signal: AbortSignal,
  ): Promise<void> {
    const { owner } = this.#options;
    if (brokerKindOf(this.#brokerInfo) === "artemis") {
      if (owner.state().temporaryDestinations.length > 0) await waitFor(ARTEMIS_PAUSE, signal);
    }
    owner.refused(await restore(owner.state(), request));
  }

  /** A connection to a broker has ended, which may be one that was never in use. */
  #linkEnded(link: BrokerLink, error: Error | undefined): void {
    if (link !== this.#link || !this.channel.connected || this.#ended) return;
    const { owner } = this.#options;
    const final = error === undefined || !this.#connector.reconnects || this.#closing ||
      (error instanceof OpenWireError && !error.retryable);
    if (final) return owner.ended(error);
    owner.interrupted();
    this.channel.detach();
    owner.lost(error);
    this.#reconnect();
  }

  /** Replaces a connection that was lost. */
  async #reconnect(): Promise<void> {
    // A broker that accepts and leaves at once must not be asked again and again without a pause.
    const wasShort = performance.now() - this.#since < SHORT;
    this.#losses = wasShort ? this.#losses + 1 : 0;
    // ActiveMQ closes the connection each time that it fails to write a message in tight encoding.
    if (this.#losses >= MOST_SHORT) this.#connector.simplifyWireFormat();
    const search = this.#search = new AbortController();
    const { owner } = this.#options;
    try {
      await this.#connector.reconnect({
        from: this.#broker,
        failed: this.#losses,
        signal: search.signal,
        passed: (attempts, error) => owner.failed(attempts, error),
      });
    } catch (error) {
      owner.ended(toError(error));
    } finally {
      this.#search = undefined;
    }
  }
}

function toReplay(failover: ResolvedFailover): ReplayOptions {
  const { replaySends, timeout, trackMessages, maxCacheSize, maxTransactionSize } = failover;
  return {
    replaySends,
    timeout,
    maxCacheSize: trackMessages ? maxCacheSize : 0,
    maxTransactionSize,
  };
}

function addTraffic(before: LinkTraffic, more: LinkTraffic | undefined): LinkTraffic {
  if (!more) return before;
  return {
    commandsSent: before.commandsSent + more.commandsSent,
    commandsReceived: before.commandsReceived + more.commandsReceived,
    bytesSent: before.bytesSent + more.bytesSent,
    bytesReceived: before.bytesReceived + more.bytesReceived,
  };
}
