/** A STOMP client of others, stompjs, over TCP. */
import { Client, type IMessage, type StompHeaders } from "@stomp/stompjs";
import { stompSocket } from "./_stomp_socket.ts";

const DEADLINE = 10_000;

/** Fails when something takes too long, or the broker refuses something. */
class Deadlines {
  readonly #failed: Promise<never>;
  #fail!: (error: Error) => void;

  constructor() {
    this.#failed = new Promise((_, reject) => this.#fail = reject);
    this.#failed.catch(() => {});
  }

  fail(error: Error): void {
    this.#fail(error);
  }

  async wait<T>(what: string, promise: Promise<T>): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`STOMP: no ${what} in time`)), DEADLINE);
    });
    try {
      return await Promise.race([promise, late, this.#failed]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** A connection of stompjs. Destinations are `/queue/NAME` and `/topic/NAME`. */
export class StompPeer implements AsyncDisposable {
  readonly #client: Client;
  readonly #deadlines: Deadlines;
  #receipts = 0;

  private constructor(client: Client, deadlines: Deadlines) {
    this.#client = client;
    this.#deadlines = deadlines;
  }

  /** Connects. */
  static async connect(url: string): Promise<StompPeer> {
    const deadlines = new Deadlines();
    const client = new Client({
      webSocketFactory: () => stompSocket(url),
      reconnectDelay: 0,
      heartbeatIncoming: 0,
      heartbeatOutgoing: 0,
      onStompError: ({ headers, body }) =>
        deadlines.fail(new Error(`STOMP: ${headers.message} ${body}`)),
      onWebSocketError: (error) => deadlines.fail(new Error(`STOMP: ${error}`)),
    });
    const connected = new Promise<void>((resolve) => client.onConnect = () => resolve());
    client.activate();
    await deadlines.wait("connection", connected);
    return new StompPeer(client, deadlines);
  }

  /** Sends a message; resolves when the broker has it. A text has no `content-length`, which says that it is one. */
  async send(
    destination: string,
    body: string | Uint8Array,
    headers: StompHeaders = {},
  ): Promise<void> {
    const receipt = `receipt-${++this.#receipts}`;
    const received = new Promise<void>((resolve) =>
      this.#client.watchForReceipt(receipt, () => resolve())
    );
    this.#client.publish({
      destination,
      headers: { ...headers, receipt },
      ...(typeof body === "string"
        ? { body, skipContentLengthHeader: true }
        : { binaryBody: body }),
    });
    await this.#deadlines.wait("receipt", received);
  }

  /** Subscribes; resolves when the broker knows. */
  async subscribe(destination: string, headers: StompHeaders = {}): Promise<StompSubscription> {
    const receipt = `receipt-${++this.#receipts}`;
    const received = new Promise<void>((resolve) =>
      this.#client.watchForReceipt(receipt, () => resolve())
    );
    const came: IMessage[] = [];
    let wake = () => {};
    const { unsubscribe } = this.#client.subscribe(destination, (message) => {
      came.push(message);
      wake();
    }, { ...headers, receipt });
    await this.#deadlines.wait("subscription", received);
    const next = async (): Promise<IMessage> => {
      while (came.length === 0) await new Promise<void>((resolve) => wake = resolve);
      return came.shift()!;
    };
    return {
      receive: () => this.#deadlines.wait("message", next()),
      close: () => unsubscribe(),
    };
  }

  /** Disconnects. */
  async close(): Promise<void> {
    await this.#deadlines.wait("end", this.#client.deactivate());
  }

  /** Disconnects. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** A subscription. */
export interface StompSubscription {
  /** The next message. */
  receive(): Promise<IMessage>;
  /** Ends it. */
  close(): void;
}
