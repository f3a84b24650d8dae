/** The real brokers that the tests know. */
export type BrokerKind = "activemq5" | "activemq6" | "artemis";

/** All of them. */
export const BROKER_KINDS: readonly BrokerKind[] = ["activemq5", "activemq6", "artemis"];
