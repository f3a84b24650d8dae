/** The Java client and this one share destinations, transactions, subscriptions, groups and branches. */
import { createXid, type Xid } from "../../mod.ts";
import { assert, assertEquals } from "@std/assert";
import type { JavaConsumer, JavaSession } from "../java/java_session.ts";
import type { JavaMessage, JavaOutgoing } from "../java/java.ts";
import { received, take, texts } from "../client/_messages.ts";
import { type Interop, javaInterop } from "./_interop.ts";

function text(text: string, more: Partial<JavaOutgoing> = {}): JavaOutgoing {
  return { type: "text", body: { text }, ...more };
}

async function receivedByJava(consumer: JavaConsumer): Promise<JavaMessage> {
  const message = await consumer.receive();
  if (!message) throw new Error("No message came to Java");
  return message;
}

async function takenByJava(consumer: JavaConsumer, count: number): Promise<JavaMessage[]> {
  const messages = [];
  for (let i = 0; i < count; i++) messages.push(await receivedByJava(consumer));
  return messages;
}

function javaTexts(messages: readonly JavaMessage[]): (string | null | undefined)[] {
  return messages.map(({ body }) => body.text);
}

/** What is in a queue, when nobody has anything. It is empty afterwards. */
async function left({ connect }: Interop, queue: string): Promise<(string | null)[]> {
  const connection = await connect();
  await connection.send(queue, "the end", { priority: 0 });
  const consumer = await connection.createConsumer(queue);
  const found: (string | null)[] = [];
  for (;;) {
    const message = await received(consumer);
    if (message.text === "the end") break;
    found.push(message.text);
  }
  await consumer.close();
  return found;
}

javaInterop("what Java sends in a transaction is seen here when it commits", async (pair) => {
  const { java, urls, name, connect } = pair;
  const at = `queue://${name}`;
  const connection = await connect();
  const consumer = await connection.createConsumer(name);
  await using session = await java.open({ url: urls.openwire, mode: "transacted" });

  await session.send(at, text("undone"));
  await connection.send(name, "meanwhile");
  assertEquals((await received(consumer)).text, "meanwhile");
  await session.rollback();
  await session.send(at, text("a"));
  await session.send(at, text("b"));
  await connection.send(name, "before");
  assertEquals((await received(consumer)).text, "before");
  await session.commit();
  assertEquals(texts(await take(consumer, 2)), ["a", "b"]);
  await consumer.close();
  assertEquals(await left(pair, name), []);
});

javaInterop("what is sent in a transaction here is seen by Java when it commits", async (pair) => {
  const { java, urls, name, connect } = pair;
  const connection = await connect();
  await using listening = await java.open({ url: urls.openwire });
  const consumer = await listening.createConsumer(`queue://${name}`);
  const session = await connection.createSession({ acknowledgeMode: "transacted" });

  await session.send(name, "undone");
  await connection.send(name, "meanwhile");
  assertEquals((await receivedByJava(consumer)).body.text, "meanwhile");
  await session.rollback();
  await session.send(name, "a");
  await session.send(name, "b", { compress: true, compressionThreshold: 0 });
  await connection.send(name, "before");
  assertEquals((await receivedByJava(consumer)).body.text, "before");
  await session.commit();
  assertEquals(javaTexts(await takenByJava(consumer, 2)), ["a", "b"]);
  await consumer.close();
  assertEquals(await left(pair, name), []);
});

javaInterop("what one took in a transaction is the other's if it does not commit", async (pair) => {
  const { java, urls, name, connect } = pair;
  const [from, to] = [`${name}.from`, `${name}.to`];
  const connection = await connect();
  await connection.send(from, "a");

  // Java takes it, passes it on, and goes.
  const session = await java.open({ url: urls.openwire, mode: "transacted" });
  await receivedByJava(await session.createConsumer(`queue://${from}`));
  await session.send(`queue://${to}`, text("by Java"));
  await session.close();

  // It is given to us, and we do the same.
  const other = await connect();
  const ours = await other.createSession({ acknowledgeMode: "transacted" });
  const second = await received(await ours.createConsumer(from));
  assertEquals([second.text, second.redelivered], ["a", true]);
  await ours.send(to, "by us");
  await other.close();

  // Java has it again, and commits.
  const last = await java.open({ url: urls.openwire, mode: "transacted" });
  const third = await receivedByJava(await last.createConsumer(`queue://${from}`));
  assertEquals([third.body.text, third.headers.JMSRedelivered], ["a", true]);
  await last.send(`queue://${to}`, text("by Java at last"));
  await last.commit();
  await last.close();
  assertEquals(await left(pair, from), []);
  assertEquals(await left(pair, to), ["by Java at last"]);
});

