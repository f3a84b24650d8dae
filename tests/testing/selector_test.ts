/** Selectors without a broker; `selector_activemq_test.ts` compares them with ActiveMQ. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  byte,
  char,
  createActiveMQMessage,
  createActiveMQQueue,
  createBrokerId,
  createConnectionId,
  createLocalTransactionId,
  createMessageId,
  createProducerId,
  createXATransactionId,
  double,
  encodePrimitiveMap,
  float,
  long,
  type Message,
  type PrimitiveMapInput,
  short,
} from "../../codec/mod.ts";
import { OpenWireError } from "../../errors.ts";
import { parseSelector, SelectorError } from "../../mod.ts";
import { test } from "../_harness.ts";

function message(
  properties: PrimitiveMapInput = {},
  init: Partial<Omit<Message, "dataType">> = {},
): Message {
  return createActiveMQMessage({ marshalledProperties: encodePrimitiveMap(properties), ...init });
}

function matches(selector: string, properties?: PrimitiveMapInput): boolean {
  return parseSelector(selector).matches(message(properties));
}

/** Tests selectors of which some are true and the others aren't. */
function select(
  name: string,
  subject: Message,
  wanted: readonly string[],
  unwanted: readonly string[],
): void {
  test(`Selectors: ${name}`, () => {
    const all = [...wanted, ...unwanted];
    assertEquals(all.filter((text) => parseSelector(text).matches(subject)), wanted);
  });
}

select(
  "comparisons",
  message({ n: 5, text: "red", yes: true, no: false, other: "reed" }),
  ["n = 5", "n <> 6", "n < 6", "n <= 5", "n > 4", "n >= 5", "text = 'red'", "text <> 'blue'"]
    .concat(["yes", "yes = TRUE", "no = false", "n > 4 = TRUE", "text < other"]),
  ["n = 6", "n <> 5", "n < 5", "n <= 4", "n > 5", "n >= 6", "text = 'Red'", "text = 5"]
    .concat(["no", "n", "text", "N = 5", "n = '5'", "yes = 1"]),
);

select(
  "AND, OR, NOT",
  message({ yes: true, no: false }),
  ["yes AND NOT no", "no OR yes", "yes or no and no", "not (yes and no)", "NOT NOT yes"]
    .concat(["(((yes)))", "yes -- a comment\n and /* one * more */ yes"]),
  ["yes AND no", "no OR no", "(yes OR no) AND no", "NOT (no OR yes)"],
);

select(
  "what is missing is unknown",
  message({ n: 5, nothing: null }),
  ["missing IS NULL", "nothing IS NULL", "n IS NOT NULL", "NOT (n IS NULL)", "n = 5 OR missing = 1"]
    .concat(["(missing = 1) IS NULL", "missing + 1 IS NULL", "1 <> missing", "missing = nothing"]),
  ["missing", "missing = 1", "missing <> 1", "NOT (missing = 1)", "NOT missing", "missing > 1"]
    .concat(["n = 5 AND missing = 1", "n IS NULL", "missing LIKE '%'", "missing NOT LIKE 'x'"])
    .concat(["missing IN ('x')", "missing NOT IN ('x')", "missing BETWEEN 1 AND 2", "NULL"]),
);

select(
  "LIKE",
  message({ text: "100% of_it's", path: "a\\b", emoji: "x", lines: "a\nb" }),
  ["text LIKE '100%'", "text LIKE '%it''s'", "text LIKE '___\\% of!_it%' ESCAPE '\\' OR TRUE"]
    .concat([
      "text LIKE '100!% of!_%' ESCAPE '!'",
      "path LIKE 'a\\b'",
      "path LIKE 'a\\\\b' ESCAPE '\\'",
    ])
    .concat(["lines LIKE 'a%b'", "lines LIKE 'a_b'", "text LIKE '%%%'", "path NOT LIKE 'b'"]),
  ["text LIKE '100'", "text LIKE '100!%' ESCAPE '!'", "path LIKE '.*'", "path LIKE '____'"]
    .concat(["text LIKE ''", "lines NOT LIKE '%'"]),
);

select(
  "IN and BETWEEN",
  message({ text: "it's", n: 5 }),
  ["text IN ('x', 'it''s')", "text NOT IN ('x')", "n BETWEEN 5 AND 5", "n NOT BETWEEN 6 AND 9"]
    .concat(["n between n - 1 and n + 1 and TRUE"]),
  ["text IN ('x')", "text NOT IN ('it''s')", "n BETWEEN 6 AND 9", "n NOT BETWEEN 1 AND 5"]
    .concat(["n IN ('5')"]),
);

select(
  "numbers of all types",
  message({
    byte: byte(5),
    short: short(5),
    int: 5,
    long: long(2n ** 53n + 1n),
    float: float(1.5),
    double: double(1.5),
    char: char("5"),
  }),
  ["byte = 5", "short = 5", "byte = short", "short = int", "long = 9007199254740993"]
    .concat(["float = 1.5", "double = 1.5", "float = double", "-int = -5", "- -int = +5"]),
  ["short = byte", "int = short", "5 = byte", "long = 9007199254740992", "double = float"]
    .concat(["char = 5", "char = '5'", "-byte = -5"]),
);

