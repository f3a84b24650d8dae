/** Requests and replies. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  BrokerError,
  ClosedError,
  connect,
  type Connection,
  ConnectionClosedError,
  type ConnectionStatus,
  type Message,
  noReply,
  type OpenWireError,
  RemoteError,
  type RequestManyOptions,
  TimeoutError,
} from "../../mod.ts";
import { type ConsumerId, createConsumerControl } from "../../codec/mod.ts";
import { Deadlines } from "../../client/deadlines.ts";
import { Requester, type RequesterParts } from "../../client/request/requester.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { test } from "../_harness.ts";
import { type TestBroker, testOnBrokers } from "./_brokers.ts";
import { left, received, until } from "./_messages.ts";

/** A requester and a responder, each with a connection of its own. */
async function two({ connect }: TestBroker): Promise<[Connection, Connection]> {
  return [await connect(), await connect()];
}

/** What a connection reports until a number of errors has come. */
async function errors(connection: Connection, count: number): Promise<OpenWireError[]> {
  const found: OpenWireError[] = [];
  for await (const status of connection.status()) {
    if (status.type === "error") found.push(status.error as OpenWireError);
    if (found.length === count) break;
  }
  return found;
}

async function gather(replies: AsyncIterable<Message>): Promise<(string | null)[]> {
  const texts = [];
  for await (const reply of replies) texts.push(reply.text);
  return texts.sort();
}

testOnBrokers("a request resolves to its reply", async (broker) => {
  const [client, server] = await two(broker);
  const requests = await server.createConsumer(broker.name);
  const pending = client.request(broker.name, "how many?", { properties: { unit: "kg" } });
  const request = await received(requests);
  assertEquals(request.text, "how many?");
  assertEquals(request.properties.get("unit"), "kg");
  assertEquals(request.replyTo?.dataType, "ActiveMQTempQueue");
  await server.send(request.replyTo!, "42", { correlationId: request.correlationId! });
  const reply = await pending;
  assertEquals(reply.text, "42");
  assertEquals(reply.correlationId, request.correlationId);
});

testOnBrokers("a request lasts as long as somebody waits, unless it says else", async (broker) => {
  const [client, server] = await two(broker);
  const requests = await server.createConsumer(broker.name);
  const first = client.request(broker.name, "a", { timeout: 20_000 });
  const a = await received(requests);
  assertEquals(a.persistent, false);
  const life = a.expiration - a.timestamp;
  assert(life > 0 && life <= 20_000, `${life}`);
  const second = client.request(broker.name, "b", {
    timeToLive: 0,
    persistent: true,
    priority: 8,
    type: "ask",
  });
  const b = await received(requests);
  assertEquals([b.persistent, b.expiration, b.priority, b.type], [true, 0, 8, "ask"]);
  for (const { replyTo, correlationId } of [b, a]) {
    await server.send(replyTo!, correlationId, { correlationId: correlationId! });
  }
  assertEquals((await first).text, a.correlationId);
  assertEquals((await second).text, b.correlationId);
});

testOnBrokers("requests at the same time share a queue for their replies", async (broker) => {
  const [client, server] = await two(broker);
  const requests = await server.createConsumer(broker.name);
  const count = 20;
  const pending = Array.from({ length: count }, (_, i) => client.request(broker.name, `${i}`));
  const taken = [];
  for (let i = 0; i < count; i++) taken.push(await received(requests));
  assertEquals(new Set(taken.map(({ replyTo }) => replyTo!.physicalName)).size, 1);
  assertEquals(new Set(taken.map(({ correlationId }) => correlationId)).size, count);
  for (const { text, replyTo, correlationId } of taken.reverse()) {
    await server.send(replyTo!, text, { correlationId: correlationId! });
  }
  assertEquals((await Promise.all(pending)).map(({ text }) => text), [
    ...Array.from({ length: count }, (_, i) => `${i}`),
  ]);
});

