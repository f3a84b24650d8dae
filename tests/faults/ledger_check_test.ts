/** The checker of the ledger test sees each promise that was broken. */

import { assertEquals } from "@std/assert";
import { test } from "../_harness.ts";
import { check, type CheckOptions, type Rule } from "./ledger/check.ts";
import { type Entry, type Line, parseEntries } from "./ledger/entries.ts";

/** Writes ledgers, in order of time. */
class Writer {
  readonly entries: Entry[] = [];
  #calls = 0;
  #deliveries = 0;

  line(by: string, line: Line): this {
    this.entries.push({ at: this.entries.length, by, ...line });
    return this;
  }

  /** A send, which is "confirmed", "windowed" or "pending", or fails with a code. */
  send(key: string, outcome: string): this {
    const call = ++this.#calls;
    this.line("producer", { what: "begin", call, kind: "send", key, deadline: 10 });
    if (outcome === "pending") return this;
    if (outcome === "confirmed" || outcome === "windowed") {
      return this.line("producer", { what: "end", call, confirmed: outcome === "confirmed" });
    }
    return this.line("producer", { what: "fail", call, code: outcome, message: "" });
  }

  /** A delivery, whose acknowledgement is "confirmed", "one-way" or "none", or fails with a code. */
  deliver(
    key: string,
    { redelivered = false, ack = "confirmed" }: {
      redelivered?: boolean;
      ack?: string;
    } = {},
  ): this {
    const delivery = ++this.#deliveries;
    this.line("consumer", { what: "delivery", delivery, key, messageId: "ID:1", redelivered });
    if (ack === "none") return this;
    const call = ++this.#calls;
    this.line("consumer", { what: "begin", call, kind: "ack", key, delivery, deadline: 10 });
    if (ack === "confirmed" || ack === "one-way") {
      return this.line("consumer", { what: "end", call, confirmed: ack === "confirmed" });
    }
    return this.line("consumer", { what: "fail", call, code: ack, message: "" });
  }

  issue(token: string, amount: number): this {
    return this.line("run", { what: "issued", token, amount });
  }

  /** A transaction that moves tokens; `done`, or the code of the error. */
  commit(outcome: string, ...moves: [token: string, hop: number][]): this {
    const call = ++this.#calls;
    this.line("mover", {
      what: "begin",
      call,
      kind: "commit",
      deadline: 10,
      moves: moves.map(([token, hop]) => ({ token, hop })),
    });
    return outcome === "done"
      ? this.line("mover", { what: "end", call })
      : this.line("mover", { what: "fail", call, code: outcome, message: "" });
  }

  found(token: string, hop: number, amount: number): this {
    return this.line("run", {
      what: "found",
      queue: "right",
      token,
      hop,
      amount,
      redelivered: false,
    });
  }

  left(queue: string, key: string, redelivered = false): this {
    return this.line("run", { what: "found", queue, key, redelivered });
  }
}

/** The rules that were broken. */
function broken(writer: Writer, options?: CheckOptions): Rule[] {
  return check(writer.entries, options).violations.map(({ rule }) => rule);
}

test("a run in which all is well passes", () => {
  const writer = new Writer()
    .issue("a", 3).issue("b", 4)
    .send("1", "confirmed").send("2", "confirmed").send("3", "CONNECTION_CLOSED")
    .send("4", "CONNECTION_CLOSED").send("5", "windowed").send("6", "ENCODE")
    .deliver("1")
    .deliver("2", { ack: "CONNECTION_CLOSED" }).deliver("2", { redelivered: true })
    .deliver("3", { ack: "one-way" }).deliver("3", { ack: "one-way" })
    .left("messages", "2", true)
    .commit("done", ["a", 0], ["b", 0]).commit("CONNECTION_CLOSED", ["a", 1])
    .commit("TIMEOUT", ["b", 1]).commit("done", ["b", 1])
    .commit("TRANSACTION_ROLLED_BACK", ["b", 2])
    .found("a", 2, 3).found("b", 2, 4)
    .line("mover", { what: "note", text: "interrupted CONNECTION_CLOSED: lost" });
  const { violations, figures } = check(writer.entries, { empty: ["ActiveMQ.DLQ"] });
  assertEquals(violations, []);
  const { calls, ...numbers } = figures;
  assertEquals(numbers, {
    confirmedSends: 2,
    unknownSends: 3,
    unknownSendsDelivered: 1,
    deliveries: 5,
    redelivered: 1,
    repeatedUnmarked: 1,
    confirmedAcks: 2,
    doneAgain: 1,
    confirmedMoves: 3,
    doubtfulMoves: 2,
    doubtfulMovesDone: 1,
    tokens: 2,
    sum: 7,
    losses: 1,
    resumed: 0,
    found: 3,
  });
  assertEquals(calls.send, {
    begun: 6,
    done: 3,
    failed: { CONNECTION_CLOSED: 2, ENCODE: 1 },
    longest: 1,
  });
});

