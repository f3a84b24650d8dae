/** Our client as one of the benchmark's, on Deno, Bun and Node. */
import { connect, type Connection, type MessageConsumer, type Session } from "../../mod.ts";
import { Counter, serve, Stopwatch, timeRequests } from "./_serve.ts";
import type { Task, Turn } from "./turns.ts";
import { BATCH, IN_FLIGHT, PREFETCH, WINDOW } from "./workloads.ts";

await serve(async (url) => {
  const connection = await connect(url.href, { username: "system", password: "manager" });
  return (task) => {
    switch (task.kind) {
      case "produce":
        return produce(connection, task);
      case "consume":
        return consume(connection, task);
      case "request":
        return request(connection, task);
    }
  };
});

async function produce(connection: Connection, task: Task): Promise<Turn> {
  const { queue, body, count, style, persistent } = task;
  await using session = await connection.createSession(
    style === "transacted" ? { acknowledgeMode: "transacted" } : {},
  );
  const producer = await session.createProducer(queue, {
    persistent,
    useAsyncSend: style === "unconfirmed" || style === "windowed",
    ...(style === "transacted" ? {} : { windowSize: style === "windowed" ? WINDOW : 0 }),
  });
  const text = "x".repeat(body);
  const watch = new Stopwatch();
  if (style === "sequential") {
    for (let i = 1; i < count; i++) await producer.send(text);
  } else {
    const together = style === "transacted" ? BATCH : IN_FLIGHT;
    // The last of all is sent below, and its batch is committed there.
    for (let sent = 0; sent < count - 1;) {
      const end = Math.min(sent + together, count - 1);
      const sending: Promise<unknown>[] = [];
      for (; sent < end; sent++) sending.push(producer.send(text));
      await Promise.all(sending);
      if (style === "transacted" && sent % BATCH === 0) await session.commit();
    }
  }
  if (style === "transacted") {
    await producer.send(text);
    await session.commit();
  } else {
    await producer.send(text, { confirm: true });
  }
  return watch.stop(count);
}

async function consume(connection: Connection, task: Task): Promise<Turn> {
  const { queue, count, style } = task;
  await using session = await connection.createSession({
    acknowledgeMode: style === "individual" || style === "transacted" ? style : "auto",
  });
  const counter = new Counter(task);
  const watch = new Stopwatch();
  const consumer = await session.createConsumer(queue, { prefetchSize: PREFETCH });
  await take(style, consumer, session, counter, count);
  return watch.stop(counter.count);
}

async function take(
  style: Task["style"],
  consumer: MessageConsumer,
  session: Session,
  counter: Counter,
  count: number,
): Promise<void> {
  if (style === "handler") {
    consumer.consume((message) => counter.take(message.text));
    return await counter.done;
  }
  if (style === "individual") {
    consumer.consume(async (message) => {
      counter.take(message.text);
      await message.ack();
    });
    return await counter.done;
  }
  for await (const message of style === "stream" ? consumer.readable : consumer) {
    counter.take(message.text);
    if (style === "transacted" && counter.count % BATCH === 0) await session.commit();
    if (counter.count < count) continue;
    // A loop that is left acknowledges its last message only so.
    if (style !== "transacted") await message.ack();
    break;
  }
  await counter.done;
}

async function request(connection: Connection, task: Task): Promise<Turn> {
  const text = "x".repeat(task.body);
  return await timeRequests(task, async () => (await connection.request(task.queue, text)).text);
}
