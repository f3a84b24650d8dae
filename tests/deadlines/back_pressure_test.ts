/** What a broker sends to consumers that take nothing is bounded. */

import { assert, assertEquals } from "@std/assert";
import { topic } from "../../mod.ts";
import { testOnBrokers } from "../client/_brokers.ts";
import { take, until } from "../client/_messages.ts";

const BODY = new Uint8Array(10_000);
const COUNT = 600;
const LIMIT = 500_000;
/** What ActiveMQ has sent of a queue before it hears that it should wait: a page of it, and maybe some of the next one. */
const PAGE = 2 * 200;
/** With what a message takes beside its body. */
const SIZE = BODY.length + 256;

testOnBrokers("a queue is not sent to a consumer that takes nothing", async (broker) => {
  const connection = await broker.connect();
  const sender = await broker.connect();
  const producer = await sender.createProducer(broker.name);
  await producer.sendBatch(Array.from({ length: COUNT }, () => BODY));
  const consumer = await connection.createConsumer(broker.name, { maxBufferedBytes: LIMIT });
  await until(() => consumer.bufferedBytes > LIMIT);
  // The broker has answered the request to wait when it answers this one: what was on its way has come.
  await connection.ping();
  // The others have no pages: what they have sent by then is a matter of moments.
  const most = LIMIT + (broker.kind.startsWith("activemq") ? PAGE : COUNT) * SIZE;
  assert(consumer.bufferedBytes <= most, `${consumer.bufferedBytes} bytes wait`);
  assertEquals(connection.stats().bufferedBytes, consumer.bufferedBytes);
  for (let n = 0; n < COUNT; n += 50) {
    assertEquals((await take(consumer, 50)).length, 50);
    assert(consumer.bufferedBytes <= most, `${consumer.bufferedBytes} bytes wait`);
  }
});

testOnBrokers("a topic is not sent to a consumer that takes nothing", async (broker) => {
  const connection = await broker.connect();
  const sender = await broker.connect();
  const consumer = await connection.createConsumer(topic(broker.name), { maxBufferedBytes: LIMIT });
  const producer = await sender.createProducer(topic(broker.name), { persistent: false });
  for (let n = 0; n < COUNT; n++) await producer.send(BODY, { confirm: true });
  // Nothing more is read then.
  await until(() => connection.stats().pausingConsumers === 1);
  assert(consumer.bufferedBytes <= LIMIT + 2 * SIZE, `${consumer.bufferedBytes} bytes wait`);
  assertEquals((await take(consumer, COUNT)).length, COUNT);
});
