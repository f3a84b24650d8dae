/** Texts of a peer: whatever they are, no error, no log and no status has a control character, or is too long. */

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  BrokerError,
  connect,
  type Connection,
  type Logger,
  type Message,
  OpenWireError,
  queue,
  RemoteError,
  selector,
  topic,
  TransportError,
} from "../../mod.ts";
import {
  createActiveMQQueue,
  createConnectionControl,
  createConnectionError,
  createMessageId,
  EncodeError,
  encodePrimitiveMap,
  type Message as WireMessage,
  ProtocolError,
} from "../../codec/mod.ts";
import { harmlessError } from "../../errors.ts";
import { StatusFeed } from "../../client/status.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { test } from "../_harness.ts";
import { fakePeer, Script } from "../client/_fake_broker.ts";
import { received, until } from "../client/_messages.ts";
import { dispatchTo, emptyMessage, textMessage, withVictim } from "./_attack.ts";

/** Colours, a line that looks like one of the log, a bell, and marks that turn the direction. */
const HOSTILE = "\u001b[31m\r\n12:00 INFO all is well\u0007\u0000\u0085\u202ecba\u2066\u2028";
const LONG = HOSTILE + "x".repeat(60_000);

const CONTROL = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;

/** Characters of errors of ours, which may name many things, and of others. */
const LONGEST = 10_200;
const LONGEST_FOREIGN = 1200;

/** Fails if a text within a value may not be shown. */
function assertHarmless(value: unknown, where: string, seen: Set<unknown> = new Set()): void {
  if (typeof value === "string") {
    assert(!CONTROL.test(value), `${where} has a control character: ${JSON.stringify(value)}`);
    assert(value.length <= LONGEST, `${where} has ${value.length} characters`);
  }
  if (typeof value !== "object" || value === null || seen.has(value)) return;
  seen.add(value);
  if (value instanceof Error) {
    const limit = value instanceof OpenWireError ? LONGEST : LONGEST_FOREIGN;
    assert(value.message.length <= limit, `${where} has ${value.message.length} characters`);
    for (const line of (value.stack ?? "").split("\n")) assertHarmless(line, `${where}.stack`);
    for (const name of ["message", "name", "code", "cause", "errors"] as const) {
      assertHarmless(Reflect.get(value, name), `${where}.${name}`, seen);
    }
  }
  if (!(value instanceof Error || value instanceof Array) && !isPlain(value)) return;
  for (const [name, one] of Object.entries(value)) assertHarmless(one, `${where}.${name}`, seen);
}

function isPlain(value: object): boolean {
  return Object.getPrototypeOf(value) === Object.prototype;
}

/** A logger that keeps what it is told. */
function recorder(): { logger: Logger; lines: [text: string, fields: unknown][] } {
  const lines: [string, unknown][] = [];
  const keep = (text: string, fields: unknown) => void lines.push([text, fields]);
  return { logger: { debug: keep, info: keep, warn: keep, error: keep }, lines };
}

function assertLogHarmless(lines: [text: string, fields: unknown][]): void {
  assert(lines.length > 0);
  for (const [text, fields] of lines) {
    assertHarmless(text, "a line of the log");
    assertHarmless(fields, `the fields of "${text}"`);
  }
}

