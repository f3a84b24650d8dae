/** Selectors are parsed before they are sent: wrong ones fail at once, and none that a broker takes. */

import { connect, parseSelector, SelectorError } from "../../mod.ts";
import { dial } from "../../transport/mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { test } from "../_harness.ts";
import { seededRandom } from "../_random.ts";
import { Target } from "../testing/_targets.ts";
import { EDGE_CASES, randomSelector } from "../testing/_selectors.ts";
import { testOnBrokers } from "./_brokers.ts";

/** What only brokers can evaluate. */
const PASSED_ON = [
  "XPATH '//order'",
  "XQUERY '//order'",
  "REGEX('^a', text)",
  "convert_string_expressions:text > 5",
  "hyphenated_props:order-id = 7",
  `"order" = 7`,
  `text LIKE '${"a".repeat(1001)}'`,
  `${"(".repeat(300)}TRUE${")".repeat(300)}`,
];

function codeOf(selector: string): string | undefined {
  try {
    parseSelector(selector);
  } catch (error) {
    assert(error instanceof SelectorError);
    return (error as SelectorError).code;
  }
  return undefined;
}

testOnBrokers(
  "a broker refuses each selector that the parser finds wrong",
  async ({ url, real }) => {
    if (!real) return;
    await using target = new Target(undefined, () => dial(url));
    const generated = Array.from({ length: 300 }, (_, seed) => randomSelector(seededRandom(seed)));
    const wrong = [...EDGE_CASES, ...generated].filter((selector) =>
      selector.trim() !== "" && codeOf(selector) === "INVALID_SELECTOR"
    );
    assert(wrong.length > 100, `${wrong.length}`);
    const client = await target.open();
    const taken: string[] = [];
    for (const selector of wrong) {
      const info = client.consumerInfo(target.topic(crypto.randomUUID()), { selector });
      if ((await client.request(info)).dataType === "Response") taken.push(selector);
    }
    assertEquals(taken, []);
    await client.drop();
  },
  { timeout: 60_000 },
);

test("a wrong selector fails with its position before anything is sent", async () => {
  await using broker = await MemoryBroker.listen();
  const sent: string[] = [];
  await using connection = await connect(broker.url, {
    inspect: ({ dataType }, direction) => void (direction === "sent" && sent.push(dataType)),
  });
  await using session = await connection.createSession();
  const opened = [
    (selector: string) => connection.createConsumer("q", { selector }),
    (selector: string) => session.createConsumer("topic://t", { selector }),
    (selector: string) => connection.createBrowser("q", { selector }),
    (selector: string) => connection.respond("q", () => null, { selector }),
    (selector: string) => connection.createConsumer(`q?consumer.selector=${selector}`),
  ];
  for (const open of opened) {
    const error = await assertRejects(() => open("color = = 1"), SelectorError);
    assertEquals([error.code, error.position], ["INVALID_SELECTOR", 8]);
    assertEquals(error.message.includes("at position 8"), true);
  }
  assertEquals(sent.filter((type) => type === "ConsumerInfo"), []);
});

test("selectors that only brokers can evaluate are sent", async () => {
  await using broker = await MemoryBroker.listen();
  const sent: unknown[] = [];
  await using connection = await connect(broker.url, {
    inspect: (command, direction) => {
      if (direction === "sent" && command.dataType === "ConsumerInfo") sent.push(command.selector);
    },
  });
  for (const selector of PASSED_ON) {
    const error = assertThrows(() => parseSelector(selector), SelectorError);
    assertEquals(error.code, "UNSUPPORTED");
    await assertRejects(() => connection.createConsumer("q", { selector }));
  }
  assertEquals(sent, PASSED_ON);
});

test("a parsed selector tells whether a received message matches", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url);
  await connection.send("orders", "x", { priority: 7, properties: { region: "eu", total: 5 } });
  const message = (await (await connection.createConsumer("orders")).receive())!;
  for (
    const [text, expected] of [
      ["region = 'eu' AND total > 4 AND JMSPriority = 7", true],
      ["region IN ('us')", false],
      ["missing = 1", false],
    ] as const
  ) {
    const selector = parseSelector(text);
    assertEquals([selector.text, selector.matches(message)], [text, expected]);
  }
});
