/** What both clients of STOMP do in their turns. */
import { Counter, Stopwatch, timeRequests } from "./_serve.ts";
import type { Task, Turn } from "./turns.ts";
import { BATCH, IN_FLIGHT, PREFETCH } from "./workloads.ts";

/** Headers of a frame. */
export type Headers = Record<string, string>;

/** A client of STOMP. */
export interface StompClient {
  /** Sends a text; resolves with the broker's receipt if that is asked for, else calls back when it was handed over. */
  send(headers: Headers, text: string, receipt: boolean): Promise<void> | void;
  /** Resolves when what was sent without receipt was handed over. */
  flushed(): Promise<void>;
  begin(transaction: string): void;
  /** Resolves with the broker's receipt. */
  commit(transaction: string): Promise<void>;
  /** Gives each message to `take`, whose second argument acknowledges it. */
  subscribe(
    headers: Headers,
    take: (text: string, acknowledge: (headers: Headers) => void) => void,
  ): { unsubscribe(): Promise<void> };
}

/** Does a task with a client. */
export function runStomp(client: StompClient, task: Task): Promise<Turn> {
  switch (task.kind) {
    case "produce":
      return produce(client, task);
    case "consume":
      return consume(client, task);
    case "request":
      return request(client, task);
  }
}

let transactions = 0;

async function produce(client: StompClient, task: Task): Promise<Turn> {
  const { queue, body, count, style, persistent } = task;
  const text = "x".repeat(body);
  const headersOf = (): Headers => {
    const headers: Headers = { destination: `/queue/${queue}` };
    if (persistent) headers.persistent = "true";
    return headers;
  };
  const receipts = style === "confirmed" || (style === "sequential" && persistent);
  const watch = new Stopwatch();
  if (style === "sequential") {
    for (let i = 1; i < count; i++) {
      await client.send(headersOf(), text, receipts);
      if (!receipts) await client.flushed();
    }
    await client.send(headersOf(), text, true);
  } else if (style === "transacted") {
    for (let sent = 0; sent < count;) {
      const transaction = `t${++transactions}`;
      client.begin(transaction);
      for (const end = Math.min(sent + BATCH, count); sent < end; sent++) {
        client.send({ ...headersOf(), transaction }, text, false);
      }
      await client.commit(transaction);
    }
  } else {
    for (let sent = 0; sent < count - 1;) {
      const sending: (Promise<void> | void)[] = [];
      for (const end = Math.min(sent + IN_FLIGHT, count - 1); sent < end; sent++) {
        sending.push(client.send(headersOf(), text, receipts));
      }
      await (receipts ? Promise.all(sending) : client.flushed());
    }
    await client.send(headersOf(), text, true);
  }
  return watch.stop(count);
}

async function consume(client: StompClient, task: Task): Promise<Turn> {
  const { queue, style } = task;
  const counter = new Counter(task);
  const headers: Headers = {
    destination: `/queue/${queue}`,
    ack: style === "handler" ? "auto" : "client-individual",
    "activemq.prefetchSize": String(PREFETCH),
  };
  let transaction = `t${++transactions}`;
  let committed: Promise<void> | undefined;
  const watch = new Stopwatch();
  const subscription = client.subscribe(headers, (text, acknowledge) => {
    if (style === "transacted" && counter.count % BATCH === 0) client.begin(transaction);
    counter.take(text);
    if (style === "individual") acknowledge({});
    if (style !== "transacted") return;
    acknowledge({ transaction });
    if (counter.count % BATCH !== 0) return;
    committed = client.commit(transaction);
    transaction = `t${++transactions}`;
  });
  await counter.done;
  await committed;
  const turn = watch.stop(counter.count);
  await subscription.unsubscribe();
  return turn;
}

async function request(client: StompClient, task: Task): Promise<Turn> {
  const text = "x".repeat(task.body);
  let resolve: (text: string) => void = () => {};
  const reply = `/temp-queue/replies-${++transactions}`;
  const subscription = client.subscribe(
    { destination: reply, ack: "auto" },
    (text) => resolve(text),
  );
  const headers = { destination: `/queue/${task.queue}`, "reply-to": reply };
  const turn = await timeRequests(task, () => {
    const answer = new Promise<string>((settle) => resolve = settle);
    client.send({ ...headers, "correlation-id": String(++transactions) }, text, false);
    return answer;
  });
  await subscription.unsubscribe();
  return turn;
}