/** What the handlers of an application do with a message. */
const handlers: Record<string, (message: Message) => unknown> = {
  "json()": (message) => message.json(),
  "getBody()": (message) => message.getBody(),
  "JSON.parse()": (message) => JSON.parse(message.text!),
  "an error with the text": ({ text }) => {
    throw new Error(text!);
  },
  "an error of a class of its own": ({ text }) => {
    class OwnError extends TypeError {
      override readonly name = "OwnError";
      readonly #secret = 1;
      get secret(): number {
        return this.#secret;
      }
    }
    throw Object.assign(new OwnError(text!), { code: text, id: 7 });
  },
  "an error with a cause": ({ text }) => {
    throw new Error("It failed", { cause: new RangeError(text!, { cause: text }) });
  },
  "an error that is its own cause": ({ text }) => {
    const error = new Error(text!);
    error.cause = error;
    throw error;
  },
  "a chain without end": ({ text }) => {
    let error = new Error(text!);
    for (let n = 0; n < 5000; n++) error = new Error("It failed", { cause: error });
    throw error;
  },
  "several errors": ({ text }) => {
    throw new AggregateError([new Error(text!), text], text!);
  },
  "a name": ({ text }) => {
    throw Object.assign(new Error("It failed"), { name: text });
  },
  "a DOMException": ({ text }) => {
    throw new DOMException(text!, "DataError");
  },
  "a text": ({ text }) => {
    throw text;
  },
  "an error whose members throw": ({ text }) => {
    const error = new Error(text!);
    Object.defineProperty(error, "cause", {
      get() {
        throw new Error(text!);
      },
    });
    throw error;
  },
  "an error of ours": ({ text }) => {
    throw new OpenWireError("CLOSED", text!, { cause: new Error(text!) });
  },
  "rejecting it": async (message) => {
    await message.reject(new Error(message.text!));
    throw new Error(message.id);
  },
};

for (const [what, handler] of Object.entries(handlers)) {
  test(`a handler that fails with ${what} shows nothing of the message's controls`, async () => {
    const { logger, lines } = recorder();
    await using broker = await MemoryBroker.listen();
    await using connection = await connect(broker.url, { logger });
    const status = connection.status();
    const consumer = await connection.createConsumer("orders", {
      redeliveryPolicy: { maximumRedeliveries: 1, initialRedeliveryDelay: 1 },
    });
    consumer.consume(async (message) => void await handler(message));
    await connection.send("orders", LONG, { properties: { contentType: "application/json" } });
    const { value } = await status.next();
    assertEquals(value.type, "error");
    assert(value.error instanceof Error);
    assertHarmless(value, "the status");
    if (what !== "rejecting it") {
      await until(() => lines.some(([text]) => text === "A message was given up"));
    }
    assertLogHarmless(lines);
  });
}

test("json() fails with a SyntaxError that has nothing of the body", () =>
  withVictim(async ({ connection, script }) => {
    const consumer = await connection.createConsumer("orders");
    for (const text of [HOSTILE, LONG, '{"password": "hush"']) {
      const bytes = {
        ...emptyMessage("ActiveMQBytesMessage"),
        content: new TextEncoder().encode(text),
      };
      for (const body of [textMessage(text), bytes as WireMessage]) {
        await script.send(dispatchTo(consumer.id, body));
        const message = await received(consumer);
        const error = assertThrows(() => message.json(), SyntaxError);
        assertHarmless(error, "the error");
        assertEquals(
          error.message,
          `Cannot parse the message: its text of ${text.length} characters is no JSON`,
        );
        assertEquals(error.cause, undefined);
        if (message.kind === "text") assertEquals(message.text, text);
      }
    }
  }));

test("what a message has is given to the program as it came", () =>
  withVictim(async ({ connection, script }) => {
    const consumer = await connection.createConsumer("orders");
    await script.send(dispatchTo(consumer.id, {
      ...textMessage(HOSTILE),
      correlationId: HOSTILE,
      type: HOSTILE,
      marshalledProperties: encodePrimitiveMap({ [HOSTILE]: HOSTILE }),
      destination: createActiveMQQueue({ physicalName: HOSTILE }),
    }));
    const message = await received(consumer);
    assertEquals(
      [message.text, message.correlationId, message.type, message.destination?.physicalName],
      Array(4).fill(HOSTILE),
    );
    assertEquals(message.properties.get(HOSTILE), HOSTILE);
  }));

test("the field of a ProtocolError is the name of a property, cut off and on one line", () =>
  withVictim(async ({ connection, script }) => {
    const consumer = await connection.createConsumer("orders");
    const good = encodePrimitiveMap({ [LONG]: 1 });
    const bad = good!.slice();
    // The last five bytes are the type and the number.
    bad[bad.length - 5] = 99;
    await script.send(dispatchTo(consumer.id, {
      ...emptyMessage("ActiveMQMapMessage"),
      content: bad,
      marshalledProperties: bad,
    } as WireMessage));
    const message = await received(consumer);
    for (const read of [() => message.map, () => message.properties]) {
      const error = assertThrows(read, ProtocolError);
      assertHarmless(error, "the error");
      assert(error.field!.length <= 65, error.field);
    }
  }));

