/** The pages for those who come from another client: what they show of it does beside ours what they say. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { connect, type Connection, type Message } from "../../mod.ts";
import { type BrokerInfo, brokers, skipWithout } from "../broker/env.ts";
import type { BrokerKind } from "../broker/kinds.ts";
import { empty, until } from "../client/_messages.ts";
import { test } from "../_harness.ts";
import { javaPeer, type Peer, rheaPeer, stompPeer } from "./_peers.ts";
import { type Snippet, snippetsOf } from "./_snippets.ts";

interface Page {
  readonly path: string;
  /** The fence of the other client's code. */
  readonly info: string;
  /** Where it is run, and the tasks for which that broker has other names or nothing. */
  readonly brokers: Partial<Record<BrokerKind, readonly string[]>>;
  start(broker: BrokerInfo, snippets: readonly string[]): Peer | Promise<Peer>;
  /** Why it can't be run; `false` when it can. */
  needs(broker: BrokerInfo): string | false;
  /** What 70 is as a property. */
  readonly amount: unknown;
  /** What the other client can't do, so that only ours is shown. */
  readonly without: readonly string[];
}

const pages: readonly Page[] = [
  {
    path: "docs/from-jms.md",
    info: "java",
    brokers: { activemq5: [], activemq6: [] },
    start: javaPeer,
    needs: ({ javac }) => javac ? false : "no javac command",
    amount: 70,
    without: [],
  },
  {
    path: "docs/from-stompjs.md",
    info: "js ignore",
    brokers: { activemq5: [], activemq6: [] },
    start: stompPeer,
    needs: ({ urls }) => urls.stomp ? false : "no STOMP connector",
    amount: "70",
    without: [],
  },
  {
    path: "docs/from-amqp.md",
    info: "js ignore",
    brokers: { activemq6: [], artemis: ["Durable subscriptions"] },
    start: rheaPeer,
    needs: ({ urls }) => urls.amqp ? false : "no AMQP connector",
    amount: 70,
    without: ["Transactions"],
  },
];

/** What is done before a snippet, and what is to be seen then. */
interface Check {
  before?(connection: Connection): Promise<unknown>;
  /** What it prints. */
  readonly prints?: readonly string[];
  /** While its client is there. */
  during?(connection: Connection, page: Page): Promise<void>;
  /** When its client is gone. */
  after?(connection: Connection, url: string): Promise<void>;
}

/** All destinations that the pages name. */
const QUEUES = ["orders", "invoices", "questions", "ActiveMQ.DLQ"];

async function receive(connection: Connection, name: string): Promise<Message> {
  await using consumer = await connection.createConsumer(name);
  const message = await consumer.receive({ timeout: 10_000 });
  if (!message) throw new Error(`Nothing came from ${name}`);
  return message;
}

async function left(connection: Connection, name: string): Promise<(string | null)[]> {
  const texts: (string | null)[] = [];
  for await (const { text } of await connection.createBrowser(name)) texts.push(text);
  return texts;
}

const checks: Record<string, Check> = {
  "Connecting": { prints: ["connected"] },
  "Sending": {
    async during(connection) {
      const { kind, text, persistent } = await receive(connection, "orders");
      assertEquals([kind, text, persistent], ["text", "hello", true]);
    },
  },
  "Headers and properties": {
    async during(connection, { amount }) {
      const message = await receive(connection, "orders");
      assertEquals([message.priority, message.correlationId], [7, "order-1"]);
      const { properties } = message;
      assertEquals([properties.get("region"), properties.get("amount")], ["eu", amount]);
      assert(message.expiration > Date.now());
    },
  },
  "Receiving": {
    before: (connection) => connection.send("orders", "hello"),
    prints: ["hello"],
    after: async (connection) => assertEquals(await left(connection, "orders"), []),
  },
  "Acknowledge modes": {
    before: (connection) => connection.send("orders", "hello"),
    prints: ["hello"],
    after: async (connection) => assertEquals(await left(connection, "orders"), []),
  },
  "Failures and dead letters": {
    before: (connection) => connection.send("orders", "no order"),
    async during(connection) {
      assertEquals((await receive(connection, "ActiveMQ.DLQ")).text, "no order");
    },
  },
  "Prefetch": {
    async before(connection) {
      for (const text of ["one", "two"]) await connection.send("orders", text);
    },
    prints: ["one"],
    // The second one was not sent ahead.
    async during(connection) {
      assertEquals((await receive(connection, "orders")).text, "two");
    },
  },
  "Selectors": {
    async before(connection) {
      for (const customer of ["Bob", "Ann O'Hara"]) {
        const properties = { customer, amount: 70 };
        await connection.send("orders", `for ${customer}`, { properties });
      }
    },
    prints: ["for Ann O'Hara"],
    after: async (connection) => assertEquals(await left(connection, "orders"), ["for Bob"]),
  },
  "Durable subscriptions": {
    async after(connection, url) {
      await connection.send("topic://prices", "apple: 30");
      await using accounting = await connect(url, { clientId: "accounting" });
      const options = { subscriptionName: "all prices" };
      const consumer = await accounting.createConsumer("topic://prices", options);
      assertEquals((await consumer.receive({ timeout: 10_000 }))?.text, "apple: 30");
      await consumer.close();
      await accounting.unsubscribe("all prices");
    },
  },
  "Request and reply": {
    before: (connection) => connection.respond("questions", ({ text }) => `${text}: 30`),
    prints: ["apple: 30"],
  },
  "Transactions": {
    before: (connection) => connection.send("orders", "apple"),
    async during(connection) {
      assertEquals((await receive(connection, "invoices")).text, "invoice for apple");
    },
    after: async (connection) => assertEquals(await left(connection, "orders"), []),
  },
  "Groups": {
    async during(connection) {
      const { text, groupId } = await receive(connection, "orders");
      assertEquals([text, groupId], ["hello", "ann"]);
    },
  },
  "Delayed delivery": {
    async during(connection) {
      const { text, properties } = await receive(connection, "orders");
      assertEquals(text, "later");
      // Artemis has no scheduler that gives an id.
      assert(connection.brokerKind === "artemis" || properties.has("scheduledJobId"));
    },
  },
  "Errors and lost connections": { prints: ["wrong password"] },
  "Closing": { prints: ["closed"] },
};

