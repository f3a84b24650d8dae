/**
 * How each public method is called that gives something to wait for, and what must come of it when the broker doesn't do
 * its part. `surface_deno_test.ts` fails when one is missing.
 */

import {
  advisoryTopics,
  type CallOptions,
  connect,
  type ConnectOptions,
  createXid,
  type Credentials,
  dial,
  type MessageConsumer,
  type MessageProducer,
  noReply,
  type QueueBrowser,
  type Session,
} from "../../mod.ts";
import type { Capability } from "../broker/differences.ts";
import type { Call, Stage } from "./_stage.ts";

/**
 * What comes of a call: `"ok"` when it resolves, the code of the error with which it rejects, `"waits"` when it is there to
 * wait for what may never come.
 */
export type Outcome = string;

/** How a method is called. */
export interface Driver {
  /** The member, and behind a comma what is special about this call. */
  readonly name: string;
  /** Which limits its caller may give, as the compiler sees them. */
  readonly takes: "timeout, signal" | "signal" | "";
  /** Gets everything ready while the broker is well. */
  readonly ready: (stage: Stage) => Promise<Call> | Call;
  /** When the broker says nothing any more. */
  readonly silent: Outcome;
  /** When it waits and the connection is lost. */
  readonly lost: Outcome;
  /** When it waits and the connection is closed. */
  readonly closing: Outcome;
  /** When it is called after the connection was closed. */
  readonly closed: Outcome;
  /** When it is called after the connection was lost. */
  readonly gone: Outcome;
  /** When there is no connection, because a lost one is being replaced. */
  readonly away: Outcome;
  /** When its signal is aborted while it waits. */
  readonly aborted: Outcome;
  /** Options of its connection. */
  readonly options?: ConnectOptions;
  /** What the broker must have. */
  readonly needs?: readonly Capability[];
}

type Expected = Partial<Omit<Driver, "name" | "ready">>;

/** A call that asks the broker for something, and takes limits. */
function asks(name: string, ready: Driver["ready"], expected: Expected = {}): Driver {
  return {
    name,
    takes: "timeout, signal",
    ready,
    silent: "TIMEOUT",
    lost: "CONNECTION_CLOSED",
    closing: "CONNECTION_CLOSED",
    closed: "CONNECTION_CLOSED",
    gone: "CONNECTION_CLOSED",
    away: "TIMEOUT",
    aborted: "ABORTED",
    ...expected,
  };
}

/** A call for which nothing is waited. */
function settles(name: string, ready: Driver["ready"], expected: Expected = {}): Driver {
  const ok = {
    silent: "ok",
    lost: "ok",
    closing: "ok",
    closed: "ok",
    gone: "ok",
    aborted: "ok",
    away: "ok",
  };
  return { name, takes: "", ready, ...ok, ...expected };
}

/** A call that waits for what may never come, until the connection ends. */
function waits(name: string, ready: Driver["ready"], expected: Expected = {}): Driver {
  return asks(name, ready, {
    takes: "signal",
    silent: "waits",
    away: "waits",
    closing: "ok",
    closed: "ok",
    ...expected,
  });
}

/** A call that closes something: nothing is left to be done when the connection has ended. */
function closes(name: string, ready: Driver["ready"], expected: Expected = {}): Driver {
  return asks(name, ready, { ...REGARDLESS, ...expected });
}

/** Whatever becomes of the connection. */
const REGARDLESS = { lost: "ok", closing: "ok", closed: "ok", gone: "ok", away: "ok" };
/** The end of a connection does not fail. */
const QUIET = { ...REGARDLESS, silent: "ok", aborted: "ok" };
/** Who drains is told when that has failed. */
const DRAINS = { lost: "CONNECTION_CLOSED", closing: "CONNECTION_CLOSED", away: "TIMEOUT" };
const LIMITED = { takes: "timeout, signal" } as const;
const ENDS = {
  ...LIMITED,
  closed: "CONNECTION_CLOSED",
  gone: "CONNECTION_CLOSED",
  aborted: "ABORTED",
} as const;
/** No message is no failure. */
const NULL = { silent: "ok", closing: "ok", closed: "ok", away: "ok" };
const ACKNOWLEDGES = {
  ...LIMITED,
  closed: "CONNECTION_CLOSED",
  gone: "CONNECTION_CLOSED",
  away: "DELIVERY_LOST",
};
/** Another broker does not know how far a browser had come. */
const BROWSES = {
  takes: "signal",
  closing: "ok",
  closed: "ok",
  away: "CONNECTION_CLOSED",
} as const;
/** A topic on which nothing is told. */
const QUIET_TOPIC = advisoryTopics.consumers("nobody");

