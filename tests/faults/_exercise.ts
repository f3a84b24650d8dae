/** One use of each part of a connection, of which every call has to settle. */
import { connect, type ConnectOptions, OpenWireError } from "../../mod.ts";

/** What became of a call. */
export interface Outcome {
  readonly call: string;
  /** The error; undefined when it succeeded. */
  readonly error?: OpenWireError;
}

/** Calls that were made, and the rule that each settles in time, with a value or an error of this module. */
export class Calls {
  /** What became of them. */
  readonly outcomes: Outcome[] = [];
  readonly #deadline: number;

  /** @param deadline Milliseconds that a call may take. */
  constructor(deadline: number) {
    this.#deadline = deadline;
  }

  /** Makes a call; undefined when it failed as it may. */
  async make<T>(name: string, call: () => Promise<T>): Promise<T | undefined> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`${name} is pending for ${this.#deadline} ms`)),
        this.#deadline,
      );
    });
    try {
      const value = await Promise.race([call(), late]);
      this.outcomes.push({ call: name });
      return value;
    } catch (error) {
      if (!(error instanceof OpenWireError)) {
        throw new Error(`${name} failed with ${error}`, { cause: error });
      }
      this.outcomes.push({ call: name, error });
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** How a use of a connection ended. */
export interface Exercise {
  readonly outcomes: readonly Outcome[];
  /** What the connection still holds at the end; nothing when there never was one. */
  readonly left: Readonly<Record<string, number>>;
}

/** Options of {@linkcode exercise}. */
export interface ExerciseOptions {
  /** A name for queues that nobody else uses. */
  readonly name: string;
  /** Milliseconds to wait for a message. */
  readonly timeout: number;
  /** Milliseconds that each call may take. */
  readonly deadline: number;
  /** Options of the connection. */
  readonly connect?: ConnectOptions;
}

/**
 * Connects, sends, receives, acknowledges, commits, asks and closes. What depends on something that failed is left out;
 * the rest is called however broken the connection is.
 *
 * @throws When a call fails with something else than an error of this module, or takes too long.
 */
export async function exercise(url: string, options: ExerciseOptions): Promise<Exercise> {
  const { name, timeout } = options;
  const calls = new Calls(options.deadline);
  const { outcomes } = calls;
  const connection = await calls.make("connect", () => connect(url, options.connect));
  if (!connection) return { outcomes, left: {} };

  const session = await calls.make(
    "createSession",
    () => connection.createSession({ acknowledgeMode: "individual" }),
  );
  if (session) {
    const producer = await calls.make("createProducer", () => session.createProducer(name));
    const sent = producer && await calls.make("send", () => producer.send("one"));
    const consumer = await calls.make("createConsumer", () => session.createConsumer(name));
    if (consumer) {
      // What wasn't sent can't be waited for, but for a moment.
      const message = await calls.make(
        "receive",
        () => sent ? consumer.receive({ timeout }) : consumer.receiveNoWait(),
      );
      if (message) await calls.make("ack", () => message.ack());
      await calls.make("consumer.close", () => consumer.close());
    }
    if (producer) await calls.make("producer.close", () => producer.close());
    await calls.make("session.close", () => session.close());
  }

  const transacted = await calls.make(
    "createSession transacted",
    () => connection.createSession({ acknowledgeMode: "transacted" }),
  );
  if (transacted) {
    await calls.make("send transacted", () => transacted.send(name, "two"));
    const committed = await calls.make("commit", () => transacted.commit().then(() => true));
    const consumer = await calls.make("createConsumer", () => transacted.createConsumer(name));
    if (consumer) {
      await calls.make(
        "receive transacted",
        () => committed ? consumer.receive({ timeout }) : consumer.receiveNoWait(),
      );
      await calls.make("commit receive", () => transacted.commit());
    }
    await calls.make("send transacted", () => transacted.send(name, "three"));
    await calls.make("rollback", () => transacted.rollback());
    await calls.make("session.close", () => transacted.close());
  }

  const temporary = await calls.make(
    "createTemporaryQueue",
    () => connection.createTemporaryQueue(),
  );
  const responder = await calls.make(
    "respond",
    () => connection.respond(`${name}.asked`, ({ text }) => `${text}!`),
  );
  await calls.make("request", () => connection.request(`${name}.asked`, "who"));
  if (responder) await calls.make("responder.close", () => responder.close());
  const browser = await calls.make("createBrowser", () => connection.createBrowser(name));
  if (browser) await calls.make("browse", () => Array.fromAsync(browser));
  if (temporary) await calls.make("temporary.delete", () => temporary.delete());
  await calls.make("ping", () => connection.ping());
  await calls.make("close", () => connection.close());
  await calls.make("closed", () => connection.closed);
  const { sessions, consumers, producers, pendingRequests, bufferedMessages, windowBytes } =
    connection.stats();
  return {
    outcomes,
    left: { sessions, consumers, producers, pendingRequests, bufferedMessages, windowBytes },
  };
}