testOnBrokers("a request without a reply fails, and a late reply is counted", async (broker) => {
  const [client, server] = await two(broker);
  const requests = await server.createConsumer(broker.name);
  const failed = assertRejects(
    () => client.request(broker.name, "a", { timeout: 500, timeToLive: 0 }),
    TimeoutError,
  );
  const { replyTo, correlationId } = await received(requests);
  const error = await failed;
  assert(error.message.includes(`queue://${broker.name}`) && error.message.includes("500 ms"));
  assertEquals(client.lateReplies, 0);
  await server.send(replyTo!, "too late", { correlationId: correlationId! });
  await server.send(replyTo!, "nobody's");
  await until(() => client.lateReplies === 2);
  // The others are none the worse.
  await using _ = await server.respond(`${broker.name}.2`, () => "in time");
  assertEquals((await client.request(`${broker.name}.2`, null)).text, "in time");
});

testOnBrokers("a request that nobody takes is dropped by the broker", async (broker) => {
  const [client, server] = await two(broker);
  const start = Date.now();
  await assertRejects(() => client.request(broker.name, "a", { timeout: 50 }), TimeoutError);
  await until(() => Date.now() > start + 55);
  await client.send(broker.name, "b");
  assertEquals((await received(await server.createConsumer(broker.name))).text, "b");
});

testOnBrokers("a signal ends the wait for a reply", async (broker) => {
  const [client, server] = await two(broker);
  const requests = await server.createConsumer(broker.name);
  const controller = new AbortController();
  const pending = client.request(broker.name, "a", { signal: controller.signal });
  await received(requests);
  controller.abort(new Error("enough"));
  await assertRejects(() => pending, Error, "enough");
  // One that is aborted already sends nothing.
  await assertRejects(
    () => client.request(broker.name, "b", { signal: controller.signal }),
    Error,
    "enough",
  );
  await client.send(broker.name, "c");
  assertEquals((await received(requests)).text, "c");
});

testOnBrokers("a request to a place that is gone fails at once", async (broker) => {
  const [client, server] = await two(broker);
  const place = await server.createTemporaryQueue();
  await place.delete();
  for (let attempt = 0; attempt < 2; attempt++) {
    const error = await assertRejects(() => client.request(place, "a"), BrokerError);
    assertEquals(error.code, "INVALID_DESTINATION");
  }
}, { needs: ["deleted temporary destinations"] });

testOnBrokers("the end of the connection ends the wait for a reply", async (broker) => {
  const [client, other] = await two(broker);
  const requests = await other.createConsumer(broker.name);
  const failures = [client.request(broker.name, "a"), gather(client.requestMany(broker.name, "b"))]
    .map((pending) => assertRejects(() => pending, ConnectionClosedError));
  await received(requests);
  await received(requests);
  await client.close();
  await Promise.all(failures);
  await assertRejects(() => client.request(broker.name, "c"), ConnectionClosedError);

  const pending = assertRejects(() => other.request(broker.name, "d"), ConnectionClosedError);
  await received(requests);
  other.abort();
  await pending;
});

testOnBrokers("bodies of requests are as those of send()", async (broker) => {
  const [client, server] = await two(broker);
  await using _ = await server.respond(broker.name, (request) => request);
  const json = await client.request(broker.name, { json: { id: 7 } });
  assertEquals(json.json(), { id: 7 });
  const bytes = await client.request(broker.name, new Uint8Array(10_000).fill(7), {
    compress: true,
  });
  assertEquals(bytes.bytes, new Uint8Array(10_000).fill(7));
  assertEquals((await client.request(broker.name, { map: { a: 1 } })).map.get("a"), 1);
  assertEquals((await client.request(broker.name, null)).kind, "plain");
  await assertRejects(() => client.request(broker.name, 7 as unknown as string), TypeError);
});

