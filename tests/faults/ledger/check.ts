/** Reads the ledgers of a run and says whether what was promised was kept. Pure. */
import type { Begin, CallKind, Delivery, Entry, Found, Hop } from "./entries.ts";

/** What must not be. */
export type Rule =
  /** A send that was confirmed was never delivered. */
  | "lost"
  /** Something was delivered that nobody has sent. */
  | "unknown message"
  /** A send failed for sure, and the message was delivered nevertheless. */
  | "failed but sent"
  /** A message whose acknowledgement was confirmed was delivered again without `redelivered`, and done again. */
  | "done twice"
  /** A message whose acknowledgement was confirmed is still in the queue, without `redelivered`. */
  | "done but there"
  /** A token is nowhere. */
  | "token lost"
  /** A token is there twice. */
  | "token twice"
  /** A move was committed, and is undone. */
  | "commit undone"
  /** A move failed for sure, and is done. */
  | "failed but committed"
  /** The amounts in both queues are not those that were issued. */
  | "sum"
  /** Something is in a queue in which nothing may be. */
  | "dead letter"
  /** A process ended otherwise than it should. */
  | "process"
  /** A call was pending after its deadline, or when its process ended. */
  | "hang"
  /** A call failed with something else than an error of the module. */
  | "untyped error";

/** Something that must not be. */
export interface Violation {
  readonly rule: Rule;
  readonly text: string;
}

/** How calls of a kind went. */
export interface CallFigures {
  readonly begun: number;
  readonly done: number;
  /** How many failed, by the code of the error. */
  readonly failed: Readonly<Record<string, number>>;
  /** The longest, in milliseconds. */
  readonly longest: number;
}

/** What a run came to. */
export interface Verdict {
  readonly violations: readonly Violation[];
  readonly figures: {
    readonly calls: Readonly<Partial<Record<CallKind, CallFigures>>>;
    /** Sends that were confirmed. */
    readonly confirmedSends: number;
    /** Sends of which nobody knows, and how many of these were delivered. */
    readonly unknownSends: number;
    readonly unknownSendsDelivered: number;
    readonly deliveries: number;
    readonly redelivered: number;
    /** Deliveries of messages that were delivered before, without `redelivered`. */
    readonly repeatedUnmarked: number;
    readonly confirmedAcks: number;
    /** Messages that were done again, as `redelivered` said. */
    readonly doneAgain: number;
    readonly confirmedMoves: number;
    /** Moves of which nobody knows, and how many of these are done. */
    readonly doubtfulMoves: number;
    readonly doubtfulMovesDone: number;
    readonly tokens: number;
    readonly sum: number;
    /** How often a connection was lost, and how often another took its place. */
    readonly losses: number;
    readonly resumed: number;
    /** What was left in the queues. */
    readonly found: number;
  };
}

/** What a check needs to know of the broker and the client. */
export interface CheckOptions {
  /** Codes of errors after which nobody knows whether a send or commit was done. */
  readonly unknown?: ReadonlySet<string>;
  /** Queues in which nothing may be at the end, such as that of dead letters. */
  readonly empty?: readonly string[];
}

/** Errors that say that nobody knows. */
export const UNKNOWN_OUTCOME: ReadonlySet<string> = new Set([
  "CONNECTION_CLOSED",
  "OUTCOME_UNKNOWN",
  "TIMEOUT",
  "TRANSACTION_IN_DOUBT",
]);

interface Call extends Begin {
  readonly at: number;
  readonly by: string;
  outcome: "pending" | "done" | "failed";
  confirmed?: boolean | undefined;
  code?: string | undefined;
  settledAt: number;
}

