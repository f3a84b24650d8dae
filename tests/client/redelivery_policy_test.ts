/** How often and when a message is given again: the sums, without a broker. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  redeliveryDelay,
  redeliveryPolicyFor,
  resolveRedeliveryPolicies,
  resolveRedeliveryPolicy,
} from "../../client/consumer/redelivery_policy.ts";
import { queue, type RedeliveryPolicy, topic } from "../../mod.ts";
import { test } from "../_harness.ts";

/** The delays before the first redeliveries. */
function delays(policy: RedeliveryPolicy, count = 5, random = () => 0.5): number[] {
  const resolved = resolveRedeliveryPolicy(policy);
  return Array.from({ length: count }, (_, n) => redeliveryDelay(resolved, n + 1, random));
}

test("by default a message is given again six times, after a second each", () => {
  assertEquals(resolveRedeliveryPolicy().maximumRedeliveries, 6);
  assertEquals(delays({}), [1000, 1000, 1000, 1000, 1000]);
});

test("the first delay can be another than those that follow", () => {
  assertEquals(delays({ initialRedeliveryDelay: 0, redeliveryDelay: 20 }), [0, 20, 20, 20, 20]);
  assertEquals(delays({ initialRedeliveryDelay: 5 }), [5, 1000, 1000, 1000, 1000]);
});

test("delays grow by a factor, up to a limit", () => {
  const growing = { initialRedeliveryDelay: 100, useExponentialBackOff: true };
  assertEquals(delays(growing), [100, 500, 2500, 12500, 62500]);
  assertEquals(delays({ ...growing, backOffMultiplier: 2 }), [100, 200, 400, 800, 1600]);
  assertEquals(
    delays({ ...growing, backOffMultiplier: 2, redeliveryDelay: 10, maximumRedeliveryDelay: 500 }),
    [100, 200, 400, 500, 500],
  );
  // As in Java: the limit is no less than redeliveryDelay.
  assertEquals(
    delays({ ...growing, redeliveryDelay: 600, maximumRedeliveryDelay: 300 }),
    [100, 500, 600, 600, 600],
  );
  // Nothing to multiply: from the second on it is redeliveryDelay that grows.
  assertEquals(
    delays({ ...growing, initialRedeliveryDelay: 0, redeliveryDelay: 10 }),
    [0, 10, 50, 250, 1250],
  );
  assertEquals(redeliveryDelay(resolveRedeliveryPolicy(growing), 1_000_000), 0x7fffffff);
});

test("delays vary by chance, by a part of them", () => {
  const policy = { useCollisionAvoidance: true };
  assertEquals(delays(policy, 1, () => 0), [850]);
  assertEquals(delays(policy, 1, () => 0.5), [1000]);
  assertEquals(delays(policy, 1, () => 1), [1150]);
  assertEquals(delays({ ...policy, collisionAvoidanceFactor: 1 }, 1, () => 0), [0]);
  for (let n = 0; n < 100; n++) {
    const [delay] = delays(policy, 1, Math.random);
    assert(delay! >= 850 && delay! <= 1150);
  }
});

test("destinations have policies of their own, by name or wildcard", () => {
  const policies = resolveRedeliveryPolicies({
    default: { maximumRedeliveries: 1 },
    destinations: [
      { destination: "orders.vip", policy: { maximumRedeliveries: 2 } },
      { destination: "orders.>", policy: { maximumRedeliveries: 3 } },
      { destination: "*.eu,extra", policy: { maximumRedeliveries: 4 } },
      { destination: topic("orders.>"), policy: { maximumRedeliveries: 5 } },
      { destination: "returns,topic://news.*", policy: { maximumRedeliveries: 6 } },
    ],
  });
  const found = (destination: Parameters<typeof redeliveryPolicyFor>[1]): number =>
    redeliveryPolicyFor(policies, destination).maximumRedeliveries;
  assertEquals(found(queue("orders.vip")), 2);
  assertEquals(found(queue("orders.new.today")), 3);
  assertEquals(found(queue("orders")), 3);
  assertEquals(found(queue("prices.eu")), 4);
  assertEquals(found(queue("extra")), 4);
  assertEquals(found(queue("prices.eu.today")), 1);
  assertEquals(found(topic("orders.vip")), 5);
  assertEquals(found(queue("orderly")), 1);
  assertEquals([found(queue("returns")), found(topic("news.today"))], [6, 6]);
  assertEquals([found(topic("returns")), found(queue("news.today"))], [1, 1]);
});

test("a policy that makes no sense is refused", () => {
  const wrong: RedeliveryPolicy[] = [
    { maximumRedeliveries: -2 },
    { maximumRedeliveries: 1.5 },
    { initialRedeliveryDelay: -1 },
    { redeliveryDelay: Number.NaN },
    { backOffMultiplier: 0.5 },
    { collisionAvoidanceFactor: 2 },
    { maximumRedeliveryDelay: -2 },
  ];
  for (const policy of wrong) {
    const [name] = Object.keys(policy);
    assertThrows(() => resolveRedeliveryPolicy(policy), RangeError, name);
  }
});

test("a delay that has grown beyond all bounds is the longest that a timer can take", () => {
  const policy = resolveRedeliveryPolicy({
    useExponentialBackOff: true,
    backOffMultiplier: 10,
    useCollisionAvoidance: true,
    collisionAvoidanceFactor: 1,
  });
  assertEquals(redeliveryDelay(policy, 1000, () => 0.5), 0x7fffffff);
  assertEquals(redeliveryDelay(policy, 1000, () => 0), 0);
});
