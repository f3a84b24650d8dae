/**
 * How often and when a message is given again.
 *
 * @module
 */

import { OptionNames } from "../../option_names.ts";
import { numberText } from "../../errors.ts";
import type { ActiveMQDestination } from "../../codec/mod.ts";
import { type Destination, toDestination } from "../destination/destination.ts";
import { matchesDestination } from "../destination/destination_pattern.ts";
import type { Resolved } from "../resolved.ts";

/**
 * How often and when a message is given again to an application that failed with it: whose handler threw, that called
 * `retry()` or `recover()`, or rolled back (Java: RedeliveryPolicy). All times are milliseconds.
 *
 * After the last attempt the message goes to the broker's dead letter queue, with the reason.
 *
 * @example
 * ```ts
 * import type { RedeliveryPolicy } from "../../mod.ts";
 *
 * // After 100, 200, 400 ms, each ± 15 %; then the message is given up.
 * const policy: RedeliveryPolicy = {
 *   maximumRedeliveries: 3,
 *   initialRedeliveryDelay: 100,
 *   useExponentialBackOff: true,
 *   backOffMultiplier: 2,
 *   useCollisionAvoidance: true,
 * };
 * ```
 */
export interface RedeliveryPolicy {
  /** How often it is given again before it is given up; -1 for ever. @default {6} */
  maximumRedeliveries?: number | undefined;
  /** Delay before it is given again the first time. @default {1000} */
  initialRedeliveryDelay?: number | undefined;
  /** Delay before it is given again another time. @default {1000} */
  redeliveryDelay?: number | undefined;
  /** Whether the delay is multiplied each time. @default {false} */
  useExponentialBackOff?: boolean | undefined;
  /** By what, 1 or more. @default {5} */
  backOffMultiplier?: number | undefined;
  /** Longest delay, unless `redeliveryDelay` is longer; -1 for no limit. @default {-1} */
  maximumRedeliveryDelay?: number | undefined;
  /** Whether delays vary by chance, so that many consumers don't try at once. @default {false} */
  useCollisionAvoidance?: boolean | undefined;
  /** By how much, as a share of the delay, 0 to 1. @default {0.15} */
  collisionAvoidanceFactor?: number | undefined;
  /**
   * Whether a message that comes with too many deliveries already is given up before the application of a transacted session
   * sees it.
   *
   * @default {true}
   */
  preDispatchCheck?: boolean | undefined;
}

/**
 * Redelivery policies by destination.
 *
 * @example
 * ```ts
 * import type { RedeliveryPolicies } from "../../mod.ts";
 *
 * const policies: RedeliveryPolicies = {
 *   default: { maximumRedeliveries: 3 },
 *   destinations: [{ destination: "orders.>", policy: { maximumRedeliveries: -1 } }],
 * };
 * ```
 */
export interface RedeliveryPolicies {
  /** For destinations that none of the others is for. */
  readonly default?: RedeliveryPolicy | undefined;
  /** For destinations by name or wildcard; the first that fits counts. */
  readonly destinations?:
    | readonly { readonly destination: Destination; readonly policy: RedeliveryPolicy }[]
    | undefined;
}

/** Fills in and checks what a user gave. */
export function resolveRedeliveryPolicies(
  given: RedeliveryPolicy | RedeliveryPolicies = {},
): RedeliveryPolicies {
  const several = typeof given === "object" && given !== null &&
    ("default" in given || "destinations" in given);
  const policies: RedeliveryPolicies = several ? given : { default: given as RedeliveryPolicy };
  REDELIVERY_POLICIES.check(policies, "Cannot use the redelivery policies");
  return {
    default: resolveRedeliveryPolicy(policies.default),
    destinations: (policies.destinations ?? []).map(({ destination, policy }) => ({
      destination: toDestination(destination),
      policy: resolveRedeliveryPolicy(policy),
    })),
  };
}

/** The policy for a destination. */
export function redeliveryPolicyFor(
  { default: otherwise, destinations }: RedeliveryPolicies,
  destination: ActiveMQDestination,
): Resolved<RedeliveryPolicy> {
  const found = destinations!.find((entry) =>
    matchesDestination(entry.destination as ActiveMQDestination, destination)
  );
  return (found?.policy ?? otherwise) as Resolved<RedeliveryPolicy>;
}

