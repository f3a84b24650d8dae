/**
 * What each command of a client does (Java: TransportConnection).
 *
 * @module
 */

import {
  type BaseCommand,
  type ConnectionInfo,
  type ConsumerInfo,
  createConnectionControl,
  createConnectionError,
  createExceptionResponse,
  createProducerAck,
  createResponse,
  type DestinationInfo,
  type Message,
  type MessageAck,
  type RemoveInfo,
} from "../codec/mod.ts";
import type { AnySubscription, BrokerState } from "./broker.ts";
import { ClientConnection } from "./client_connection.ts";
import { type ClientRegistry, connectionKey } from "./client_registry.ts";
import { isQueue, isTemporary, parts, qualifiedName } from "./destinations.ts";
import {
  BrokerException,
  illegalState,
  jmsException,
  required,
  toThrowable,
  unsupported,
} from "./exceptions.ts";
import { messageSize } from "./messages.ts";
import { LastDelivered } from "./queue.ts";
import { QueueSubscription } from "./queue_subscription.ts";
import type { Outlet } from "./subscription.ts";
import { TopicSubscription } from "./topic.ts";

const ADD = 0;
const REMOVE = 1;

/** The way back to the client. */
export interface Peer {
  /** Its address, for messages. */
  readonly address: string;
  /** Sends it a command. */
  readonly send: Outlet;
  /** Ends the link after what was sent. */
  readonly end: () => void;
}

/** Handles the commands of one link, in their order. */
export class CommandHandler {
  readonly #broker: BrokerState;
  readonly #clients: ClientRegistry;
  readonly #peer: Peer;
  readonly #connections: Map<string, ClientConnection> = new Map();
  #refused = false;

  constructor(broker: BrokerState, clients: ClientRegistry, peer: Peer) {
    this.#broker = broker;
    this.#clients = clients;
    this.#peer = peer;
  }

  /** Handles a command and answers it, if that is asked for. A failure that nobody waits for is a ConnectionError. */
  handle(command: BaseCommand): void {
    const { commandId: correlationId, responseRequired } = command;
    try {
      this.#process(command);
      if (responseRequired) this.#peer.send(createResponse({ correlationId }));
    } catch (error) {
      const exception = toThrowable(error);
      this.#peer.send(
        responseRequired
          ? createExceptionResponse({ correlationId, exception })
          : createConnectionError({ exception }),
      );
    }
    if (this.#refused || command.dataType === "ShutdownInfo") this.#peer.end();
  }

  /** Where the client is, for messages. */
  get address(): string {
    return this.#peer.address;
  }

  /** Ends the link because the client came back over another. */
  disconnect(): void {
    this.leave();
    this.#peer.end();
  }

  /** Closes everything that the client left open: it is gone. */
  leave(): void {
    for (const connection of [...this.#connections.values()]) {
      this.#removeConnection(connection, LastDelivered.Unknown);
    }
  }

  #process(command: BaseCommand): void {
    switch (command.dataType) {
      case "ConnectionInfo":
        return this.#addConnection(command);
      case "SessionInfo": {
        const id = required(command.sessionId, "sessionId");
        return this.#connections.get(String(id.connectionId))?.addSession(id.value);
      }
      case "ProducerInfo": {
        const id = required(command.producerId, "producerId");
        return this.#connection(id.connectionId, "add a producer to").addProducer(id, command);
      }
      case "ConsumerInfo":
        return this.#addConsumer(command);
      case "DestinationInfo":
        return this.#changeDestination(command);
      case "RemoveInfo":
        return this.#remove(command);
      case "ActiveMQMessage":
      case "ActiveMQBytesMessage":
      case "ActiveMQMapMessage":
      case "ActiveMQObjectMessage":
      case "ActiveMQStreamMessage":
      case "ActiveMQTextMessage":
      case "ActiveMQBlobMessage":
        return this.#send(command);
      case "MessageAck":
        return this.#acknowledge(command);
      case "ConsumerControl": {
        const consumer = this.#consumer(required(command.consumerId, "consumerId"));
        if (consumer !== undefined) this.#broker.setPrefetch(consumer, command.prefetch);
        return;
      }
      case "ShutdownInfo":
        return this.leave();
      // The transport answers keep-alives. The others mean nothing to ActiveMQ when a client sends them.
      case "KeepAliveInfo":
      case "FlushCommand":
      case "ControlCommand":
      case "ConnectionControl":
      case "ConnectionError":
      case "ProducerAck":
      case "MessageDispatch":
      case "Response":
      case "ExceptionResponse":
      case "DataResponse":
      case "DataArrayResponse":
      case "IntegerResponse":
        return;
      // To come: transactions, durable subscriptions, consumers that pull.
      case "TransactionInfo":
        throw unsupported("transactions (TransactionInfo)");
      case "RemoveSubscriptionInfo":
        throw unsupported("durable subscriptions (RemoveSubscriptionInfo)");
      case "MessagePull":
        throw unsupported("consumers that pull (MessagePull)");
      default:
        throw unsupported(command.dataType);
    }
  }

