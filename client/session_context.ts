/** What sessions, producers and consumers may use of their connection. */

import type { BrokerClock } from "./broker_clock.ts";
import type {
  ActiveMQDestination,
  ConnectionId,
  ConsumerId,
  ProducerId,
  ProducerInfo,
  TransactionId,
  WireFormatSettings,
} from "../codec/mod.ts";
import type { BrokerCapabilities } from "./capabilities.ts";
import type { CallOptions } from "./call_options.ts";
import type { Command, Response } from "./link/commands.ts";
import type { Deadlines } from "./deadlines.ts";
import type { MessageConsumer } from "./consumer/message_consumer.ts";
import type { Logger } from "./observe/logger.ts";
import type { Observer } from "./observe/observer.ts";
import type { MessageCounters } from "./observe/stats.ts";
import type { ConnectionSettings } from "./options.ts";
import type { AsyncSends } from "./producer/async_sends.ts";
import type { PendingSends } from "./producer/pending_sends.ts";
import type { ReadGate } from "./link/read_gate.ts";
import type { Session } from "./session.ts";
import type { ConnectionStatus } from "./status.ts";
import type { SharedSubscriptions } from "./subscription/shared_subscriptions.ts";

/** What a connection and a session know of a producer. */
export interface ProducerMember {
  readonly id: string;
  /** Bytes in its window. */
  readonly bufferedAmount: number;
  /** The broker has taken a message that asked for no answer. */
  acknowledged(): void;
  /** The broker may have lost messages that asked for no answer. */
  windowLost(): void;
  /** Resolves when all that was to be sent is on its way, or has failed. */
  flush(): Promise<void>;
  /** The connection was lost, and another one will take its place. */
  interrupted(): void;
  /** What the broker of another connection has to know of it. */
  readonly info: ProducerInfo;
  /** The broker of another connection does not take it. */
  refused(reason: Error): void;
  end(reason: Error): void;
}

/** What sessions, producers and consumers may use of their connection. */
export interface SessionContext {
  readonly connectionId: ConnectionId;
  /** JMS client id, and whether the user gave it. */
  readonly clientId: { readonly value: string; readonly given: boolean };
  readonly settings: ConnectionSettings;
  readonly deadlines: Deadlines;
  readonly counters: MessageCounters;
  /** The broker's clock, as far as messages tell of it. */
  readonly clock: BrokerClock;
  /** Messages whose sending has not ended. */
  readonly pendingSends: PendingSends;
  /** Messages and acknowledgements that asked for no answer. */
  readonly asyncSends: AsyncSends;
  /** Is told what happens, if there is one. */
  readonly log: Logger | undefined;
  /** Has the connection read nothing for a while. */
  readonly readGate: ReadGate;
  /** Calls the user's hooks, if there are any. */
  readonly observer: Observer | undefined;
  /** What was negotiated with the broker. */
  wireFormat(): WireFormatSettings;
  /** Whether consumers may give out messages: the connection was started. */
  started(): boolean;
  /** Whether the broker says that another may take its place. */
  faultTolerant(): boolean;
  /** What the broker can do. */
  capabilities(): BrokerCapabilities;
  /** Sends a command and waits for the answer. */
  request(command: Command, action: string, options?: CallOptions): Promise<Response>;
  /** Sends a command that isn't answered; resolves when the runtime took it. */
  send(command: Command, action: string, options?: CallOptions): Promise<void>;
  /** The same for senders that need not know when it left: resolves at once while the broker keeps up. */
  post(command: Command, action: string, options?: CallOptions): Promise<void>;
  /** Resolves when all that was sent so far was handed to the runtime, or never will be. */
  emptied(): Promise<void>;
  /** Those that are open. */
  consumers(): Iterable<MessageConsumer>;
  /**
   * Refuses a destination that this connection can't consume from.
   *
   * @throws {OpenWireError} `"INVALID_DESTINATION"`
   */
  checkConsumable(destination: ActiveMQDestination): void;
  addConsumer(consumer: MessageConsumer): void;
  removeConsumer(consumer: MessageConsumer): void;
  /** From now on the producer is told of ProducerAck. */
  addProducer(producer: ProducerMember): void;
  removeProducer(producer: ProducerMember): void;
  addSession(session: Session): void;
  removeSession(session: Session): void;
  nextTransactionId(): number;
  /** Whether all that was sent in a transaction would be sent again over another connection. */
  holds(transaction: TransactionId): boolean;
  /** Nothing of a transaction is sent again. */
  giveUp(transaction: TransactionId): void;
  /** Emits a status. */
  publish(status: ConnectionStatus): void;
  /** What consumers have in common. */
  readonly sharedSubscriptions: SharedSubscriptions;
  /** Tells of a failure that answers no call. */
  report(error: Error): void;
}

/** Text of the id of a producer or consumer, within its connection. */
export function idKey(id: ConsumerId | ProducerId): string {
  return `${id.sessionId}:${id.value}`;
}
