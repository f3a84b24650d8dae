import {
  BatchError,
  type Connection,
  EncodeError,
  type MessagingHooks,
  type MessagingOperation,
} from "../../mod.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { test } from "../_harness.ts";
import { freshName, testOnBrokers } from "./_brokers.ts";
import { AT_ONCE, received, take, until } from "./_messages.ts";
import { connect } from "../../mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";

/** Hooks that write down what is done, and with what. */
function recording(): { hooks: MessagingHooks; begun: MessagingOperation[]; ended: string[] } {
  const begun: MessagingOperation[] = [];
  const ended: string[] = [];
  const around = async (operation: MessagingOperation, next: () => Promise<void>) => {
    begun.push(operation);
    try {
      await next();
      ended.push(operation.name);
    } catch (error) {
      ended.push(`${operation.name}: ${(error as Error).message}`);
    }
  };
  const hooks = {
    send: around,
    process: around,
    settle: around,
    receive: (operation: MessagingOperation) => void begun.push(operation),
  };
  return { hooks, begun, ended };
}

function names(operations: readonly MessagingOperation[]): string[] {
  return operations.map(({ name }) => name);
}

/** The next failure that answers no call. */
async function nextFailure(connection: Connection): Promise<string | undefined> {
  for await (const { error } of connection.status()) return error?.message;
  return undefined;
}

testOnBrokers("hooks see a message from its sending to its end", async ({ connect, name }) => {
  const { hooks, begun, ended } = recording();
  const connection = await connect({ hooks, clientId: `client.${name}` });
  const { messageId } = await connection.send(name, "hello", { correlationId: "order-7" });
  assertEquals(ended, ["send"]);
  const consumer = await connection.createConsumer(name);
  const handled = Promise.withResolvers<void>();
  consumer.consume(() => handled.resolve());
  await handled.promise;
  await until(() => ended.length === 3);
  assertEquals(begun.map(({ type }) => type), ["send", "process", "settle"]);
  assertEquals(ended.toSorted(), ["ack", "process", "send"]);
  assertEquals(begun.map(({ spanName }) => spanName), [
    `send ${name}`,
    `process ${name}`,
    `ack ${name}`,
  ]);
  const [host, port] = connection.remoteAddress.split(":");
  for (const operation of begun) {
    assertEquals(operation.attributes, {
      "messaging.system": "activemq",
      "messaging.operation.name": operation.name,
      "messaging.operation.type": operation.type,
      "messaging.destination.name": name,
      "messaging.message.id": messageId,
      "messaging.message.conversation_id": "order-7",
      "messaging.message.body.size": 9,
      "messaging.client.id": `client.${name}`,
      "server.address": host!,
      "server.port": Number(port),
    });
  }
});

testOnBrokers("a send hook gives properties, which others read", async ({ connect, name }) => {
  const read: (string | undefined)[] = [];
  const refused: unknown[] = [];
  const connection = await connect({
    hooks: {
      send: async (operation, next) => {
        operation.setProperty("tenant", "eu-7");
        for (
          const give of [
            () => operation.setProperty("JMSType", "x"),
            () => operation.setProperty("n", 1 as unknown as string),
          ]
        ) {
          try {
            give();
          } catch (error) {
            refused.push((error as Error).name);
          }
        }
        await next();
        try {
          operation.setProperty("late", "");
        } catch (error) {
          refused.push((error as { code: string }).code);
        }
      },
      receive: (operation) => {
        read.push(operation.getProperty("tenant"), operation.getProperty("own"));
        read.push(operation.getProperty("none"), operation.message.text!);
      },
    },
  });
  const consumer = await connection.createConsumer(name, { selector: "tenant = 'eu-7'" });
  await connection.send(name, "hello", { properties: { own: "mine" } });
  const message = await received(consumer);
  assertEquals(message.properties.get("tenant"), "eu-7");
  assertEquals(read, ["eu-7", "mine", undefined, "hello"]);
  assertEquals(refused, ["TypeError", "TypeError", "ILLEGAL_STATE"]);
  // Bodies that are compressed, and messages that are forwarded, have them too.
  const producer = await connection.createProducer(name, {
    compress: true,
    compressionThreshold: 0,
  });
  await producer.send("x".repeat(1000));
  await producer.send(message);
  for (const text of ["x".repeat(1000), "hello"]) {
    const next = await received(consumer);
    assertEquals([next.text, next.properties.get("tenant")], [text, "eu-7"]);
  }
});

testOnBrokers("hooks are told what has failed, and what follows", async ({ connect, name }) => {
  const { hooks, begun, ended } = recording();
  const policy = { maximumRedeliveries: 1, ...AT_ONCE };
  const connection = await connect({ hooks, redeliveryPolicy: policy });
  await connection.send(name, "hello");
  const consumer = await connection.createConsumer(name);
  consumer.consume(() => Promise.reject(new RangeError("no room")));
  await until(() => ended.length === 5);
  assertEquals(names(begun), ["send", "process", "retry", "process", "reject"]);
  assertEquals(ended.filter((end) => end.startsWith("process")), [
    "process: no room",
    "process: no room",
  ]);
  assertEquals(begun.map(({ attributes }) => attributes["error.type"]), [
    undefined,
    "RangeError",
    undefined,
    "RangeError",
    undefined,
  ]);
});

