/** Sessions and consumers of the Java client that stay open, for a test to drive step by step. */
import type { Xid } from "../../mod.ts";
import type { JavaMessage, JavaOutgoing, JavaReceive } from "./java.ts";

/** Has the Java process do a step. */
type Ask = (command: Record<string, unknown>, deadline: number) => Promise<Record<string, unknown>>;

/** What a session is opened with. */
export interface JavaSessionOptions {
  /** The broker's address, with any `wireFormat.` and `jms.` options of the Java client. */
  url: string;
  /** The connection's client id. */
  clientId?: string;
  /** Whether the client compresses. */
  compressed?: boolean;
  /** How it acknowledges. @default {"auto"} */
  mode?: "auto" | "transacted" | "xa";
}

/** What a Java consumer is made with. */
export interface JavaConsumerOptions {
  /** Takes only messages that match. */
  selector?: string;
  /** Name of a durable subscription. */
  subscription?: string;
}

/** Milliseconds in which a step must be done. */
const DEADLINE = 15_000;

/** A session with a connection of its own. Destinations are `queue://NAME`, `topic://NAME` or `temp-queue://NAME`. */
export class JavaSession implements AsyncDisposable {
  readonly #ask: Ask;
  readonly #session: unknown;

  private constructor(ask: Ask, session: unknown) {
    this.#ask = ask;
    this.#session = session;
  }

  /** Connects. */
  static async open(
    ask: Ask,
    { mode = "auto", ...options }: JavaSessionOptions,
  ): Promise<JavaSession> {
    const { handle } = await ask({ op: "open", mode, ...options }, DEADLINE);
    return new JavaSession(ask, handle);
  }

  /** Sends a message; resolves with its id. */
  async send(destination: string, message: JavaOutgoing): Promise<string> {
    return (await this.#do("put", { destination, ...message })).messageId as string;
  }

  /** Begins to consume. */
  async createConsumer(
    destination: string,
    options: JavaConsumerOptions = {},
  ): Promise<JavaConsumer> {
    const { handle } = await this.#do("consume", { destination, ...options });
    return new JavaConsumer(this.#ask, handle);
  }

  /** Makes a temporary queue; resolves with its name. */
  async createTemporaryQueue(): Promise<string> {
    return (await this.#do("temporaryQueue")).destination as string;
  }

  /** Ends the transaction in progress. */
  async commit(): Promise<void> {
    await this.#do("commit");
  }

  /** Undoes the transaction in progress. */
  async rollback(): Promise<void> {
    await this.#do("rollback");
  }

  /** Ends a durable subscription. */
  async unsubscribe(name: string): Promise<void> {
    await this.#do("unsubscribe", { name });
  }

  /** A call of the session's XAResource other than `prepare` and `recover`. */
  async xa(call: "start" | "end" | "commit" | "rollback", xid: Xid): Promise<void> {
    await this.#do("xa", { call, xid: written(xid) });
  }

  /** `XAResource.prepare`. */
  async prepare(xid: Xid): Promise<"ok" | "read-only"> {
    const { vote } = await this.#do("xa", { call: "prepare", xid: written(xid) });
    return vote as "ok" | "read-only";
  }

  /** `XAResource.recover`. */
  async recover(): Promise<Xid[]> {
    const { xids } = await this.#do("xa", { call: "recover" });
    return (xids as WrittenXid[]).map(read);
  }

  /** Closes the connection. */
  async close(): Promise<void> {
    await this.#do("close");
  }

  /** Closes the connection. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #do(op: string, more: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    return this.#ask({ op, session: this.#session, ...more }, DEADLINE);
  }
}

/** A consumer of a {@linkcode JavaSession}. */
export class JavaConsumer {
  readonly #ask: Ask;
  readonly #consumer: unknown;

  /** Made by {@linkcode JavaSession.createConsumer}. */
  constructor(ask: Ask, consumer: unknown) {
    this.#ask = ask;
    this.#consumer = consumer;
  }

  /** The next message; `undefined` when none came in time. */
  async receive(
    { timeout = 10_000, reads }: Pick<JavaReceive, "timeout" | "reads"> = {},
  ): Promise<JavaMessage | undefined> {
    const command = { op: "take", consumer: this.#consumer, timeout, reads };
    const { message } = await this.#ask(command, timeout + DEADLINE);
    return (message as JavaMessage | null) ?? undefined;
  }

  /** Takes no more. */
  async close(): Promise<void> {
    await this.#ask({ op: "close", consumer: this.#consumer }, DEADLINE);
  }
}

interface WrittenXid {
  formatId: number;
  globalTransactionId: string;
  branchQualifier: string;
}

function written({ formatId, globalTransactionId, branchQualifier }: Xid): WrittenXid {
  const hex = (bytes: Uint8Array) =>
    Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return {
    formatId,
    globalTransactionId: hex(globalTransactionId),
    branchQualifier: hex(branchQualifier),
  };
}

function read({ formatId, globalTransactionId, branchQualifier }: WrittenXid): Xid {
  const unhex = (text: string) =>
    Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
  return {
    formatId,
    globalTransactionId: unhex(globalTransactionId),
    branchQualifier: unhex(branchQualifier),
  };
}
