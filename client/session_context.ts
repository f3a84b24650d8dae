/** What sessions, producers and consumers may use of their connection. */

import type { ConnectionId, ConsumerId, ProducerId } from "../codec/mod.ts";
import type { CallOptions } from "./call_options.ts";
import type { Command, Response } from "./commands.ts";
import type { Deadlines } from "./deadlines.ts";
import type { MessageConsumer } from "./message_consumer.ts";
import type { MessageProducer } from "./message_producer.ts";
import type { ConnectionSettings } from "./options.ts";
import type { Session } from "./session.ts";

/** What sessions, producers and consumers may use of their connection. */
export interface SessionContext {
  readonly connectionId: ConnectionId;
  /** JMS client id, and whether the user gave it. */
  readonly clientId: { readonly value: string; readonly given: boolean };
  readonly settings: ConnectionSettings;
  readonly deadlines: Deadlines;
  /** Whether consumers may give out messages: the connection was started. */
  started(): boolean;
  /** Sends a command and waits for the answer. */
  request(command: Command, action: string, options?: CallOptions): Promise<Response>;
  /** Sends a command that isn't answered; resolves when the runtime took it. */
  send(command: Command, action: string, options?: CallOptions): Promise<void>;
  addConsumer(consumer: MessageConsumer): void;
  removeConsumer(consumer: MessageConsumer): void;
  /** From now on the producer is told of ProducerAck. */
  addProducer(producer: MessageProducer): void;
  removeProducer(producer: MessageProducer): void;
  addSession(session: Session): void;
  removeSession(session: Session): void;
  nextTransactionId(): number;
  /** Tells of a failure that answers no call. */
  report(error: Error): void;
}

/** Text of the id of a producer or consumer, within its connection. */
export function idKey(id: ConsumerId | ProducerId): string {
  return `${id.sessionId}:${id.value}`;
}