/** Does one task; what is printed has to be there in time. */
async function runTask(url: string, peer: Peer, page: Page, { task, code }: Snippet) {
  const check = checks[task]!;
  await using connection = await connect(url, { username: "system", password: "manager" });
  for (const name of QUEUES) await empty(connection, name);
  await check.before?.(connection);
  {
    await using running = await peer.run(code);
    const latest = Date.now() + 25_000;
    for (const line of check.prints ?? []) {
      await until(() => running.lines.includes(line) || Date.now() > latest);
      assert(running.lines.includes(line), `it printed ${JSON.stringify(running.lines)}`);
    }
    await check.during?.(connection, page);
  }
  await check.after?.(connection, url);
}

function entriesOf<Key extends string, Value>(record: Partial<Record<Key, Value>>) {
  return Object.entries(record) as [Key, Value][];
}

for (const page of pages) {
  const all = snippetsOf(Deno.readTextFileSync(new URL(`../../${page.path}`, import.meta.url)));

  test(`${page.path} shows both clients at each task`, () => {
    for (const task of Object.keys(checks)) {
      const infos = all.filter((snippet) => snippet.task === task).map(({ info }) => info);
      assertEquals(infos, page.without.includes(task) ? ["ts"] : [page.info, "ts"], task);
    }
    const others = all.filter(({ info, task }) => info === page.info && !(task in checks));
    assertEquals(others, []);
  });

  for (const [kind, otherwise] of entriesOf(page.brokers)) {
    test(`${page.path} shows code that works (${kind})`, async () => {
      const broker = brokers[kind]!;
      const snippets = all.filter(({ info, task }) =>
        info === page.info && !otherwise.includes(task)
      );
      await using peer = await page.start(broker, snippets.map(({ code }) => code));
      for (const snippet of snippets) {
        try {
          await runTask(broker.urls.openwire, peer, page, snippet);
        } catch (cause) {
          throw new Error(`${snippet.task}: ${cause}`, { cause });
        }
      }
    }, { skip: skipWithout(kind) || page.needs(brokers[kind]!), timeout: 120_000 });
  }
}

for (const kind of ["activemq5", "activemq6"] as const) {
  test(`the pitfalls of docs/from-stompjs.md are there (${kind})`, async () => {
    const broker = brokers[kind]!;
    await using connection = await connect(broker.urls.openwire);
    await empty(connection, "orders");
    await using peer = stompPeer(broker);
    const code = (more: string) =>
      `client.publish({ destination: "/queue/orders", body: "x", headers: { amount: "70" }, ${more} });`;
    await (await peer.run(code("")))[Symbol.asyncDispose]();
    await (await peer.run(code("skipContentLengthHeader: true")))[Symbol.asyncDispose]();
    const kinds: string[] = [];
    for await (const message of await connection.createBrowser("orders")) kinds.push(message.kind);
    assertEquals(kinds, ["bytes", "text"]);
    const found = async (selector: string) =>
      (await Array.fromAsync(await connection.createBrowser("orders", { selector }))).length;
    assertEquals([await found("amount > 50"), await found("amount = '70'")], [0, 2]);
    await assertRejects(
      () => connection.createBrowser("/queue/orders"),
      TypeError,
      "write queue://orders",
    );
    const prefixed = await connection.createBrowser("queue:///queue/orders");
    assertEquals((await Array.fromAsync(prefixed)).length, 0);
    await empty(connection, "orders");
  }, { skip: skipWithout(kind) || (brokers[kind]!.urls.stomp ? false : "no STOMP connector") });
}