testOnBrokers("what a request sets by itself is refused", async (broker) => {
  const client = await broker.connect();
  for (const name of ["correlationId", "destination"]) {
    const options = { [name]: "x" };
    await assertRejects(() => client.request(broker.name, "a", options), TypeError, name);
    assertThrows(() => client.requestMany(broker.name, "a", options), TypeError, name);
  }
  await assertRejects(() => client.request(broker.name, "a", { timeout: -1 }), RangeError);
  const bad: RequestManyOptions[] = [
    { maxReplies: 0 },
    { maxReplies: 1.5 },
    { stallTimeout: -1 },
    { timeout: NaN },
  ];
  for (const options of bad) {
    assertThrows(() => client.requestMany(broker.name, "a", options), RangeError);
  }
  assertEquals(await left(broker, broker.name), []);
});

testOnBrokers("many replies to one request, up to a number", async (broker) => {
  const [client, server] = await two(broker);
  const topic = `topic://${broker.name}`;
  for (const name of ["one", "two", "three"]) await server.respond(topic, () => name);
  assertEquals(await gather(client.requestMany(topic, null, { maxReplies: 3 })), [
    "one",
    "three",
    "two",
  ]);
  // One more than wanted is late.
  const names = [];
  for await (const { text } of client.requestMany(topic, null, { maxReplies: 2 })) {
    await until(() => client.lateReplies === 1);
    names.push(text);
  }
  assertEquals(names.length, 2);
});

testOnBrokers("many replies to one request, until the time is over", async (broker) => {
  const [client, server] = await two(broker);
  const topic = `topic://${broker.name}`;
  assertEquals(await gather(client.requestMany(topic, null, { timeout: 50 })), []);
  for (const name of ["one", "two"]) await server.respond(topic, () => name);
  const replies = client.requestMany(topic, null, { timeout: 1_000 });
  assertEquals(await gather(replies), ["one", "two"]);
  assertEquals(
    await gather(client.requestMany(topic, null, { stallTimeout: 500 })),
    ["one", "two"],
  );
});

testOnBrokers("the loop over many replies can be left and aborted", async (broker) => {
  const [client, server] = await two(broker);
  const topic = `topic://${broker.name}`;
  const left = Promise.withResolvers<void>();
  await server.respond(topic, () => "one");
  await server.respond(topic, async () => {
    await left.promise;
    return "two";
  });
  for await (const { text } of client.requestMany(topic, null)) {
    assertEquals(text, "one");
    break;
  }
  left.resolve();
  await until(() => client.lateReplies === 1);

  const controller = new AbortController();
  const error = await assertRejects(async () => {
    for await (const _ of client.requestMany(topic, null, { signal: controller.signal })) {
      controller.abort(new Error("enough"));
    }
  });
  assertEquals((error as Error).message, "enough");
});

testOnBrokers("many replies are asked for when the loop begins", async (broker) => {
  const [client, server] = await two(broker);
  const requests = await server.createConsumer(broker.name);
  const replies = client.requestMany(broker.name, "second", { maxReplies: 1 });
  await client.send(broker.name, "first");
  assertEquals((await received(requests)).text, "first");
  const pending = gather(replies);
  const { text, replyTo, correlationId } = await received(requests);
  await server.send(replyTo!, text, { correlationId: correlationId! });
  assertEquals(await pending, ["second"]);
});

testOnBrokers("a failure among many replies is one of them", async (broker) => {
  const [client, server] = await two(broker);
  const topic = `topic://${broker.name}`;
  await server.respond(topic, () => "fine");
  await server.respond(topic, () => {
    throw new RangeError("too far");
  });
  const found = [];
  for await (const reply of client.requestMany(topic, null, { maxReplies: 2 })) {
    found.push(RemoteError.of(reply)?.remoteCode ?? reply.text);
  }
  assertEquals(found.sort(), ["RangeError", "fine"]);
});

