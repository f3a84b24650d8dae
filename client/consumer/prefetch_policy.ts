/**
 * How many messages the broker sends ahead.
 *
 * @module
 */

import { OptionNames } from "../../option_names.ts";
import { numberText } from "../../errors.ts";
import type { Resolved } from "../resolved.ts";

/**
 * How many messages the broker sends ahead to each kind of consumer, 0 to 32,767 (Java: ActiveMQPrefetchPolicy). With 0 it
 * sends one each time that it is asked (MessagePull).
 *
 * A broker that has a prefetch policy of its own applies it to consumers that ask for exactly the Java client's defaults:
 * 1000 for queues, 500 for browsers, 100 for durable subscriptions, 32,767 for topics.
 *
 * @example
 * ```ts
 * import type { PrefetchPolicy } from "../../mod.ts";
 *
 * const policy: PrefetchPolicy = { all: 100, queuePrefetch: 10 };
 * ```
 */
export interface PrefetchPolicy {
  /** For all kinds that are not given on their own. */
  all?: number | undefined;
  /** For queues. @default {1000} */
  queuePrefetch?: number | undefined;
  /** For browsers of queues. @default {500} */
  queueBrowserPrefetch?: number | undefined;
  /** For topics, without a durable subscription. @default {32_767} */
  topicPrefetch?: number | undefined;
  /** For durable subscriptions. @default {100} */
  durableTopicPrefetch?: number | undefined;
  /** For durable subscriptions in sessions of mode `"auto"`; `durableTopicPrefetch` by default. */
  optimizeDurableTopicPrefetch?: number | undefined;
  /** Messages that the broker keeps for a slow consumer of a topic before it discards some; 0 for its own limit. @default {0} */
  maximumPendingMessageLimit?: number | undefined;
}

/** Largest prefetch size, as in Java. */
export const MAX_PREFETCH_SIZE = 32767;

/** A prefetch size of a policy. */
export type PrefetchName = Exclude<keyof PrefetchPolicy, "all" | "maximumPendingMessageLimit">;

/** A policy with its defaults. */
export interface ResolvedPrefetchPolicy extends Resolved<PrefetchPolicy> {
  /** The options that the user has given a prefetch size in; none for the defaults. */
  readonly given: Readonly<Record<PrefetchName, string | undefined>>;
}

/** Fills in the defaults. */
export function resolvePrefetchPolicy(policy: PrefetchPolicy = {}): ResolvedPrefetchPolicy {
  for (const [name, value] of Object.entries(policy)) {
    if (value === undefined) continue;
    if (name === "maximumPendingMessageLimit") checkPendingLimit(value);
    else checkPrefetchSize(name, value);
  }
  const { all } = policy;
  const durableTopicPrefetch = policy.durableTopicPrefetch ?? all ?? 100;
  const from = (...names: (keyof PrefetchPolicy)[]): string | undefined => {
    const name = [...names, "all" as const].find((name) => policy[name] !== undefined);
    return name && `prefetchPolicy.${name}`;
  };
  return {
    given: {
      queuePrefetch: from("queuePrefetch"),
      queueBrowserPrefetch: from("queueBrowserPrefetch"),
      topicPrefetch: from("topicPrefetch"),
      durableTopicPrefetch: from("durableTopicPrefetch"),
      optimizeDurableTopicPrefetch: from("optimizeDurableTopicPrefetch", "durableTopicPrefetch"),
    },
    all: all ?? 1000,
    queuePrefetch: policy.queuePrefetch ?? all ?? 1000,
    queueBrowserPrefetch: policy.queueBrowserPrefetch ?? all ?? 500,
    topicPrefetch: policy.topicPrefetch ?? all ?? MAX_PREFETCH_SIZE,
    durableTopicPrefetch,
    optimizeDurableTopicPrefetch: policy.optimizeDurableTopicPrefetch ?? durableTopicPrefetch,
    maximumPendingMessageLimit: policy.maximumPendingMessageLimit ?? 0,
  };
}

/** Checks a prefetch size. */
export function checkPrefetchSize(name: string, value: number): number {
  if (!Number.isInteger(value) || value < 0 || value > MAX_PREFETCH_SIZE) {
    throw new RangeError(
      `Cannot use ${
        numberText(value)
      } as ${name}: an integer from 0 to ${MAX_PREFETCH_SIZE} is expected`,
    );
  }
  return value;
}

/** Checks a limit of pending messages. */
export function checkPendingLimit(value: number): number {
  if (!Number.isInteger(value) || value < 0 || value > 0x7fffffff) {
    throw new RangeError(
      `Cannot use ${
        numberText(value)
      } as maximumPendingMessageLimit: an integer from 0 to 2147483647 is expected`,
    );
  }
  return value;
}

/** The names of these options. */
export const PREFETCH_POLICY: OptionNames<PrefetchPolicy> = new OptionNames<PrefetchPolicy>({
  all: true,
  queuePrefetch: true,
  queueBrowserPrefetch: true,
  topicPrefetch: true,
  durableTopicPrefetch: true,
  optimizeDurableTopicPrefetch: true,
  maximumPendingMessageLimit: true,
});