/** Some calls have a limit by default that isn't the connection's: 30 s. */
function ownDefault(limits: CallOptions): CallOptions {
  return { timeout: 500, ...limits };
}

/** Has a message with a handler that never ends. */
async function handling(
  { connection, queue }: Stage,
  session: Session,
): Promise<{ consumer: MessageConsumer; done: Promise<void> }> {
  await connection.send(queue, "hello");
  const consumer = await session.createConsumer(queue);
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = consumer.consume(() => {
    resolve();
    return new Promise(() => {});
  });
  await promise;
  return { consumer, done };
}

/** A producer whose window the broker does not open. */
async function closedWindow({ connection, queue }: Stage): Promise<() => MessageProducer> {
  const producer = await connection.createProducer(queue, { windowSize: 1 });
  return () => {
    producer.send("x", { persistent: false }).catch(() => {});
    return producer;
  };
}

/** Takes all there is. */
async function all(messages: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of messages);
}

/** A browser that has shown one message of several. */
async function browsing({ connection, queue }: Stage): Promise<QueueBrowser> {
  for (const text of ["one", "two", "three"]) await connection.send(queue, text);
  return await connection.createBrowser(queue, { prefetchSize: 1 });
}

const ADVISORIES = { needs: ["advisories"] } as const;
const JOBS = { needs: ["scheduled jobs"] } as const;
const STATISTICS = { needs: ["statistics"] } as const;
const QUEUES = advisoryTopics.queues();