test("when the replies' consumer ends, who waits is told and the next request opens another", async () => {
  const deadlines = new Deadlines();
  const ends: ((error: unknown) => void)[] = [];
  const sent: string[] = [];
  let opened = 0;
  let deleted = 0;
  let sending = Promise.withResolvers<void>();
  const connection = {
    createTemporaryQueue: () => {
      opened++;
      if (opened === 1) return Promise.reject(new BrokerError("Cannot create", null));
      return Promise.resolve({
        delete: () => {
          deleted++;
          return Promise.resolve();
        },
      });
    },
    createConsumer: () =>
      Promise.resolve({ consume: () => new Promise((_, reject) => ends.push(reject)) }),
    send: (_: unknown, body: string) => {
      sent.push(body);
      sending.resolve();
      return Promise.resolve();
    },
  };
  const requester = new Requester({
    connection: connection as unknown as RequesterParts["connection"],
    deadlines,
    requestTimeout: 10_000,
    nestedMapAndListEnabled: true,
  });
  await assertRejects(() => requester.request("q", "1", {}), BrokerError);
  assertEquals(opened, 1);
  for (const body of ["2", "3"]) {
    sending = Promise.withResolvers();
    const pending = requester.request("q", body, {});
    await sending.promise;
    const failed = assertRejects(() => pending, ClosedError, "The broker closed the consumer");
    ends.at(-1)!(new ClosedError("The broker closed the consumer"));
    await failed;
  }
  assertEquals([opened, deleted, sent], [3, 2, ["2", "3"]]);
  deadlines.close();
});

test("a request that is late before it could be sent is not sent", async () => {
  const deadlines = new Deadlines();
  const queue = Promise.withResolvers<unknown>();
  let sent = 0;
  const connection = {
    createTemporaryQueue: () => queue.promise,
    createConsumer: () => Promise.resolve({ consume: () => new Promise(() => {}) }),
    send: () => Promise.resolve(sent++),
  };
  const requester = new Requester({
    connection: connection as unknown as RequesterParts["connection"],
    deadlines,
    requestTimeout: 10_000,
    nestedMapAndListEnabled: true,
  });
  const second = requester.request("q", "in time", { timeout: 5_000 });
  await assertRejects(() => requester.request("q", "late", { timeout: 1 }), TimeoutError);
  queue.resolve({});
  await until(() => sent > 0);
  requester.end(new ConnectionClosedError("The connection was closed"));
  await assertRejects(() => second, ConnectionClosedError);
  assertEquals(sent, 1);
  deadlines.close();
});

testOnBrokers("a responder's replies are what its handler returns", async (broker) => {
  const [client, server] = await two(broker);
  const results: Record<string, Parameters<Connection["send"]>[1] | undefined> = {
    text: "text",
    bytes: Uint8Array.of(1, 2),
    json: { json: [1, 2] },
    null: null,
    undefined: undefined,
  };
  await using responder = await server.respond(broker.name, async ({ text }) => {
    await Promise.resolve();
    return results[text!];
  });
  assertEquals(responder.destination.physicalName, broker.name);
  const ask = async (what: string) => await client.request(broker.name, what);
  assertEquals((await ask("text")).text, "text");
  assertEquals((await ask("bytes")).bytes, Uint8Array.of(1, 2));
  assertEquals((await ask("json")).json(), [1, 2]);
  assertEquals((await ask("null")).kind, "plain");
  assertEquals((await ask("undefined")).kind, "plain");
});

testOnBrokers("a reply can have headers", async (broker) => {
  const [client, server] = await two(broker);
  await using _ = await server.respond(broker.name, () => ({
    body: { map: { price: 3 } },
    properties: { currency: "EUR" },
    type: "price",
    persistent: true,
    replyTo: "next",
  }));
  const reply = await client.request(broker.name, null);
  assertEquals(reply.map.get("price"), 3);
  assertEquals(reply.properties.get("currency"), "EUR");
  assertEquals([reply.type, reply.persistent, reply.replyTo?.physicalName], [
    "price",
    true,
    "next",
  ]);
});

