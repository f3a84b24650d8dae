/** What is opened and closed again, of each kind. */
import { connect, type Connection } from "../../../mod.ts";

/** A connection, and what cycles use again and again. */
export interface Ground {
  readonly url: string;
  readonly connection: Connection;
  /** A signal that is never aborted. */
  readonly signal: AbortSignal;
  /** Remembers an object that is to be forgotten by all when the cycle is over. */
  track(made: object): void;
}

/** A kind of thing that is opened and closed. */
export interface Cycle {
  readonly name: string;
  /** How many of these make as much work as one of the others. */
  readonly weight: number;
  /** Opens what all cycles need; returns a cycle, and what closes. */
  open(ground: Ground): Promise<{ run(): Promise<void>; close(): Promise<void> }>;
}

const nothing = (): Promise<void> => Promise.resolve();

/** A cycle that needs nothing but the connection. */
function simple(name: string, run: (ground: Ground) => Promise<void>, weight = 1): Cycle {
  return {
    name,
    weight,
    open: (ground) => Promise.resolve({ run: () => run(ground), close: nothing }),
  };
}

/** All kinds. */
export const CYCLES: readonly Cycle[] = [
  simple("connection", async ({ url, track }) => {
    const connection = await connect(url);
    track(connection);
    await connection.close();
  }, 10),
  simple("session", async ({ connection, signal, track }) => {
    const session = await connection.createSession({ signal });
    track(session);
    await session.close();
  }),
  simple("producer", async ({ connection, signal, track }) => {
    const producer = await connection.createProducer("soak.producer", { signal });
    track(producer);
    await producer.close();
  }),
  simple("consumer", async ({ connection, signal, track }) => {
    const consumer = await connection.createConsumer("soak.consumer", { signal });
    track(consumer);
    await consumer.receiveNoWait();
    await consumer.close();
  }),
  simple("temporary queue", async ({ connection, signal, track }) => {
    const queue = await connection.createTemporaryQueue({ signal });
    track(queue);
    await queue.delete();
  }),
  {
    name: "browser",
    weight: 1,
    async open({ connection, track }) {
      await connection.send("soak.browser", "seen");
      return {
        async run() {
          const browser = await connection.createBrowser("soak.browser");
          track(browser);
          for await (const _ of browser);
        },
        close: nothing,
      };
    },
  },
  {
    name: "transaction",
    weight: 1,
    async open({ connection, signal, track }) {
      const session = await connection.createSession({ acknowledgeMode: "transacted" });
      const consumer = await session.createConsumer("soak.transaction");
      let count = 0;
      await session.send("soak.transaction", "moved");
      await session.commit();
      return {
        async run() {
          const message = await consumer.receive();
          track(message!);
          await session.send("soak.transaction", "moved");
          if (++count % 5 === 0) await session.rollback({ signal });
          else await session.commit({ signal });
        },
        close: () => session.close(),
      };
    },
  },
  {
    name: "request",
    weight: 1,
    async open({ url, connection, signal, track }) {
      const server = await connect(url);
      const responder = await server.respond("soak.asked", ({ text }) => text ?? "");
      return {
        async run() {
          track(await connection.request("soak.asked", "what", { signal }));
        },
        async close() {
          await responder.close();
          await server.close();
        },
      };
    },
  },
  {
    name: "message",
    weight: 1,
    async open({ connection, signal, track }) {
      const session = await connection.createSession({ acknowledgeMode: "individual" });
      const consumer = await session.createConsumer("soak.message");
      return {
        async run() {
          await session.send("soak.message", "hello", { signal });
          const message = await consumer.receive({ signal });
          track(message!);
          await message!.ack({ signal });
        },
        close: () => session.close(),
      };
    },
  },
  simple("ended wait", async ({ connection, track }) => {
    const consumer = await connection.createConsumer("soak.wait");
    track(consumer);
    const ended = new AbortController();
    const waiting = consumer.receive({ signal: ended.signal }).catch(() => null);
    const status = connection.status({ signal: ended.signal });
    const told = status.next().catch(() => null);
    ended.abort();
    await Promise.all([waiting, told, consumer.receive({ timeout: 1 })]);
    await consumer.close();
  }, 5),
];