select(
  "arithmetic, as in Java",
  message({ int: 2147483647, long: long(2n ** 63n - 1n), n: 7 }),
  ["int + 1 = -2147483648", "int + 1 < int", "long + 1 < 0", "n / 2 = 3.5", "n % 4 = 3"]
    .concat(["1 + 2 * 3 = n", "(1 + 2) * 3 = 9", "10 - 2 - 1 = n", "n * 0.5 = 3.5"])
    .concat(["'n' + n = 'n7'", "1 / 0 > long", "int + 4294967296 - 4294967296 = int"]),
  ["int + 1 > int", "n / 2 = 3", "n - 'x' = 1", "1 + 'x' = 1"],
);

select(
  "literals",
  message({ n: 31, big: long(2n ** 40n) }),
  ["n = 0x1f", "n = 0X1F", "n = 037", "n = 31L", "n = 31.", "n = 3.1E1", "n = 310e-1", "0 = 00"]
    .concat([".5 = 0.5", "big = 1099511627776", "big = 1099511627776l", "'' = ''", "'''' <> ''"])
    .concat(["-9223372036854775808 < big", "99999999999999999999 = 99999999999999999999"]),
  ["n = 031", "99999999999999999999 > big"],
);

select(
  "headers",
  message({ JMSXUserID: "property", JMSPriority: 9 }, {
    destination: createActiveMQQueue({ physicalName: "orders" }),
    messageId: createMessageId({
      producerId: createProducerId({ connectionId: "ID:c", sessionId: 1, value: 2 }),
      producerSequenceId: 3,
    }),
    transactionId: createLocalTransactionId({
      connectionId: createConnectionId({ value: "ID:c" }),
      value: 7,
    }),
    brokerPath: [createBrokerId({ value: "a" }), createBrokerId({ value: "b" })],
    persistent: true,
    priority: 4,
    timestamp: 10,
    expiration: 20,
    brokerInTime: 30,
    brokerOutTime: 40,
    redeliveryCounter: 1,
    correlationId: "c",
    type: "t",
    groupID: "g",
    groupSequence: 2,
    jmsxGroupFirstForConsumer: true,
  }),
  ["JMSDestination = 'queue://orders'", "JMSMessageID = 'ID:c:1:2:3'", "JMSPriority = 4"]
    .concat(["JMSDeliveryMode = 'PERSISTENT'", "JMSTimestamp = 10", "JMSExpiration = 20"])
    .concat(["JMSActiveMQBrokerInTime = 30", "JMSActiveMQBrokerOutTime = 40", "JMSRedelivered"])
    .concat(["JMSXDeliveryCount = 2", "JMSCorrelationID = 'c'", "JMSType = 't'"])
    .concat(["JMSXGroupID = 'g'", "JMSXGroupSeq = 2", "JMSXGroupFirstForConsumer"])
    .concat(["JMSXProducerTXID = 'TX:ID:c:7'", "JMSActiveMQBrokerPath = '[a, b]'"])
    .concat(["JMSXUserID = 'property'", "JMSReplyTo IS NULL"]),
  ["JMSDeliveryMode = 2", "jmsPriority = 4", "JMSPriority = 9"],
);

test("Selectors: headers of other messages", () => {
  const wanted = (selector: string, init: Partial<Omit<Message, "dataType">>) =>
    assert(parseSelector(selector).matches(message({}, init)), selector);
  wanted("JMSDeliveryMode = 'NON_PERSISTENT'", { persistent: false });
  wanted("JMSMessageID = 'ID:x'", { messageId: createMessageId({ textView: "x" }) });
  wanted("JMSReplyTo = 'a,topic://b'", {
    replyTo: createActiveMQQueue({ physicalName: "a,topic://b" }),
  });
  wanted("JMSXUserID = 'app'", { userID: "app" });
  wanted("JMSDestination = 'queue://before'", {
    destination: createActiveMQQueue({ physicalName: "ActiveMQ.DLQ" }),
    originalDestination: createActiveMQQueue({ physicalName: "before" }),
  });
  wanted("JMSXProducerTXID = 'XID:[5,globalId=affffffff0,branchId=1]'", {
    transactionId: createXATransactionId({
      formatId: 5,
      globalTransactionId: Uint8Array.of(10, 255, 0),
      branchQualifier: Uint8Array.of(1),
    }),
  });
});

