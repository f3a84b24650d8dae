/** What hooks are told of what is done with a message. */

import {
  type ActiveMQDestination,
  decodePrimitiveMap,
  encodePrimitiveMap,
  inspectAs,
  type Message as WireMessage,
  PrimitiveMap,
  type TransactionId,
} from "../../codec/mod.ts";
import { OpenWireError } from "../../errors.ts";
import { formatMessageId, type Message } from "../message/message.ts";
import { checkProperties } from "../message/message_properties.ts";
import { formatTransactionId } from "../transaction/transaction_id.ts";
import type {
  DeliveryOperation,
  MessagingOperation,
  OperationType,
  SendOperation,
} from "./hooks.ts";

/** What all operations of a connection have in common. */
export interface Peer {
  readonly clientId: string;
  /** Host and port of the broker. */
  readonly address: string;
}

/** What an operation is about. */
export interface Subject {
  readonly command: WireMessage;
  readonly destination: ActiveMQDestination | null;
  /** Of a durable subscription. */
  readonly subscription?: string | null | undefined;
  /** How many messages are settled at once. */
  readonly count?: number | undefined;
  /** The transaction in which the message is sent or was received. */
  readonly transactionId?: TransactionId | null | undefined;
}

/** Something that is done with a message. */
export class Operation implements MessagingOperation {
  readonly type: OperationType;
  readonly name: string;
  readonly #peer: Peer;
  readonly #subject: Subject;
  #errorType: string | undefined;
  #properties: PrimitiveMap | undefined;

  constructor(type: OperationType, name: string, subject: Subject, peer: Peer) {
    this.type = type;
    this.name = name;
    this.#subject = subject;
    this.#peer = peer;
  }

  get spanName(): string {
    const { destination } = this.#subject;
    if (destination === null) return this.name;
    return `${this.name} ${isTemporary(destination) ? "(temporary)" : destination.physicalName}`;
  }

  get attributes(): Record<string, string | number | boolean> {
    const { command, destination, subscription, count } = this.#subject;
    const attributes = commonAttributes(this, this.#peer);
    if (destination !== null) attributes["messaging.destination.name"] = destination.physicalName;
    if (destination !== null && isTemporary(destination)) {
      attributes["messaging.destination.temporary"] = true;
      attributes["messaging.destination.anonymous"] = true;
    }
    if (subscription) attributes["messaging.destination.subscription.name"] = subscription;
    if (count === undefined) {
      const id = this.messageId(command);
      if (id !== "") attributes["messaging.message.id"] = id;
      if (command.correlationId !== null) {
        attributes["messaging.message.conversation_id"] = command.correlationId;
      }
      attributes["messaging.message.body.size"] = command.content?.length ?? 0;
    } else {
      attributes["messaging.batch.message_count"] = count;
    }
    if (this.#errorType !== undefined) attributes["error.type"] = this.#errorType;
    return attributes;
  }

  get transactionId(): string | undefined {
    return formatTransactionId(this.#subject.transactionId ?? null) ?? undefined;
  }

  getProperty(name: string): string | undefined {
    const value = this.properties.get(name);
    return typeof value === "string" ? value : undefined;
  }

  /** The work has failed. */
  failed(error: unknown): void {
    this.#errorType = errorType(error);
  }

  /** The properties; none when the sender marshalled them wrongly, which whoever reads the message is told. */
  protected get properties(): PrimitiveMap {
    if (this.#properties) return this.#properties;
    try {
      this.#properties = decodePrimitiveMap(this.#subject.command.marshalledProperties);
    } catch {
      this.#properties = new PrimitiveMap();
    }
    return this.#properties;
  }

  protected messageId({ messageId }: WireMessage): string {
    return formatMessageId(messageId);
  }

  static {
    inspectAs(this, "MessagingOperation", ({ name, attributes }) => ({ name, attributes }));
  }
}

/** A message that is sent. */
export class Sending extends Operation implements SendOperation {
  declare readonly type: "send";
  readonly #command: WireMessage;
  #id = "";
  #begun = false;

  constructor(subject: Subject, peer: Peer) {
    super("send", "send", subject, peer);
    this.#command = subject.command;
  }

  setProperty(name: string, value: string): void {
    if (this.#begun) {
      throw new OpenWireError(
        "ILLEGAL_STATE",
        `Cannot give the message the property ${name}: it is on its way`,
      );
    }
    if (typeof value !== "string") {
      throw new TypeError(`Cannot use a ${typeof value} as property ${name}: a string is expected`);
    }
    checkProperties({ [name]: value }, true);
    this.properties.set(name, value);
    this.#command.marshalledProperties = encodePrimitiveMap(this.properties);
  }

  /** The message is as it is sent. */
  begin(): void {
    this.#begun = true;
  }

  /** The message has got its id. */
  sent(id: string): void {
    this.#id = id;
  }

  protected override messageId(): string {
    return this.#id;
  }
}

/** A message that is given to the application. */
export class Giving extends Operation implements DeliveryOperation {
  declare readonly type: "process" | "receive";
  readonly message: Message;

  constructor(type: "process" | "receive", message: Message, subject: Subject, peer: Peer) {
    super(type, type, subject, peer);
    this.message = message;
  }
}

/** Attributes that all operations have. */
export function commonAttributes(
  { name, type, transactionId }: Pick<MessagingOperation, "name" | "type" | "transactionId">,
  { clientId, address }: Peer,
): Record<string, string | number | boolean> {
  return {
    "messaging.system": "activemq",
    "messaging.operation.name": name,
    "messaging.operation.type": type,
    "messaging.client.id": clientId,
    ...serverOf(address),
    ...(transactionId !== undefined && { "messaging.activemq.transaction.id": transactionId }),
  };
}

function isTemporary({ dataType }: ActiveMQDestination): boolean {
  return dataType === "ActiveMQTempQueue" || dataType === "ActiveMQTempTopic";
}

function serverOf(address: string): Record<string, string | number> {
  const [, host, port] = /^\[?([^\]]*?)\]?(?::(\d+))?$/.exec(address) ?? [];
  return {
    ...(host && { "server.address": host }),
    ...(port && { "server.port": Number(port) }),
  };
}

/** The code of an error, or else its class. */
export function errorType(error: unknown): string {
  if (error instanceof OpenWireError) return error.code;
  return error instanceof Error ? error.name : "_OTHER";
}
