/**
 * How the broker introduces itself.
 *
 * @module
 */

/** What a link tells of the broker. */
export interface BrokerIdentity {
  /** Unique id. */
  readonly id: string;
  /** Name. */
  readonly name: string;
  /** Address. */
  readonly url: string;
}
