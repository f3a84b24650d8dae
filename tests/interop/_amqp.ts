/** An AMQP 1.0 client of others, rhea. */
import rhea, { type Connection, type Delivery, type EventContext, type Message } from "rhea";

/** A message as rhea got it, which can be settled. */
export interface AmqpReceived {
  /** What came. */
  readonly message: Message;
  /** Settles it. */
  readonly delivery: Delivery;
}

/** What rhea consumes from. */
export interface AmqpReceiver {
  /** The address, of a dynamic one as the broker has named it. */
  readonly address: string;
  /** The next message. */
  receive(): Promise<AmqpReceived>;
  /** Detaches. */
  close(): Promise<void>;
}

const DEADLINE = 10_000;

/** A connection of rhea. Addresses are `queue://NAME` and `topic://NAME`. */
export class AmqpPeer implements AsyncDisposable {
  readonly #connection: Connection;
  readonly #failed: Promise<never>;

  private constructor(connection: Connection) {
    this.#connection = connection;
    this.#failed = new Promise((_, reject) => {
      const fail = ({ error, connection, session, sender, receiver }: EventContext) =>
        reject(
          new Error(
            `AMQP: ${
              error ?? receiver?.error ?? sender?.error ?? session?.error ?? connection.error
            }`,
          ),
        );
      const events = ["connection_error", "session_error", "sender_error", "receiver_error"];
      for (const name of [...events, "disconnected", "error"]) connection.on(name, fail);
    });
    this.#failed.catch(() => {});
  }

  /** Connects. */
  static async connect(url: string): Promise<AmqpPeer> {
    const { hostname, port } = new URL(url);
    const connection = rhea.create_container().connect({
      host: hostname,
      port: Number(port),
      reconnect: false,
      username: "system",
      password: "manager",
    });
    const peer = new AmqpPeer(connection);
    await peer.#wait("connection", once(connection, "connection_open"));
    return peer;
  }

  /** Sends a message; resolves when the broker has it. */
  async send(address: string, message: Message): Promise<void> {
    const sender = this.#connection.open_sender({ target: { address } });
    await this.#wait("credit", once(sender, "sendable"));
    const settled = Promise.race([
      once(sender, "accepted"),
      ...["rejected", "released", "modified"].map(async (name) => {
        const { delivery } = await once(sender, name);
        throw new Error(`AMQP: ${name} ${JSON.stringify(delivery?.remote_state)}`);
      }),
    ]);
    sender.send(message);
    await this.#wait("outcome", settled);
    const closed = once(sender, "sender_close");
    sender.close();
    await this.#wait("detach", closed);
  }

  /** Consumes from an address, or from a new temporary queue. */
  async receiver(address?: string): Promise<AmqpReceiver> {
    const receiver = this.#connection.open_receiver({
      source: address === undefined ? { address: "", dynamic: true } : { address },
      autoaccept: false,
      autosettle: false,
      credit_window: 10,
    });
    const came: AmqpReceived[] = [];
    let wake = () => {};
    receiver.on("message", ({ message, delivery }: EventContext) => {
      came.push({ message: message!, delivery: delivery! });
      wake();
    });
    await this.#wait("attach", once(receiver, "receiver_open"));
    const next = async (): Promise<AmqpReceived> => {
      while (came.length === 0) await new Promise<void>((resolve) => wake = resolve);
      return came.shift()!;
    };
    return {
      address: receiver.source.address,
      receive: () => this.#wait("message", next()),
      close: async () => {
        const closed = once(receiver, "receiver_close");
        receiver.close();
        await this.#wait("detach", closed);
      },
    };
  }

  /** Closes the connection. */
  async close(): Promise<void> {
    const closed = once(this.#connection, "connection_close");
    this.#connection.close();
    await this.#wait("end", closed);
  }

  /** Closes the connection. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #wait<T>(what: string, promise: Promise<T>): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`AMQP: no ${what} in time`)), DEADLINE);
    });
    try {
      return await Promise.race([promise, late, this.#failed]);
    } finally {
      clearTimeout(timer);
    }
  }
}

interface Emitter {
  once(event: string, listener: (context: EventContext) => void): unknown;
}

function once(emitter: Emitter, event: string): Promise<EventContext> {
  return new Promise((resolve) => emitter.once(event, resolve));
}