  #addConnection(info: ConnectionInfo): void {
    this.#refused = true;
    this.#clients.add(info, this);
    this.#refused = false;
    this.#connections.set(connectionKey(info), new ClientConnection(info, this.#broker));
    if (info.manageable) {
      this.#peer.send(createConnectionControl({ connectedBrokers: "", reconnectTo: "" }));
    }
  }

  #addConsumer(info: ConsumerInfo): void {
    const id = required(info.consumerId, "consumerId");
    const connection = this.#connection(id.connectionId, "add a consumer to");
    const destination = required(info.destination, "destination");
    // To come: each of these is refused rather than ignored.
    if (info.selector) throw unsupported("selectors");
    if (info.subscriptionName !== null) throw unsupported("durable subscriptions");
    if (info.browser) throw unsupported("queue browsers");
    if (info.networkSubscription || info.additionalPredicate !== null) {
      throw unsupported("networks of brokers");
    }
    connection.addConsumer(
      id,
      (): AnySubscription =>
        isQueue(destination)
          ? new QueueSubscription(info, this.#peer.send)
          : new TopicSubscription(info, this.#peer.send, (message) => this.#broker.expire(message)),
    );
  }

  #changeDestination({ connectionId, destination, operationType, timeout }: DestinationInfo): void {
    const connection = this.#connection(connectionId?.value, "change a destination of");
    for (const part of parts(required(destination, "destination"))) {
      if (operationType === ADD) {
        this.#broker.open(part);
        if (isTemporary(part)) connection.addTemporary(part);
      } else if (operationType === REMOVE) {
        this.#broker.remove(part, timeout !== 0);
        connection.removeTemporary(part);
      } else {
        throw new BrokerException(
          "java.io.IOException",
          `Unknown operation type: ${operationType}`,
        );
      }
    }
  }

  #remove({ objectId, lastDeliveredSequenceId }: RemoveInfo): void {
    const id = required(objectId, "objectId");
    switch (id.dataType) {
      case "ConsumerId":
        return this.#connection(id.connectionId, "remove a consumer from")
          .removeConsumer(id, lastDeliveredSequenceId);
      case "ProducerId":
        return this.#connection(id.connectionId, "remove a producer from").removeProducer(id);
      case "SessionId":
        return this.#connection(id.connectionId, "remove a session from")
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

  #removeConnection(
    connection: ClientConnection,
    lastDelivered: RemoveInfo["lastDeliveredSequenceId"],
  ): void {
    this.#connections.delete(connectionKey(connection.info));
    connection.close(lastDelivered);
    this.#clients.remove(connection.info);
  }

  #send(message: Message): void {
    if (message.transactionId !== null) throw unsupported("messages in transactions");
    const id = required(message.producerId, "producerId");
    const producer = this.#connection(id.connectionId, "lookup a producer from").producer(id);
    if (producer === undefined) {
      const destination = required(message.destination, "destination");
      throw jmsException(
        `Cannot send message to ${qualifiedName(destination)} with invalid (null) producer state`,
      );
    }
    const copies = this.#broker.send(message);
    if (producer.windowSize === 0 || message.responseRequired) return;
    // As in ActiveMQ: one for each destination of a composite.
    for (let n = 0; n < copies; n++) {
      this.#peer.send(createProducerAck({ producerId: id, size: messageSize(message) }));
    }
  }

  #acknowledge(ack: MessageAck): void {
    if (ack.transactionId !== null) throw unsupported("acknowledgements in transactions");
    // That of a consumer that is gone comes too late to be of use.
    const consumer = this.#consumer(required(ack.consumerId, "consumerId"));
    if (consumer !== undefined) this.#broker.acknowledge(consumer, ack);
  }

  #consumer(id: NonNullable<MessageAck["consumerId"]>): AnySubscription | undefined {
    return this.#connections.get(String(id.connectionId))?.consumer(id);
  }

  #connection(id: string | null | undefined, purpose: string): ClientConnection {
    const connection = this.#connections.get(String(id));
    if (connection !== undefined) return connection;
    throw illegalState(`Cannot ${purpose} a connection that had not been registered: ${id}`);
  }
}
