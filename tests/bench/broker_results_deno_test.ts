import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { parseOptions } from "../../bench/broker/options.ts";
import { cpuMicrosOf } from "../../bench/broker/process_cpu.ts";
import {
  barsOf,
  type Cell,
  cellOf,
  formatTable,
  limitOf,
  median,
  type Sample,
  sumOf,
} from "../../bench/broker/results.ts";
import { formatTask, parseTask, parseTurn, type Turn } from "../../bench/broker/turns.ts";
import { canDo, CLIENTS, scaled, WORKLOADS } from "../../bench/broker/workloads.ts";

const named = (name: string) => WORKLOADS.find((workload) => workload.name === name)!;

/** A turn of 1000 messages in a second. */
function sample(turn: Partial<Turn> = {}, brokerMicros: number | undefined = 500_000): Sample {
  return { turn: { messages: 1000, nanos: 1e9, cpuMicros: 10_000, ...turn }, brokerMicros };
}

Deno.test("the median is the value in the middle, or the mean of two", () => {
  assertEquals(median([9, 1, 5]), 5);
  assertEquals(median([4, 1, 3, 2]), 2.5);
  assertThrows(() => median([]), RangeError);
});

Deno.test("a cell has the medians of its turns, each for one message", () => {
  const cell = cellOf(named("produce-1k"), "deno", [
    sample({ nanos: 5e8 }),
    sample({ cpuMicros: 30_000 }, 700_000),
    sample({ cpuMicros: 20_000 }, 900_000),
  ]);
  assertEquals(cell.perSecond, 1000);
  assertEquals(cell.cpuMicros, 20);
  assertEquals(cell.brokerMicros, 700);
  assertAlmostEquals(cell.brokerCores!, 0.9);
  assertEquals(cell.limit, "broker");
  assertEquals(cell.p50, undefined);
});

Deno.test("a cell without the broker's CPU knows no limit", () => {
  const turn = sample().turn;
  const cell = cellOf(named("request-1k"), "bun", [
    { turn: { ...turn, p50: 90, p99: 200 }, brokerMicros: undefined },
  ]);
  assertEquals([cell.brokerMicros, cell.limit], [undefined, undefined]);
  assertEquals([cell.p50, cell.p99], [90, 200]);
});

Deno.test("the passes of a turn are added", () => {
  const one = sample({ p50: 5 });
  assertEquals(sumOf([one]), one);
  const { turn, brokerMicros } = sumOf([sample(), sample({ cpuMicros: 5 })]);
  assertEquals(turn, { messages: 2000, nanos: 2e9, cpuMicros: 10_005 });
  assertEquals(brokerMicros, 1_000_000);
  const unknown: Sample = { turn, brokerMicros: undefined };
  assertEquals(sumOf([sample(), unknown]).brokerMicros, undefined);
});

Deno.test("the limit is who works all the time", () => {
  assertEquals(limitOf(0.4, 1.1), "broker");
  assertEquals(limitOf(0.95, 1), "client");
  assertEquals(limitOf(0.3, 0.4), "waiting");
});

/** What a client did, as far as bars look at it. */
function cell(client: Cell["client"], workload: string, given: Partial<Cell>): Cell {
  return { ...cellOf(named(workload), client, [sample()]), ...given };
}

Deno.test("bars compare CPU with Java and with the best other, and rates as the limit allows", () => {
  const others = [
    cell("java", "produce-1k", { cpuMicros: 10, perSecond: 1000 }),
    cell("stompjs", "produce-1k", { cpuMicros: 8 }),
    cell("stompit", "produce-1k", { cpuMicros: 9 }),
  ];
  const bars = (given: Partial<Cell>) =>
    barsOf([cell("deno", "produce-1k", given), ...others])
      .map(({ what, bar, met }) => [what, bar, met]);
  assertEquals(bars({ cpuMicros: 4.8, perSecond: 1099, limit: "client" }), [
    ["CPU / java", 0.5, true],
    ["CPU / stompjs", 0.6, true],
    ["rate / java", 1.1, false],
  ]);
  assertEquals(bars({ cpuMicros: 5.1, perSecond: 950, limit: "broker" }), [
    ["CPU / java", 0.5, false],
    ["CPU / stompjs", 0.6, false],
    ["rate / java", 0.95, true],
  ]);
});

