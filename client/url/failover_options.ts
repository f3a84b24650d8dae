/** Options of a URL with several brokers, as the Java client has them for `failover:`. */

import type { ConnectOptions } from "../options.ts";
import { boolean, integer, milliseconds, number, text } from "./option_value.ts";
import { fixed, OptionTable, refused, typed } from "./option_table.ts";

const MOST = 0x7fffffff;

/** The options of a URL with several brokers, apart from `jms.…` and `nested.…`. */
export const failoverOptions: OptionTable<Pick<ConnectOptions, "failover">> = new OptionTable<
  Pick<ConnectOptions, "failover">
>([
  typed(
    "initialReconnectDelay",
    milliseconds,
    "10",
    "Milliseconds before the second attempt, when all brokers were tried.",
    (initialReconnectDelay) => ({ failover: { initialReconnectDelay } }),
  ),
  typed(
    "maxReconnectDelay",
    milliseconds,
    "30000",
    "Longest wait between two attempts in milliseconds.",
    (maxReconnectDelay) => ({ failover: { maxReconnectDelay } }),
  ),
  typed(
    "useExponentialBackOff",
    boolean,
    "true",
    "Whether the waits become longer each time.",
    (useExponentialBackOff) => ({ failover: { useExponentialBackOff } }),
  ),
  typed(
    "reconnectDelayExponent",
    number(1),
    "2",
    "Factor by which they become longer.",
    (reconnectDelayExponent) => ({ failover: { reconnectDelayExponent } }),
  ),
  typed(
    "maxReconnectAttempts",
    integer(-1, MOST),
    "-1",
    "Attempts before a lost connection is given up; -1 for no limit, 0 for none.",
    (maxReconnectAttempts) => ({ failover: { maxReconnectAttempts } }),
  ),
  typed(
    "startupMaxReconnectAttempts",
    integer(-1, MOST),
    "-1",
    "How often all brokers are tried before the first connection is given up; -1 for no limit but `connectTimeout`, 0 for once.",
    (startupMaxReconnectAttempts) => ({ failover: { startupMaxReconnectAttempts } }),
  ),
  typed(
    "randomize",
    boolean,
    "true",
    "Whether the brokers are tried in random order.",
    (randomize) => ({ failover: { randomize } }),
  ),
  typed(
    "timeout",
    integer(-1, MOST),
    "-1",
    "Milliseconds that a send may wait while there is no connection; 0 or less for its own limit.",
    (timeout) => ({ failover: { timeout } }),
  ),
  typed(
    "backup",
    boolean,
    "false",
    "Whether connections to other brokers are kept in reserve.",
    (backup) => ({ failover: { backup } }),
  ),
  typed(
    "backupPoolSize",
    integer(0, MOST),
    "1",
    "Number of these.",
    (backupPoolSize) => ({ failover: { backupPoolSize } }),
  ),
  typed(
    "priorityBackup",
    boolean,
    "false",
    "Whether some brokers are preferred, and moved to when they are there.",
    (priorityBackup) => ({ failover: { priorityBackup } }),
  ),
  typed(
    "priorityURIs",
    text,
    "",
    "Which ones, separated by commas; the first of the list by default.",
    (list) => ({
      failover: { priorityURIs: list.split(",").map((url) => url.trim()).filter(Boolean) },
    }),
  ),
  typed(
    "trackMessages",
    boolean,
    "false",
    "Whether the last messages that asked for no answer are sent again over another connection.",
    (trackMessages) => ({ failover: { trackMessages } }),
  ),
  typed(
    "maxCacheSize",
    integer(0, MOST),
    "131072",
    "Bytes of messages that are kept for that.",
    (maxCacheSize) => ({ failover: { maxCacheSize } }),
  ),
  typed(
    "updateURIsSupported",
    boolean,
    "true",
    "Whether brokers that a broker tells of are tried, too.",
    (updateURIsSupported) => ({ failover: { updateURIsSupported } }),
  ),
  typed(
    "rebalanceUpdateURIs",
    boolean,
    "true",
    "Whether to move to another broker when a broker asks for it.",
    (rebalanceUpdateURIs) => ({ failover: { rebalanceUpdateURIs } }),
  ),
  typed(
    "reconnectSupported",
    boolean,
    "true",
    "Whether to move to the broker that a broker names.",
    (reconnectSupported) => ({ failover: { reconnectSupported } }),
  ),
  typed(
    "warnAfterReconnectAttempts",
    integer(-1, MOST),
    "10",
    "Failed rounds after which that is logged as a warning again.",
    (warnAfterReconnectAttempts) => ({ failover: { warnAfterReconnectAttempts } }),
  ),
  fixed("trackTransactionProducers", "true", "producers of an open transaction are remembered"),
  refused("updateURIsURL", "give a function as the option `brokers` of connect()"),
]);
