/**
 * What a client opens and closes: connections, and what belongs to them.
 *
 * @module
 */

import {
  type BaseCommand,
  type ConnectionInfo,
  type ConsumerId,
  type ConsumerInfo,
  createConnectionControl,
  type DestinationInfo,
  type Long,
  type ProducerInfo,
  type RemoveInfo,
  type SessionInfo,
} from "../codec/mod.ts";
import type { BrokerState } from "./broker.ts";
import { ClientConnection } from "./client_connection.ts";
import { type ClientLink, type ClientRegistry, connectionKey } from "./client_registry.ts";
import type { AnySubscription } from "./destination_registry.ts";
import { isTemporary, parts } from "./destinations.ts";
import { BrokerException, illegalState, required, unsupported } from "./exceptions.ts";
import { LastDelivered } from "./queue.ts";

const ADD = 0;
const REMOVE = 1;

/** The connections of one link; a client has one, as a rule. */
export class ClientMembers {
  readonly #broker: BrokerState;
  readonly #clients: ClientRegistry;
  readonly #send: (command: BaseCommand) => void;
  readonly #connections: Map<string, ClientConnection> = new Map();

  constructor(
    broker: BrokerState,
    clients: ClientRegistry,
    send: (command: BaseCommand) => void,
  ) {
    this.#broker = broker;
    this.#clients = clients;
    this.#send = send;
  }

  /** Id of the client, once it is in. */
  get clientId(): string | null {
    for (const { info } of this.#connections.values()) return info.clientId;
    return null;
  }

  /** A connection that is open. */
  find(id: string | null | undefined): ClientConnection | undefined {
    return this.#connections.get(String(id));
  }

  /** A connection that has to be open. */
  connection(id: string | null | undefined, purpose: string): ClientConnection {
    const connection = this.#connections.get(String(id));
    if (connection !== undefined) return connection;
    throw illegalState(`Cannot ${purpose} a connection that had not been registered: ${id}`);
  }

  /** A consumer that is open. */
  consumer(id: ConsumerId): AnySubscription | undefined {
    return this.find(id.connectionId)?.consumer(id);
  }

  /** Lets a client in. */
  addConnection(info: ConnectionInfo, link: ClientLink): void {
    this.#clients.add(info, link);
    this.#connections.set(connectionKey(info), new ClientConnection(info, this.#broker));
    this.#broker.advisories.connectionOpened(info, link.address);
    if (info.manageable) {
      this.#send(createConnectionControl({ connectedBrokers: "", reconnectTo: "" }));
    }
  }

  /** Opens a session. As in ActiveMQ, one of an unknown connection is ignored. */
  addSession({ sessionId }: SessionInfo): void {
    const id = required(sessionId, "sessionId");
    this.find(id.connectionId)?.addSession(id.value);
  }

  /** Opens a producer. */
  addProducer(info: ProducerInfo): void {
    const id = required(info.producerId, "producerId");
    this.connection(id.connectionId, "add a producer to").addProducer(id, info);
  }

  /** Opens a consumer. */
  addConsumer(info: ConsumerInfo): void {
    const id = required(info.consumerId, "consumerId");
    const connection = this.connection(id.connectionId, "add a consumer to");
    if (info.networkSubscription || info.additionalPredicate !== null) {
      throw unsupported("networks of brokers");
    }
    const { clientId } = connection.info;
    connection.addConsumer(
      id,
      () => this.#broker.subscribe(info, clientId, this.#send),
    );
  }

  /** Makes or removes a destination. */
  changeDestination(info: DestinationInfo): void {
    const { connectionId, destination, operationType, timeout } = info;
    const connection = this.connection(connectionId?.value, "change a destination of");
    for (const part of parts(required(destination, "destination"))) {
      if (operationType === ADD) {
        this.#broker.destinations.open(part, info);
        if (isTemporary(part)) connection.addTemporary(part);
      } else if (operationType === REMOVE) {
        this.#broker.destinations.remove(part, timeout !== 0);
        connection.removeTemporary(part);
      } else {
        throw new BrokerException(
          "java.io.IOException",
          `Unknown operation type: ${operationType}`,
        );
      }
    }
  }

  /** Closes something. */
  remove({ objectId, lastDeliveredSequenceId }: RemoveInfo): void {
    const id = required(objectId, "objectId");
    switch (id.dataType) {
      case "ConsumerId":
        return this.connection(id.connectionId, "remove a consumer from")
          .removeConsumer(id, lastDeliveredSequenceId);
      case "ProducerId":
        return this.connection(id.connectionId, "remove a producer from").removeProducer(id);
      case "SessionId":
        return this.connection(id.connectionId, "remove a session from")
          .removeSession(id.value, lastDeliveredSequenceId);
      case "ConnectionId": {
        const connection = this.#connections.get(String(id.value));
        if (connection) this.#removeConnection(connection, lastDeliveredSequenceId);
        return;
      }
      default:
        throw unsupported(`the removal of a ${id.dataType}`);
    }
  }

  /** Closes everything that the client left open: it is gone. */
  leave(): void {
    for (const connection of [...this.#connections.values()]) {
      this.#removeConnection(connection, LastDelivered.Unknown);
    }
  }

  #removeConnection(
    connection: ClientConnection,
    lastDelivered: Long,
  ): void {
    this.#connections.delete(connectionKey(connection.info));
    connection.close(lastDelivered);
    this.#broker.advisories.connectionClosed(connection.info);
    this.#clients.remove(connection.info);
  }
}