Deno.test("what another can't do is compared with what is nearest to it", () => {
  const [cpu, peer, rate] = barsOf([
    cell("bun", "consume-1k-stream", { cpuMicros: 4, perSecond: 500 }),
    cell("java", "consume-1k", { cpuMicros: 1, perSecond: 1 }),
    cell("java", "consume-1k-loop", { cpuMicros: 8, perSecond: 1000 }),
    cell("stompit", "consume-1k", { cpuMicros: 16 }),
  ]);
  assertEquals([cpu!.ratio, peer!.ratio, rate!.ratio], [0.5, 0.25, 0.5]);
});

Deno.test("of requests only the latency counts, of other sizes only the rate", () => {
  const bars = barsOf([
    cell("deno", "request-1k", { p50: 120 }),
    cell("java", "request-1k", { p50: 100 }),
    cell("deno", "produce-64k", {}),
    cell("java", "produce-64k", {}),
  ]);
  assertEquals(bars.map(({ what }) => what), ["p50 / java", "rate / java"]);
  assertEquals(bars[0]!.met, false);
});

Deno.test("a table has words to the left and numbers to the right", () => {
  assertEquals(
    formatTable([["who", "n", ""], ["a", "9.5", "met"], ["bcde", "10.0", ""]]),
    "who      n\na      9.5  met\nbcde  10.0",
  );
});

Deno.test("a task is the same after its line was read", () => {
  const { name: _, nearest: __, passes: ___, ...workload } = named("consume-1k-loop");
  const task = { ...workload, queue: "bench.x" };
  assertEquals(parseTask(formatTask(task)), task);
});

Deno.test("an answer that is none is refused", () => {
  assertEquals(parseTurn('{"messages":2,"nanos":5,"cpuMicros":0}').messages, 2);
  assertThrows(() => parseTurn('{"messages":2}'), Error, "no result");
  assertThrows(() => parseTurn('{"error":"broken"}'), Error, "broken");
});

Deno.test("the CPU of a process whose name has spaces and parentheses is read", () => {
  const stat = "42 (a (b) c) S 1 2 3 4 5 6 7 8 9 10 30 12 0 0 20 0";
  assertEquals(cpuMicrosOf(stat), 420_000);
});

Deno.test("options choose what is run, and unknown ones are refused", () => {
  const options = parseOptions(["--rounds=2", "--clients=bun,java", "--workloads=produce-1k"]);
  assertEquals(options.rounds, 2);
  assertEquals(options.clients, ["bun", "java"]);
  assertEquals(options.workloads.map(({ name }) => name), ["produce-1k"]);
  assert(parseOptions(["--quick"]).workloads.length < WORKLOADS.length);
  assertEquals(parseOptions(["--smoke"]).clients, ["deno", "java"]);
  assertThrows(() => parseOptions(["--rounds=0"]), TypeError, "--rounds=0");
  assertThrows(() => parseOptions(["--clients=perl"]), TypeError, "perl is none of");
  assertThrows(() => parseOptions(["--slow"]), TypeError, "--slow");
});

Deno.test("no turn sends more than the tests' broker keeps in memory", () => {
  for (const { name, body, count } of WORKLOADS) {
    assert(count * (body + 1024) < 60e6, name);
  }
});

Deno.test("Java has all workloads or one that is nearest, and batches stay whole", () => {
  for (const workload of WORKLOADS) {
    const names = [workload.name, ...workload.nearest ?? []];
    assert(names.some((name) => canDo("java", named(name))), workload.name);
    assert(CLIENTS.some((client) => canDo(client, workload)));
  }
  assertEquals(scaled(named("consume-1k-transacted"), 0.0001).count, 100);
  assertEquals(scaled(named("produce-1m"), 0.0001).count, 1);
});
