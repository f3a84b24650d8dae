import { assertEquals } from "@std/assert";
import {
  createConnectionId,
  createTransactionInfo,
  createXATransactionId,
  type DataArrayResponse,
  type IntegerResponse,
  type TransactionInfo,
  type XATransactionId,
} from "../../codec/mod.ts";
import { type RawClient, refusal, text } from "./_raw_client.ts";
import { behaviour, type Target, texts } from "./_targets.ts";

const BEGIN = 0;
const PREPARE = 1;
const COMMIT_ONE_PHASE = 2;
const COMMIT_TWO_PHASE = 3;
const ROLLBACK = 4;
const RECOVER = 5;
const FORGET = 6;
const END = 7;

function xid(): XATransactionId {
  return createXATransactionId({
    formatId: 4711,
    globalTransactionId: crypto.getRandomValues(new Uint8Array(12)),
    branchQualifier: Uint8Array.of(1, 255),
  });
}

function info(client: RawClient, id: XATransactionId | null, type: number): TransactionInfo {
  const connectionId = createConnectionId({ value: client.connectionId });
  return createTransactionInfo({ connectionId, transactionId: id, type });
}

async function prepare(client: RawClient, id: XATransactionId): Promise<number> {
  const answer = await client.request(info(client, id, PREPARE));
  assertEquals(answer.dataType, "IntegerResponse");
  return (answer as IntegerResponse).result;
}

async function done(client: RawClient, id: XATransactionId, type: number): Promise<void> {
  assertEquals((await client.request(info(client, id, type))).dataType, "Response");
}

async function failure(client: RawClient, id: XATransactionId, type: number) {
  const [className, message] = refusal(await client.request(info(client, id, type)));
  assertEquals(className, "javax.transaction.xa.XAException");
  return message;
}

/** Whether a transaction is among those that are prepared. */
async function recovers(client: RawClient, { globalTransactionId }: XATransactionId) {
  const answer = await client.request(info(client, null, RECOVER));
  assertEquals(answer.dataType, "DataArrayResponse");
  return (answer as DataArrayResponse).data!.some((found) =>
    found!.dataType === "XATransactionId" &&
    String(found.globalTransactionId) === String(globalTransactionId)
  );
}

function notFound({ formatId, globalTransactionId }: XATransactionId): string {
  const hex = [...globalTransactionId!].map((byte) => (byte << 24 >> 24 >>> 0).toString(16));
  return `Transaction 'XID:[${formatId},globalId=${hex.join("")},branchId=1ffffffff]'` +
    " has not been started. xaErrorCode:-4";
}

/** A transaction in which "1" was taken from one queue and "new" sent to another. */
async function work(target: Target) {
  const client = await target.open();
  await client.consumer(target.queue("in"));
  await client.publish(target.queue("in"), "1");
  const sent = await client.dispatches(1);
  const id = xid();
  await client.send(info(client, id, BEGIN));
  const producer = await client.producer();
  const transactionId = id;
  await client.send(client.message(producer, target.queue("out"), "new", { transactionId }));
  await client.send(client.ack(sent, 2, { transactionId }));
  await done(client, id, END);
  return { client, id };
}

/** What can be consumed from both queues. */
async function left(target: Target): Promise<(string | null)[]> {
  const reader = await target.open();
  await reader.consumer(target.queue("in"));
  await reader.consumer(target.queue("out"));
  return (await target.rest(reader)).toSorted();
}

behaviour("A prepared transaction is committed in a second phase", async (target) => {
  const { client, id } = await work(target);
  assertEquals(await prepare(client, id), 0);
  assertEquals(await prepare(client, id), 0);
  assertEquals(await recovers(client, id), true);
  await client.consumer(target.queue("out"), { browser: true });
  assertEquals(await target.rest(client), [null]);
  await done(client, id, COMMIT_TWO_PHASE);
  assertEquals(await recovers(client, id), false);
  await client.drop();
  assertEquals(await left(target), ["new"]);
});

behaviour("A prepared transaction may be rolled back", async (target) => {
  const { client, id } = await work(target);
  await prepare(client, id);
  await done(client, id, ROLLBACK);
  assertEquals(await recovers(client, id), false);
  await client.drop();
  assertEquals(await left(target), ["1"]);
});

behaviour("A transaction is committed in one phase without being prepared", async (target) => {
  const { client, id } = await work(target);
  await done(client, id, COMMIT_ONE_PHASE);
  assertEquals(await failure(client, id, COMMIT_ONE_PHASE), notFound(id));
  await client.drop();
  assertEquals(await left(target), ["new"]);
});

