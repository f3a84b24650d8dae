/** What a broker may say and a client does not heed: it goes on as before. */

import { connect } from "../../mod.ts";
import {
  createBrokerId,
  createBrokerInfo,
  createConnectionControl,
  createConnectionError,
  createConnectionId,
  createConnectionInfo,
  createConsumerControl,
  createConsumerId,
  createConsumerInfo,
  createControlCommand,
  createDataArrayResponse,
  createDestinationInfo,
  createDiscoveryEvent,
  createExceptionResponse,
  createFlushCommand,
  createIntegerResponse,
  createJournalTrace,
  createKeepAliveInfo,
  createLastPartialCommand,
  createMessageAck,
  createMessageDispatch,
  createMessageDispatchNotification,
  createMessagePull,
  createPartialCommand,
  createProducerAck,
  createProducerId,
  createProducerInfo,
  createRemoveInfo,
  createRemoveSubscriptionInfo,
  createReplayCommand,
  createResponse,
  createSessionInfo,
  createTransactionInfo,
  createWireFormatInfo,
  type DataStructure,
} from "../../codec/mod.ts";
import { assert, assertEquals } from "@std/assert";
import { test } from "../_harness.ts";
import { fakePeer, Script } from "../client/_fake_broker.ts";
import {
  assertUnharmed,
  consumerInfo,
  dispatchTo,
  frame,
  textMessage,
  withVictim,
} from "./_attack.ts";

const strangers = [
  createConsumerId({ connectionId: "nobody", sessionId: 77, value: 1 }),
  createConsumerId({ connectionId: "", sessionId: -1, value: -1 }),
  createConsumerId({ connectionId: "nobody", sessionId: 2 ** 31, value: 2 ** 53 - 1 }),
  createConsumerId({ connectionId: "nobody", sessionId: 2n ** 63n - 1n, value: -(2n ** 63n) }),
  createConsumerId({ connectionId: "__proto__", sessionId: 0, value: 0 }),
];
const elsewhere = "tcp://127.0.0.1:1?wireFormat.maxFrameSize=1,ssl://evil.example:61617";
const junk = new Uint8Array(1000).fill(0xff);

const harmless: [what: string, commands: DataStructure[]][] = [
  [
    "answers to requests that were never made",
    [0, -1, 1, 999, 2 ** 31 - 1, -(2 ** 31)].flatMap((correlationId) => [
      createResponse({ correlationId }),
      createResponse({ correlationId }),
      createIntegerResponse({ correlationId, result: 3 }),
      createDataArrayResponse({ correlationId, data: [null] }),
    ]),
  ],
  [
    "messages for consumers that don't exist",
    [
      createMessageDispatch(),
      createMessageDispatch({ message: textMessage("for nobody") }),
      ...strangers.map((consumerId) =>
        createMessageDispatch({ consumerId, message: textMessage("for nobody") })
      ),
      ...strangers.map((consumerId) => createMessageDispatch({ consumerId })),
    ],
  ],
  [
    "acknowledgements for producers that don't exist, and of negative sizes",
    [
      createProducerAck(),
      createProducerAck({ producerId: createProducerId({ sessionId: 99, value: 99 }), size: -1 }),
      createProducerAck({ producerId: createProducerId({ sessionId: 1, value: 1 }), size: -5 }),
      createProducerAck({ size: 2 ** 31 - 1 }),
    ],
  ],
  [
    "orders to consumers that don't exist",
    strangers.flatMap((consumerId) => [
      createConsumerControl({ consumerId, close: true }),
      createConsumerControl({ consumerId, prefetch: -1 }),
      createConsumerControl({ consumerId, prefetch: 2 ** 31 - 1, flush: true, start: true }),
    ]),
  ],
  [
    "orders to the connection",
    [
      createConnectionControl({ close: true, exit: true, faultTolerant: true, suspend: true }),
      createConnectionControl({ resume: true, rebalanceConnection: true }),
      createControlCommand({ command: "shutdown" }),
      createControlCommand({ command: "__proto__" }),
    ],
  ],
  [
    "commands that only clients have to give",
    [
      createConnectionInfo({ connectionId: createConnectionId({ value: "x" }), password: "guess" }),
      createSessionInfo(),
      createConsumerInfo(),
      createProducerInfo(),
      createDestinationInfo(),
      createMessageAck(),
      createMessagePull(),
      createTransactionInfo(),
      createRemoveInfo(),
      createRemoveSubscriptionInfo(),
      textMessage("not dispatched") as DataStructure,
    ],
  ],
  [
    "commands that only brokers have among themselves",
    [
      createDiscoveryEvent({ serviceName: elsewhere, brokerName: "evil" }),
      createReplayCommand({ firstNakNumber: 0, lastNakNumber: 2 ** 31 - 1 }),
      createFlushCommand(),
      createMessageDispatchNotification(),
      createJournalTrace({ message: "x" }) as DataStructure,
    ],
  ],
  [
    "pieces of commands",
    [
      createPartialCommand({ commandId: 1, data: junk }),
      createPartialCommand({ commandId: 1 }),
      createLastPartialCommand({ commandId: 1, data: junk }),
      createLastPartialCommand(),
    ],
  ],
  [
    "another wire format",
    [createWireFormatInfo(), createWireFormatInfo({ version: 1, magic: new Uint8Array(8) })],
  ],
  [
    "other names of itself",
    [
      createBrokerInfo({ brokerName: "a", brokerId: createBrokerId({ value: "b" }) }),
      createBrokerInfo({ brokerName: "\x1b[2J\u202e", brokerURL: elsewhere }),
      createBrokerInfo({
        peerBrokerInfos: [null, createBrokerInfo({ brokerURL: elsewhere })],
        networkProperties: "\n\n",
        slaveBroker: true,
        masterBroker: true,
      }),
    ],
  ],
];