testOnBrokers("a reply names its request, and expires with it", async (broker) => {
  const [client, server] = await two(broker);
  const replies = await client.createTemporaryQueue();
  const consumer = await client.createConsumer(replies);
  await using _ = await server.respond(broker.name, () => "reply");
  const { messageId } = await client.send(broker.name, "a", { replyTo: replies });
  const first = await received(consumer);
  assertEquals([first.correlationId, first.persistent, first.expiration], [messageId, false, 0]);
  await client.send(broker.name, "b", {
    replyTo: replies,
    correlationId: "my own",
    timeToLive: 20_000,
  });
  const second = await received(consumer);
  assertEquals(second.correlationId, "my own");
  const life = second.expiration - second.timestamp;
  assert(life > 0 && life <= 20_000, `${life}`);
});

testOnBrokers("when the handler fails the requester is told, and it goes on", async (broker) => {
  const [client, server] = await two(broker);
  const reported = errors(server, 3);
  let calls = 0;
  await using _ = await server.respond(broker.name, ({ text }) => {
    calls++;
    if (text === "code") throw Object.assign(new Error("no such thing"), { code: "NOT_FOUND" });
    if (text === "name") throw new RangeError("too\nfar");
    if (text === "text") throw "just so";
    return "fine";
  });
  const failed = async (what: string) => {
    const error = await assertRejects(() => client.request(broker.name, what), RemoteError);
    return [error.code, error.remoteCode, error.message];
  };
  assertEquals(await failed("code"), ["REMOTE", "NOT_FOUND", "no such thing"]);
  assertEquals(await failed("name"), ["REMOTE", "RangeError", "too far"]);
  assertEquals(await failed("text"), ["REMOTE", "Error", "just so"]);
  assertEquals((await client.request(broker.name, "else")).text, "fine");
  assertEquals((await reported).map(({ message }) => message), [
    "no such thing",
    "too\nfar",
    "just so",
  ]);
  assertEquals(calls, 4);
});

testOnBrokers("a reply that can't be sent is a failure for the requester too", async (broker) => {
  const [client, server] = await two(broker);
  const reported = errors(server, 2);
  await using _ = await server.respond(
    broker.name,
    ({ text }) => text === "json" ? { json: 1n } : { body: "x", type: "too long".repeat(10_000) },
  );
  for (const [text, code] of [["json", "TypeError"], ["type", "ENCODE"]] as const) {
    const error = await assertRejects(() => client.request(broker.name, text), RemoteError);
    assertEquals(error.remoteCode, code);
  }
  assertEquals((await reported).length, 2);
});

testOnBrokers("a request need not be answered", async (broker) => {
  const [client, server] = await two(broker);
  await using _ = await server.respond(
    broker.name,
    ({ text }) => text === "mine" ? "here" : noReply,
  );
  assertEquals(
    await gather(client.requestMany(broker.name, "not mine", { timeout: 100 })),
    [],
  );
  assertEquals((await client.request(broker.name, "mine")).text, "here");
});

testOnBrokers(
  "a reply that nobody wants is reported, and the request done with",
  async (broker) => {
    const [client, server] = await two(broker);
    const handled: (string | null)[] = [];
    const reported = errors(server, 1);
    const responder = await server.respond(broker.name, ({ text }) => {
      handled.push(text);
      return text === "quiet" ? undefined : "reply";
    });
    await client.send(broker.name, "quiet");
    await client.send(broker.name, "loud");
    const [error] = await reported;
    assertEquals(error!.code, "NO_REPLY_TO");
    await responder.close();
    assertEquals(handled, ["quiet", "loud"]);
    assertEquals(await left(broker, broker.name), []);
  },
);

