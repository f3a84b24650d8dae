/**
 * What the brokers differ in, in one place: tests say what they need, this table says who has it.
 *
 * docs/brokers.md is made of it: `deno run -A tests/broker/brokers_page.ts`.
 */
import { BROKER_KINDS, type BrokerKind } from "./kinds.ts";

/** A broker that the tests of the client know. */
export type TestedBroker = BrokerKind | "memory";

/** What not all brokers have. */
export type Capability = string;

/** What is known of a capability. */
export interface CapabilityEntry {
  /** What it is, for docs/brokers.md. */
  readonly title: string;
  /** Why a broker has it not; those that are not named have it. */
  readonly missing: Partial<Record<TestedBroker, string>>;
}

/** All capabilities that not every broker has. */
export const CAPABILITIES: Record<string, CapabilityEntry> = {};

/** All brokers, in the order of the table. */
export const TESTED_BROKERS: readonly TestedBroker[] = ["memory", ...BROKER_KINDS];

/** Why a broker can't run a test that needs this; undefined if it can. */
export function missing(broker: TestedBroker, needs: readonly Capability[]): string | undefined {
  for (const need of needs) {
    const { missing }: CapabilityEntry = CAPABILITIES[need]!;
    if (missing[broker]) return missing[broker];
  }
}
