/** Whatever a text is, who reads it takes about as long as the text is, and fails with an error of its kind if at all. */

import {
  BrokerError,
  parseTraceparent,
  parseTracestate,
  queue,
  RemoteError,
  selector,
  topic,
  virtualTopicQueue,
  XAError,
} from "../../mod.ts";
import {
  createActiveMQMessage,
  createActiveMQQueue,
  createBrokerId,
  createBrokerInfo,
  encodePrimitiveMap,
  PrimitiveMap,
  ProtocolError,
} from "../../codec/mod.ts";
import { parseAdvisoryTopic } from "../../client/advisory/advisory_topics.ts";
import { brokerKindOf } from "../../client/capabilities.ts";
import { isSeveral, matchesDestination } from "../../client/destination/destination_pattern.ts";
import { readPushed } from "../../client/failover/pushed_brokers.ts";
import { scheduleProperties } from "../../client/producer/scheduled_delivery.ts";
import { parseBrokerUrl } from "../../client/url/broker_url.ts";
import { nearestName } from "../../nearest_name.ts";
import { jmsOptions } from "../../client/url/jms_options.ts";
import { frameSize, integer, number } from "../../client/url/option_value.ts";
import { OpenWireError } from "../../errors.ts";
import { nextCronTime } from "../../testing/cron.ts";
import { includes, isPattern, parts } from "../../testing/destinations.ts";
import { BrokerException } from "../../testing/exceptions.ts";
import { numberProperty } from "../../testing/schedule.ts";
import { parseSelector, SelectorError } from "../../mod.ts";
import { formatAddress, parseAddress, TransportError } from "../../transport/mod.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { test } from "../_harness.ts";
import { assertLinear, PARTS } from "../_pace.ts";

const LENGTH = 100_000;

/** The same piece again and again. */
function fill(piece: string, length = LENGTH): string {
  return piece.repeat(Math.ceil(length / piece.length)).slice(0, length);
}

const half = LENGTH / 2;

const shapes: Record<string, string> = {
  ...Object.fromEntries(
    [
      " ",
      "\t",
      "\n",
      "\r\n",
      ",",
      ";",
      "'",
      '"',
      "`",
      "\\",
      "(",
      ")",
      "[",
      "]",
      "{{",
      "%",
      "%%25",
      "%C3",
      "&",
      "=",
      "?",
      "#",
      "/",
      ":",
      "://",
      "@",
      ".",
      "*",
      ">",
      "+",
      "-",
      "--",
      "/*",
      "/**/",
      "*/",
      "0",
      "9",
      "a",
      "_",
      "\u0000",
      "\u001b[31m",
      "\u202e",
      "é",
      "😀",
      "\ud800",
      "a,",
      "a, ",
      "a ,",
      "a=",
      "a=1,",
      "a=1&",
      "a ",
      "a.",
      "*.",
      ">.",
      "a.*.>,",
      "'' ",
      "'a',",
      "1-",
      "1--",
      "1 ",
      "0x",
      "1e",
      ".1",
      "?,",
      ":1",
      "a:",
      "://,",
      "tcp://a,",
      "tcp://a;",
      "tcp://",
      "static:(",
      "failover:(",
      "NOT ",
      "a AND ",
      "a=1--1 AND ",
      "a OR ",
      "a*/5,",
      "*/5 ",
      "1-5,",
      "queue://",
      "topic://a,",
      "a.b,",
      "rojo=1,",
    ].map((piece) => [JSON.stringify(piece), fill(piece)]),
  ),
  "spaces between letters": `a=${fill(" ", LENGTH)}b,`,
  "tabs between letters": `a=1,${fill("\t", LENGTH)}b`,
  "question marks and a line end": `${fill("?", LENGTH)}\n`,
  "many openings, many commas": fill("://", half) + fill(",", half),
  "many openings, many commas, no end": `${fill(",", half)}${fill("://", half)} `,
  "quotes, then letters": fill("'", half) + fill("a", half),
  "an odd number of quotes": fill("'", LENGTH - 1),
  "an open comment": `/*${fill("/ * ", LENGTH)}`,
  "open comments": fill("/*", half) + fill("--", half),
  "parentheses that fit": fill("(", half) + fill(")", half),
  "brackets that fit": fill("[", half) + fill("]", half),
  "numbers in brackets": `[${fill("1:", LENGTH)}]`,
  "digits, then a letter": `${fill("7", LENGTH)}x`,
  "letters, then a sign": `${fill("a", LENGTH)}!`,
  "a sign, then letters": `!${fill("a", LENGTH)}`,
  "32 vendors of spaces": Array.from({ length: 32 }, (_, n) => `v${n}=${fill(" ", 3000)}x`).join(
    ",",
  ),
  "different characters": Array.from(
    { length: 20_000 },
    (_, n) => String.fromCharCode(0x3000 + n),
  ).join(""),
};

const names = jmsOptions.names;
const from = { address: parseAddress("tcp://a:61616"), options: {} };

