/**
 * What one client has opened: its sessions with their producers and consumers, and its temporary destinations.
 *
 * @module
 */

import type {
  ActiveMQDestination,
  ConnectionInfo,
  ConsumerId,
  Long,
  Message,
  ProducerId,
  ProducerInfo,
} from "../codec/mod.ts";
import { qualifiedName } from "./destinations.ts";
import type { BrokerState } from "./broker.ts";
import { ClientTransactions } from "./client_transactions.ts";
import type { AnySubscription } from "./destination_registry.ts";
import { illegalState, required } from "./exceptions.ts";
import { memberKey } from "./messages.ts";

interface Session {
  readonly producers: Map<string, ProducerInfo>;
  readonly consumers: Map<string, AnySubscription>;
}

/** The session that every connection has without asking, for consumers of its own. */
const OWN_SESSION = "-1";

/** One connection's state (Java: ConnectionState). */
export class ClientConnection {
  /** How the client introduced itself. */
  readonly info: ConnectionInfo;
  /** The transactions that it began. */
  readonly transactions: ClientTransactions;
  readonly #broker: BrokerState;
  readonly #sessions: Map<string, Session> = new Map();
  readonly #lastSequences: Map<string, Long> = new Map();
  readonly #temporary: Map<string, ActiveMQDestination> = new Map();

  constructor(info: ConnectionInfo, broker: BrokerState) {
    this.info = info;
    this.#broker = broker;
    this.transactions = new ClientTransactions(
      required(info.connectionId, "connectionId").value ?? "",
      broker.transactions,
    );
    this.addSession(OWN_SESSION);
  }

  /** Opens a session; one that is open stays. */
  addSession(id: Long | string): void {
    if (this.#sessions.has(String(id))) return;
    this.#sessions.set(String(id), { producers: new Map(), consumers: new Map() });
  }

  /** Closes a session with all that is in it. */
  removeSession(id: Long | string, lastDelivered: Long): void {
    const session = this.#session(id, "remove session");
    for (const consumer of session.consumers.values()) {
      this.#broker.unsubscribe(consumer, lastDelivered);
    }
    for (const producer of session.producers.values()) this.#broker.removeProducer(producer);
    this.#sessions.delete(String(id));
  }

  /** Opens a producer; one that is open stays. */
  addProducer(id: ProducerId, info: ProducerInfo): void {
    const { producers } = this.#session(id.sessionId, "add a producer to");
    if (producers.has(memberKey(id))) return;
    producers.set(memberKey(id), info);
    this.#broker.addProducer(info);
  }

  /** A producer that is open. */
  producer(id: ProducerId): ProducerInfo | undefined {
    return this.#sessions.get(String(id.sessionId))?.producers.get(memberKey(id));
  }

  /** Closes a producer. */
  removeProducer(id: ProducerId): void {
    const { producers } = this.#session(id.sessionId, "remove a producer from");
    const info = producers.get(memberKey(id));
    if (info === undefined) {
      throw illegalState(
        `Cannot remove a producer that had not been registered: ${memberKey(id)}`,
      );
    }
    producers.delete(memberKey(id));
    this.#broker.removeProducer(info);
  }

  /** Opens a consumer; one that is open stays. */
  addConsumer(id: ConsumerId, make: () => AnySubscription): void {
    const { consumers } = this.#session(id.sessionId, "add a consumer to");
    if (consumers.has(memberKey(id))) return;
    consumers.set(memberKey(id), make());
  }

  /** A consumer that is open. */
  consumer(id: ConsumerId): AnySubscription | undefined {
    return this.#sessions.get(String(id.sessionId))?.consumers.get(memberKey(id));
  }

  /** Closes a consumer. */
  removeConsumer(id: ConsumerId, lastDelivered: Long): void {
    const { consumers } = this.#session(id.sessionId, "remove a consumer from");
    const subscription = consumers.get(memberKey(id));
    if (subscription === undefined) {
      throw illegalState(
        `Cannot remove a consumer that had not been registered: ${memberKey(id)}`,
      );
    }
    consumers.delete(memberKey(id));
    this.#broker.unsubscribe(subscription, lastDelivered);
  }

  /** Notes a temporary destination, which goes with the connection. */
  addTemporary(destination: ActiveMQDestination): void {
    this.#temporary.set(qualifiedName(destination), destination);
  }

  /** Forgets a temporary destination. */
  removeTemporary(destination: ActiveMQDestination): void {
    this.#temporary.delete(qualifiedName(destination));
  }

  /**
   * Whether a message is a copy of one that came over an earlier link. Only those of a connection that came back are
   * looked at, and only persistent ones (Java: ProducerBrokerExchange).
   */
  isDuplicate(id: ProducerId, { persistent, messageId }: Message): boolean {
    if (!this.info.failoverReconnect || !persistent) return false;
    const key = memberKey(id);
    const last = this.#lastSequences.get(key) ?? this.#broker.lastSequence(id);
    const sequence = required(messageId, "messageId").producerSequenceId;
    if (sequence <= last) return true;
    this.#lastSequences.set(key, sequence);
    return false;
  }

  /** Closes everything. */
  close(lastDelivered: Long): void {
    for (const id of [...this.#sessions.keys()]) this.removeSession(id, lastDelivered);
    for (const destination of this.#temporary.values()) {
      this.#broker.destinations.remove(destination, true);
    }
    this.#temporary.clear();
    this.transactions.close();
  }

  #session(id: Long | string, purpose: string): Session {
    const session = this.#sessions.get(String(id));
    if (session !== undefined) return session;
    const name = `${this.info.connectionId?.value}:${id}`;
    throw illegalState(
      purpose === "remove session"
        ? `Cannot remove session that had not been registered: ${name}`
        : `Cannot ${purpose} a session that had not been registered: ${name}`,
    );
  }
}