for (const [what, commands] of harmless) {
  test(`not heeded: ${what}`, async () => {
    await withVictim(async (victim) => {
      for (const command of commands) await victim.attack(frame(command));
      await assertUnharmed(victim);
      assertEquals(victim.failures, []);
    });
  });
}

test("not heeded: the same in tight encoding, with the cache", async () => {
  await withVictim(async (victim) => {
    for (const [, commands] of harmless) {
      for (const command of commands) await victim.script.send(command);
    }
    await assertUnharmed(victim);
    assertEquals(victim.failures, []);
  }, { wireFormat: { tightEncodingEnabled: true, cacheEnabled: true } });
});

test("not heeded: 20,000 of each", async () => {
  await withVictim(async (victim) => {
    const { connection, attack } = victim;
    const floods = [
      createWireFormatInfo(),
      createBrokerInfo({ brokerName: "again" }),
      createKeepAliveInfo(),
      createResponse({ correlationId: 12345 }),
      createMessageDispatch({ consumerId: strangers[0]!, message: textMessage("x") }),
      createConnectionControl({ reconnectTo: elsewhere }),
    ];
    for (const command of floods) {
      const one = frame(command);
      const many = new Uint8Array(one.length * 1000);
      for (let i = 0; i < 1000; i++) many.set(one, i * one.length);
      for (let i = 0; i < 20; i++) await attack(many);
    }
    await assertUnharmed(victim);
    const { pendingRequests, bufferedMessages, consumers, producers } = connection.stats();
    assertEquals([pendingRequests, bufferedMessages, consumers, producers], [0, 0, 0, 0]);
  });
});

test("not heeded: to go elsewhere", async () => {
  let visitors = 0;
  await using other = await fakePeer(async (transport) => {
    visitors++;
    await transport.closed;
  });
  let connections = 0;
  await using peer = await fakePeer(async (transport) => {
    connections++;
    const script = new Script(transport);
    await script.accept();
    const peers = [createBrokerInfo({ brokerURL: other.url })];
    for (
      const command of [
        createConnectionControl({ reconnectTo: other.url, rebalanceConnection: true }),
        createConnectionControl({ connectedBrokers: `${other.url},${other.url}`, close: true }),
        createBrokerInfo({ brokerURL: other.url, peerBrokerInfos: peers }),
      ]
    ) await script.send(command);
    await script.answerAll();
  });
  const connection = await connect(peer.url, { username: "app", password: "secret" });
  for (let i = 0; i < 10; i++) await connection.ping();
  await connection.close();
  assertEquals([connections, visitors], [1, 0]);
});

test("told, and harmless: failures that answer nothing", async () => {
  await withVictim(async (victim) => {
    const message = "\x1b[31mred\r\nline" + "x".repeat(60_000);
    const exception = { className: "constructor", message, stackTrace: [], cause: null };
    const none = { className: null, message: null, stackTrace: [], cause: null };
    for (
      const command of [
        createConnectionError({ exception }),
        createConnectionError(),
        createExceptionResponse({ correlationId: 0, exception }),
        createExceptionResponse({ correlationId: -1, exception: none }),
        createExceptionResponse({ correlationId: 2 ** 31 - 1 }),
      ]
    ) await victim.attack(frame(command));
    await assertUnharmed(victim);
    assertEquals(victim.failures.map(({ name }) => name), new Array(5).fill("BrokerError"));
    for (const { message } of victim.failures) {
      // deno-lint-ignore no-control-regex
      assert(message.length < 1100 && !/[\x00-\x1f]/.test(message), JSON.stringify(message));
    }
  });
});