test("a confirmed message that never comes is lost", () => {
  assertEquals(broken(new Writer().send("1", "confirmed")), ["lost"]);
  assertEquals(broken(new Writer().send("1", "TIMEOUT")), []);
  assertEquals(broken(new Writer().send("1", "confirmed").left("messages", "1")), []);
});

test("a message that nobody has sent, or that failed for sure, must not come", () => {
  assertEquals(broken(new Writer().deliver("1")), ["unknown message"]);
  assertEquals(broken(new Writer().left("messages", "1")), ["unknown message"]);
  assertEquals(broken(new Writer().send("1", "ENCODE").deliver("1")), ["failed but sent"]);
  const known = { unknown: new Set(["ENCODE"]) };
  assertEquals(broken(new Writer().send("1", "ENCODE").deliver("1"), known), []);
});

test("what was done for sure must not be done again without a mark", () => {
  const again = (redelivered: boolean) =>
    new Writer().send("1", "confirmed").deliver("1").deliver("1", { redelivered });
  assertEquals(broken(again(false)), ["done twice"]);
  assertEquals(broken(again(true)), []);
  const first = new Writer().send("1", "confirmed").deliver("1", { ack: "one-way" }).deliver("1");
  assertEquals(broken(first), []);
  const there = (redelivered: boolean) =>
    new Writer().send("1", "confirmed").deliver("1").left("messages", "1", redelivered);
  assertEquals(broken(there(false)), ["done but there"]);
  assertEquals(broken(there(true)), []);
});

test("tokens neither vanish nor multiply", () => {
  const issued = () => new Writer().issue("a", 3).issue("b", 4);
  assertEquals(broken(issued().found("b", 0, 4)), ["token lost", "sum"]);
  assertEquals(broken(issued().found("a", 0, 3).found("b", 0, 4).found("b", 0, 4)), [
    "token twice",
    "sum",
  ]);
  assertEquals(broken(issued().found("a", 0, 5).found("b", 0, 4)), ["sum"]);
});

test("a commit is what it says", () => {
  const moved = (outcome: string, hop: number) =>
    new Writer().issue("a", 3).commit(outcome, ["a", 0]).found("a", hop, 3);
  assertEquals(broken(moved("done", 1)), []);
  assertEquals(broken(moved("done", 0)), ["commit undone"]);
  for (const hop of [0, 1]) assertEquals(broken(moved("TIMEOUT", hop)), []);
  assertEquals(broken(moved("TRANSACTION_ROLLED_BACK", 0)), []);
  assertEquals(broken(moved("TRANSACTION_ROLLED_BACK", 1)), ["failed but committed"]);
  const twice = new Writer().issue("a", 3)
    .commit("done", ["a", 0]).commit("done", ["a", 0]).found("a", 1, 3);
  assertEquals(broken(twice), ["commit undone"]);
});

test("nothing hangs", () => {
  assertEquals(broken(new Writer().send("1", "pending")), ["hang"]);
  const late = new Writer()
    .line("x", { what: "begin", call: 1, kind: "close", deadline: 10 })
    .line("x", { what: "hang", call: 1 })
    .line("x", { what: "end", call: 1 });
  assertEquals(broken(late), ["hang"]);
});

test("errors have codes, processes end, and there are no dead letters", () => {
  const untyped = new Writer()
    .line("x", { what: "begin", call: 1, kind: "close", deadline: 10 })
    .line("x", { what: "fail", call: 1, message: "undefined is not a function" });
  assertEquals(broken(untyped), ["untyped error"]);
  for (const code of [1, null]) {
    const exit = new Writer().line("run", { what: "exit", process: "x", code, log: "" });
    assertEquals(broken(exit), ["process"]);
  }
  assertEquals(
    broken(new Writer().line("run", { what: "exit", process: "x", code: 0, log: "" })),
    [],
  );
  const dead = new Writer().send("1", "confirmed").left("DLQ", "1");
  assertEquals(broken(dead, { empty: ["DLQ"] }), ["dead letter"]);
});

test("a line that was not written to its end does not count", () => {
  const line = JSON.stringify({ at: 1, by: "x", what: "note", text: "a" });
  assertEquals(parseEntries(`${line}\n${line}\n{"at":2`).length, 2);
});
