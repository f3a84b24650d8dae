/**
 * What the client says of itself.
 *
 * @module
 */

import { PROVIDER, VERSION } from "../codec/mod.ts";

/**
 * What the client says of itself (JMS: ConnectionMetaData).
 *
 * @example
 * ```ts
 * import { connect, VERSION } from "../mod.ts";
 * import { MemoryBroker } from "../testing/mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * await using broker = await MemoryBroker.listen();
 * await using connection = await connect(broker.url);
 * const { providerName, providerVersion, jmsxPropertyNames } = connection.metadata;
 * assertEquals([providerName, providerVersion], ["openwire", VERSION]);
 * assertEquals(jmsxPropertyNames.includes("JMSXGroupID"), true);
 * ```
 */
export interface ConnectionMetadata {
  /** Name of this module, as brokers get it. */
  readonly providerName: string;
  /** Version of this module, as brokers get it. */
  readonly providerVersion: string;
  /** Names of the properties that JMS defines and that messages can have, for example in selectors. */
  readonly jmsxPropertyNames: readonly string[];
}

/** The same for all connections. */
export const METADATA: ConnectionMetadata = Object.freeze({
  providerName: PROVIDER,
  providerVersion: VERSION,
  jmsxPropertyNames: Object.freeze([
    "JMSXUserID",
    "JMSXGroupID",
    "JMSXGroupSeq",
    "JMSXGroupFirstForConsumer",
    "JMSXDeliveryCount",
    "JMSXProducerTXID",
  ]),
});