javaInterop("Java answers requests of ours", async ({ java, urls, name, connect }) => {
  const connection = await connect();
  await using session = await java.open({ url: urls.openwire });
  const requests = await session.createConsumer(`queue://${name}`);

  for (const request of ["one", "two"]) {
    const answer = connection.request(name, request, { timeout: 10_000 });
    const { body, headers } = await receivedByJava(requests);
    assertEquals(body.text, request);
    assert(headers.JMSReplyTo?.startsWith("temp-queue://"));
    await session.send(
      headers.JMSReplyTo!,
      text(`${body.text}!`, { correlationId: headers.JMSCorrelationID! }),
    );
    assertEquals((await answer).text, `${request}!`);
  }
});

javaInterop("Java answers with our message's id", async ({ java, urls, name, connect }) => {
  const connection = await connect();
  await using replies = await connection.createTemporaryQueue();
  const answers = await connection.createConsumer(replies);
  await using session = await java.open({ url: urls.openwire });
  const requests = await session.createConsumer(`queue://${name}`);
  const { messageId } = await connection.send(name, "which id?", { replyTo: replies });
  const { headers } = await receivedByJava(requests);
  assertEquals(headers.JMSCorrelationID, null);
  await session.send(
    headers.JMSReplyTo!,
    text("this", { correlationId: headers.JMSMessageID }),
  );
  assertEquals((await received(answers)).correlationId, messageId);
  await answers.close();
});

javaInterop("requests of Java are answered here", async ({ java, urls, name, connect }) => {
  const connection = await connect();
  await using _responder = await connection.respond(name, (request) => {
    if (request.text === "stone") throw Object.assign(new Error("No stone"), { code: "NONE" });
    return { body: `${request.text}!`, properties: { cents: 30 } };
  });
  await using session = await java.open({ url: urls.openwire });
  const replyTo = await session.createTemporaryQueue();
  const replies = await session.createConsumer(replyTo);
  const ask = async (request: string, more: Partial<JavaOutgoing> = {}) => {
    const id = await session.send(`queue://${name}`, text(request, { replyTo, ...more }));
    return { id, reply: await receivedByJava(replies) };
  };

  const first = await ask("apple", { correlationId: "c-1" });
  assertEquals(first.reply.body.text, "apple!");
  assertEquals(first.reply.headers.JMSCorrelationID, "c-1");
  assertEquals(new Map(first.reply.properties).get("cents"), { t: "int", v: 30 });
  // Without a correlation id the request's own id is the one.
  const second = await ask("melon");
  assertEquals(second.reply.headers.JMSCorrelationID, second.id);
  const failed = await ask("stone");
  assertEquals(failed.reply.body.text, "No stone");
  const code = new Map(failed.reply.properties).get("OpenWireErrorCode");
  assertEquals(code, { t: "string", v: "NONE" });
  assertEquals(failed.reply.headers.JMSCorrelationID, failed.id);
});

javaInterop("a durable subscription goes from one to the other and back", async (pair) => {
  const { java, urls, name, connect } = pair;
  const clientId = `${name}.client`;
  const at = `topic://${name}`;
  const subscription = { subscription: "kept", selector: "n > 0" };
  const listenInJava = async (): Promise<[JavaSession, JavaConsumer]> => {
    const session = await java.open({ url: urls.openwire, clientId });
    return [session, await session.createConsumer(at, subscription)];
  };
  const sender = await connect();
  const send = async (...numbers: number[]) => {
    for (const n of numbers) await sender.send(at, String(n), { properties: { n } });
  };

  const [first] = await listenInJava();
  await first.close();
  await send(0, 1, 2);

  // Ours takes over, and leaves the second.
  const connection = await connect({ clientId });
  const consumer = await connection.createConsumer(at, {
    subscriptionName: subscription.subscription,
    selector: subscription.selector,
    acknowledgeMode: "individual",
  });
  const [one, two] = await take(consumer, 2);
  assertEquals(texts([one!, two!]), ["1", "2"]);
  await one!.ack();
  await connection.close();
  await send(3, -1, 4);

  const [last, kept] = await listenInJava();
  assertEquals(javaTexts(await takenByJava(kept, 3)), ["2", "3", "4"]);
  await kept.close();
  await last.unsubscribe(subscription.subscription);
  await last.close();

  // Unsubscribed in Java: there is nothing kept for us.
  await send(5);
  const anew = await connect({ clientId });
  const fresh = await anew.createConsumer(at, { subscriptionName: subscription.subscription });
  await send(6);
  assertEquals((await received(fresh)).text, "6");
  await fresh.close();
  await anew.unsubscribe(subscription.subscription);
});

const GROUPS = ["red", "green", "blue", "black", "white", "grey"];