test("told, and bounded: failures without end that nobody reads", async () => {
  await withVictim(async (victim) => {
    const { connection, attack } = victim;
    const status = connection.status();
    const first = status.next();
    const exception = { className: "E", message: "again", stackTrace: [], cause: null };
    const one = frame(createConnectionError({ exception }));
    for (let i = 0; i < 5000; i++) await attack(one);
    await assertUnharmed(victim);
    await first;
    await connection.close();
    let told = 0;
    for await (const _ of status) told++;
    assert(told <= 1001, `${told} were kept`);
  });
});

test("not heeded: prefetch sizes that are out of range", async () => {
  await withVictim(async ({ connection, commands, attack }) => {
    const consumer = await connection.createConsumer("orders", { prefetchSize: 7 });
    const { consumerId } = consumerInfo(commands);
    for (const prefetch of [-1, -(2 ** 31)]) {
      await attack(frame(createConsumerControl({ consumerId, prefetch })));
      await connection.ping();
      assertEquals(consumer.prefetchSize, 7);
    }
    await attack(frame(createConsumerControl({ consumerId, prefetch: 2 ** 31 - 1 })));
    await connection.ping();
    assertEquals(consumer.prefetchSize, 32_767);
  });
});

test("messages without a destination, an id or a producer are given out", async () => {
  await withVictim(async ({ connection, script, attack }) => {
    const consumer = await connection.createConsumer("orders");
    const bare = { ...textMessage("bare"), destination: null, messageId: null, producerId: null };
    await attack(frame(dispatchTo(consumer.id, bare)));
    const message = await consumer.receive();
    assertEquals([message?.text, message?.id, message?.destination], ["bare", "", null]);
    // No message at all is the answer to a request for one.
    await script.send(dispatchTo(consumer.id, null));
    assertEquals(await consumer.receive({ timeout: 20 }), null);
  });
});

test("numbers at their ends are given out as they are", async () => {
  const ends = [0, -1, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2n ** 53n, 2n ** 63n - 1n];
  await withVictim(async ({ connection, script }) => {
    const consumer = await connection.createConsumer("orders");
    for (const end of [...ends, -(2n ** 63n)]) {
      const message = textMessage("x");
      const { messageId } = message;
      await script.send(dispatchTo(consumer.id, {
        ...message,
        timestamp: end,
        brokerInTime: end,
        brokerOutTime: end,
        arrival: end,
        messageId: { ...messageId!, producerSequenceId: end, brokerSequenceId: end },
      }));
      const received = await consumer.receive();
      assertEquals(received?.timestamp, Number(end));
      assertEquals(received?.id, `ID:evil:1:1:${end}`.replace("ID:", ""));
    }
  });
});

test("counters and expirations of the attacker's choice harm nothing", async () => {
  await withVictim(async (victim) => {
    const { connection, script, commands } = victim;
    const consumer = await connection.createConsumer("orders");
    for (const redeliveryCounter of [-1, 2 ** 31 - 1, -(2 ** 31)]) {
      const dispatch = dispatchTo(consumer.id, textMessage("again"));
      await script.send({ ...dispatch, redeliveryCounter } as DataStructure);
      const message = await consumer.receive();
      assert(message!.deliveryCount >= 1 && message!.deliveryCount <= 7, `${redeliveryCounter}`);
    }
    for (const expiration of [-1, -(2n ** 63n), 2n ** 63n - 1n]) {
      await script.send(dispatchTo(consumer.id, { ...textMessage("not yet"), expiration }));
      assertEquals((await consumer.receive())?.text, "not yet");
    }
    // One that is too old is not given out, and acknowledged as such.
    await script.send(dispatchTo(consumer.id, { ...textMessage("old"), expiration: 1 }));
    assertEquals(await consumer.receive({ timeout: 50 }), null);
    await connection.ping();
    assertEquals(commands.some((ack) => ack.dataType === "MessageAck" && ack.ackType === 6), true);
    await assertUnharmed(victim);
  });
});
