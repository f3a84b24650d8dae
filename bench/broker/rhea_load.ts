/** rhea as one of the benchmark's clients, on Node: AMQP 1.0. */
import rhea from "rhea";
import type { Connection, EventContext } from "rhea";
import { Counter, serve, Stopwatch } from "./_serve.ts";
import type { Task, Turn } from "./turns.ts";
import { IN_FLIGHT, PREFETCH } from "./workloads.ts";

await serve(async (url) => {
  const connection = rhea.create_container().connect({
    host: url.hostname,
    port: Number(url.port),
    username: "system",
    password: "manager",
    reconnect: false,
  });
  await new Promise((resolve) => connection.once("connection_open", resolve));
  return (task) => task.kind === "produce" ? produce(connection, task) : consume(connection, task);
});

function event(target: NodeJS.EventEmitter, name: string): Promise<EventContext> {
  return new Promise((resolve) => target.once(name, resolve));
}

async function produce(connection: Connection, task: Task): Promise<Turn> {
  const { queue, count, style, persistent } = task;
  // Without a receipt: settled when sent.
  const settled = style === "unconfirmed" || (style === "sequential" && !persistent);
  const sender = connection.open_sender({
    target: { address: queue, capabilities: ["queue"] },
    snd_settle_mode: 2,
  });
  const text = "x".repeat(task.body);
  let sent = 0;
  let answered = 0;
  const inFlight = style === "sequential" ? 1 : IN_FLIGHT;
  const done = Promise.withResolvers<void>();
  const fill = (): void => {
    while (sent < count && sender.sendable() && sent - answered < inFlight) {
      const last = ++sent === count;
      const delivery = sender.send({ body: text, durable: persistent });
      if (!settled || last) continue;
      delivery.update(true);
      answered++;
    }
  };
  sender.on("rejected", ({ delivery }: EventContext) => {
    done.reject(new Error(`refused: ${JSON.stringify(delivery?.remote_state)}`));
  });
  await event(sender, "sendable");
  const watch = new Stopwatch();
  sender.on("sendable", fill);
  sender.on("accepted", () => {
    if (++answered === count) done.resolve();
    else fill();
  });
  fill();
  await done.promise;
  const turn = watch.stop(count);
  sender.close();
  await event(sender, "sender_close");
  return turn;
}

async function consume(connection: Connection, task: Task): Promise<Turn> {
  const counter = new Counter(task);
  const watch = new Stopwatch();
  const receiver = connection.open_receiver({
    source: { address: task.queue, capabilities: ["queue"] },
    credit_window: PREFETCH,
    autoaccept: task.style === "handler",
  });
  receiver.on("message", ({ message, delivery }: EventContext) => {
    counter.take(message!.body);
    if (task.style === "individual") delivery!.accept();
  });
  await counter.done;
  const turn = watch.stop(counter.count);
  receiver.close();
  await event(receiver, "receiver_close");
  return turn;
}