export const drivers: readonly Driver[] = [
  // Connecting.
  asks("connect", ({ url }) => async ({ timeout, signal }) => {
    const connection = await connect(url, { connectTimeout: timeout ?? 2000, signal });
    connection.abort();
  }, {
    takes: "signal",
    lost: "HANDSHAKE",
    closing: "TIMEOUT",
    closed: "ok",
    gone: "ok",
  }),
  asks("ConnectOptions.credentials", ({ url }) => async ({ timeout }) => {
    const credentials = (): Promise<Credentials> => new Promise(() => {});
    await connect(url, { connectTimeout: timeout ?? 2000, credentials });
  }, { takes: "", lost: "TIMEOUT", closing: "TIMEOUT", closed: "TIMEOUT", gone: "TIMEOUT" }),
  asks("ConnectOptions.beforeConnect", ({ url }) => async ({ timeout }) => {
    const beforeConnect = (): Promise<void> => new Promise(() => {});
    await connect(url, { connectTimeout: timeout ?? 2000, beforeConnect });
  }, { takes: "", lost: "TIMEOUT", closing: "TIMEOUT", closed: "TIMEOUT", gone: "TIMEOUT" }),
  asks("ConnectOptions.brokers", () => async ({ timeout }) => {
    await connect([], {
      connectTimeout: timeout ?? 2000,
      brokers: () => new Promise(() => {}),
    });
  }, { takes: "", lost: "TIMEOUT", closing: "TIMEOUT", closed: "TIMEOUT", gone: "TIMEOUT" }),
  settles("dial", ({ url }) => async ({ signal }) => {
    const transport = await dial(url.replace(/^failover:\((.*)\)$/, "$1"), { signal });
    transport.close();
    await transport.closed;
  }, { takes: "signal", aborted: "ABORTED", away: "CONNECTION_REFUSED" }),

  // A connection.
  waits("Connection.closed", ({ connection }) => () => connection.closed, {
    ...REGARDLESS,
    away: "waits",
    takes: "",
  }),
  waits(
    "Connection.status",
    ({ connection }) => ({ signal }) => connection.status({ signal }).next(),
    REGARDLESS,
  ),
  asks(
    "Connection.createSession",
    ({ connection }) => (limits) => connection.createSession(limits),
  ),
  asks(
    "Connection.createProducer",
    ({ connection, queue }) => (limits) => connection.createProducer(queue, limits),
  ),
  asks(
    "Connection.createConsumer",
    ({ connection, queue }) => (limits) => connection.createConsumer(queue, limits),
  ),
  asks(
    "Connection.createConsumer, shared",
    ({ connection, queue }) => (limits) =>
      connection.createConsumer(`topic://VirtualTopic.${queue}`, { shared: "web", ...limits }),
  ),
  asks("Connection.createConsumer, shared again, durable", async ({ connection, queue }) => {
    const prices = `topic://VirtualTopic.${queue}`;
    await connection.createConsumer(prices, { shared: "web" });
    return (limits) =>
      connection.createConsumer(prices, { shared: "web", durable: true, ...limits });
  }),
  asks(
    "Connection.createBrowser",
    ({ connection, queue }) => (limits) => connection.createBrowser(queue, limits),
  ),
  asks(
    "Connection.advisories",
    ({ connection }) => (limits) => connection.advisories(QUEUES, limits),
    {
      ...ADVISORIES,
    },
  ),
  asks(
    "Connection.watchDestinations",
    ({ connection }) => (limits) => connection.watchDestinations(limits),
    ADVISORIES,
  ),
  asks(
    "Connection.send",
    ({ connection, queue }) => (limits) => connection.send(queue, "x", limits),
  ),
  asks("Connection.send, when it has sent before", async ({ connection, queue }) => {
    await connection.send(queue, "x");
    return (limits) => connection.send(queue, "x", limits);
  }),
  asks(
    "Connection.sendStream",
    ({ connection, queue }) => (limits) => connection.sendStream(queue, new Blob(["x"]), limits),
  ),
  asks(
    "Connection.createDestination",
    ({ connection, queue }) => (limits) => connection.createDestination(queue, limits),
  ),
  asks(
    "Connection.deleteDestination",
    ({ connection, queue }) => (limits) => connection.deleteDestination(queue, limits),
  ),
  asks(
    "Connection.createTemporaryQueue",
    ({ connection }) => (limits) => connection.createTemporaryQueue(limits),
  ),
  asks(
    "Connection.createTemporaryTopic",
    ({ connection }) => (limits) => connection.createTemporaryTopic(limits),
  ),
  asks(
    "Connection.request",
    ({ connection, queue }) => (limits) => connection.request(queue, "x", limits),
  ),
  asks("Connection.request, when nobody answers", async ({ connection, queue }) => {
    await connection.respond(queue, ({ text }) => text === "first" ? text : noReply);
    await connection.request(queue, "first");
    return (limits) => connection.request(queue, "x", limits);
  }),
  asks(
    "Connection.requestMany",
    ({ connection, queue }) => (limits) => connection.requestMany(queue, "x", limits).next(),
    // The end of the time is the end of the loop.
    { silent: "ok", away: "ok" },
  ),
  asks(
    "Connection.respond",
    ({ connection, queue }) => (limits) => connection.respond(queue, () => null, limits),
  ),
  asks(
    "Connection.transaction",
    ({ connection, queue }) => (limits) =>
      connection.transaction((session) => session.send(queue, "x", limits), limits),
  ),
  asks(
    "Connection.unsubscribe",
    ({ connection }) => (limits) => connection.unsubscribe("nobody", limits),
  ),
  asks(
    "Connection.unsubscribe, shared",
    ({ connection, queue }) => (limits) =>
      connection.unsubscribe("nobody", { topic: `topic://VirtualTopic.${queue}`, ...limits }),
  ),
  settles("Connection.stop", ({ connection }) => (limits) => connection.stop(limits), ENDS),
  asks("Connection.stop, while a handler works", async (stage) => {
    await handling(stage, await stage.session("auto"));
    return (limits) => stage.connection.stop(limits);
  }),
  asks("Connection.ping", ({ connection }) => (limits) => connection.ping(limits)),
  closes("Connection.drain", async ({ connection, queue }) => {
    await connection.createConsumer(queue);
    return (limits) => connection.drain(ownDefault(limits));
  }, DRAINS),
  closes("Connection.close", async ({ connection, queue }) => {
    await connection.createConsumer(queue);
    return (limits) => connection.close(limits);
  }, QUIET),
  closes("Connection.close, while a handler works", async (stage) => {
    await handling(stage, await stage.session("auto"));
    return (limits) => stage.connection.close(limits);
  }, QUIET),
  closes(
    "Connection[Symbol.asyncDispose]",
    ({ connection }) => () => connection[Symbol.asyncDispose](),
    {
      ...QUIET,
      takes: "",
    },
  ),

  // A session.
  asks("Session.createProducer", async (stage) => {
    const session = await stage.session("auto");
    return (limits) => session.createProducer(stage.queue, limits);
  }),
  asks("Session.createConsumer", async (stage) => {
    const session = await stage.session("auto");
    return (limits) => session.createConsumer(stage.queue, limits);
  }),
  asks("Session.createBrowser", async (stage) => {
    const session = await stage.session("auto");
    return (limits) => session.createBrowser(stage.queue, limits);
  }),
  asks("Session.send", async (stage) => {
    const session = await stage.session("auto");
    return (limits) => session.send(stage.queue, "x", limits);
  }),
  asks("Session.sendStream", async (stage) => {
    const session = await stage.session("auto");
    return (limits) => session.sendStream(stage.queue, new Blob(["x"]), limits);
  }),
  asks("Session.commit", async (stage) => {
    const session = await stage.transaction();
    return (limits) => session.commit(limits);
  }),
  asks("Session.rollback", async (stage) => {
    const session = await stage.transaction();
    return (limits) => session.rollback(limits);
  }, { away: "ok" }),
  closes("Session.drain", async (stage) => {
    const session = await stage.session("auto");
    await session.createConsumer(stage.queue);
    return (limits) => session.drain(ownDefault(limits));
  }, DRAINS),
  closes("Session.close", async (stage) => {
    const session = await stage.session("auto");
    await session.createConsumer(stage.queue);
    return (limits) => session.close(limits);
  }),
  closes("Session.close, while a handler works", async (stage) => {
    const session = await stage.session("auto");
    await handling(stage, session);
    return (limits) => session.close(limits);
  }),
  closes("Session.close, in a transaction", async (stage) => {
    const session = await stage.transaction();
    return (limits) => session.close(limits);
  }),
  closes("Session[Symbol.asyncDispose]", async (stage) => {
    const session = await stage.session("auto");
    return () => session[Symbol.asyncDispose]();
  }, { takes: "" }),

  // A producer.
  asks("MessageProducer.send", async ({ connection, queue }) => {
    const producer = await connection.createProducer(queue);
    return (limits) => producer.send("x", limits);
  }),
  asks("MessageProducer.send, when the window is closed", async (stage) => {
    const close = await closedWindow(stage);
    return (limits) => close().send("x", { persistent: false, ...limits });
  }),
  asks("MessageProducer.send, compressed", async ({ connection, queue }) => {
    const producer = await connection.createProducer(queue, { compress: true });
    return (limits) => producer.send("x".repeat(10_000), limits);
  }),
  asks("MessageProducer.sendBatch", async ({ connection, queue }) => {
    const producer = await connection.createProducer(queue);
    return (limits) => producer.sendBatch(["x", "y"], limits);
  }, { silent: "BATCH", away: "BATCH", lost: "BATCH", closing: "BATCH", aborted: "BATCH" }),
  asks("MessageProducer.sendStream", async ({ connection, queue }) => {
    const producer = await connection.createProducer(queue);
    return (limits) => producer.sendStream(new Blob(["x"]), limits);
  }),
  asks("MessageProducer.closeGroup", async ({ connection, queue }) => {
    const producer = await connection.createProducer(queue);
    return (limits) => producer.closeGroup("group", limits);
  }),
  settles("MessageProducer.ready", async ({ connection, queue }) => {
    const producer = await connection.createProducer(queue);
    return () => producer.ready;
  }, { closed: "CONNECTION_CLOSED", gone: "CONNECTION_CLOSED" }),
  waits("MessageProducer.ready, when the window is closed", async (stage) => {
    const close = await closedWindow(stage);
    return () => close().ready;
  }, { takes: "", closing: "CONNECTION_CLOSED", closed: "CONNECTION_CLOSED" }),
  asks("MessageProducer.writable", async ({ connection, queue }) => {
    const { writable } = await connection.createProducer(queue);
    return () => writable.getWriter().write("x");
  }, { takes: "" }),
  asks("MessageProducer.writable, closed", async ({ connection, queue }) => {
    const { writable } = await connection.createProducer(queue);
    return () => {
      const writer = writable.getWriter();
      writer.write("x").catch(() => {});
      writer.close().catch(() => {});
      return writer.closed;
    };
  }, { takes: "" }),
  closes("MessageProducer.close", async ({ connection, queue }) => {
    const producer = await connection.createProducer(queue);
    return (limits) => producer.close(limits);
  }),
  closes("MessageProducer[Symbol.asyncDispose]", async ({ connection, queue }) => {
    const producer = await connection.createProducer(queue);
    return () => producer[Symbol.asyncDispose]();
  }, { takes: "" }),

  // A consumer.
  asks("MessageConsumer.receive", async ({ connection, queue }) => {
    const consumer = await connection.createConsumer(queue);
    return (limits) => consumer.receive(ownDefault(limits));
  }, NULL),
  asks("MessageConsumer.receive, with prefetch size 0", async ({ connection, queue }) => {
    const consumer = await connection.createConsumer(queue, { prefetchSize: 0 });
    return (limits) => consumer.receive(ownDefault(limits));
  }, NULL),
  waits("MessageConsumer.receive, for ever", async ({ connection, queue }) => {
    const consumer = await connection.createConsumer(queue);
    return ({ signal }) => consumer.receive({ timeout: 0, signal });
  }, { takes: "timeout, signal" }),
  settles("MessageConsumer.receiveNoWait", async ({ connection, queue }) => {
    const consumer = await connection.createConsumer(queue);
    return () => consumer.receiveNoWait();
  }, { gone: "CONNECTION_CLOSED" }),
  settles("MessageConsumer.receiveNoWait, with prefetch size 0", async ({ connection, queue }) => {
    const consumer = await connection.createConsumer(queue, { prefetchSize: 0 });
    return () => consumer.receiveNoWait();
  }, { silent: "ok", gone: "CONNECTION_CLOSED", lost: "CONNECTION_CLOSED" }),
  waits("MessageConsumer.messages", async ({ connection, queue }) => {
    const consumer = await connection.createConsumer(queue);
    return ({ signal }) => consumer.messages({ signal }).next();
  }),
  waits("MessageConsumer[Symbol.asyncIterator]", async ({ connection, queue }) => {
    const consumer = await connection.createConsumer(queue);
    return () => consumer[Symbol.asyncIterator]().next();
  }, { takes: "" }),
  asks("Message.readable", async ({ connection, queue }) => {
    const consumer = await connection.createConsumer(queue, {
      acknowledgeMode: "individual",
      streams: { chunkTimeout: 500 },
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    const waits = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new Uint8Array(2)),
      pull: () => promise,
    });
    connection.sendStream(queue, waits, { chunkSize: 1 }).catch(() => resolve());
    const reader = (await consumer.receive())!.readable.getReader();
    await reader.read();
    return () => reader.read();
  }, { takes: "" }),
  waits("MessageConsumer.readable", async ({ connection, queue }) => {
    const consumer = await connection.createConsumer(queue);
    return () => consumer.readable.getReader().read();
  }, { takes: "" }),
  waits("MessageConsumer.consume", async ({ connection, queue }) => {
    const consumer = await connection.createConsumer(queue);
    return ({ signal }) => consumer.consume(() => {}, { signal });
  }, { aborted: "ok" }),
  waits("MessageConsumer.consume, while the handler works", async (stage) => {
    const { done } = await handling(stage, await stage.session("auto"));
    return () => done;
  }, { closing: "TIMEOUT", closed: "TIMEOUT", aborted: "waits" }),
  asks("MessageConsumer.setPrefetchSize", async ({ connection, queue }) => {
    const consumer = await connection.createConsumer(queue);
    return (limits) => consumer.setPrefetchSize(5, limits);
  }),
  closes("MessageConsumer.drain", async ({ connection, queue }) => {
    const consumer = await connection.createConsumer(queue);
    return (limits) => consumer.drain(ownDefault(limits));
  }, DRAINS),
  closes("MessageConsumer.drain, when a message is not settled", async (stage) => {
    await stage.connection.send(stage.queue, "x");
    const consumer = await stage.connection.createConsumer(stage.queue, {
      acknowledgeMode: "individual",
    });
    await consumer.receive();
    return (limits) => consumer.drain(ownDefault(limits));
  }, DRAINS),
  closes("MessageConsumer.close, shared", async ({ connection, queue }) => {
    const prices = `topic://VirtualTopic.${queue}`;
    const consumer = await connection.createConsumer(prices, { shared: "web" });
    return (limits) => consumer.close(limits);
  }),
  closes("MessageConsumer.close", async ({ connection, queue }) => {
    const consumer = await connection.createConsumer(queue);
    return (limits) => consumer.close(limits);
  }),
  closes("MessageConsumer.close, while the handler works", async (stage) => {
    const { consumer } = await handling(stage, await stage.session("auto"));
    return (limits) => consumer.close(limits);
  }),
  closes("MessageConsumer[Symbol.asyncDispose]", async ({ connection, queue }) => {
    const consumer = await connection.createConsumer(queue);
    return () => consumer[Symbol.asyncDispose]();
  }, { takes: "" }),

  // A message. Acknowledgements have no answer.
  settles("Message.ack", async (stage) => {
    const message = await stage.message();
    return (limits) => message.ack(limits);
  }, ACKNOWLEDGES),
  asks("Message.ack, when the answer is waited for", async (stage) => {
    const message = await stage.message();
    return (limits) => message.ack(limits);
  }, { options: { sendAcksAsync: false }, away: "DELIVERY_LOST" }),
  settles("Message.reject", async (stage) => {
    const message = await stage.message();
    return (limits) => message.reject("no", limits);
  }, { ...ACKNOWLEDGES, aborted: "ABORTED" }),
  settles("Message.retry", async (stage) => {
    const message = await stage.message();
    return () => message.retry();
  }, { away: "DELIVERY_LOST", closed: "CONNECTION_CLOSED", gone: "CONNECTION_CLOSED" }),

  // A browser.
  asks("QueueBrowser.messages", async (stage) => {
    const browser = await browsing(stage);
    return ({ signal }) => all(browser.messages({ signal }));
  }, BROWSES),
  asks("QueueBrowser[Symbol.asyncIterator]", async (stage) => {
    const browser = await browsing(stage);
    return () => all(browser);
  }, { ...BROWSES, takes: "" }),
  closes("QueueBrowser.close", async ({ connection, queue }) => {
    const browser = await connection.createBrowser(queue);
    return (limits) => browser.close(limits);
  }),
  closes("QueueBrowser[Symbol.asyncDispose]", async ({ connection, queue }) => {
    const browser = await connection.createBrowser(queue);
    return () => browser[Symbol.asyncDispose]();
  }, { takes: "" }),

  // Advisories.
  waits("AdvisoryConsumer.events", async ({ connection }) => {
    const advisories = await connection.advisories(QUIET_TOPIC);
    return ({ signal }) => advisories.events({ signal }).next();
  }, ADVISORIES),
  waits("AdvisoryConsumer[Symbol.asyncIterator]", async ({ connection }) => {
    const advisories = await connection.advisories(QUIET_TOPIC);
    return () => advisories[Symbol.asyncIterator]().next();
  }, { ...ADVISORIES, takes: "" }),
  closes("AdvisoryConsumer.close", async ({ connection }) => {
    const advisories = await connection.advisories(QUIET_TOPIC);
    return (limits) => advisories.close(limits);
  }, ADVISORIES),
  closes("AdvisoryConsumer[Symbol.asyncDispose]", async ({ connection }) => {
    const advisories = await connection.advisories(QUIET_TOPIC);
    return () => advisories[Symbol.asyncDispose]();
  }, { ...ADVISORIES, takes: "" }),
  waits("DestinationSource.changes", async ({ connection }) => {
    const source = await connection.watchDestinations();
    return ({ signal }) => source.changes({ signal }).next();
  }, ADVISORIES),
  waits("DestinationSource[Symbol.asyncIterator]", async ({ connection }) => {
    const source = await connection.watchDestinations();
    return () => source[Symbol.asyncIterator]().next();
  }, { ...ADVISORIES, takes: "" }),
  closes("DestinationSource.close", async ({ connection }) => {
    const source = await connection.watchDestinations();
    return (limits) => source.close(limits);
  }, ADVISORIES),
  closes("DestinationSource[Symbol.asyncDispose]", async ({ connection }) => {
    const source = await connection.watchDestinations();
    return () => source[Symbol.asyncDispose]();
  }, { ...ADVISORIES, takes: "" }),

  // Requests.
  waits("Responder.closed", async ({ connection, queue }) => {
    const responder = await connection.respond(queue, () => null);
    return () => responder.closed;
  }, { ...REGARDLESS, away: "waits", takes: "" }),
  closes("Responder.drain", async ({ connection, queue }) => {
    const responder = await connection.respond(queue, () => null);
    return (limits) => responder.drain(ownDefault(limits));
  }, DRAINS),
  closes("Responder.close", async ({ connection, queue }) => {
    const responder = await connection.respond(queue, () => null);
    return (limits) => responder.close(limits);
  }),
  closes("Responder[Symbol.asyncDispose]", async ({ connection, queue }) => {
    const responder = await connection.respond(queue, () => null);
    return () => responder[Symbol.asyncDispose]();
  }, { takes: "" }),
  closes("TemporaryDestination.delete", async ({ connection }) => {
    const temporary = await connection.createTemporaryQueue();
    return (limits) => temporary.delete(limits);
  }),
  closes("TemporaryDestination[Symbol.asyncDispose]", async ({ connection }) => {
    const temporary = await connection.createTemporaryTopic();
    return () => temporary[Symbol.asyncDispose]();
  }, { takes: "" }),

  // What the broker counts and schedules.
  asks("Statistics.broker", ({ connection }) => (limits) => connection.statistics.broker(limits), {
    ...STATISTICS,
  }),
  asks(
    "Statistics.destination",
    ({ connection, queue }) => (limits) => connection.statistics.destination(queue, limits),
    STATISTICS,
  ),
  asks(
    "Statistics.destinations",
    ({ connection, queue }) => (limits) => connection.statistics.destinations(queue, limits),
    STATISTICS,
  ),
  asks(
    "Statistics.subscriptions",
    ({ connection }) => (limits) => connection.statistics.subscriptions(limits),
    STATISTICS,
  ),
  asks(
    "ScheduledJobs.browse",
    ({ connection }) => (limits) => connection.scheduledJobs.browse(limits).next(),
    JOBS,
  ),
  asks(
    "ScheduledJobs.remove",
    ({ connection }) => (limits) => connection.scheduledJobs.remove("nothing", limits),
    JOBS,
  ),
  asks(
    "ScheduledJobs.removeAll",
    ({ connection }) => (limits) => connection.scheduledJobs.removeAll(limits),
    JOBS,
  ),

  // Distributed transactions.
  settles("XAResource.start", async (stage) => {
    const session = await stage.session("transacted");
    return () => stage.connection.xa.start(session, createXid());
  }, { closing: "CONNECTION_CLOSED", closed: "CONNECTION_CLOSED", gone: "CONNECTION_CLOSED" }),
  asks("XAResource.end", async (stage) => {
    const { session, xid } = await stage.branch();
    return (limits) => stage.connection.xa.end(session, xid, "success", limits);
    // When the session was closed it works for no branch any more.
  }, { away: "ok", closed: "ILLEGAL_STATE" }),
  asks("XAResource.prepare", async (stage) => {
    const xid = await stage.idleBranch();
    return (limits) => stage.connection.xa.prepare(xid, limits);
    // A branch that was not prepared has gone with its connection.
  }, { away: "XA" }),
  asks("XAResource.commit", async (stage) => {
    const xid = await stage.idleBranch();
    return (limits) => stage.connection.xa.commit(xid, { onePhase: true, ...limits });
  }, { away: "XA" }),
  asks("XAResource.rollback", async (stage) => {
    const xid = await stage.idleBranch();
    return (limits) => stage.connection.xa.rollback(xid, limits);
  }, { away: "ok" }),
  asks(
    "XAResource.forget",
    ({ connection }) => (limits) => connection.xa.forget(createXid(), limits),
  ),
  asks("XAResource.recover", ({ connection }) => (limits) => connection.xa.recover(limits)),
  settles("XAResource.isSameResourceManager", async (stage) => {
    const other = await stage.another();
    await Promise.all([stage.connection, other].map((connection) => connection.ping()));
    return (limits) => stage.connection.xa.isSameResourceManager(other.xa, limits);
  }, ENDS),
];
