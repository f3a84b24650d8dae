/** Clients that come back under their name. */
import { assertEquals } from "@std/assert";
import {
  type ActiveMQDestination,
  type ConsumerId,
  type ConsumerInfo,
  createConnectionId,
  createRemoveSubscriptionInfo,
  createSessionInfo,
} from "../../codec/mod.ts";
import type { Answer, RawClient } from "./_raw_client.ts";
import type { Target } from "./_targets.ts";

/** A client with a name that it may come back with. */
export async function named(target: Target, name = "C"): Promise<RawClient> {
  const client = await target.link();
  const answer = await client.connect({ clientId: target.name(name) });
  assertEquals(answer.dataType, "Response");
  await client.request(createSessionInfo({ sessionId: client.sessionId }));
  return client;
}

export function durable(
  client: RawClient,
  topic: ActiveMQDestination,
  init: Partial<Omit<ConsumerInfo, "dataType">> = {},
): Promise<ConsumerId> {
  return client.consumer(topic, { subscriptionName: "S", ...init });
}

export function unsubscribe(
  client: RawClient,
  clientId: string,
  subscriptionName = "S",
): Promise<Answer> {
  const connectionId = createConnectionId({ value: client.connectionId });
  return client.request(createRemoveSubscriptionInfo({ connectionId, clientId, subscriptionName }));
}
