/**
 * Which events of messages and consumers the broker reports on advisory topics.
 *
 * @module
 */

import { type ActiveMQDestination, createActiveMQQueue } from "../codec/mod.ts";
import { OptionNames } from "../option_names.ts";
import { includes, parts } from "./destinations.ts";

/**
 * Advisories of some destinations that are off by default, as the attributes of a `<policyEntry>` of ActiveMQ.
 *
 * @example
 * ```ts
 * import { type AdvisoryPolicy, MemoryBroker } from "./mod.ts";
 *
 * const policies: AdvisoryPolicy[] = [
 *   { destination: "orders.>", advisoryForDelivery: true, advisoryForConsumed: true },
 *   { destination: "topic://prices", advisoryForSlowConsumers: true },
 * ];
 * await using broker = await MemoryBroker.listen({ advisoryPolicies: policies });
 * ```
 */
export interface AdvisoryPolicy {
  /**
   * Name of the queues, or of the topics with `topic://` before it. It may have the wildcards `*` and `>`. The first policy
   * that fits a destination counts.
   */
  readonly destination: string;
  /** Whether messages that the broker has stored are reported. @default {false} */
  readonly advisoryForDelivery?: boolean | undefined;
  /** Whether messages that have left a queue are reported. @default {false} */
  readonly advisoryForConsumed?: boolean | undefined;
  /**
   * Whether messages of a topic are reported that the broker has discarded because of the `pendingMessageLimit` of a topic
   * policy. @default {false}
   */
  readonly advisoryForDiscardingMessages?: boolean | undefined;
  /** Whether consumers of topics are reported that have a longer backlog than their prefetch size. @default {false} */
  readonly advisoryForSlowConsumers?: boolean | undefined;
  /** Whether non-persistent messages are reported that found no consumer. @default {false} */
  readonly sendAdvisoryIfNoConsumers?: boolean | undefined;
  /** Whether the advisories of messages contain the body of the message. @default {false} */
  readonly includeBodyForAdvisory?: boolean | undefined;
}

const NAMES: OptionNames<AdvisoryPolicy> = new OptionNames<AdvisoryPolicy>({
  destination: true,
  advisoryForDelivery: true,
  advisoryForConsumed: true,
  advisoryForDiscardingMessages: true,
  advisoryForSlowConsumers: true,
  sendAdvisoryIfNoConsumers: true,
  includeBodyForAdvisory: true,
});

/** The advisory policies of a broker. */
export class AdvisoryPolicies {
  readonly #policies: readonly (AdvisoryPolicy & { readonly pattern: ActiveMQDestination })[];

  /**
   * Checks policies.
   *
   * @throws {TypeError} When a policy has a wrong value, or no destination.
   */
  constructor(policies: readonly AdvisoryPolicy[] = []) {
    if (!Array.isArray(policies)) {
      throw new TypeError("Cannot use advisoryPolicies: an array of policies is expected");
    }
    this.#policies = policies.map((policy: AdvisoryPolicy) => {
      NAMES.check(policy, "Cannot use an advisory policy");
      for (const [name, value] of Object.entries(policy)) {
        if (name === "destination" || value === undefined || typeof value === "boolean") continue;
        throw new TypeError(
          `Cannot use an advisory policy: ${name} must be true or false, got ${typeof value}`,
        );
      }
      return { ...policy, pattern: patternOf(policy.destination) };
    });
  }

  /** The policy for a destination. */
  of(destination: ActiveMQDestination): Omit<AdvisoryPolicy, "destination"> {
    return this.#policies.find(({ pattern }) => includes(pattern, destination)) ?? {};
  }
}

function patternOf(name: unknown): ActiveMQDestination {
  if (typeof name === "string") {
    const [pattern, ...others] = parts(createActiveMQQueue({ physicalName: name }));
    if (pattern !== undefined && others.length === 0) return pattern;
  }
  throw new TypeError(
    "Cannot use an advisory policy: the name of a queue, or topic:// and the name of a topic, is expected as `destination`",
  );
}