testOnBrokers(
  "a requester that has gone is reported, and the request done with",
  async (broker) => {
    const [client, server] = await two(broker);
    const handling = Promise.withResolvers<void>();
    const gone = Promise.withResolvers<void>();
    const handled: (string | null)[] = [];
    const reported = errors(server, 1);
    const responder = await server.respond(broker.name, async ({ text }) => {
      handled.push(text);
      handling.resolve();
      await gone.promise;
      return "reply";
    });
    client.request(broker.name, "a").catch(() => {});
    await handling.promise;
    await client.close();
    gone.resolve();
    const [error] = await reported;
    assertEquals(error!.code, "INVALID_DESTINATION");
    const other = await broker.connect();
    assertEquals((await other.request(broker.name, "b")).text, "reply");
    await responder.close();
    assertEquals(handled, ["a", "b"]);
    assertEquals(await left(broker, broker.name), []);
  },
  { needs: ["deleted temporary destinations"] },
);

testOnBrokers("a reply that comes too late is not sent, but reported", async (broker) => {
  const [client, server] = await two(broker);
  const reported = errors(server, 1);
  await using _ = await server.respond(broker.name, async ({ expiration, text }) => {
    if (text === "slow") await until(() => Date.now() > expiration);
    return text;
  });
  const controller = new AbortController();
  const { signal } = controller;
  const slow = client.request(broker.name, "slow", { timeToLive: 1_000, signal });
  const failed = assertRejects(() => slow, Error, "enough");
  const [error] = await reported;
  assertEquals(error!.code, "TIMEOUT");
  assertEquals((await client.request(broker.name, "fast")).text, "fast");
  controller.abort(new Error("enough"));
  await failed;
  assertEquals(client.lateReplies, 0);
});

testOnBrokers("a request is acknowledged when it was answered, not before", async (broker) => {
  const [client, server] = await two(broker);
  const handling = Promise.withResolvers<void>();
  await server.respond(broker.name, () => {
    handling.resolve();
    return new Promise(() => {});
  });
  const pending = client.request(broker.name, "a");
  await handling.promise;
  server.abort();
  const second = await broker.connect();
  await using _ = await second.respond(broker.name, ({ redelivered }) => `again: ${redelivered}`);
  assertEquals((await pending).text, "again: true");
});

testOnBrokers("several requests are handled at the same time", async (broker) => {
  const [client, server] = await two(broker);
  const count = 3;
  const all = Promise.withResolvers<void>();
  let busy = 0;
  await using _ = await server.respond(broker.name, async ({ text }) => {
    if (++busy === count) all.resolve();
    await all.promise;
    return text;
  }, { concurrency: count });
  const replies = ["a", "b", "c"].map((text) => client.request(broker.name, text));
  assertEquals((await Promise.all(replies)).map(({ text }) => text), ["a", "b", "c"]);
});

testOnBrokers("a responder takes what its selector lets through", async (broker) => {
  const [client, server] = await two(broker);
  for (const region of ["eu", "us"]) {
    await server.respond(broker.name, () => region, {
      selector: `region = '${region}'`,
      prefetchSize: 1,
    });
  }
  for (const region of ["us", "eu"]) {
    const reply = await client.request(broker.name, null, { properties: { region } });
    assertEquals(reply.text, region);
  }
});

testOnBrokers("drain() and close() of a responder have it answer what it began", async (broker) => {
  const [client, server] = await two(broker);
  for (const how of ["drain", "close"] as const) {
    const started = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    let busy = 0;
    const responder = await server.respond(broker.name, async ({ text }) => {
      if (++busy === 2) started.resolve();
      await go.promise;
      return `${how}: ${text}`;
    }, { concurrency: 2 });
    const pending = ["a", "b"].map((text) => client.request(broker.name, text));
    await started.promise;
    const ended = responder[how]();
    go.resolve();
    await ended;
    assertEquals(await responder.closed, undefined);
    await responder.close();
    const replies = await Promise.all(pending);
    assertEquals(replies.map(({ text }) => text), [`${how}: a`, `${how}: b`]);
    // What comes now is for another one.
    const other = client.request(broker.name, "c");
    await using _ = await server.respond(broker.name, ({ text }) => `other: ${text}`);
    assertEquals((await other).text, "other: c");
  }
});

