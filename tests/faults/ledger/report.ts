/** A run of the ledger test in words. */
import type { LedgerResult } from "./run_ledger.ts";

/** Violations of a rule that are told one by one. */
const MOST = 10;

/** What a run came to, in lines of text. */
export function describeResult(result: LedgerResult): string {
  const { broker, version, runtime, seed, seconds, mischief, verdict } = result;
  const { violations, figures } = verdict;
  const lines = [
    `${[broker, version].join(" ").trim()}, ${runtime}, seed ${seed}, ${seconds} s: ` +
    (violations.length === 0 ? "all promises kept" : `${violations.length} violations`),
    `  sends: ${figures.confirmedSends} confirmed, all delivered` +
    `; ${figures.unknownSends} unknown, ${figures.unknownSendsDelivered} of them delivered`,
    `  deliveries: ${figures.deliveries}, ${figures.redelivered} marked as redelivered, ` +
    `${figures.repeatedUnmarked} repeated without a mark`,
    `  acknowledgements: ${figures.confirmedAcks} confirmed, ${figures.doneAgain} messages done again with a mark`,
    `  moves: ${figures.confirmedMoves} committed; ${figures.doubtfulMoves} in doubt, ` +
    `${figures.doubtfulMovesDone} of them done; ${figures.tokens} tokens, sum ${figures.sum}`,
    `  connections: ${figures.losses} lost, ${figures.resumed} resumed`,
    `  left in the queues: ${figures.found}`,
    `  faults: ${Object.entries(mischief).map(([what, count]) => `${count} ${what}`).join(", ")}`,
  ];
  if (violations.some(({ rule }) => rule === "lost")) {
    lines[1] = lines[1]!.replace(", all delivered", "");
  }
  for (const [kind, { begun, done, failed, longest }] of Object.entries(figures.calls)) {
    const failures = Object.entries(failed).map(([code, count]) => `${count} ${code}`).join(", ");
    lines.push(
      `  ${kind}: ${begun} calls, ${done} done, ${
        failures || "none failed"
      }; longest ${longest} ms`,
    );
  }
  for (const [rule, list] of Map.groupBy(violations, ({ rule }) => rule)) {
    lines.push(`  VIOLATED ${rule}: ${list.length}`);
    for (const { text } of list.slice(0, MOST)) lines.push(`    ${text}`);
  }
  return lines.join("\n");
}
