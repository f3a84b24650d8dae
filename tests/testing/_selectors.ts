/** Messages, and random selectors over what is in them. */

import {
  byte,
  char,
  createActiveMQQueue,
  createActiveMQTempTopic,
  createActiveMQTopic,
  double,
  encodePrimitiveMap,
  float,
  int,
  long,
  type Message,
  type PrimitiveInput,
  short,
} from "../../codec/mod.ts";

const NAMES = ["byte", "short", "int", "long", "float", "double", "text", "flag", "any", "other"];
/** Names of other case, of what no message has, and of values that have neither order nor text. */
const RARE = ["Int", "$_1", "missing", "blob", "list", "big"];
const HEADERS = [
  "JMSDestination",
  "JMSReplyTo",
  "JMSType",
  "JMSDeliveryMode",
  "JMSPriority",
  "JMSMessageID",
  "JMSTimestamp",
  "JMSCorrelationID",
  "JMSExpiration",
  "JMSRedelivered",
  "JMSXDeliveryCount",
  "JMSXGroupID",
  "JMSXGroupSeq",
  "JMSXGroupFirstForConsumer",
  "JMSXUserID",
  "JMSXProducerTXID",
  "JMSActiveMQBrokerPath",
];
const TEXTS = [
  "",
  "red",
  "Red",
  "red_%",
  "it's",
  "a\\b",
  "100%",
  "_",
  "größe €",
  "line\nbreak",
  "5",
  "1.5",
  "true",
  "PERSISTENT",
  "😀",
  "x😀y",
  "a\u0000b",
  "[a]*(b)",
];
const INTEGERS = ["0", "1", "2", "5", "7", "127", "128", "2147483647", "2147483648"].concat(
  ["4294967297", "9007199254740993", "9223372036854775807", "9223372036854775808"],
  ["18446744073709551617", "99999999999999999999", "0x1F", "0X7fffffffffffffff", "017", "5L", "5l"],
);
const FLOATS = [
  "0.0",
  "1.5",
  "5.",
  ".5",
  "1e3",
  "1E-2",
  "0.1",
  "1.0",
  "2.5e0",
  "1e400",
  "16777217.0",
];

/** What the messages of the comparison have: all types of properties, headers, and one name with many types. */
export const MESSAGES: readonly (
  & Partial<Omit<Message, "dataType" | "marshalledProperties">>
  & { readonly properties?: Record<string, PrimitiveInput> }
)[] = [
  {},
  { properties: { byte: byte(5), short: short(5), int: int(5), long: long(5), float: float(5) } },
  { properties: { double: double(5), text: "red", flag: true, any: null, other: "red" } },
  { properties: { byte: byte(-128), short: short(-32768), int: int(-2147483648) } },
  { properties: { long: long(-(2n ** 63n)), float: float(0.1), double: 0.1, flag: false } },
  { properties: { byte: byte(127), short: short(32767), int: int(2147483647) } },
  { properties: { long: long(2n ** 63n - 1n), float: float(NaN), double: NaN } },
  { properties: { byte: byte(0), short: short(0), int: int(0), long: long(0) } },
  { properties: { float: float(-0), double: double(-0), text: "", any: double(0) } },
  { properties: { float: float(Infinity), double: -Infinity, int: 1, other: 1 } },
  { properties: { long: long(9007199254740993n), double: 9007199254740992, any: short(7) } },
  { properties: { float: float(16777216), int: 16777217, long: long(16777217), other: long(7) } },
  { properties: { double: 1e300, float: float(1.5), any: float(1.5), other: double(1.5) } },
  // Longs that are rounded to another float if they are rounded to a double before.
  { properties: { long: long(2n ** 60n + 2n ** 36n + 1n), float: float(2 ** 60), other: 5 } },
  { properties: { long: long(-(2n ** 60n) - 2n ** 36n - 1n), float: float(-(2 ** 60)) } },
  ...TEXTS.map((text, index) => ({
    properties: {
      text,
      any: index % 3 === 0 ? index : index % 3 === 1 ? text : index % 2 === 0,
      other: TEXTS[TEXTS.length - index] ?? 0,
      flag: index % 4 === 0 ? "true" : index % 4 === 1,
    },
  })),
  { properties: { any: char("r"), other: "r", text: "redred", flag: true } },
  { properties: { blob: Uint8Array.of(1), list: [1], text: "red\nred", other: 5 } },
  { properties: { any: byte(7), other: float(7), double: 7, long: long(7) } },
  { properties: { text: "true", any: true, other: true, big: `${"r".repeat(9000)}😀` } },
  {
    type: "red",
    correlationId: "it's",
    groupID: "größe €",
    groupSequence: 5,
    persistent: false,
    priority: 9,
    replyTo: createActiveMQTopic({ physicalName: "red" }),
    timestamp: 5,
  },
  {
    type: "😀",
    correlationId: "",
    redeliveryCounter: 2,
    persistent: true,
    priority: 0,
    timestamp: 1_700_000_000_000,
    expiration: 4_000_000_000_000,
    replyTo: createActiveMQTempTopic({ physicalName: "ID:x:1" }),
    originalDestination: createActiveMQQueue({ physicalName: "red" }),
    properties: { JMSXUserID: "red", JMSPriority: 5, jmspriority: 5 },
  },
];