testOnBrokers("a responder tells what ended it", async (broker) => {
  const server = await broker.connect();
  const responder = await server.respond(broker.name, () => null);
  server.abort(new Error("crash"));
  const error = await responder.closed;
  assert(error instanceof ConnectionClosedError);
  await responder.close();
});

testOnBrokers("a responder that can't be opened leaves nothing behind", async (broker) => {
  const server = await broker.connect();
  const open = (handler: unknown, concurrency?: number) => () =>
    server.respond(broker.name, handler as () => null, { concurrency });
  await assertRejects(open("handler"), TypeError, "a function is expected");
  await assertRejects(open(() => null, 0), RangeError, "concurrency");
  await assertRejects(
    () => server.respond(broker.name, () => null, { selector: "convert_string_expressions:a b c" }),
    BrokerError,
  );
  await server.send(broker.name, "a");
  assertEquals(await left(broker, broker.name), [["a", 0]]);
});

testOnBrokers("closing a connection lets its responders answer", async (broker) => {
  const [client, server] = await two(broker);
  const handling = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const responder = await server.respond(broker.name, async () => {
    handling.resolve();
    await go.promise;
    return "last words";
  });
  const pending = client.request(broker.name, "a");
  await handling.promise;
  const closed = server.close();
  go.resolve();
  assertEquals((await pending).text, "last words");
  await closed;
  assertEquals(await responder.closed, undefined);
});

test("a reply that the broker has no room for is made again", async () => {
  await using broker = await MemoryBroker.listen();
  const { connect } = await import("../../mod.ts");
  const client = await connect(broker.url);
  const server = await connect(broker.url, {
    redeliveryPolicy: { initialRedeliveryDelay: 0, redeliveryDelay: 0 },
  });
  using fault = broker.fault({
    command: "ActiveMQTextMessage",
    where: (command) =>
      command.dataType === "ActiveMQTextMessage" &&
      command.destination?.dataType === "ActiveMQTempQueue",
    action: { refuse: { className: "javax.jms.ResourceAllocationException", message: "full" } },
  });
  let calls = 0;
  const reported = errors(server, 1);
  await server.respond("q", () => `${++calls}`);
  assertEquals((await client.request("q", null)).text, "2");
  assertEquals(fault.hits, 1);
  assertEquals((await reported)[0]!.code, "RESOURCE_ALLOCATION");
  await Promise.all([client.close(), server.close()]);
});

test("a lost connection to the broker's replies is noticed by status()", async () => {
  await using broker = await MemoryBroker.listen();
  const { connect } = await import("../../mod.ts");
  const client = await connect(broker.url);
  const statuses: ConnectionStatus[] = [];
  const watched = (async () => {
    for await (const status of client.status()) statuses.push(status);
  })();
  const pending = client.request("q", null);
  await broker.until(() => broker.queue("q").size === 1);
  await broker.disconnectClients();
  await assertRejects(() => pending, ConnectionClosedError);
  await watched;
  assertEquals(statuses.map(({ type }) => type), ["closed"]);
});

test("requestMany() fails after 10,000 replies that nobody reads, and gives those", async () => {
  await using broker = await MemoryBroker.listen();
  await using client = await connect(broker.url);
  await using server = await connect(broker.url);
  const requests = await server.createConsumer("who");
  const replies = client.requestMany("who", null, { timeout: 20_000, stallTimeout: 20_000 });
  const first = replies.next();
  const { replyTo, correlationId } = await received(requests);
  const producer = await server.createProducer(replyTo!, { persistent: false });
  const send = (text: string) => producer.send(text, { correlationId: correlationId! });
  await Promise.all(Array.from({ length: 10_003 }, (_, i) => send(`${i}`)));
  await until(() => client.lateReplies > 0);
  assertEquals((await first).value?.text, "0");
  let count = 1;
  const error = await assertRejects(async () => {
    for await (const { text } of replies) assertEquals(text, `${count++}`);
  }) as OpenWireError;
  assertEquals([error.code, count], ["TOO_MANY_REPLIES", 10_001]);
});