const refusals: Record<string, [string, number]> = {
  "": ["a property, a literal, NOT, a sign or ( is expected, got the end", 0],
  "size >": ["a property, a literal, NOT, a sign or ( is expected, got the end", 6],
  "size > > 3": ['a property, a literal, NOT, a sign or ( is expected, got ">"', 7],
  "size 3": ['an operator or the end is expected, got "3"', 5],
  "(size = 3": ['an operator or ")" is expected, got the end', 9],
  "text = 'red": ["the string has no closing quote", 7],
  "TRUE /* red": ['a property, a literal, NOT, a sign or ( is expected, got "*"', 6],
  "TRUE -- red": ["a condition is expected, got a value", 0],
  "a = 😀": ['a word, literal or sign is expected, got "😀"', 4],
  'a = "b"': ["double quotes are not supported, a string has single quotes", 4],
  "size = NULL": ["NULL can only be compared with IS NULL", 7],
  "size IS 3": ['NULL or NOT NULL is expected, got "3"', 8],
  "size IS NOT 3": ['NULL is expected, got "3"', 12],
  "a NOT = 3": ['LIKE, BETWEEN or IN is expected, got "="', 6],
  "a LIKE b": ['a string is expected, got "b"', 7],
  "a LIKE 'b' ESCAPE '12'": ["one escape character is expected, got 2", 18],
  "a IN ('x' 'y')": ['"," or ")" is expected, got a string', 10],
  "a IN (1)": ['a string is expected, got "1"', 6],
  "1 IN ('x')": ["a property is expected on the left of IN", 0],
  "a BETWEEN 1 OR 2": ['AND is expected, got "OR"', 12],
  "a < 'b'": ["a number is expected, got a string", 4],
  "NOT a < 5": ["a number is expected, got a condition", 0],
  "a AND 5": ["a condition is expected, got a value", 6],
  "a + 5": ["a condition is expected, got a value", 0],
  "TRUE = 1": ["a boolean cannot be compared with another literal", 5],
  "a = 0x8000000000000000": ['"0x8000000000000000" is above the largest long', 4],
  "XPATH '//a'": ["XPATH is not supported", 0],
  "a = 1 AND xquery 'a'": ["XQUERY is not supported", 10],
  "REGEX('a', b)": ['functions such as "REGEX" are not supported', 0],
  "convert_string_expressions:a = 1": ["convert_string_expressions: is not supported", 0],
};

for (const [selector, [problem, position]] of Object.entries(refusals)) {
  test(`Selectors: ${JSON.stringify(selector)} is refused`, () => {
    const error = assertThrows(() => parseSelector(selector), SelectorError);
    assert(error instanceof OpenWireError);
    const unsupported = problem.includes("not supported");
    assertEquals(error.code, unsupported ? "UNSUPPORTED" : "INVALID_SELECTOR");
    assertEquals(
      error.message,
      `Cannot parse the selector at position ${position}: ${problem}`,
    );
    assertEquals(error.position, position);
  });
}

test("Selectors: nesting ends before the stack does", () => {
  const deep = 100_000;
  const hostile = [
    "(".repeat(deep),
    "NOT ".repeat(deep),
    "-".repeat(2 * deep).replaceAll("--", "- "),
    "+ ".repeat(deep),
    `1${" + 1".repeat(deep)} = 1`,
    `TRUE${" = TRUE".repeat(deep)}`,
    `a${" IS NULL".repeat(deep)}`,
    `a${" LIKE 'a'".repeat(deep)}`,
    `${"(1 + ".repeat(deep)}1${")".repeat(deep)} = 1`,
    `a BETWEEN ${"(1 * ".repeat(deep)}`,
  ];
  for (const selector of hostile) {
    assertThrows(() => parseSelector(selector), SelectorError, "nested deeper than 250");
  }
  assert(matches(`${"(".repeat(200)}TRUE${")".repeat(200)}`));
  assert(matches(`${"NOT ".repeat(200)}TRUE`));
});

test("Selectors: thousands of conditions side by side", () => {
  const numbers = Array.from({ length: 5000 }, (_, index) => `n = ${index}`);
  assert(matches(numbers.join(" OR "), { n: 4999 }));
  assert(!matches(numbers.join(" AND "), { n: 4999 }));
});

test("Selectors: many wildcards don't take forever", () => {
  assert(!matches(`text LIKE '${"%a".repeat(50)}b'`, { text: "a".repeat(1000) }));
});

test("Selectors: a character beyond the basic plane", () => {
  const subject = message({ text: "😀" }, { type: "😀" });
  assert(parseSelector("JMSType = '😀' AND JMSType LIKE '_'").matches(subject));
  // ActiveMQ doesn't read properties as they are written.
  assert(!parseSelector("text = '😀' OR text LIKE '_'").matches(subject));
});

test("Selectors: properties that make no sense are looked at only when they are named", () => {
  const subject = createActiveMQMessage({ priority: 4, marshalledProperties: Uint8Array.of(1) });
  assert(parseSelector("JMSPriority = 4").matches(subject));
  assert(!parseSelector("n IS NULL OR TRUE").matches(subject));
});

test("Selectors: a message without properties", () => {
  assert(parseSelector("n IS NULL").matches(createActiveMQMessage()));
});

test("Selectors: the text is kept", () => {
  assertEquals(parseSelector("n = 1").text, "n = 1");
});