/** Says what a run came to. */
export function check(entries: readonly Entry[], options: CheckOptions = {}): Verdict {
  const unknown = options.unknown ?? UNKNOWN_OUTCOME;
  const violations: Violation[] = [];
  const violated = (rule: Rule, text: string): void => void violations.push({ rule, text });
  const calls = readCalls(entries, violated);
  const found = entries.filter((entry): entry is Entry & Found => entry.what === "found");

  for (const one of found) {
    if (options.empty?.includes(one.queue)) {
      violated("dead letter", `${one.key ?? `${one.token}/${one.hop}`} in ${one.queue}`);
    }
  }
  for (const entry of entries) {
    if (entry.what === "exit" && entry.code !== 0) {
      const how = entry.code === null ? "did not end in time" : `ended with code ${entry.code}`;
      violated("process", `${entry.process} ${how}: ${entry.log}`);
    }
  }
  const messages = checkMessages(entries, calls, found, unknown, violated);
  const tokens = checkTokens(entries, calls, found, unknown, violated);
  return {
    violations,
    figures: {
      calls: figuresOf(calls),
      ...messages,
      ...tokens,
      losses: countNotes(entries, "interrupted"),
      resumed: countNotes(entries, "resumed"),
      found: found.length,
    },
  };
}

type Violated = (rule: Rule, text: string) => void;

function readCalls(entries: readonly Entry[], violated: Violated): Call[] {
  const calls = new Map<string, Call>();
  for (const entry of entries) {
    if (entry.what === "begin") {
      calls.set(`${entry.by} ${entry.call}`, {
        ...entry,
        outcome: "pending",
        settledAt: Infinity,
      });
      continue;
    }
    if (entry.what !== "end" && entry.what !== "fail" && entry.what !== "hang") continue;
    const call = calls.get(`${entry.by} ${entry.call}`)!;
    if (entry.what === "hang") {
      violated("hang", `${describe(call)} is pending after ${call.deadline} ms`);
      continue;
    }
    call.settledAt = entry.at;
    call.outcome = entry.what === "end" ? "done" : "failed";
    if (entry.what === "end") {
      call.confirmed = entry.confirmed;
    } else if (entry.code === undefined) {
      violated("untyped error", `${describe(call)}: ${entry.message}`);
    } else {
      call.code = entry.code;
    }
  }
  for (const call of calls.values()) {
    if (call.outcome === "pending") violated("hang", `${describe(call)} never settled`);
  }
  return [...calls.values()];
}

function describe({ by, call, kind, key, moves }: Call): string {
  const of = key ?? moves?.map(({ token, hop }) => `${token}/${hop}`).join(" ") ?? "";
  return `${by} call ${call}: ${kind} ${of}`.trimEnd();
}

function checkMessages(
  entries: readonly Entry[],
  calls: readonly Call[],
  found: readonly Found[],
  unknown: ReadonlySet<string>,
  violated: Violated,
) {
  const sends = new Map(
    calls.filter(({ kind }) => kind === "send").map((call) => [call.key!, call]),
  );
  const deliveries = Map.groupBy(
    entries.filter((entry): entry is Entry & Delivery => entry.what === "delivery"),
    ({ key }) => key,
  );
  const there = new Map(found.flatMap((one) => one.key === undefined ? [] : [[one.key, one]]));

  for (const key of new Set([...deliveries.keys(), ...there.keys()])) {
    if (!sends.has(key)) violated("unknown message", key);
  }
  let confirmedSends = 0, unknownSends = 0, unknownSendsDelivered = 0;
  for (const [key, send] of sends) {
    const arrived = deliveries.has(key) || there.has(key);
    if (send.outcome === "done" && send.confirmed) {
      confirmedSends++;
      if (!arrived) violated("lost", describe(send));
    } else if (send.outcome !== "failed" || unknown.has(send.code ?? "")) {
      unknownSends++;
      if (arrived) unknownSendsDelivered++;
    } else if (arrived) {
      violated("failed but sent", `${describe(send)} failed with ${send.code}`);
    }
  }

  const acks = Map.groupBy(
    calls.filter(({ kind, confirmed }) => kind === "ack" && confirmed),
    ({ key }) => key!,
  );
  let doneAgain = 0;
  for (const [key, done] of acks) {
    const first = done.reduce((a, b) => a.settledAt <= b.settledAt ? a : b);
    for (const again of done) {
      if (again === first) continue;
      const delivery = deliveries.get(key)!.find(({ by, delivery }) =>
        by === again.by && delivery === again.delivery
      );
      if (delivery?.redelivered) doneAgain++;
      else violated("done twice", `${describe(first)}, then ${describe(again)}`);
    }
    const left = there.get(key);
    if (left?.redelivered) doneAgain++;
    else if (left) violated("done but there", `${describe(first)}, still in ${left.queue}`);
  }

  let all = 0, redelivered = 0, repeatedUnmarked = 0;
  for (const list of deliveries.values()) {
    list.sort((a, b) => a.at - b.at).forEach((delivery, n) => {
      all++;
      if (delivery.redelivered) redelivered++;
      else if (n > 0) repeatedUnmarked++;
    });
  }
  return {
    confirmedSends,
    unknownSends,
    unknownSendsDelivered,
    deliveries: all,
    redelivered,
    repeatedUnmarked,
    confirmedAcks: acks.values().reduce((sum, { length }) => sum + length, 0),
    doneAgain,
  };
}

