/** Calls that end before the broker has opened something. */

import { assertEquals, assertRejects } from "@std/assert";
import type { CallOptions, Connection } from "../../mod.ts";
import { testOnBrokers } from "./_brokers.ts";
import { received, until } from "./_messages.ts";

type Open = (connection: Connection, name: string, options: CallOptions) => Promise<unknown>;

const calls: readonly [string, string, Open][] = [
  [
    "createConsumer()",
    "ConsumerInfo",
    (connection, name, options) => connection.createConsumer(name, options),
  ],
  [
    "createBrowser()",
    "ConsumerInfo",
    (connection, name, options) => connection.createBrowser(name, options),
  ],
  [
    "a createConsumer() that is refused",
    "ConsumerInfo",
    (connection, name, options) =>
      connection.createConsumer(name, {
        ...options,
        selector: "convert_string_expressions:a = = b",
      }),
  ],
  [
    "createProducer()",
    "ProducerInfo",
    (connection, name, options) => connection.createProducer(name, options),
  ],
  ["createSession()", "SessionInfo", (connection, _, options) => connection.createSession(options)],
  [
    "createTemporaryQueue()",
    "DestinationInfo",
    (connection, _, options) => connection.createTemporaryQueue(options),
  ],
];

for (const [call, info, open] of calls) {
  testOnBrokers(`to abort ${call} is no error`, async (broker) => {
    const name = `${broker.name}.queue`;
    let seen = (): void => {};
    const commands: string[] = [];
    const connection = await broker.connect({
      inspect: (command, direction) => {
        if (direction !== "sent") return;
        commands.push(command.dataType);
        if (command.dataType === info) seen();
      },
    });
    // Its own session is there.
    await connection.send(name, "x");
    const errors: unknown[] = [];
    const told = (async () => {
      for await (const status of connection.status()) {
        if (status.type === "error") errors.push(status.error);
      }
    })();
    const reason = new Error("enough");
    const before = connection.stats();
    commands.length = 0;
    await assertRejects(() => open(connection, name, { signal: AbortSignal.abort(reason) }), Error);
    // Nothing is to be said of what was never asked for.
    assertEquals(commands, []);
    for (const when of ["at once", "when it is sent", "a moment later"]) {
      const controller = new AbortController();
      const abort = (): void => controller.abort(reason);
      if (when === "when it is sent") seen = abort;
      if (when === "a moment later") seen = () => void Promise.resolve().then(abort);
      const opening = open(connection, name, { signal: controller.signal });
      if (when === "at once") abort();
      await assertRejects(() => opening, Error, "enough");
      seen = () => {};
    }
    await until(() => connection.stats().pendingRequests === 0);
    // What was opened is gone: nobody else has the message.
    await using consumer = await connection.createConsumer(name);
    assertEquals((await received(consumer)).text, "x");
    await consumer.close();
    await connection.ping();
    const after = connection.stats();
    assertEquals([after.consumers, after.producers], [before.consumers, before.producers]);
    await connection.close();
    await told;
    assertEquals(errors, []);
  });
}
