/** Whatever a program throws: its message fails alone, it is reported, and the consumer goes on. */

import { connect, RemoteError } from "../../mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { test } from "../_harness.ts";
import { received } from "./_messages.ts";

/** An error whose message can't be read. Engines read it when they make one, so it is hidden afterwards. */
function hidden(): Error {
  return Object.defineProperty(new Error("x"), "message", {
    get() {
      throw new Error("no message");
    },
  });
}

const thrower = {
  get() {
    throw new Error("no");
  },
  getPrototypeOf() {
    throw new Error("no");
  },
};

const thrown: [what: string, make: () => unknown, shown: string][] = [
  ["an object without a prototype", () => Object.create(null), "cannot be shown"],
  ["a proxy that throws", () => new Proxy({}, thrower), "cannot be shown"],
  ["a proxy of an error that throws", () => new Proxy(new Error("x"), thrower), "cannot be shown"],
  ["an error whose message throws", hidden, "cannot be shown"],
  ["a text that throws", () => ({
    toString() {
      throw new Error("no");
    },
  }), "cannot be shown"],
  ["a symbol", () => Symbol("why"), "Symbol(why)"],
  ["undefined", () => undefined, "undefined"],
  ["null", () => null, "null"],
  ["a string", () => "full", "full"],
  ["an object with message and code", () => ({ message: "full", code: 507 }), "full (code 507)"],
  ["an error", () => new RangeError("full"), "full"],
];

for (const [what, make, shown] of thrown) {
  test(`a handler that throws ${what} fails its message alone`, async () => {
    await using broker = await MemoryBroker.listen();
    await using connection = await connect(broker.url, {
      redeliveryPolicy: { maximumRedeliveries: 1, initialRedeliveryDelay: 1 },
    });
    const failures: Error[] = [];
    const watching = (async () => {
      for await (const { type, error } of connection.status()) {
        if (type === "error") failures.push(error);
      }
    })();
    const consumer = await connection.createConsumer("orders");
    const good = Promise.withResolvers<void>();
    consumer.consume((message) => {
      if (message.text === "good") return good.resolve();
      throw make();
    });
    await connection.send("orders", "bad");
    await connection.send("orders", "good");
    await good.promise;
    assertEquals(failures.length, 2);
    assert(failures.every((error) => error.message.includes(shown)), failures[0]?.message);
    const dead = await received(await connection.createConsumer("ActiveMQ.DLQ"));
    const cause = String(dead.properties.get("dlqDeliveryFailureCause"));
    assert(dead.text === "bad" && cause.includes(shown), cause);
    await connection.close();
    await watching;
  });

  test(`a responder whose handler throws ${what} tells its requester`, async () => {
    await using broker = await MemoryBroker.listen();
    await using connection = await connect(broker.url);
    await using _ = await connection.respond("ask", () => {
      throw make();
    });
    await assertRejects(() => connection.request("ask", null), RemoteError, shown);
  });

  test(`reject() with ${what} dead-letters the message`, async () => {
    await using broker = await MemoryBroker.listen();
    await using connection = await connect(broker.url);
    const consumer = await connection.createConsumer("orders", { acknowledgeMode: "individual" });
    await connection.send("orders", "bad");
    await (await received(consumer)).reject(make());
    const dead = await received(await connection.createConsumer("ActiveMQ.DLQ"));
    const cause = String(dead.properties.get("dlqDeliveryFailureCause"));
    const given = make() ?? undefined;
    assert(given === undefined || cause.includes(shown), cause);
  });
}
