/** What the calls of the tests are made on: a connection to a broker, and what is opened on it. */

import {
  type CallOptions,
  connect,
  type Connection,
  type ConnectOptions,
  createXid,
  type Message,
  type Session,
  type SessionOptions,
  type Xid,
} from "../../mod.ts";
import { freshName } from "../client/_brokers.ts";

/** Makes a call that is to settle. */
export type Call = (limits: CallOptions) => Promise<unknown>;

/** A connection to a broker that is well for now. */
export class Stage implements AsyncDisposable {
  readonly connection: Connection;
  readonly url: string;
  readonly options: ConnectOptions;
  /** A queue that nobody else uses. */
  readonly queue: string = freshName();
  readonly #others: Connection[] = [];

  private constructor(connection: Connection, url: string, options: ConnectOptions) {
    this.connection = connection;
    this.url = url;
    this.options = options;
  }

  static async open(url: string, options: ConnectOptions): Promise<Stage> {
    return new Stage(await connect(url, options), url, options);
  }

  /** Another connection to the same broker. */
  async another(options: ConnectOptions = {}): Promise<Connection> {
    const connection = await connect(this.url, { ...this.options, ...options });
    this.#others.push(connection);
    return connection;
  }

  session(acknowledgeMode: SessionOptions["acknowledgeMode"]): Promise<Session> {
    return this.connection.createSession({ acknowledgeMode });
  }

  /** A message that was received and not settled. */
  async message(): Promise<Message> {
    await this.connection.send(this.queue, "hello");
    const consumer = await this.connection.createConsumer(this.queue, {
      acknowledgeMode: "individual",
    });
    return (await consumer.receive())!;
  }

  /** A transaction that has something in it. */
  async transaction(): Promise<Session> {
    const session = await this.session("transacted");
    await session.send(this.queue, "hello");
    return session;
  }

  /** A branch of a distributed transaction that has something in it. */
  async branch(): Promise<{ session: Session; xid: Xid }> {
    const session = await this.session("transacted");
    const xid = createXid();
    await this.connection.xa.start(session, xid);
    await session.send(this.queue, "hello");
    return { session, xid };
  }

  /** A branch for which nobody works any more. */
  async idleBranch(): Promise<Xid> {
    const { session, xid } = await this.branch();
    await this.connection.xa.end(session, xid);
    return xid;
  }

  [Symbol.asyncDispose](): Promise<void> {
    for (const connection of [this.connection, ...this.#others]) connection.abort();
    return Promise.all([this.connection, ...this.#others].map(({ closed }) => closed))
      .then(() => {});
  }
}