test("names in errors of the codec are cut off and on one line", () => {
  const position = { field: LONG, dataType: LONG };
  for (const error of [new ProtocolError(LONG, position), new EncodeError(LONG, LONG, LONG)]) {
    assertHarmless(error, "the error");
    assert(error.field!.length <= 65 && error.dataType!.length <= 65);
  }
  assertEquals(new ProtocolError("No", {}).field, undefined);
});

test("names of the peer in headers show no controls when a message fails", () => {
  const { logger, lines } = recorder();
  return withVictim(async ({ connection, script, failures }) => {
    const consumer = await connection.createConsumer("orders", {
      redeliveryPolicy: { maximumRedeliveries: 0 },
    });
    consumer.consume(() => {
      throw new Error("No");
    });
    await script.send(dispatchTo(consumer.id, {
      ...textMessage("x"),
      destination: createActiveMQQueue({ physicalName: LONG }),
      messageId: { ...textMessage("").messageId!, textView: LONG },
    }));
    await until(() => lines.some(([text]) => text === "A message was given up"));
    assertLogHarmless(lines);
    assertHarmless(failures, "the status");
  }, { logger });
});

test("what a broker refuses shows no controls, with all that caused it", () => {
  const { logger, lines } = recorder();
  return withVictim(async ({ connection, script, failures }) => {
    const inner = { className: LONG, message: LONG, stackTrace: [], cause: null };
    const exception = { ...inner, cause: { ...inner, cause: inner } };
    await script.send(createConnectionError({ exception }));
    await until(() => failures.length === 1);
    const [failure] = failures;
    assertInstanceOf(failure, BrokerError);
    assertInstanceOf(failure?.cause, BrokerError);
    assertHarmless(failures, "the status");
    await connection.ping();
    assertLogHarmless(lines);
  }, { logger, wireFormat: { stackTraceEnabled: true } });
});

test("requests and replies show no controls of the other side", async () => {
  const { logger, lines } = recorder();
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url, { logger });
  const statuses = connection.status();
  await using responder = await connection.respond("questions", (request) => {
    if (request.text === null) return request.id;
    throw Object.assign(new Error(request.text), { code: request.text });
  });
  const error = await assertRejects(() => connection.request("questions", LONG), RemoteError);
  assertHarmless(error, "the error");
  assertHarmless((await statuses.next()).value, "the status");
  for (const replyTo of [queue(LONG), queue(`${HOSTILE},b`)]) {
    await connection.send("questions", null, { replyTo, timeToLive: 5000 });
  }
  assertHarmless((await statuses.next()).value, "the status");
  assertLogHarmless(lines);
  await responder.close();
});

const calls: [what: string, call: (connection: Connection) => unknown][] = [
  ["sending", (c) => c.send(topic(LONG), "x", { replyTo: `${HOSTILE}?a=b` })],
  ["browsing", async (c) => (await c.createSession()).createBrowser(topic(LONG))],
  ["a consumer", (c) => c.createConsumer(`${HOSTILE}?consumer.x=1`)],
  ["a destination", (c) => c.createDestination(`${LONG}.>`)],
  ["advisories", (c) => c.advisories(LONG)],
  ["statistics", (c) => c.statistics.destination(`${LONG}.>`)],
  ["a property", (c) => c.send("a", null, { properties: { [LONG]: new Uint8Array(1) } })],
  ["a name", () => selector.identifier(LONG)],
  ["a cron expression", (c) => c.send("a", null, { cron: LONG })],
];

for (const [what, call] of calls) {
  test(`wrong arguments show no controls: ${what}`, async () => {
    await using broker = await MemoryBroker.listen();
    await using connection = await connect(broker.url);
    const error = await assertRejects(async () => await call(connection), Error);
    assertHarmless(error, "the error");
  });
}