/** The marshalled properties of a message of the comparison. */
export function marshalledProperties(index: number): Uint8Array | null {
  const { properties } = MESSAGES[index]!;
  return properties === undefined ? null : encodePrimitiveMap(properties);
}

/** What is easily got wrong; much of it is refused. */
// deno-fmt-ignore
export const EDGE_CASES: readonly string[] = [
  "big LIKE '%r\ufffd\ufffd'", "big LIKE '%r_'", "big LIKE '%r__'", "big LIKE '%\ufffd'",
  "TRUE = 1", "1 = TRUE", "NOT text = 'red'", "text = 'a", "text = \"red\"", "", " ",
  "-- x\nTRUE", "-- x", "TRUE -- x", "/* a */ TRUE", "TRUE /**/", "TRUE /***/", "TRUE /* a",
  "TRUE -- a\r", "text = 'x' --", "a.b = 1", "a-b = 1", "é = 1", "\u017f = 1", "\u212a=1",
  "$ = 1", "_ IS NULL", "text LIKE 'x' ESCAPE ''", "text LIKE 'x' ESCAPE 'ab'",
  "text LIKE 'x' ESCAPE '😀'", "text LIKE 'x' ESCAPE '€'", "text LIKE '€_' ESCAPE '€'",
  "text LIKE '€€' ESCAPE '€'", "xyz('a')", "blob = blob", "list = list", "blob < 1", "blob = 1",
  "blob", "TRUE", "NULL", "1", "'a'", "text", "(text)", "((TRUE))", "+TRUE", "-TRUE", "-5",
  "NOT 5", "NOT 'a'", "NOT NOT TRUE", "int IN ('5')", "+text IN ('red')", "(text) IN ('red')",
  "-text IN ('red')", "text IN ()", "text IN ('red',)", "JMSActiveMQBrokerPath = 'null'",
  "JMSMessageID LIKE 'c:1:1:%'", "int = 00", "int = 08", "int=0x", "int = 5 5", "int = - -5",
  "int = --5", "int = 0 --int", "int = 0L", "int = 5--x\n", "int = -5l", "a = b", "missing = mis", "text='red'AND int=5",
  "TRUEAND TRUE", "int=5AND TRUE", "int=5.AND TRUE", "int=5LAND TRUE", "int = 5L",
  "int > 5 = TRUE", "TRUE = int > 5", "1 < 2", "'a' < 'b'", "text < other", "flag < any",
  "int BETWEEN 'a' AND 'b'", "int BETWEEN 1 AND 2 AND TRUE", "int NOT 5", "int IS", "int IS NOT",
  "int IS NOT 5", "NULL IS NULL", "1 IS NULL", "1=1 IS NULL", "NULL = NULL", "TRUE <> NULL",
  "xpath = 1", "escape = 1", "in = 1", "text LIKE 'red' LIKE 'x'", "text LIKE 'red' = TRUE",
  "\u00a0TRUE", "\u000bTRUE", "\fTRUE", "\ufeffTRUE", "int != 5", "int == 5", "int => 5",
  "int =< 5", "int >= +5", "int % 2 = 1", "int^2=1", "5 IN ('a')", "text || 'a' = 'b'",
  "text = 'red';", "int = 1_000", "int = 1e", "int = 1.5e+", "int=1.5f", "int = 1d", "int=.5.5",
  "int = 5.e1", "int = 0.5", "int=00.5", "int=09.5", "int=09e1", "int = 0e0",
  "long = 0x8000000000000000", "long=0xFFFFFFFF", "long = 07777777777777777777777",
  "long=0777777777777777777777", "text LIKE 'x\\'", "text LIKE 'a\\b'", "JMSXUserID='red'",
  "JMSPriority=4", "jmspriority=5", "JMSReplyTo = 'topic://red'",
  "JMSReplyTo='temp-topic://ID:x:1'", "JMSDestination='queue://red'",
  "JMSDestination = 'topic://T'", "JMSDeliveryMode = 1", "JMSDeliveryMode = 2", "JMSRedelivered",
  "JMSXDeliveryCount=3", "JMSTimestamp = 5", "JMSType='😀'", "JMSExpiration > 3999999999999",
  "'' + float = '0.1'", "'' + double = '1.0E300'", "'' + float = '1.6777216E7'",
  "''+double = '-0.0'", "''+double='NaN'", "'' + double = '-Infinity'",
  "'' + long = '9223372036854775807'", "''+ 0.001 = '0.001'", "''+0.0009='9.0E-4'",
  "''+ 12345678.5 = '1.23456785E7'", "''+1234567.5='1234567.5'", "''+ 0.1 + 0.2 = '0.10.2'",
  "(''+ (0.1 + 0.2)) = '0.30000000000000004'",
  "'' + 99999999999999999999 = '99999999999999999999'", "99999999999999999999 + 1 = 1661992960",
  "99999999999999999999 < 100000000000000000000", "long < 99999999999999999999",
  "99999999999999999999 > long", "- 9223372036854775808 = long", "-9223372036854775809 < long",
  "'x' + any = 'xr'", "flag + 1 = 2", "any = other", "float = double", "double = float",
  "double <> float", "NOT (double = float)", "float < double", "short=byte", "byte=short",
  "-byte = 5", "-short=5", "-any = 5", "-text IS NULL", "+byte = 5", "byte + 0 = 5",
  "byte / 2 = 2.5", "byte / 0 > 5", "int % 0 = 1.5", "0 / 0 = double", "double = 0 / 0",
  "text + 'x' = 'redx'", "text + missing IS NULL", "missing + text IS NULL", "text - 1 = 1",
  "1 + text = 1", "float = int", "int = float", "float = long", "long = float", "long > float",
  "long < float", "double = long", "double = int", "long = double", "byte < short", "long = byte",
];