function checkTokens(
  entries: readonly Entry[],
  calls: readonly Call[],
  found: readonly Found[],
  unknown: ReadonlySet<string>,
  violated: Violated,
) {
  const issued = new Map<string, number>();
  for (const entry of entries) {
    if (entry.what === "issued") issued.set(entry.token, entry.amount);
  }
  const places = Map.groupBy(found.filter(({ token }) => token !== undefined), (one) => one.token!);
  const hopsOf = (which: (call: Call) => boolean): Map<string, Call[]> =>
    Map.groupBy(
      calls.filter((call) => call.kind === "commit" && which(call))
        .flatMap((call) => (call.moves ?? []).map((move) => ({ move, call }))),
      ({ move }) => hopKey(move),
    ) as unknown as Map<string, Call[]>;
  const done = hopsOf(({ outcome }) => outcome === "done");
  const doubtful = hopsOf(({ outcome, code }) =>
    outcome === "pending" || outcome === "failed" && unknown.has(code ?? "")
  );

  let sum = 0, doubtfulMovesDone = 0;
  for (const token of issued.keys()) {
    const [place, ...others] = places.get(token) ?? [];
    if (!place) {
      violated("token lost", token);
      continue;
    }
    sum += place.amount!;
    for (const other of others) {
      sum += other.amount!;
      violated("token twice", `${token} after ${place.hop} and ${other.hop} moves`);
    }
    for (let hop = 0; hop < place.hop!; hop++) {
      const key = hopKey({ token, hop });
      if (done.has(key)) continue;
      if (doubtful.has(key)) doubtfulMovesDone++;
      else violated("failed but committed", `move ${key}`);
    }
  }
  for (const [key, commits] of done) {
    const [token, hop] = splitHop(key);
    const last = Math.max(...(places.get(token) ?? []).map(({ hop }) => hop!), -1);
    if (hop >= last && last >= 0) violated("commit undone", `move ${key}, which is at ${last}`);
    else if (commits.length > 1) violated("commit undone", `move ${key} was committed twice`);
  }
  const total = issued.values().reduce((sum, amount) => sum + amount, 0);
  if (sum !== total) violated("sum", `${sum} of ${total}`);
  return {
    confirmedMoves: done.size,
    doubtfulMoves: doubtful.size,
    doubtfulMovesDone,
    tokens: issued.size,
    sum,
  };
}

/** Statuses of connections are noted. */
function countNotes(entries: readonly Entry[], status: string): number {
  return entries.filter((entry) => entry.what === "note" && entry.text.startsWith(status)).length;
}

function hopKey({ token, hop }: Hop): string {
  return `${token}/${hop}`;
}

function splitHop(key: string): [token: string, hop: number] {
  const at = key.lastIndexOf("/");
  return [key.slice(0, at), Number(key.slice(at + 1))];
}

function figuresOf(calls: readonly Call[]): Partial<Record<CallKind, CallFigures>> {
  const figures: Partial<Record<CallKind, CallFigures>> = {};
  for (const [kind, list] of Map.groupBy(calls, ({ kind }) => kind)) {
    const failed: Record<string, number> = {};
    for (const { outcome, code = "untyped" } of list) {
      if (outcome === "failed") failed[code] = (failed[code] ?? 0) + 1;
    }
    figures[kind] = {
      begun: list.length,
      done: list.filter(({ outcome }) => outcome === "done").length,
      failed,
      // There may be more calls than a function takes arguments.
      longest: Math.round(
        list.filter(({ settledAt }) => settledAt < Infinity)
          .reduce((longest, { at, settledAt }) => Math.max(longest, settledAt - at), 0),
      ),
    };
  }
  return figures;
}