/** Fills in the defaults. */
export function resolveRedeliveryPolicy(policy: RedeliveryPolicy = {}): Resolved<RedeliveryPolicy> {
  REDELIVERY_POLICY.check(policy, "Cannot use the redelivery policy");
  const resolved = {
    maximumRedeliveries: policy.maximumRedeliveries ?? 6,
    initialRedeliveryDelay: policy.initialRedeliveryDelay ?? 1000,
    redeliveryDelay: policy.redeliveryDelay ?? 1000,
    useExponentialBackOff: policy.useExponentialBackOff ?? false,
    backOffMultiplier: policy.backOffMultiplier ?? 5,
    maximumRedeliveryDelay: policy.maximumRedeliveryDelay ?? -1,
    useCollisionAvoidance: policy.useCollisionAvoidance ?? false,
    collisionAvoidanceFactor: policy.collisionAvoidanceFactor ?? 0.15,
    preDispatchCheck: policy.preDispatchCheck ?? true,
  };
  checkRange(resolved, "maximumRedeliveries", -1, 0x7fffffff, Number.isInteger);
  checkRange(resolved, "initialRedeliveryDelay", 0, 0x7fffffff);
  checkRange(resolved, "redeliveryDelay", 0, 0x7fffffff);
  checkRange(resolved, "backOffMultiplier", 1, Number.MAX_VALUE);
  checkRange(resolved, "maximumRedeliveryDelay", -1, 0x7fffffff);
  checkRange(resolved, "collisionAvoidanceFactor", 0, 1);
  return resolved;
}

function checkRange<Name extends string>(
  policy: Readonly<Record<Name, unknown>>,
  name: Name,
  least: number,
  most: number,
  also: (value: unknown) => boolean = Number.isFinite,
): void {
  const value = policy[name];
  if (typeof value === "number" && also(value) && value >= least && value <= most) return;
  const kind = also === Number.isInteger ? "an integer" : "a number";
  throw new RangeError(
    `Cannot use ${
      numberText(value)
    } as ${name} of a redelivery policy: ${kind} from ${least} to ${most} is expected`,
  );
}

/** Milliseconds that a timer can take. */
const LONGEST_DELAY = 0x7fffffff;

/**
 * How long to wait before a message is given again.
 *
 * @param policy The policy, with its defaults.
 * @param redelivery Which time it is given again, from 1.
 * @param random Chance, 0 to 1.
 * @returns Milliseconds.
 */
export function redeliveryDelay(
  policy: Resolved<RedeliveryPolicy>,
  redelivery: number,
  random: () => number = Math.random,
): number {
  let delay = policy.initialRedeliveryDelay;
  // Beyond that many steps nothing grows any more.
  for (let n = 1; n < Math.min(redelivery, 1000); n++) delay = nextDelay(policy, delay);
  // What has grown to infinity can't be varied.
  delay = Math.min(delay, LONGEST_DELAY);
  if (policy.useCollisionAvoidance) {
    delay *= 1 + policy.collisionAvoidanceFactor * (2 * random() - 1);
  }
  return Math.min(Math.round(delay), LONGEST_DELAY);
}

function nextDelay(policy: Resolved<RedeliveryPolicy>, previous: number): number {
  const { redeliveryDelay, backOffMultiplier, maximumRedeliveryDelay } = policy;
  const grows = policy.useExponentialBackOff && previous > 0 && backOffMultiplier > 1;
  const delay = grows ? previous * backOffMultiplier : redeliveryDelay;
  if (maximumRedeliveryDelay < 0) return delay;
  return Math.min(delay, Math.max(maximumRedeliveryDelay, redeliveryDelay));
}

/** The names of these options. */
export const REDELIVERY_POLICY: OptionNames<RedeliveryPolicy> = new OptionNames<RedeliveryPolicy>({
  maximumRedeliveries: true,
  initialRedeliveryDelay: true,
  redeliveryDelay: true,
  useExponentialBackOff: true,
  backOffMultiplier: true,
  maximumRedeliveryDelay: true,
  useCollisionAvoidance: true,
  collisionAvoidanceFactor: true,
  preDispatchCheck: true,
});

/** The names of these options. */
export const REDELIVERY_POLICIES: OptionNames<RedeliveryPolicies> = new OptionNames<
  RedeliveryPolicies
>({
  default: true,
  destinations: true,
});