testOnBrokers("a message that can't be sent tells the hook why", async ({ connect, name }) => {
  const { hooks, begun, ended } = recording();
  const connection = await connect({ hooks });
  const producer = await connection.createProducer(name);
  const error = await assertRejects(
    () => producer.send("hello", { type: "x".repeat(70_000) }),
    EncodeError,
  );
  await until(() => ended.length === 1);
  assertEquals(ended, [`send: ${error.message}`]);
  assert("messaging.message.id" in begun[0]!.attributes === false);
  assertEquals(begun[0]!.attributes["error.type"], error.code);
});

testOnBrokers("settlements of the application", async ({ connect, name }) => {
  const { hooks, begun } = recording();
  const connection = await connect({ hooks });
  const session = await connection.createSession({ acknowledgeMode: "individual" });
  const consumer = await session.createConsumer(name, { redeliveryPolicy: AT_ONCE });
  await connection.send(name, "one");
  await (await received(consumer)).retry();
  await (await received(consumer)).reject("no");
  await connection.send(name, "two");
  await (await received(consumer)).ack();
  assertEquals(names(begun), [
    "send",
    "receive",
    "retry",
    "receive",
    "reject",
    "send",
    "receive",
    "ack",
  ]);
});

testOnBrokers("one acknowledgement of many messages", async ({ connect, name }) => {
  const { hooks, begun } = recording();
  const connection = await connect({ hooks });
  const session = await connection.createSession({ acknowledgeMode: "client" });
  const consumer = await session.createConsumer(name);
  for (const text of ["one", "two", "three"]) await connection.send(name, text);
  const messages = await take(consumer, 3);
  await messages[2]!.ack();
  const acks = begun.filter(({ name }) => name === "ack");
  assertEquals(acks.map(({ attributes }) => attributes["messaging.batch.message_count"]), [3]);
});

testOnBrokers("temporary destinations and subscriptions", async ({ connect, name }) => {
  const { hooks, begun } = recording();
  const connection = await connect({ hooks, clientId: name });
  const queue = await connection.createTemporaryQueue();
  await connection.send(queue, "hello");
  const [sent] = begun;
  assertEquals(sent!.spanName, "send (temporary)");
  assertEquals(sent!.attributes["messaging.destination.temporary"], true);
  assertEquals(sent!.attributes["messaging.destination.anonymous"], true);

  const consumer = await connection.createConsumer(`topic://${name}`, {
    subscriptionName: "audit",
  });
  await connection.send(`topic://${name}`, "hello");
  await received(consumer);
  const last = begun.filter(({ type }) => type === "receive").at(-1)!;
  assertEquals(last.attributes["messaging.destination.subscription.name"], "audit");
  await consumer.close();
  await connection.unsubscribe("audit");
});

testOnBrokers("hooks can't change what becomes of the work", async ({ connect, name }) => {
  const failures: Promise<string | undefined>[] = [];
  let waits = 0;
  const later = async (): Promise<void> => {
    waits++;
    await new Promise((resolve) => setTimeout(resolve, 0));
    waits--;
  };
  const kinds: Record<string, NonNullable<MessagingHooks["send"]>> = {
    "throws": () => {
      throw new Error("throws");
    },
    "rejects": async () => {
      await later();
      throw new Error("rejects");
    },
    "forgets": () => {},
    "twice": (_, next) => void Promise.all([next(), next()]),
    "late": async (_, next) => {
      await later();
      await next();
    },
  };
  let kind = "";
  const connection = await connect({
    hooks: { send: (operation, next) => kinds[kind]!(operation, next) },
  });
  const consumer = await connection.createConsumer(name);
  for (kind of Object.keys(kinds)) {
    const failure = nextFailure(connection);
    failures.push(failure);
    await connection.send(name, kind);
    if (kind === "throws" || kind === "rejects") assertEquals(await failure, kind);
  }
  const texts = (await take(consumer, 5)).map(({ text }) => text);
  assertEquals(texts, Object.keys(kinds));
  assertEquals(await consumer.receiveNoWait(), null);
  await connection.close();
  await Promise.all(failures);
  await until(() => waits === 0);
});

testOnBrokers(
  "messages go in the order of the calls, whatever a hook does",
  async ({ connect, name }) => {
    let left = 4;
    const connection = await connect({
      hooks: {
        send: async (_, next) => {
          await new Promise((resolve) => setTimeout(resolve, 0));
          await next();
          left--;
        },
      },
    });
    const consumer = await connection.createConsumer(name);
    const producer = await connection.createProducer(name);
    const texts = ["1", "2", "3", "4"];
    await producer.sendBatch(texts);
    assertEquals((await take(consumer, 4)).map(({ text }) => text), texts);
    await until(() => left === 0);
  },
);

test("a batch that fails is told message by message", async () => {
  await using broker = await MemoryBroker.listen();
  const { hooks, ended } = recording();
  await using connection = await connect(broker.url, { hooks });
  const producer = await connection.createProducer(freshName());
  const batch = producer.sendBatch(["one", "two"], { timeout: 10_000 });
  connection.abort();
  await assertRejects(() => batch, BatchError);
  await until(() => ended.length === 2);
  assert(ended.every((end) => end.startsWith("send: ")), ended.join());
});

test("hooks that are no functions are refused", async () => {
  await using broker = await MemoryBroker.listen();
  const wrong: unknown[] = ["x", null, { send: 7 }];
  for (const hooks of wrong) {
    await assertRejects(() => connect(broker.url, { hooks: hooks as MessagingHooks }), TypeError);
  }
});
