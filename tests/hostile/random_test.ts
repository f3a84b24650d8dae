/** Whatever a broker says, in whatever order, while a client works: its calls come to an end, with values or errors of ours. */

import { type MessageConsumer, OpenWireError } from "../../mod.ts";
import { createActiveMQTextMessage, type DataStructure, encodeTextBody } from "../../codec/mod.ts";
import { assert, assertInstanceOf } from "@std/assert";
import { test } from "../_harness.ts";
import { seededRandom } from "../_random.ts";
import { RandomValues } from "../codec/_values.ts";
import { assertSettles, frame, type Victim, withVictim } from "./_attack.ts";

const COMMANDS = 150;
/** Half of the commands are of these types. */
const LIKELY = [
  "MessageDispatch",
  "MessageDispatch",
  "MessageDispatch",
  "Response",
  "ExceptionResponse",
  "DataArrayResponse",
  "IntegerResponse",
  "ConsumerControl",
  "ProducerAck",
  "ConnectionControl",
  "ConnectionError",
  "BrokerInfo",
  "KeepAliveInfo",
];

/** Random commands, most of which are about what the client has. */
function* commandsOf(random: () => number, { commands }: Victim): Generator<DataStructure> {
  const values = new RandomValues(random, 12);
  const below = (limit: number): number => Math.floor(random() * limit);
  for (let sent = 0; sent < COMMANDS;) {
    const type = LIKELY[below(2 * LIKELY.length)];
    const made = type === undefined ? values.any() : values.of(type);
    const command = made as DataStructure & Record<string, unknown>;
    // It would end the connection at once, which is tested elsewhere.
    if (command.dataType === "ShutdownInfo") continue;
    sent++;
    const known = commands[below(commands.length)];
    for (const name of ["consumerId", "producerId"]) {
      if (!(name in command) || known === undefined || random() < 0.2) continue;
      const id = (known as unknown as Record<string, unknown>)[name];
      if (id) command[name] = id;
    }
    if ("correlationId" in command && typeof command["correlationId"] === "number") {
      command["correlationId"] = below(60);
    }
    if (command.dataType === "MessageDispatch" && random() < 0.7) {
      command["message"] = createActiveMQTextMessage(
        {
          ...values.any() as object,
          dataType: "ActiveMQTextMessage",
          content: encodeTextBody("text"),
        } as Parameters<typeof createActiveMQTextMessage>[0],
      );
    }
    yield command;
  }
}

/** Does all that an application may do, whatever comes of it. */
async function work({ connection }: Victim): Promise<void> {
  const options = { timeout: 300 };
  const consume = async (consumer: MessageConsumer): Promise<void> => {
    for (let i = 0; i < 5; i++) {
      const message = await consumer.receive({ timeout: 20 });
      if (message === null) continue;
      message.destination;
      try {
        JSON.stringify([message.id, message.timestamp, message.replyTo?.physicalName]);
        message.getBody();
        message.properties;
      } catch {
        // What a random message has need not make sense.
      }
      await message.ack(options);
    }
  };
  const calls = [
    connection.createConsumer("a", options).then(consume),
    connection.createConsumer("b", { ...options, prefetchSize: 0 }).then(consume),
    connection.createConsumer("c", options).then((consumer) =>
      consumer.consume(() => {
        throw new OpenWireError("TEST", "it fails");
      }, { signal: AbortSignal.timeout(100) })
    ),
    connection.transaction(async (session) => {
      const producer = await session.createProducer("d", options);
      await producer.send("x", options);
      await consume(await session.createConsumer("d", options));
    }, options),
    connection.createProducer("e", { ...options, useAsyncSend: true }).then(async (producer) => {
      for (let i = 0; i < 20; i++) await producer.send("x".repeat(100_000), options);
    }),
    connection.createBrowser("f", options).then(async (browser) => {
      for await (const _ of browser.messages({ signal: AbortSignal.timeout(100) }));
    }),
    connection.request("g", "x", { timeout: 100 }),
    connection.respond("h", () => "reply", options),
    connection.watchDestinations(options),
    connection.xa.recover(options),
    connection.scheduledJobs.removeAll(options),
  ];
  for (const result of await Promise.allSettled<unknown>(calls)) {
    if (result.status === "fulfilled") continue;
    const { reason } = result;
    if (reason instanceof DOMException) continue;
    assertInstanceOf(reason, OpenWireError, `${reason?.stack ?? reason}`);
  }
}

for (let seed = 1; seed <= 8; seed++) {
  test(`a broker that says anything, seed ${seed}`, async () => {
    await withVictim(async (victim) => {
      const random = seededRandom(seed);
      const working = work(victim);
      let count = 0;
      for (const command of commandsOf(random, victim)) {
        count++;
        try {
          await victim.attack(frame(command));
        } catch (error) {
          // A random value need not be one that can be encoded.
          assertInstanceOf(error, OpenWireError);
        }
        if (count % 10 === 0) await new Promise((wake) => setTimeout(wake, 1));
      }
      await working;
      assert(count === COMMANDS);
      await assertSettles(victim.connection);
    }, {
      requestTimeout: 300,
      redeliveryPolicy: { initialRedeliveryDelay: 1, redeliveryDelay: 1 },
    });
  });
}