/** A selector's template with the text before its value. */
function template(...strings: string[]): TemplateStringsArray {
  return Object.assign(strings, { raw: strings });
}

const likes = ["%a%a%a%b", "%_%_%_b", `%${"a".repeat(900)}b`, `${"_%".repeat(400)}b`]
  .map((pattern) => parseSelector(`p LIKE '${pattern}'`));

const readers: Record<string, (text: string) => unknown> = {
  "parseTracestate()": parseTracestate,
  "parseTraceparent()": parseTraceparent,
  "parseTraceparent() of a later version": (text) =>
    parseTraceparent(`01-${"1".repeat(32)}-${"2".repeat(16)}-01-${text}`),
  "parseAddress()": parseAddress,
  "parseAddress() of a host": (text) => parseAddress(`tcp://${text}`),
  "parseAddress() of a host in brackets": (text) => parseAddress(`tcp://[${text}]`),
  "parseAddress() of a port": (text) => parseAddress(`tcp://a:${text}`),
  "parseAddress() of a web address": (text) => parseAddress(`http://${text}`),
  "formatAddress()": (text) => formatAddress(text, 1),
  "a URL": parseBrokerUrl,
  "a URL's options": (text) => parseBrokerUrl(`tcp://a?${text}`),
  "the value of a URL's option": (text) => parseBrokerUrl(`tcp://a?jms.clientID=${text}`),
  "the value of a password": (text) => parseBrokerUrl(`tcp://a?jms.password=${text}`),
  "the number of a URL's option": (text) => parseBrokerUrl(`tcp://a?jms.sendTimeout=${text}`),
  "a list of brokers": (text) => parseBrokerUrl(`failover:(${text})`),
  "a list of brokers without parentheses": (text) => parseBrokerUrl(`failover:${text}`),
  "options of a list": (text) => parseBrokerUrl(`failover:(tcp://a)?${text}`),
  "options of a broker in a list": (text) => parseBrokerUrl(`failover:(tcp://a?${text})`),
  "brokers that a broker tells of": (text) => {
    for (let at = 0; at < text.length; at += 16_384) {
      const list = text.slice(at, at + 16_384);
      const read = readPushed(list, { from, options: {}, accept: undefined });
      assert(read.brokers.length + read.refused.length <= 64);
    }
  },
  "a broker that a broker tells of": (text) =>
    readPushed(`tcp://a${text.slice(0, 16_000)}`, { from, options: {}, accept: undefined }),
  "nearestName()": (text) => nearestName(text, names),
  "integers": (text) => integer(0, 9).parse(text),
  "numbers": (text) => number(0).parse(text),
  "numbers with a point": (text) => number(0).parse(`1.${text}`),
  "sizes": (text) => frameSize.parse(text),
  "queue()": queue,
  "topic()": topic,
  "options of a destination": (text) => queue(`orders?${text}`),
  "a number of a destination": (text) => queue(`orders?consumer.prefetchSize=${text}`),
  "names of groups": (text) => virtualTopicQueue(text, topic("VirtualTopic.orders")),
  "destinations of a pattern": (text) => {
    const destination = createActiveMQQueue({ physicalName: text });
    isSeveral(destination);
    matchesDestination(destination, destination);
  },
  "destinations of the broker": (text) => {
    const destination = createActiveMQQueue({ physicalName: text });
    isPattern(destination);
    parts(destination);
    includes(destination, destination);
  },
  "advisory topics": (text) => parseAdvisoryTopic(`ActiveMQ.Advisory.${text}`),
  "advisory topics of a queue": (text) =>
    parseAdvisoryTopic(`ActiveMQ.Advisory.Queue.Queue.${text}`),
  "selectors before a value": (text) => selector(template(text, ""), 1),
  "selectors between values": (text) => selector(template("a = ", text, text, ""), 1, 2, 3),
  "selectors' strings": (text) => selector`a = ${text}`,
  "selectors' lists": (text) => selector`a IN ${text.split(",")}`,
  "selectors' names": (text) => selector.identifier(text),
  "parseSelector()": parseSelector,
  "parseSelector() of an operand": (text) => parseSelector(`a = ${text}`),
  "parseSelector() of a string": (text) => parseSelector(`a = '${text}'`),
  "parseSelector() of a pattern": (text) => parseSelector(`a LIKE '${text}'`),
  "parseSelector() of a list": (text) => parseSelector(`a IN ('',${text}`),
  "LIKE": (text) => {
    const message = createActiveMQMessage({
      marshalledProperties: encodePrimitiveMap({ p: text }),
    });
    for (const like of likes) like.matches(message);
  },
  "cron of the client": (cron) => scheduleProperties({ cron }),
  "cron of the client, one field": (text) => scheduleProperties({ cron: `${text} * * * *` }),
  "cron of the broker": (text) => nextCronTime(text, 0),
  "cron of the broker, one field": (text) => nextCronTime(`${text} * * * *`, 0),
  "numbers of a schedule": (text) => numberProperty(new PrimitiveMap({ n: text }), "n"),
  "exceptions": (text) =>
    new XAError("No", { className: text, message: text, stackTrace: [], cause: null }),
  "refusals": (text) =>
    new BrokerError("No", { className: text, message: text, stackTrace: [], cause: null }),
  "failures of who answers": (text) => new RemoteError(text, text),
  "fields": (text) => new ProtocolError(text, { field: text, dataType: text }),
  "what a broker says of itself": (text) =>
    brokerKindOf(
      createBrokerInfo({ brokerURL: text, brokerId: createBrokerId({ value: text }) }),
    ),
};

