import {
  formatTraceparent,
  formatTracestate,
  parseTraceparent,
  parseTracestate,
  type TraceContext,
} from "../../mod.ts";
import { assertEquals, assertThrows } from "@std/assert";
import { test } from "../_harness.ts";
import { testOnBrokers } from "./_brokers.ts";
import { received } from "./_messages.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";
const CONTEXT: TraceContext = { traceId: TRACE, spanId: SPAN, traceFlags: 1 };

test("a traceparent is read and written", () => {
  const text = `00-${TRACE}-${SPAN}-01`;
  assertEquals(parseTraceparent(text), CONTEXT);
  assertEquals(formatTraceparent(CONTEXT), text);
  assertEquals(parseTraceparent(`00-${TRACE}-${SPAN}-ff`)?.traceFlags, 255);
  // Later versions may have more.
  assertEquals(parseTraceparent(`cc-${TRACE}-${SPAN}-01-what-the-future-holds`), CONTEXT);
  assertEquals(parseTraceparent(`01-${TRACE}-${SPAN}-01`), CONTEXT);
});

const WRONG: Record<string, unknown> = {
  "no string": 7,
  "nothing": undefined,
  "empty": "",
  "version ff": `ff-${TRACE}-${SPAN}-01`,
  "more in version 00": `00-${TRACE}-${SPAN}-01-`,
  "more without a dash": `01-${TRACE}-${SPAN}-01x`,
  "trace of zeros": `00-${"0".repeat(32)}-${SPAN}-01`,
  "span of zeros": `00-${TRACE}-${"0".repeat(16)}-01`,
  "upper case": `00-${TRACE.toUpperCase()}-${SPAN}-01`,
  "short trace": `00-${TRACE.slice(1)}-${SPAN}-01`,
  "long span": `00-${TRACE}-${SPAN}0-01`,
  "no flags": `00-${TRACE}-${SPAN}`,
  "flags of one digit": `00-${TRACE}-${SPAN}-1`,
  "no digit": `00-${TRACE}-${SPAN}-0g`,
  "space before": ` 00-${TRACE}-${SPAN}-01`,
  "line after": `00-${TRACE}-${SPAN}-01\n`,
};

for (const [name, text] of Object.entries(WRONG)) {
  test(`not a traceparent: ${name}`, () => assertEquals(parseTraceparent(text), undefined));
}

test("a traceparent that nobody could read isn't written", () => {
  const wrong: Partial<TraceContext>[] = [
    { traceId: "0".repeat(32) },
    { traceId: TRACE.toUpperCase() },
    { spanId: `${SPAN}0` },
    { spanId: "" },
  ];
  for (const part of wrong) {
    assertThrows(() => formatTraceparent({ ...CONTEXT, ...part }), TypeError);
  }
  for (const traceFlags of [-1, 256, 0.5]) {
    assertThrows(() => formatTraceparent({ ...CONTEXT, traceFlags }), RangeError);
  }
});

test("a tracestate is read and written", () => {
  const entries = new Map([["rojo", "00f067aa0ba902b7"], ["0t@sys", "a b"], ["a_-*/9", "!"]]);
  const text = "rojo=00f067aa0ba902b7,0t@sys=a b,a_-*/9=!";
  assertEquals(formatTracestate(entries), text);
  assertEquals([...parseTracestate(text)!], [...entries]);
  assertEquals([...parseTracestate(" a=1 ,\t,b=2,")!], [["a", "1"], ["b", "2"]]);
  assertEquals(parseTracestate("")?.size, 0);
  const many = Array.from({ length: 33 }, (_, i) => [`k${i}`, "v"] as const);
  const atMost = formatTracestate(new Map(many.slice(1)));
  assertEquals(parseTracestate(atMost)?.size, 32);
  assertEquals(parseTracestate(`${atMost},k0=v`), undefined);
  assertThrows(() => formatTracestate(new Map(many)), RangeError);
});

test("a tracestate that is not valid is none", () => {
  const long = "x".repeat(257);
  const wrong = ["a", "=1", "A=1", "a=", "1a=1", "a=1=2", "a=é", "a=1,a=2", "a@=1", "a b=1"];
  for (const text of [...wrong, `${long}=1`, `a=${long}`]) {
    assertEquals(parseTracestate(text), undefined, text);
  }
  assertEquals(parseTracestate(7), undefined);
  for (const [key, value] of [["A", "1"], ["a", ""], ["a", "1,2"], ["a", " "]]) {
    assertThrows(() => formatTracestate(new Map([[key!, value!]])), TypeError);
  }
});

testOnBrokers("the trace context goes with a message, and on", async ({ connect, name }) => {
  const parents: (TraceContext | undefined)[] = [];
  let sent = 0;
  const connection = await connect({
    hooks: {
      send: (operation) => {
        const before = parseTraceparent(operation.getProperty("traceparent"));
        const spanId = `000000000000000${++sent}`;
        operation.setProperty("traceparent", formatTraceparent({ ...before ?? CONTEXT, spanId }));
        operation.setProperty("tracestate", `rojo=${sent}`);
        operation.setProperty("baggage", "user=ann");
      },
      receive: (operation) => {
        parents.push(parseTraceparent(operation.getProperty("traceparent")));
      },
    },
  });
  const consumer = await connection.createConsumer(name);
  await connection.send(name, "hello");
  // What is forwarded has the context of its sender, and is given the next one.
  await connection.send(name, await received(consumer));
  const { properties } = await received(consumer);
  assertEquals(parents.map((parent) => parent?.spanId), ["0000000000000001", "0000000000000002"]);
  assertEquals(parents.map((parent) => parent?.traceId), [TRACE, TRACE]);
  assertEquals(properties.get("tracestate"), "rojo=2");
  assertEquals(properties.get("baggage"), "user=ann");
  // Selectors can tell.
  const chosen = await connection.createConsumer(name, { selector: "tracestate LIKE 'rojo=%'" });
  await consumer.close();
  await connection.send(name, "chosen");
  assertEquals((await received(chosen)).text, "chosen");
});