behaviour(
  "A transaction that is not prepared can't be committed in the second phase",
  async (target) => {
    const { client, id } = await work(target);
    assertEquals(
      await failure(client, id, COMMIT_TWO_PHASE),
      "Cannot do 2 phase commit if the transaction has not been prepared xaErrorCode:-6",
    );
    await done(client, id, ROLLBACK);
  },
);

for (
  const [name, type, expected] of [
    ["committed", COMMIT_TWO_PHASE, ["new"]],
    ["rolled back", ROLLBACK, ["1"]],
    ["forgotten", FORGET, ["1"]],
  ] as const
) {
  behaviour(
    `A prepared transaction outlives its connection, and is ${name} by another`,
    async (target) => {
      const { client, id } = await work(target);
      await prepare(client, id);
      await client.drop();
      const other = await target.open();
      await other.consumer(target.queue("in"));
      assertEquals(await target.rest(other), []);
      assertEquals(await recovers(other, id), true);
      await done(other, id, type);
      assertEquals(await recovers(other, id), false);
      if (type !== COMMIT_TWO_PHASE) {
        const [again] = await other.dispatches(1);
        assertEquals([text(again!), again!.redeliveryCounter], ["1", 1]);
      }
      await other.drop();
      assertEquals(await left(target), [...expected]);
    },
  );
}

behaviour(
  "A transaction that isn't prepared is rolled back with its connection",
  async (target) => {
    const { client, id } = await work(target);
    await client.drop();
    assertEquals(await left(target), ["1"]);
    const other = await target.open();
    assertEquals(await recovers(other, id), false);
    assertEquals(await failure(other, id, COMMIT_ONE_PHASE), notFound(id));
  },
);

behaviour("Another connection may work in a transaction, and finish it", async (target) => {
  const { client, id } = await work(target);
  const other = await target.open();
  const producer = await other.producer();
  await other.request(
    other.message(producer, target.queue("out"), "more", { transactionId: id }),
  );
  await done(other, id, COMMIT_ONE_PHASE);
  await client.drop();
  assertEquals(await left(target), ["more", "new"]);
});

behaviour(
  "A transaction without work is read-only, and over when it is prepared",
  async (target) => {
    const client = await target.open();
    const id = xid();
    await client.send(info(client, id, BEGIN));
    assertEquals(await prepare(client, id), 3);
    assertEquals(await recovers(client, id), false);
    assertEquals(await failure(client, id, COMMIT_TWO_PHASE), notFound(id));
    const [className, message] = refusal(await client.request(info(client, id, PREPARE)));
    assertEquals(className, "java.lang.IllegalStateException");
    assertEquals(
      message!.startsWith(
        "Cannot prepare a transaction that had not been started or previously returned XA_RDONLY: XID:[",
      ),
      true,
    );
  },
);

behaviour("What was not begun is not known", async (target) => {
  const client = await target.open();
  const id = xid();
  for (const type of [COMMIT_ONE_PHASE, COMMIT_TWO_PHASE, ROLLBACK, FORGET]) {
    assertEquals(await failure(client, id, type), notFound(id));
  }
  const producer = await client.producer();
  const message = client.message(producer, target.queue(), "x", { transactionId: id });
  assertEquals(refusal(await client.request(message))[1], notFound(id));
  await done(client, id, END);
});

behaviour("Messages of a prepared transaction are sent in their order", async (target) => {
  const client = await target.open();
  const producer = await client.producer();
  const transactionId = xid();
  await client.send(info(client, transactionId, BEGIN));
  for (const body of ["1", "2", "3"]) {
    await client.send(client.message(producer, target.queue(), body, { transactionId }));
  }
  await prepare(client, transactionId);
  await client.publish(target.queue(), "4");
  await client.consumer(target.queue());
  assertEquals(texts(await client.dispatches(1)), ["4"]);
  await done(client, transactionId, COMMIT_TWO_PHASE);
  assertEquals(texts(await client.dispatches(3)), ["1", "2", "3"]);
});

behaviour(
  "A distributed transaction that lost a one-way part is committed without it",
  async (target) => {
    const { client, id } = await work(target);
    const producer = await client.producer();
    await client.send({
      ...client.message(producer, target.queue("out"), "x", { transactionId: id }),
      producerId: { ...producer, value: 99 },
    });
    await client.next("ConnectionError");
    assertEquals(await prepare(client, id), 0);
    await done(client, id, COMMIT_TWO_PHASE);
    await client.drop();
    assertEquals(await left(target), ["new"]);
  },
);