for (const [name, read] of Object.entries(readers)) {
  test(`${name}: any text of 100,000 characters is read or refused in linear time`, async () => {
    for (const [shape, text] of Object.entries(shapes)) {
      try {
        read(text);
      } catch (error) {
        assertTyped(error, shape);
      }
      await assertLinear(read, text, shape);
    }
  }, { timeout: 300_000 });
}

/** Fails for an error that says nothing of the text, such as an overflow of the stack. */
function assertTyped(error: unknown, shape: string): void {
  // The broker in memory tells a client what it has got, as a real one does; it cuts that off when it sends it.
  if (error instanceof BrokerException) return;
  const typed = error instanceof OpenWireError || error instanceof TypeError ||
    error instanceof RangeError;
  if (!typed || !error.message.startsWith("Cannot ")) throw new Error(`${shape}: ${error}`);
  assert(error.message.length <= 10_001);
  assert(!/[\p{Cc}\u202e]/u.test(error.message), shape);
}

test("a selector with many signs that begin no comment is read in linear time", async () => {
  for (const piece of ["a=--1 AND ", "a = 1 /* AND */ AND "]) {
    const make = (length: number): string => `${fill(piece, length)}TRUE`;
    parseSelector(make(600_000));
    const parts = Array(PARTS).fill(make(600_000 / PARTS));
    await assertLinear(parseSelector, make(600_000), piece, parts);
  }
});

test("LIKE takes a pattern of 1,000 characters, and no more", () => {
  parseSelector(`p LIKE '%${"a".repeat(999)}'`);
  const error = assertThrows(() => parseSelector(`p LIKE '%${"a".repeat(1000)}'`), SelectorError);
  assertEquals(error.position, 7);
});

test("a template with many values is read in linear time", async () => {
  const read = (text: string): string => {
    const values = Array(text.length).fill(1);
    return selector(template(...Array(values.length + 1).fill(" + ")), ...values);
  };
  const values = fill("1", 50_000);
  assertEquals(read(values).length, 50_001 * 3 + 50_000);
  await assertLinear(read, values, "50,000 values");
});

// deno-lint-ignore no-explicit-any -- their arguments do not matter
type ErrorClass = new (...args: any[]) => Error;

/** How a text of a length is made, and who reads it. */
type Nesting = [
  what: string,
  read: (text: string) => unknown,
  make: (length: number) => string,
  type: ErrorClass,
];

const nesting: Nesting[] = [
  ["parentheses", parseSelector, (length) => fill("(", length), SelectorError],
  [
    "parentheses that fit",
    parseSelector,
    (length) => `${fill("(", length)}a${fill(")", length)}`,
    SelectorError,
  ],
  ["NOTs", parseSelector, (length) => `${fill("NOT ", length)}a`, SelectorError],
  ["signs", parseSelector, (length) => `a = ${fill("- ", length)}1`, SelectorError],
  ["sums", parseSelector, (length) => `a = ${fill("1+", length)}1`, SelectorError],
  ["comparisons", parseSelector, (length) => `a${fill(" = a", length)}`, SelectorError],
  ["IS NULL", parseSelector, (length) => `a${fill(" IS NULL", length)}`, SelectorError],
  [
    "lists of brokers",
    parseBrokerUrl,
    (length) => `${fill("static:(", length)}tcp://a${fill(")", length / 8)}`,
    TransportError,
  ],
  [
    "failover in failover",
    parseBrokerUrl,
    (length) => `${fill("failover:(", length)}tcp://a${fill(")", length / 10)}`,
    TransportError,
  ],
];

for (const [what, read, make, type] of nesting) {
  test(`too deep: ${what} fail with an error of their kind, in linear time`, async () => {
    const error = assertThrows(() => read(make(LENGTH)), type);
    assert(error.message.includes("nested deeper than"), error.message);
    const parts = Array(PARTS).fill(make(LENGTH / PARTS));
    await assertLinear(read, make(LENGTH), what, parts);
  });
}

test("lists of brokers may stand in lists, eight deep", () => {
  const list = (depth: number): string => `${"static:(".repeat(depth)}tcp://a${")".repeat(depth)}`;
  assertEquals(parseBrokerUrl(list(8)).brokers.length, 1);
  assertThrows(() => parseBrokerUrl(list(9)), TransportError, "nested deeper than 8");
});