test("brokers that a broker tells of without end make few lines of the log, without controls", async () => {
  const { logger, lines } = recorder();
  const scripts: Script[] = [];
  await using peer = await fakePeer(async (transport) => {
    const script = new Script(transport);
    await script.accept();
    scripts.push(script);
    await script.answerAll(() => {});
  });
  let asked = 0;
  await using connection = await connect([peer.url], {
    logger,
    failover: { initialReconnectDelay: 1, acceptBroker: () => ++asked > 1e9 },
  });
  const push = async (connectedBrokers: string): Promise<void> => {
    await scripts[0]!.send(createConnectionControl({ connectedBrokers }));
    await connection.ping();
  };
  const told = (): [string, Record<string, unknown>][] =>
    lines.filter(([text]) => text.includes("is not used")) as [string, Record<string, unknown>][];
  await push(`${HOSTILE},`.repeat(300));
  assertEquals(told().length, 1);
  assertEquals(told()[0]![1].more, 299);
  // The same again says nothing new.
  for (let n = 0; n < 50; n++) await push(`${HOSTILE},`.repeat(300));
  assertEquals(told().length, 1);
  await push("tcp://a:1,".repeat(1600));
  assertEquals(told().length, 2);
  assert(asked <= 64, `${asked} brokers were looked at`);
  for (let n = 0; n < 50; n++) {
    await push(`tcp://a:${n + 2}`);
    await push(`${"a,".repeat(8000)}b`);
  }
  for (let n = 0; n < 20; n++) {
    await scripts[0]!.send(createConnectionControl({ reconnectTo: `tcp://a:${n + 100}` }));
  }
  await connection.ping();
  assertEquals(told().length, 8);
  assert("note" in told()[7]![1]);
  assertLogHarmless(lines);
  await connection.close();
});

test("an error without controls stays the one that it is, in all its parts", async () => {
  const cause = new RangeError("too far");
  const error = Object.assign(new TypeError("No", { cause }), { code: "E", errors: [cause] });
  assertStrictEquals(harmlessError(error), error);
  const lines = new Error("one\ntwo");
  assertStrictEquals(harmlessError(lines), lines);
  assertStrictEquals(new OpenWireError("CLOSED", "No", { cause: error }).cause, error);
  const feed = new StatusFeed();
  const reader = feed.subscribe();
  feed.publish({ type: "error", error });
  assertStrictEquals((await reader.next()).value.error, error);
  await reader.return!();
});

test("a copy of an error without its controls is of the same class", () => {
  const cause = new RangeError(HOSTILE);
  const error = new TransportError("CONNECT_FAILED", HOSTILE, { cause, retryable: true });
  assertHarmless(error, "the error");
  assert(error.cause instanceof RangeError);
  const syntax = assertThrows(() => JSON.parse(HOSTILE), SyntaxError);
  const copy = harmlessError(Object.assign(syntax, { at: 7, code: HOSTILE }));
  assert(copy instanceof SyntaxError);
  assertEquals([copy.name, (copy as unknown as { at: number }).at], ["SyntaxError", 7]);
  assertHarmless(copy, "the copy");
});

test("what the runtime says of a peer is shown without controls", () => {
  const error = new AggregateError([new Error(HOSTILE)], HOSTILE);
  const closed = new OpenWireError("CLOSED", "No", { cause: error });
  const { cause } = closed;
  assertInstanceOf(cause, AggregateError);
  assertHarmless(closed, "the error");
  assertEquals((cause as AggregateError).errors.length, 1);
  assertHarmless(new OpenWireError("CLOSED", "No", { cause: HOSTILE }), "the error");
});

test("ids of messages may be anything", () => {
  const textView = LONG;
  return withVictim(async ({ connection, script }) => {
    const consumer = await connection.createConsumer("orders");
    const message = { ...textMessage("x"), messageId: createMessageId({ textView }) };
    await script.send(dispatchTo(consumer.id, message));
    assertEquals((await received(consumer)).id, `ID:${LONG}`);
  });
});
