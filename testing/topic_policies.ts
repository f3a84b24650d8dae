/**
 * What the broker does with the messages of topics that consumers have not taken, or come too late for.
 *
 * @module
 */

import type { ActiveMQDestination } from "../codec/mod.ts";
import { numberText } from "../errors.ts";
import { OptionNames } from "../option_names.ts";
import { includes, isQueue, parts } from "./destinations.ts";

/**
 * A policy for topics, as a `<policyEntry topic="…">` of ActiveMQ.
 *
 * @example
 * ```ts
 * import { MemoryBroker, type TopicPolicy } from "./mod.ts";
 *
 * const policies: TopicPolicy[] = [
 *   { topic: "prices.>", pendingMessageLimit: 1000 },
 *   { topic: "news", recoveredMessages: 10 },
 * ];
 * await using broker = await MemoryBroker.listen({ topicPolicies: policies });
 * ```
 */
export interface TopicPolicy {
  /** Name of the topics, which may have the wildcards `*` and `>`. The first policy that fits a topic counts. */
  readonly topic: string;
  /**
   * Messages that the broker keeps for a consumer whose prefetch size is reached, 0 to 2,147,483,647; the oldest beyond that
   * are discarded. A consumer can ask for fewer with `maximumPendingMessageLimit`. Not for durable subscriptions. As
   * `<constantPendingMessageLimitStrategy limit="…">`; without it nothing is discarded, whatever a consumer asks for.
   */
  readonly pendingMessageLimit?: number | undefined;
  /**
   * Messages that the broker keeps for `retroactive` consumers that come later, 0 to 2,147,483,647. As
   * `<fixedCountSubscriptionRecoveryPolicy maximumSize="…">`. @default {0}
   */
  readonly recoveredMessages?: number | undefined;
}

const NAMES: OptionNames<TopicPolicy> = new OptionNames<TopicPolicy>({
  topic: true,
  pendingMessageLimit: true,
  recoveredMessages: true,
});

/** The policies of a broker. */
export class TopicPolicies {
  readonly #policies: readonly (TopicPolicy & { readonly pattern: ActiveMQDestination })[];

  /**
   * Checks policies.
   *
   * @throws {TypeError} When one is none, or has no topic.
   * @throws {RangeError} When a number is out of range.
   */
  constructor(policies: readonly TopicPolicy[] = []) {
    if (!Array.isArray(policies)) {
      throw new TypeError("Cannot use topicPolicies: an array of policies is expected");
    }
    this.#policies = policies.map((policy: TopicPolicy) => {
      NAMES.check(policy, "Cannot use a topic policy");
      for (const name of ["pendingMessageLimit", "recoveredMessages"] as const) {
        checkCount(name, policy[name]);
      }
      return { ...policy, pattern: patternOf(policy.topic) };
    });
  }

  /** The policy for a topic. */
  of(topic: ActiveMQDestination): Omit<TopicPolicy, "topic"> {
    return this.#policies.find(({ pattern }) => includes(pattern, topic)) ?? {};
  }
}

function patternOf(topic: unknown): ActiveMQDestination {
  const wrong = (): never => {
    throw new TypeError("Cannot use a topic policy: the name of a topic is expected as `topic`");
  };
  if (typeof topic !== "string") return wrong();
  const [pattern, ...others] = parts({ dataType: "ActiveMQTopic", physicalName: topic });
  if (pattern === undefined || others.length > 0 || isQueue(pattern)) return wrong();
  return pattern;
}

function checkCount(name: string, value: number | undefined): void {
  if (value === undefined) return;
  if (Number.isInteger(value) && value >= 0 && value <= 0x7fffffff) return;
  throw new RangeError(
    `Cannot use ${numberText(value)} as ${name}: an integer from 0 to 2147483647 is expected`,
  );
}
