import {
  type ActiveMQDestination,
  type ActiveMQTextMessage,
  type ConsumerId,
  type ConsumerInfo,
  createActiveMQTextMessage,
  createConnectionId,
  createConnectionInfo,
  createConsumerId,
  createConsumerInfo,
  createMessageAck,
  createMessageId,
  createProducerId,
  createProducerInfo,
  createRemoveInfo,
  createSessionId,
  createSessionInfo,
  type DataStructure,
  decodeTextBody,
  encodeTextBody,
  type Message,
  type MessageAck,
  type MessageDispatch,
  OpenWireDecoder,
  OpenWireEncoder,
  OpenWireFormat,
  type ProducerId,
  type ProducerInfo,
  type Response,
  type SessionId,
  type WireFormatOptions,
} from "../../codec/mod.ts";
import type { Transport } from "../../transport/mod.ts";

/** Any command of the codec without what every command has. */
type Sendable = Extract<DataStructure, { commandId: number }>;
/** What a broker answers. */
export type Answer = Response | Extract<DataStructure, { correlationId: number }>;

let clients = 0;

/** A client that is nothing but the codec: sends commands as they are, and keeps what comes. */
export class RawClient {
  readonly format: OpenWireFormat;
  readonly connectionId: string;
  /** What came and was not taken, answers left out. */
  readonly inbox: DataStructure[] = [];
  readonly transport: Transport;
  /** Resolves with what came, when the broker ended the link. */
  readonly ended: Promise<void>;
  readonly #encoder: OpenWireEncoder;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #answers: Map<number, (answer: Answer) => void> = new Map();
  #arrival: PromiseWithResolvers<void> = Promise.withResolvers();
  #ended = false;
  #commandId = 0;
  #members = 0;
  #messages = 0;
  /** Chunks that came, to see how frames travel. */
  chunks = 0;

