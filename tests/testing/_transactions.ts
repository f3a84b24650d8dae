/** Local transactions of a raw client. */
import { assertEquals } from "@std/assert";
import {
  type ConsumerId,
  createConnectionId,
  createLocalTransactionId,
  createTransactionInfo,
  type LocalTransactionId,
  type MessageDispatch,
  type TransactionInfo,
} from "../../codec/mod.ts";
import type { RawClient } from "./_raw_client.ts";
import type { Target } from "./_targets.ts";

export const BEGIN = 0;
export const PREPARE = 1;
export const COMMIT = 2;
export const ROLLBACK = 4;

let ids = 0;

export function transaction(client: RawClient): LocalTransactionId {
  const connectionId = createConnectionId({ value: client.connectionId });
  return createLocalTransactionId({ value: ++ids, connectionId });
}

export function info(
  client: RawClient,
  transactionId: LocalTransactionId,
  type: number,
): TransactionInfo {
  const connectionId = createConnectionId({ value: client.connectionId });
  return createTransactionInfo({ connectionId, transactionId, type });
}

export async function begin(client: RawClient): Promise<LocalTransactionId> {
  const id = transaction(client);
  await client.send(info(client, id, BEGIN));
  return id;
}

export async function end(client: RawClient, id: LocalTransactionId, type: number): Promise<void> {
  assertEquals((await client.request(info(client, id, type))).dataType, "Response");
}

/** A consumer that has messages in its window. */
export async function consumer(
  target: Target,
  size: number,
  ...bodies: string[]
): Promise<{ client: RawClient; id: ConsumerId; sent: MessageDispatch[] }> {
  const client = await target.open();
  const id = await client.consumer(target.queue(), { prefetchSize: size });
  await client.publish(target.queue(), ...bodies);
  const sent = await client.dispatches(Math.min(size, bodies.length));
  return { client, id, sent };
}
