/**
 * What each command of a client does (Java: TransportConnection).
 *
 * @module
 */

import {
  type BaseCommand,
  createConnectionError,
  createExceptionResponse,
  createResponse,
  type Message,
  type MessageAck,
  type MessagePull,
  type TransactionInfo,
} from "../codec/mod.ts";
import type { BrokerState } from "./broker.ts";
import { ClientMembers } from "./client_members.ts";
import type { ClientRegistry } from "./client_registry.ts";
import { qualifiedName } from "./destinations.ts";
import { BrokerException, jmsException, required, toThrowable, unsupported } from "./exceptions.ts";
import { MessageSender, type Sending } from "./message_sender.ts";
import { memberKey } from "./messages.ts";

/** The way back to the client. */
export interface Peer {
  /** Its address, for messages. */
  readonly address: string;
  /** Sends it a command; for an answer, with the command that it answers. */
  readonly send: (command: BaseCommand, request?: BaseCommand) => void;
  /** Ends the link after what was sent. */
  readonly end: () => void;
}

/** What is left to do for a command: an answer that says more than that it is done, or something that takes time. */
type Outcome = BaseCommand | Sending | undefined;

/** Handles the commands of one link, in their order. */
export class CommandHandler {
  readonly #broker: BrokerState;
  readonly #peer: Peer;
  readonly #sender: MessageSender;
  readonly #members: ClientMembers;
  #refused = false;

  constructor(broker: BrokerState, clients: ClientRegistry, peer: Peer) {
    this.#broker = broker;
    this.#peer = peer;
    this.#members = new ClientMembers(broker, clients, peer.send);
    this.#sender = new MessageSender(broker, peer.send);
  }

  /**
   * Handles a command and answers it, if that is asked for. A failure that nobody waits for is a ConnectionError. Gives
   * a promise when nothing else can be handled before.
   */
  handle(command: BaseCommand): Promise<void> | undefined {
    let wait: Promise<void> | undefined;
    try {
      const outcome = this.#process(command);
      if (outcome === undefined || "dataType" in outcome) {
        this.#answer(command, outcome);
      } else if (outcome.done === undefined) {
        this.#answer(command, undefined);
      } else {
        const done = outcome.done.then(
          () => this.#answer(command, undefined),
          (error) => this.#fail(command, error),
        );
        if (outcome.blocks) wait = done;
      }
    } catch (error) {
      this.#fail(command, error);
    }
    if (this.#refused || command.dataType === "ShutdownInfo") this.#peer.end();
    return wait;
  }

  #answer(command: BaseCommand, answer: BaseCommand = createResponse()): void {
    if (!command.responseRequired) return;
    this.#peer.send({ ...answer, correlationId: command.commandId } as BaseCommand, command);
  }

  #fail(command: BaseCommand, error: unknown): void {
    const { commandId: correlationId, responseRequired } = command;
    const exception = toThrowable(error);
    if (responseRequired) {
      this.#peer.send(createExceptionResponse({ correlationId, exception }), command);
      return;
    }
    this.#spoilTransaction(command);
    this.#peer.send(createConnectionError({ exception }));
  }

  /** As in ActiveMQ: a transaction that lost a part without the client's knowledge can't be committed. */
  #spoilTransaction(command: BaseCommand): void {
    if (!("transactionId" in command) || command.dataType === "TransactionInfo") return;
    const member = "consumerId" in command ? command.consumerId : command.producerId;
    const id = command.transactionId;
    if (id === null) return;
    this.#members.find(member?.connectionId)?.transactions.spoil(id);
  }

  /** Id of the client, once it is in. */
  get clientId(): string | null {
    return this.#members.clientId;
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
    this.#sender.close();
    this.#members.leave();
  }

  /** Those commands that have more to say than that it is done, or that take time. */
  #process(command: BaseCommand): Outcome {
    if (isMessage(command)) return this.#send(command);
    if (command.dataType === "TransactionInfo") return this.#transact(command);
    this.#apply(command);
    return undefined;
  }

  #apply(command: BaseCommand): void {
    switch (command.dataType) {
      case "ConnectionInfo":
        this.#refused = true;
        this.#members.addConnection(command, this);
        this.#refused = false;
        return;
      case "SessionInfo":
        return this.#members.addSession(command);
      case "ProducerInfo":
        return this.#members.addProducer(command);
      case "ConsumerInfo":
        return this.#members.addConsumer(command);
      case "DestinationInfo":
        return this.#members.changeDestination(command);
      case "RemoveInfo":
        return this.#members.remove(command);
      case "MessageAck":
        return this.#acknowledge(command);
      case "ConsumerControl": {
        const consumer = this.#members.consumer(required(command.consumerId, "consumerId"));
        if (consumer === undefined) return;
        consumer.prefetch = command.prefetch;
        return consumer.dispatch();
      }
      case "MessagePull":
        return this.#pull(command);
      case "RemoveSubscriptionInfo":
        this.#members.connection(command.connectionId?.value, "remove a subscription of");
        return this.#broker.removeSubscription(command);
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
      default:
        throw unsupported(command.dataType);
    }
  }

  #pull(pull: MessagePull): void {
    const id = required(pull.consumerId, "consumerId");
    const consumer = this.#members.connection(id.connectionId, "pull from").consumer(id);
    if (consumer !== undefined) return this.#broker.pull(consumer, pull);
    throw new BrokerException(
      "java.lang.IllegalArgumentException",
      `The subscription does not exist: ${memberKey(id)}`,
    );
  }

  #transact(info: TransactionInfo): BaseCommand | undefined {
    const connection = this.#members.find(info.connectionId?.value);
    if (connection !== undefined) return connection.transactions.apply(info);
    throw new BrokerException("java.lang.NullPointerException", "Context is null");
  }

  #send(message: Message): Outcome {
    const id = required(message.producerId, "producerId");
    const connection = this.#members.connection(id.connectionId, "lookup a producer from");
    if (connection.isDuplicate(id, message)) return;
    const transaction = connection.transactions.find(message.transactionId);
    const producer = connection.producer(id);
    if (producer === undefined) {
      const destination = required(message.destination, "destination");
      throw jmsException(
        `Cannot send message to ${qualifiedName(destination)} with invalid (null) producer state`,
      );
    }
    return this.#sender.send(message, producer, transaction);
  }

  #acknowledge(ack: MessageAck): void {
    // That of a consumer that is gone comes too late to be of use.
    const id = required(ack.consumerId, "consumerId");
    const connection = this.#members.find(id.connectionId);
    const consumer = connection?.consumer(id);
    consumer?.acknowledge(ack, connection?.transactions.find(ack.transactionId));
  }
}
function isMessage(command: BaseCommand): command is Message {
  return "redeliveryCounter" in command && command.dataType !== "MessageDispatch";
}