testOnBrokers(
  "replies come to a queue that several clients share, each to its own client",
  async (broker) => {
    const { name, connect } = broker;
    const replyTo = `${name}.replies`;
    const [ann, bob, server] = [await connect(), await connect(), await connect()];
    const seen: Message[] = [];
    await server.respond(name, (request) => {
      seen.push(request);
      return request.text!.toUpperCase();
    });
    const clients = [ann, bob, ann, bob, ann];
    const replies = await Promise.all(
      clients.map((client, i) => client.request(name, `text ${i}`, { replyTo })),
    );
    assertEquals(replies.map(({ text }) => text), clients.map((_, i) => `TEXT ${i}`));
    assertEquals(
      new Set(seen.map(({ replyTo }) => `${replyTo?.dataType} ${replyTo?.physicalName}`)),
      new Set([`ActiveMQQueue ${replyTo}`]),
    );
    assertEquals(new Set(seen.map(({ correlationId }) => correlationId)).size, clients.length);
    // The temporary queue is used beside it.
    assertEquals((await ann.request(name, "plain")).text, "PLAIN");
    assertEquals(seen.at(-1)?.replyTo?.dataType, "ActiveMQTempQueue");
    assertEquals(await gather(bob.requestMany(name, "many", { replyTo, maxReplies: 1 })), ["MANY"]);
  },
);

testOnBrokers("replies come to a topic, too", async ({ name, connect }) => {
  const [client, server] = [await connect(), await connect()];
  await server.respond(name, ({ text }) => text);
  const replyTo = `topic://${name}.replies`;
  assertEquals((await client.request(name, "x", { replyTo })).text, "x");
});

test("a reply to a queue of its own survives the loss of the requester's connection", async () => {
  await using broker = await MemoryBroker.listen();
  await using client = await connect(broker.url, {
    failover: { initialReconnectDelay: 1, useExponentialBackOff: false },
  });
  const reply = client.request("ask", "x", { replyTo: "replies", persistent: true });
  await until(() => broker.queue("ask").size === 1);
  await broker.disconnectClients();
  await using server = await connect(broker.url);
  await using _ = await server.respond("ask", () => "answer");
  assertEquals((await reply).text, "answer");
});

test("the end of one reply queue's consumer fails only the requests with that queue", async () => {
  await using broker = await MemoryBroker.listen();
  await using client = await connect(broker.url);
  await using server = await connect(broker.url);
  const requests = await server.createConsumer("ask");
  const opened: ConsumerId[] = [];
  broker.intercept((command) => {
    if (command.dataType === "ConsumerInfo") opened.push(command.consumerId!);
    return undefined;
  });
  const fixed = client.request("ask", "fixed", { replyTo: "replies" });
  const failure = assertRejects(() => fixed, ClosedError);
  await received(requests);
  const plain = client.request("ask", "plain");
  const { replyTo, correlationId } = await received(requests);
  assertEquals(opened.length, 2);
  broker.sendToClients(createConsumerControl({ consumerId: opened[0]!, close: true }));
  await failure;
  await server.send(replyTo!, "answer", { correlationId: correlationId! });
  assertEquals((await plain).text, "answer");
});

test("replies can't be requested to several destinations", async () => {
  await using broker = await MemoryBroker.listen();
  await using client = await connect(broker.url);
  for (const replyTo of ["a,b", "a.*", "a.>", "topic://a,topic://b"]) {
    await assertRejects(
      () => client.request("ask", "x", { replyTo }),
      TypeError,
      "a single queue or topic is expected",
    );
  }
});