type Random = () => number;

/** Makes a selector; about one of six is invalid. */
export function randomSelector(random: Random): string {
  const text = new Generator(random).condition(3);
  return random() < 0.15 ? damaged(text, random) : text;
}

/** Takes away, doubles or puts in a piece. */
function damaged(text: string, random: Random): string {
  const pieces = text.split(/(\s+|[()=<>,'])/).filter((piece) => piece !== "");
  const at = Math.floor(random() * pieces.length);
  const extra = pick(random, [
    ...["NOT", "(", ")", "'", ",", "NULL", "TRUE", "1", "LIKE", "=", "AND", "'red'", "text", "."],
    ...['"', "--", "/*", "*/", "0x", "08", "1e", "é", "#", "?", "ESCAPE", "IN", "IS", "+", "5x"],
  ]);
  pieces.splice(at, random() < 0.5 ? 1 : 0, ...(random() < 0.6 ? [extra] : []));
  return pieces.join("");
}

function pick<T>(random: Random, values: readonly T[]): T {
  return values[Math.floor(random() * values.length)]!;
}

class Generator {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  condition(depth: number): string {
    if (depth > 0 && this.#chance(0.55)) {
      return this.#either(
        () => `${this.condition(depth - 1)}${this.#word("AND")}${this.condition(depth - 1)}`,
        () => `${this.condition(depth - 1)}${this.#word("OR")}${this.condition(depth - 1)}`,
        () => `(${this.condition(depth - 1)})`,
        () => `${this.#word("NOT")}(${this.condition(depth - 1)})`,
        () => `${this.#word("NOT")}${this.condition(depth - 1)}`,
      );
    }
    return this.#either(
      () => `${this.#operand()}${this.#sign()}${this.#operand()}`,
      () => `${this.#number(2)}${this.#sign()}${this.#number(2)}`,
      () => `${this.#name()}${this.#sign()}${this.#literal()}`,
      () => `${this.#name()}${this.#word("IS")}${this.#not()}${this.#word("NULL")}`,
      () => `${this.#textName()}${this.#not()}${this.#word("LIKE")}${this.#pattern()}`,
      () => `${this.#textName()}${this.#not()}${this.#word("IN")}(${this.#strings()})`,
      () =>
        `${this.#number(1)}${this.#not()}${this.#word("BETWEEN")}${this.#number(1)}${
          this.#word("AND")
        }${this.#number(1)}`,
      () => this.#either(() => "flag", () => "any", () => "TRUE", () => "FALSE", () => "NULL"),
      () => `${this.#textName()} = ${this.#string()}`,
    );
  }

  #operand(): string {
    return this.#either(
      () => this.#name(),
      () => this.#name(),
      () => this.#literal(),
      () => this.#number(2),
      () =>
        `${this.#textName()} + ${
          this.#either(() => this.#literal(), () => pick(this.#random, NAMES))
        }`,
    );
  }

  #number(depth: number): string {
    if (depth === 0 || this.#chance(0.5)) {
      return this.#either(
        () => this.#name(),
        () => pick(this.#random, NAMES.slice(0, 6)),
        () => pick(this.#random, NAMES.slice(0, 6)),
        () => pick(this.#random, INTEGERS),
        () => pick(this.#random, FLOATS),
      );
    }
    return this.#either(
      () => `${this.#number(depth - 1)} ${this.#operator()} ${this.#number(depth - 1)}`,
      () => `${this.#number(depth - 1)} ${this.#operator()} ${this.#number(depth - 1)}`,
      () => `(${this.#number(depth - 1)})`,
      () => `- ${this.#number(depth - 1)}`,
      () => `+${this.#number(depth - 1)}`,
    );
  }

  #literal(): string {
    return this.#either(
      () => pick(this.#random, INTEGERS),
      () => pick(this.#random, FLOATS),
      () => `-${pick(this.#random, INTEGERS)}`,
      () => this.#string(),
      () => this.#string(),
      () => this.#word("TRUE"),
      () => this.#word("FALSE"),
    );
  }

  #string(): string {
    return `'${pick(this.#random, TEXTS).replaceAll("'", "''")}'`;
  }

  #strings(): string {
    return Array.from({ length: 1 + Math.floor(this.#random() * 7) }, () => this.#string())
      .join(", ");
  }

  /** A pattern from a text: some characters of it become wildcards. */
  #pattern(): string {
    const escape = pick(this.#random, ["", "", "!", "\\", "_", "%", "'", "r"]);
    const characters = [...pick(this.#random, TEXTS)].map((character) =>
      this.#chance(0.2) ? pick(this.#random, ["_", "%", `${escape}_`, escape, "%%"]) : character
    );
    const pattern = characters.join("") + pick(this.#random, ["", "", "%", "_", escape]);
    const quoted = `'${pattern.replaceAll("'", "''")}'`;
    if (escape === "") return quoted;
    return `${quoted}${this.#word("ESCAPE")}'${escape === "'" ? "''" : escape}'`;
  }

  #name(): string {
    return pick(this.#random, this.#chance(0.2) ? [...HEADERS, ...RARE] : NAMES);
  }

  #textName(): string {
    return pick(this.#random, this.#chance(0.6) ? ["text", "text", "any", "other"] : HEADERS);
  }

  #sign(): string {
    return ` ${pick(this.#random, ["=", "=", "<>", "<", "<=", ">", ">="])} `;
  }

  #operator(): string {
    return pick(this.#random, ["+", "-", "*", "/", "%"]);
  }

  #not(): string {
    return this.#chance(0.4) ? this.#word("NOT") : "";
  }

  /** A keyword with blanks around it. */
  #word(word: string): string {
    const blank = this.#chance(0.9)
      ? " "
      : pick(this.#random, ["\n", "\t ", " /* * */ ", " -- x\n"]);
    return `${blank}${this.#chance(0.8) ? word : word.toLowerCase()} `;
  }

  #chance(probability: number): boolean {
    return this.#random() < probability;
  }

  #either(...options: readonly (() => string)[]): string {
    return pick(this.#random, options)();
  }
}