  constructor(transport: Transport, options: WireFormatOptions = {}) {
    this.transport = transport;
    this.connectionId = `ID:raw-${Date.now()}-${Math.floor(Math.random() * 1e9)}-1:${++clients}`;
    this.format = new OpenWireFormat({
      tightEncodingEnabled: true,
      cacheEnabled: true,
      ...options,
    });
    this.#encoder = new OpenWireEncoder(this.format);
    this.#writer = transport.writable.getWriter();
    this.#writer.closed.catch(() => {});
    this.ended = this.#read();
    void this.raw(this.#encoder.encode(this.format.info()));
  }

  /** Connects with a session 1, ready to use. */
  static async open(transport: Transport, options: WireFormatOptions = {}): Promise<RawClient> {
    const client = new RawClient(transport, options);
    await client.format.agreement;
    await client.next("BrokerInfo");
    const answer = await client.connect();
    if (answer.dataType !== "Response") throw new Error(`Refused: ${answer.dataType}`);
    await client.request(createSessionInfo({ sessionId: client.sessionId }));
    return client;
  }

  get sessionId(): SessionId {
    return createSessionId({ connectionId: this.connectionId, value: 1 });
  }

  /** Sends ConnectionInfo. */
  connect(
    { userName = null, password = null, clientId = this.connectionId, manageable = false }: {
      userName?: string | null;
      password?: string | null;
      clientId?: string | null;
      manageable?: boolean;
    } = {},
  ): Promise<Answer> {
    const connectionId = createConnectionId({ value: this.connectionId });
    return this.request(
      createConnectionInfo({ connectionId, clientId, userName, password, manageable }),
    );
  }

  /** Sends bytes. */
  raw(bytes: Uint8Array): Promise<void> {
    return this.#writer.write(bytes).catch(() => {});
  }

  /** Sends commands in one write. */
  async send(...commands: Sendable[]): Promise<void> {
    for (const command of commands) {
      this.#encoder.write({ ...command, commandId: ++this.#commandId } as Sendable);
    }
    await this.raw(this.#encoder.take());
  }

  /** Sends a command and waits for its answer. */
  async request(command: Sendable): Promise<Answer> {
    const commandId = ++this.#commandId;
    const answer = this.answer(commandId);
    // The link may end while the command is written.
    answer.catch(() => {});
    await this.raw(
      this.#encoder.encode({ ...command, commandId, responseRequired: true } as Sendable),
    );
    return await answer;
  }

  /** The answer to a command. */
  answer(commandId: number): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.#answers.set(commandId, resolve);
    void this.ended.then(() => reject(new Error("The link ended before the answer")));
    return promise;
  }

  /** Takes the next command of a type. */
  async next<Name extends DataStructure["dataType"]>(
    name: Name,
  ): Promise<Extract<DataStructure, { dataType: Name }>> {
    for (;;) {
      const index = this.inbox.findIndex(({ dataType }) => dataType === name);
      if (index >= 0) {
        return this.inbox.splice(index, 1)[0] as Extract<DataStructure, { dataType: Name }>;
      }
      if (this.#ended) throw new Error(`The link ended before a ${name}`);
      await this.#arrival.promise;
    }
  }

  /** Takes the next messages. */
  async dispatches(count: number): Promise<MessageDispatch[]> {
    const taken: MessageDispatch[] = [];
    while (taken.length < count) taken.push(await this.next("MessageDispatch"));
    return taken;
  }

  /** Resolves when the broker has handled all that was sent, and all it sent before is in the inbox. */
  async settle(): Promise<void> {
    await this.request(createSessionInfo({ sessionId: this.sessionId }));
  }

  /** Texts of the messages that came, after all before was handled. Takes them. */
  async texts(): Promise<(string | null)[]> {
    await this.settle();
    const found = this.inbox.filter((command) => command.dataType === "MessageDispatch");
    this.inbox.splice(
      0,
      Infinity,
      ...this.inbox.filter((command) => command.dataType !== "MessageDispatch"),
    );
    return found.map(text);
  }

  /** Opens a producer and gives its id. */
  async producer(
    init: Partial<Omit<ProducerInfo, "dataType">> = {},
  ): Promise<ProducerId> {
    const producerId = createProducerId({
      connectionId: this.connectionId,
      sessionId: 1,
      value: ++this.#members,
    });
    const answer = await this.request(createProducerInfo({ producerId, ...init }));
    if (answer.dataType !== "Response") throw new Error(JSON.stringify(answer));
    return producerId;
  }

  /** A ConsumerInfo of session 1. */
  consumerInfo(
    destination: ActiveMQDestination,
    init: Partial<Omit<ConsumerInfo, "dataType">> = {},
  ): ConsumerInfo {
    const consumerId = createConsumerId({
      connectionId: this.connectionId,
      sessionId: 1,
      value: ++this.#members,
    });
    return createConsumerInfo({ consumerId, destination, prefetchSize: 100, ...init });
  }

  /** Opens a consumer and gives its id. */
  async consumer(
    destination: ActiveMQDestination,
    init: Partial<Omit<ConsumerInfo, "dataType">> = {},
  ): Promise<ConsumerId> {
    const info = this.consumerInfo(destination, init);
    const answer = await this.request(info);
    if (answer.dataType !== "Response") throw new Error(JSON.stringify(answer));
    return info.consumerId!;
  }

  /** A text message, ready to be sent. */
  message(
    producerId: ProducerId,
    destination: ActiveMQDestination,
    body: string,
    init: Partial<Omit<Message, "dataType">> = {},
  ): ActiveMQTextMessage {
    const messageId = createMessageId({ producerId, producerSequenceId: ++this.#messages });
    return createActiveMQTextMessage({
      producerId,
      destination,
      messageId,
      content: encodeTextBody(body),
      persistent: true,
      priority: 4,
      timestamp: Date.now(),
      ...init,
    });
  }

  /** Sends texts, and waits until the broker has them. */
  async publish(destination: ActiveMQDestination, ...bodies: string[]): Promise<void> {
    const producerId = await this.producer({ destination });
    for (const body of bodies) {
      const answer = await this.request(this.message(producerId, destination, body));
      if (answer.dataType !== "Response") throw new Error(JSON.stringify(answer));
    }
  }

  /** Acknowledges from the first to the last of some dispatches; the count is theirs unless given. */
  ack(
    dispatches: readonly MessageDispatch[],
    ackType: number,
    init: Partial<Omit<MessageAck, "dataType">> = {},
  ): MessageAck {
    const last = dispatches.at(-1)!;
    return createMessageAck({
      consumerId: last.consumerId,
      destination: last.destination,
      ackType,
      firstMessageId: dispatches[0]!.message!.messageId,
      lastMessageId: last.message!.messageId,
      messageCount: dispatches.length,
      ...init,
    });
  }

  /** Closes something that has an id. */
  remove(objectId: DataStructure, lastDeliveredSequenceId: number): Promise<Answer> {
    return this.request(createRemoveInfo({ objectId, lastDeliveredSequenceId }));
  }

  /** Drops the link, as a client does that dies. */
  async drop(): Promise<void> {
    this.transport.close();
    await this.ended;
    await this.transport.closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drop();
  }

  async #read(): Promise<void> {
    const decoder = new OpenWireDecoder(this.format);
    try {
      const reader = this.transport.readable.getReader();
      for (let next; !(next = await reader.read()).done;) {
        this.chunks++;
        decoder.pushTo(next.value!, (command) => this.#take(command));
        this.#arrival.resolve();
        this.#arrival = Promise.withResolvers();
      }
      this.transport.close();
    } catch {
      this.transport.close();
    }
    this.#ended = true;
    this.format.fail(new Error("The link ended"));
    this.#arrival.resolve();
  }

  #take(command: DataStructure): void {
    if (command.dataType === "WireFormatInfo") return;
    if (!("correlationId" in command) || typeof command.correlationId !== "number") {
      this.inbox.push(command);
      return;
    }
    const answer = this.#answers.get(command.correlationId);
    this.#answers.delete(command.correlationId);
    answer?.(command as Answer);
  }
}

/** The text of a dispatched message. */
export function text(dispatch: DataStructure): string | null {
  if (dispatch.dataType !== "MessageDispatch") throw new Error(dispatch.dataType);
  return dispatch.message === null ? null : decodeTextBody(dispatch.message.content);
}

/** Class and message of a refusal. */
export function refusal(answer: DataStructure): [string | null, string | null] {
  if (answer.dataType !== "ExceptionResponse" && answer.dataType !== "ConnectionError") {
    throw new Error(`No refusal: ${JSON.stringify(answer)}`);
  }
  return [answer.exception!.className, answer.exception!.message];
}
