/**
 * What a connection has done so far.
 *
 * @module
 */

/**
 * What has become of the messages that consumers got.
 *
 * @example
 * ```ts
 * import type { SettlementStats } from "../../mod.ts";
 *
 * const settled = (stats: SettlementStats) => stats.acknowledged + stats.rejected + stats.expired;
 * ```
 */
export interface SettlementStats {
  /** Messages that were done: acknowledged, or in a transaction that was committed. */
  readonly acknowledged: number;
  /** Messages that were given up, by the application or because they were given out too often: dead letters. */
  readonly rejected: number;
  /** How often a message was put back here to be given out again. */
  readonly redelivered: number;
  /** Messages that were too old to be given out. */
  readonly expired: number;
}

/**
 * What has become of transactions: those of transacted sessions, and branches of distributed transactions that this connection
 * has worked for or decided.
 *
 * Each transaction of a session that was begun is committed, rolled back, in doubt, or still goes on. A branch may be decided by
 * another connection, and one that was in doubt may be committed or rolled back later, which counts then, too.
 *
 * @example
 * ```ts
 * import type { TransactionStats } from "../../mod.ts";
 *
 * const doubtful = ({ transactionsInDoubt }: TransactionStats) => transactionsInDoubt > 0;
 * ```
 */
export interface TransactionStats {
  /** Transactions that were begun: with the first message that is sent or received, a branch with its first `xa.start()`. */
  readonly transactionsBegun: number;
  /** Transactions that were committed, with one or two phases; and branches for which there was nothing to commit. */
  readonly transactionsCommitted: number;
  /** Transactions that were rolled back: by a call, by the broker instead of a commit, or because the connection was lost. */
  readonly transactionsRolledBack: number;
  /** How often it is not known what has become of a transaction: the broker did not answer a commit or prepare. */
  readonly transactionsInDoubt: number;
}

/**
 * What went over the wire, from the first byte on.
 *
 * @example
 * ```ts
 * import type { TrafficStats } from "../../mod.ts";
 *
 * const mean = (stats: TrafficStats) => stats.bytesReceived / stats.commandsReceived;
 * ```
 */
export interface TrafficStats {
  /** Commands of all kinds that were sent. */
  readonly commandsSent: number;
  /** Commands of all kinds that came. */
  readonly commandsReceived: number;
  /** Bytes that were written to the socket. */
  readonly bytesSent: number;
  /** Bytes that were read from the socket. */
  readonly bytesReceived: number;
  /** Commands that wait for the broker's answer now. */
  readonly pendingRequests: number;
}

/**
 * What a connection has done so far, and what is open now; see `connection.stats()`.
 *
 * @example
 * ```ts
 * import type { ConnectionStats } from "../../mod.ts";
 *
 * const backlog = (stats: ConnectionStats) => stats.bufferedMessages + stats.unsettledMessages;
 * ```
 */
export interface ConnectionStats extends TrafficStats, SettlementStats, TransactionStats {
  /** How often a connection that was lost has been replaced by another. */
  readonly reconnections: number;
  /** Messages that were sent, and not refused if the broker's answer was waited for. */
  readonly messagesSent: number;
  /** Bytes of their bodies, compressed if they were. */
  readonly bodyBytesSent: number;
  /** Messages that came for consumers; one that the broker delivers again counts again. */
  readonly messagesReceived: number;
  /** Bytes of their bodies, compressed if they were. */
  readonly bodyBytesReceived: number;
  /** Sessions that are open. What is done without one has a session, too. */
  readonly sessions: number;
  /** Consumers that are open. */
  readonly consumers: number;
  /** Producers that are open. */
  readonly producers: number;
  /**
   * Bytes of messages whose `send()` has not settled, with 1024 more for each, and of those that were given up and still wait to
   * be written; see `maxPendingSendBytes`.
   */
  readonly pendingSendBytes: number;
  /** Bytes in the windows of the producers: sent, and not taken by the broker yet. */
  readonly windowBytes: number;
  /** Messages that have come and wait to be taken. */
  readonly bufferedMessages: number;
  /** Bytes of these, about. */
  readonly bufferedBytes: number;
  /** Bytes of inflated bodies that are kept: of each consumer the one that was read last, until its message is settled. */
  readonly inflatedBytes: number;
  /** Messages that the application has and did not settle; each consumer has `maxUnacknowledged` at most. */
  readonly unsettledMessages: number;
  /**
   * Consumers of topics that have as many unacknowledged messages as their prefetch size, so that the broker may discard some;
   * one counts until it has but a quarter of that.
   */
  readonly slowConsumers: number;
  /** Consumers of topics that have more than their `maxBufferedBytes` buffered, so that the connection reads nothing. */
  readonly pausingConsumers: number;
  /** Consumers that deliver no more, because the application has `maxUnacknowledged` messages that it did not settle. */
  readonly limitedConsumers: number;
}

/** Counts the messages and transactions of a connection. */
export class MessageCounters implements SettlementStats, TransactionStats {
  messagesSent = 0;
  bodyBytesSent = 0;
  messagesReceived = 0;
  bodyBytesReceived = 0;
  acknowledged = 0;
  rejected = 0;
  redelivered = 0;
  expired = 0;
  transactionsBegun = 0;
  transactionsCommitted = 0;
  transactionsRolledBack = 0;
  transactionsInDoubt = 0;
}
