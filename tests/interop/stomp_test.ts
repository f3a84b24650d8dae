/** A STOMP client and this one, through the brokers: what one sends the other receives. */
import { double, int, long, queue, topic } from "../../mod.ts";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { received, take, texts } from "../client/_messages.ts";
import { interop } from "./_interop.ts";
import { StompPeer } from "./_stomp.ts";

const BINARY = Uint8Array.of(0, 1, 10, 13, 127, 128, 255);

interop("stomp", "text and bytes of a STOMP client are received here", async (pair) => {
  const { urls, name, connect } = pair;
  const consumer = await (await connect()).createConsumer(name);
  await using stomp = await StompPeer.connect(urls.stomp!);
  for (const text of ["käse 😀", "", "long ".repeat(20_000) + "😀"]) {
    await stomp.send(`/queue/${name}`, text);
    const message = await received(consumer);
    assertEquals([message.kind, message.text], ["text", text]);
  }
  for (const bytes of [BINARY, new Uint8Array(100_000)]) {
    await stomp.send(`/queue/${name}`, bytes);
    const message = await received(consumer);
    assertEquals([message.kind, message.bytes], ["bytes", bytes]);
  }
});

interop("stomp", "text and bytes of ours are received by a STOMP client", async (pair) => {
  const { urls, name, connect, has } = pair;
  const connection = await connect();
  await using stomp = await StompPeer.connect(urls.stomp!);
  const subscription = await stomp.subscribe(`/queue/${name}`);
  for (const compress of [false, true]) {
    const options = { compress, compressionThreshold: 0 };
    const all = ["käse €", "x".repeat(100_000)];
    if (has("UTF-8 for STOMP")) all.push("emoji 😀");
    if (has("NUL in text for STOMP")) all.push("a NUL \0 within");
    for (const text of all) {
      await connection.send(name, text, options);
      assertEquals((await subscription.receive()).body, text);
    }
    await connection.send(name, BINARY, options);
    const { binaryBody, headers } = await subscription.receive();
    assertEquals(binaryBody, BINARY);
    assertEquals(headers["content-length"], String(BINARY.length));
  }
});

interop("stomp", "headers of a STOMP client are received here", async (pair) => {
  const { urls, name, connect, has } = pair;
  const consumer = await (await connect()).createConsumer(name);
  await using stomp = await StompPeer.connect(urls.stomp!);
  const expires = Date.now() + 60_000;
  await stomp.send(`/queue/${name}`, "x", {
    "correlation-id": "c-1",
    type: "kind",
    priority: "7",
    persistent: "true",
    expires: String(expires),
    "reply-to": has("prefixes of STOMP") ? "/queue/answers" : "queue://answers",
    JMSXGroupID: "g",
    JMSXGroupSeq: "3",
    text: "käse 😀: a\nb\\c",
    number: "5",
  });
  const message = await received(consumer);
  assertMatch(message.id, /^ID:/);
  assertEquals([message.correlationId, message.type], ["c-1", "kind"]);
  assertEquals([message.priority, message.persistent], [7, true]);
  assertEquals([message.expiration, message.replyTo], [expires, queue("answers")]);
  assertEquals([message.groupId, message.groupSequence], ["g", 3]);
  assertEquals(message.destination, queue(name));
  // All properties are text.
  assertEquals(message.properties.get("text"), "käse 😀: a\nb\\c");
  assertEquals(message.properties.get("number"), "5");

  await stomp.send(`/queue/${name}`, "x");
  const plain = await received(consumer);
  assertEquals([plain.correlationId, plain.type, plain.replyTo], [null, null, null]);
  assertEquals([plain.priority, plain.persistent, plain.expiration], [4, false, 0]);
});

