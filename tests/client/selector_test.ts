/** Selectors from templates. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  double,
  float,
  long,
  type PrimitiveInput,
  selector,
  SelectorError,
  type SelectorValue,
  short,
  topic,
} from "../../mod.ts";
import { test } from "../_harness.ts";
import { testOnBrokers } from "./_brokers.ts";

test("selector: values of all types", () => {
  assertEquals(
    selector`color = ${"red"} AND size > ${3} AND ok = ${true} AND NOT ${false}`,
    "color = 'red' AND size > 3 AND ok = TRUE AND NOT FALSE",
  );
  assertEquals(selector`name = ${"O'Hara's"}`, "name = 'O''Hara''s'");
  assertEquals(selector`color IN ${["red", "it's"]}`, "color IN ('red', 'it''s')");
  assertEquals(
    selector`JMSTimestamp > ${new Date(1_700_000_000_000)}`,
    "JMSTimestamp > 1700000000000",
  );
  assertEquals(selector`${selector.identifier("$size_1")} IS NULL`, "$size_1 IS NULL");
  assertEquals(selector`color = 'red'`, "color = 'red'");
});

test("selector: numbers", () => {
  const written = (value: SelectorValue) => selector`n = ${value}`.slice(4);
  assertEquals(written(1.5), "1.5");
  assertEquals(written(-5), "(-5)");
  assertEquals(written(-0), "(-0.0)");
  assertEquals(written(1e-7), "1e-7");
  assertEquals(written(2 ** 53 - 1), "9007199254740991");
  assertEquals(written(2 ** 60), "1.152921504606847e+18");
  assertEquals(written(2n ** 63n - 1n), "9223372036854775807");
  assertEquals(written(-(2n ** 63n)), "(-9223372036854775808)");
});

test("selector: a value never becomes a part of what stands beside it", () => {
  assertEquals(selector`n -${-1} = 0`, "n -(-1) = 0");
  assertEquals(selector`a${"b"}c`, "a 'b' c");
  assertEquals(selector`a LIKE 'b'${"c"}`, "a LIKE 'b' 'c'");
  assertEquals(selector`n = 1${2}`, "n = 1 2");
  assertEquals(selector`n=${2}AND m=${3}`, "n=2 AND m=3");
});

test("selector: what cannot be written is refused", () => {
  const refused = (value: unknown, text: string, type: typeof TypeError | typeof RangeError) =>
    assertThrows(() => selector`n = ${value as SelectorValue}`, type, text);
  refused(null, "value 1 is null; what is missing is selected by IS NULL", TypeError);
  refused(undefined, "value 1 is undefined", TypeError);
  refused(NaN, "a finite number is expected, got NaN", RangeError);
  refused(-Infinity, "a finite number is expected, got -Infinity", RangeError);
  refused(2n ** 63n, "64 bits are expected", RangeError);
  refused(new Date(NaN), "a finite number is expected", RangeError);
  refused([], "value 1 has to be one string or more", TypeError);
  refused(["a", 1], "value 1 has to be one string or more", TypeError);
  refused({ name: "a OR TRUE" }, "got object", TypeError);
  refused(() => 1, "got function", TypeError);
});

test("selector: a value in quotes or in a comment is refused", () => {
  const hostile = " OR TRUE OR ''='";
  assertThrows(() => selector`name = '${hostile}'`, TypeError, "value 1 stands in quotes");
  assertThrows(
    () => selector`name LIKE 'it''s ${hostile}%'`,
    TypeError,
    "value 1 stands in quotes",
  );
  assertThrows(
    () => selector`n = ${1} -- ${hostile}`,
    TypeError,
    "value 2 stands in quotes or in a comment",
  );
  assertThrows(() => selector`n = 1 /* it's ${hostile} */`, TypeError, "value 1 stands in quotes");
  assertEquals(selector`a = '--' AND b = 'it''s' /* ' */ AND c = ${1}`.slice(-5), "c = 1");
});

test("selector: only as a template tag", () => {
  const call = selector as unknown as (text: string) => string;
  assertThrows(() => call("name = 'x' OR TRUE"), TypeError, "a template is expected");
});

test("selector: names that cannot be", () => {
  for (const name of ["", "1a", "a b", "a.b", "a-b", "größe", "a = 1 OR b", "and", "NULL", "a\n"]) {
    assertThrows(() => selector.identifier(name), TypeError, JSON.stringify(name));
  }
});

const hostile = [
  "it's",
  "'",
  "''",
  "' OR TRUE OR ''='",
  "\\",
  "\\' OR TRUE -- ",
  "100%",
  "_",
  "größe €",
  "line\nbreak -- /*",
  '"',
  "${x}",
  "",
  " ",
  "NULL",
];

testOnBrokers("selector: hostile strings select only themselves", async (broker) => {
  const connection = await broker.connect();
  const consumers = [];
  for (const text of hostile) {
    const condition = selector`last = ${true} OR text = ${text} AND text IN ${[text, "x"]}`;
    consumers.push(await connection.createConsumer(topic(broker.name), { selector: condition }));
  }
  const producer = await connection.createProducer(topic(broker.name));
  for (const text of hostile) await producer.send(text, { properties: { text } });
  await producer.send("last", { properties: { last: true } });
  for (const [index, consumer] of consumers.entries()) {
    assertEquals((await consumer.receive())?.text, hostile[index]);
    assertEquals((await consumer.receive())?.text, "last");
  }
});

testOnBrokers("selector: numbers select what equals them", async (broker) => {
  const connection = await broker.connect();
  const values: [SelectorValue, PrimitiveInput][] = [
    [5, 5],
    [-5, short(-5)],
    [2 ** 31, long(2 ** 31)],
    [-(2 ** 31), -(2 ** 31)],
    [2n ** 63n - 1n, 2n ** 63n - 1n],
    [-(2n ** 63n), -(2n ** 63n)],
    [2 ** 60, double(2 ** 60)],
    [-0, double(-0)],
    [0.1, 0.1],
    [-1.5, float(-1.5)],
    [5e-324, 5e-324],
    [true, true],
    [new Date(1_700_000_000_000), 1_700_000_000_000],
  ];
  const consumers = [];
  for (const [index, [value]] of values.entries()) {
    const name = selector.identifier(`n${index}`);
    const condition = selector`last = ${true} OR ${name} = ${value} AND NOT (${name} <> ${value})`;
    consumers.push(await connection.createConsumer(topic(broker.name), { selector: condition }));
  }
  const producer = await connection.createProducer(topic(broker.name));
  for (const [index, [, value]] of values.entries()) {
    await producer.send(`${index}`, { properties: { [`n${index}`]: value } });
  }
  await producer.send("last", { properties: { last: true } });
  for (const [index, consumer] of consumers.entries()) {
    assertEquals((await consumer.receive())?.text, `${index}`);
    assertEquals((await consumer.receive())?.text, "last");
  }
});

testOnBrokers("selector: a value that would join its neighbour is refused", async (broker) => {
  const connection = await broker.connect();
  const condition = selector`name = 'a'${"b"}`;
  const error = await assertRejects(
    () => connection.createConsumer(broker.name, { selector: condition }),
    SelectorError,
  );
  assert(error.code === "INVALID_SELECTOR");
});