javaInterop("Java and we share the groups of a queue", async (pair) => {
  const { java, urls, name, connect } = pair;
  const at = `queue://${name}`;
  const connection = await connect();
  await using session = await java.open({ url: urls.openwire });
  const sender = await java.open({ url: urls.openwire });
  const ours = await connection.createConsumer(name);
  const theirs = await session.createConsumer(at);

  // Who gets the first of a group gets all of it.
  let round = 0;
  const send = async () => {
    round++;
    for (const [i, group] of GROUPS.entries()) {
      const body = `${group} ${round}`;
      if ((i + round) % 2) {
        await connection.send(name, body, { groupId: group });
      } else {
        const properties: JavaOutgoing["properties"] = [["JMSXGroupID", { t: "string", v: group }]];
        await sender.send(at, text(body, { properties }));
      }
    }
  };
  await send();
  const ourFirst: string[] = [];
  const theirFirst: string[] = [];
  const listening = (async () => {
    while (ourFirst.length + theirFirst.length < GROUPS.length) {
      const message = await ours.receive({ timeout: 100 });
      if (message) ourFirst.push(message.groupId!);
    }
  })();
  while (ourFirst.length + theirFirst.length < GROUPS.length) {
    const message = await theirs.receive({ timeout: 100 });
    if (message) theirFirst.push(message.headers.JMSXGroupID!);
  }
  await listening;
  assertEquals([...ourFirst, ...theirFirst].sort(), GROUPS.toSorted());
  assert(
    ourFirst.length > 0 && theirFirst.length > 0,
    `all groups went to one: ${ourFirst}, ${theirFirst}`,
  );

  const inOrder = (groups: string[], rounds: number[]) =>
    rounds.flatMap((round) =>
      GROUPS.filter((group) => groups.includes(group)).map((group) => `${group} ${round}`)
    );
  for (let i = 0; i < 10; i++) await send();
  const rounds = Array.from({ length: 10 }, (_, i) => i + 2);
  const [here, there] = await Promise.all([
    take(ours, 10 * ourFirst.length),
    takenByJava(theirs, 10 * theirFirst.length),
  ]);
  assertEquals(texts(here), inOrder(ourFirst, rounds));
  assertEquals(javaTexts(there), inOrder(theirFirst, rounds));

  // Who goes hands over its groups.
  await ours.close();
  await send();
  const all = await takenByJava(theirs, GROUPS.length);
  assertEquals(javaTexts(all), inOrder(GROUPS, [round]));
  const back = await connection.createConsumer(name);
  await theirs.close();
  await send();
  assertEquals(texts(await take(back, GROUPS.length)), inOrder(GROUPS, [round]));
  await sender.close();
});

/** Is it among those that were recovered? */
function among(xids: readonly Xid[], { formatId, globalTransactionId, branchQualifier }: Xid) {
  return xids.some((xid) =>
    xid.formatId === formatId &&
    String(xid.globalTransactionId) === String(globalTransactionId) &&
    String(xid.branchQualifier) === String(branchQualifier)
  );
}

for (const outcome of ["commit", "rollback"] as const) {
  const [from, to] = ["from", "to"];
  const expected = outcome === "commit" ? [[], ["by a"]] : [["a"], []];

  javaInterop(`a branch that is prepared here Java finds, for ${outcome}`, async (pair) => {
    const { java, urls, name, connect } = pair;
    const xid = createXid();
    const connection = await connect();
    await connection.send(`${name}.${from}`, "a");
    const session = await connection.createSession({ acknowledgeMode: "transacted" });
    const consumer = await session.createConsumer(`${name}.${from}`);
    await connection.xa.start(session, xid);
    assertEquals((await received(consumer)).text, "a");
    await session.send(`${name}.${to}`, "by a");
    await connection.xa.end(session, xid);
    assertEquals(await connection.xa.prepare(xid), "ok");
    await connection.close();

    await using other = await java.open({ url: urls.openwire, mode: "xa" });
    const found = await other.recover();
    assert(among(found, xid), `${found.length} other branches`);
    await other.xa(outcome, xid);
    assert(!among(await other.recover(), xid));
    assertEquals([
      await left(pair, `${name}.${from}`),
      await left(pair, `${name}.${to}`),
    ], expected);
  });

  javaInterop(`a branch that Java prepared is found here, for ${outcome}`, async (pair) => {
    const { java, urls, name, connect } = pair;
    const xid = createXid();
    const connection = await connect();
    await connection.send(`${name}.${from}`, "a");
    const session = await java.open({ url: urls.openwire, mode: "xa" });
    const consumer = await session.createConsumer(`queue://${name}.${from}`);
    await session.xa("start", xid);
    assertEquals((await receivedByJava(consumer)).body.text, "a");
    await session.send(`queue://${name}.${to}`, text("by a"));
    await session.xa("end", xid);
    assertEquals(await session.prepare(xid), "ok");
    await session.close();

    const { xa } = connection;
    const found = await xa.recover();
    assert(among(found, xid), `${found.length} other branches`);
    await xa[outcome](xid);
    assert(!among(await xa.recover(), xid));
    assertEquals([
      await left(pair, `${name}.${from}`),
      await left(pair, `${name}.${to}`),
    ], expected);
  });
}