interop("stomp", "headers of ours are received by a STOMP client", async (pair) => {
  const { urls, name, connect, has } = pair;
  const connection = await connect();
  await using stomp = await StompPeer.connect(urls.stomp!);
  const subscription = await stomp.subscribe(`/queue/${name}`);
  const before = Date.now();
  const { messageId } = await connection.send(name, "x", {
    correlationId: "c-2",
    type: "kind",
    priority: 7,
    timeToLive: 60_000,
    replyTo: "queue://answers",
    properties: { text: "käse: a\nb\\ d", i: int(5), l: long(7), d: double(1.5), yes: true },
  });
  const { headers } = await subscription.receive();
  assertEquals([headers["correlation-id"], headers.type], ["c-2", "kind"]);
  assertEquals([headers.priority, headers.persistent], ["7", "true"]);
  assertEquals(
    headers["reply-to"],
    has("prefixes of STOMP") ? "/queue/answers" : "queue://answers",
  );
  assert(Number(headers.timestamp) >= before);
  assertEquals(Number(headers.expires), Number(headers.timestamp) + 60_000);
  const { text, i, l, d, yes } = headers;
  assertEquals({ text, i, l, d, yes }, {
    text: "käse: a\nb\\ d",
    i: "5",
    l: "7",
    d: "1.5",
    yes: "true",
  });
  if (pair.kind !== "artemis") assertEquals(headers["message-id"], messageId);
});

interop("stomp", "what a STOMP client does not acknowledge comes here", async (pair) => {
  const { urls, name, connect } = pair;
  const connection = await connect();
  for (const text of ["a", "b", "c"]) await connection.send(name, text);
  const stomp = await StompPeer.connect(urls.stomp!);
  const subscription = await stomp.subscribe(`/queue/${name}`, { ack: "client-individual" });
  const [a, b, c] = [
    await subscription.receive(),
    await subscription.receive(),
    await subscription.receive(),
  ];
  assertEquals([a.body, b.body, c.body], ["a", "b", "c"]);
  b.ack();
  await stomp.close();
  const consumer = await connection.createConsumer(name);
  const messages = await take(consumer, 2);
  assertEquals(texts(messages), ["a", "c"]);
  assert(messages[0]!.redelivered);
  await connection.send(name, "the last");
  assertEquals((await received(consumer)).text, "the last");
});

interop("stomp", "a STOMP client answers requests of ours", async ({ urls, name, connect }) => {
  const connection = await connect();
  await using stomp = await StompPeer.connect(urls.stomp!);
  const requests = await stomp.subscribe(`/queue/${name}`);
  const answer = connection.request(name, "apple", { timeout: 10_000 });
  const { body, headers } = await requests.receive();
  assertEquals(body, "apple");
  await stomp.send(headers["reply-to"]!, "30", { "correlation-id": headers["correlation-id"]! });
  assertEquals((await answer).text, "30");
});

interop("stomp", "requests of a STOMP client are answered here", async (pair) => {
  const { urls, name, connect, has } = pair;
  const connection = await connect();
  await using _responder = await connection.respond(name, ({ text }) => `${text}!`);
  await using stomp = await StompPeer.connect(urls.stomp!);
  const kept = has("prefixes of STOMP") ? `/queue/${name}.answers` : `queue://${name}.answers`;
  const places = has("temporary queues of STOMP") ? [kept, "/temp-queue/answers"] : [kept];
  for (const place of places) {
    const replies = await stomp.subscribe(place);
    await stomp.send(`/queue/${name}`, place, { "reply-to": place, "correlation-id": "c-3" });
    const { body, headers } = await replies.receive();
    assertEquals([body, headers["correlation-id"]], [`${place}!`, "c-3"]);
  }
});

interop("stomp", "topics are the same for a STOMP client and here", async (pair) => {
  const { urls, name, connect } = pair;
  const connection = await connect();
  const consumer = await connection.createConsumer(topic(name));
  await using stomp = await StompPeer.connect(urls.stomp!);
  const subscription = await stomp.subscribe(`/topic/${name}`);
  await stomp.send(`/topic/${name}`, "theirs");
  assertEquals((await received(consumer)).text, "theirs");
  assertEquals((await subscription.receive()).body, "theirs");
  await connection.send(topic(name), "ours");
  assertEquals((await received(consumer)).text, "ours");
  assertEquals((await subscription.receive()).body, "ours");
});
