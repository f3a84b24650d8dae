/** Whether ActiveMQ and the memory broker's selectors want the same messages. */

import { assertEquals, assertMatch } from "@std/assert";
import {
  type ActiveMQTopic,
  createActiveMQMessage,
  createMessageId,
  type Message,
} from "../../codec/mod.ts";
import { parseSelector, SelectorError } from "../../mod.ts";
import { dial } from "../../transport/mod.ts";
import { seededRandom } from "../_random.ts";
import { broker, brokerSkip } from "../broker/env.ts";
import { test } from "../_harness.ts";
import { type RawClient, refusal } from "./_raw_client.ts";
import { EDGE_CASES, marshalledProperties, MESSAGES, randomSelector } from "./_selectors.ts";
import { Target } from "./_targets.ts";

const FIRST_SEED = 1;
const SEEDS = 500;
/** Selectors with a topic each at the same time. */
const BATCH = 50;
const REFUSED = "refused";

interface Case {
  readonly name: string;
  readonly selector: string;
}

const generated: Case[] = Array.from({ length: SEEDS }, (_, index) => {
  const seed = FIRST_SEED + index;
  return { name: `seed ${seed}`, selector: randomSelector(seededRandom(seed)) };
});
const edge: Case[] = EDGE_CASES.map((selector) => ({ name: "edge case", selector }));

for (const [name, cases] of Object.entries({ generated, edge })) {
  test(`ActiveMQ wants the messages that ${name} selectors match`, async () => {
    await using target = new Target(undefined, () => dial(broker!.urls.openwire));
    const differences: string[] = [];
    for (let start = 0; start < cases.length; start += BATCH) {
      const batch = cases.slice(start, start + BATCH);
      differences.push(...await compare(batch, target));
    }
    assertEquals(differences, []);
  }, { skip: brokerSkip, timeout: 120_000 });
}

test("The generated selectors are of all kinds", () => {
  const messages = MESSAGES.map((_, index) => message(index));
  const found = generated.map(({ selector }) => new Set(verdict(selector, messages)));
  const none = found.filter((marks) => marks.size === 1 && marks.has("0")).length;
  const some = found.filter((marks) => marks.size === 2).length;
  const refused = found.filter((marks) => marks.size > 2).length;
  for (const count of [none, some, refused]) assertEquals(count > SEEDS / 10, true);
});

/** Lists the selectors on which the two don't agree. */
async function compare(cases: readonly Case[], target: Target): Promise<string[]> {
  const client = await target.open();
  const producerId = await client.producer();
  const results = await Promise.all(cases.map(async ({ name, selector }) => {
    const topic = target.topic(crypto.randomUUID());
    // Dispatched in the thread that answers the producer: after the answers nothing more comes.
    const info = client.consumerInfo(topic, { selector, prefetchSize: 1000, dispatchAsync: false });
    const answer = await client.request(info);
    if (answer.dataType !== "Response") {
      assertMatch(refusal(answer)[0]!, /^(javax|jakarta)\.jms\./);
      return { name, selector, wanted: REFUSED, messages: [] };
    }
    const messages = MESSAGES.map((_, index) => ({
      ...message(index, topic),
      producerId,
      messageId: createMessageId({ producerId, producerSequenceId: index }),
    }));
    // An answer may be an exception: ActiveMQ passes on what the selector met.
    for (const message of messages) await client.request(message);
    const wanted = new Set(delivered(client, info.consumerId!.value as number));
    return {
      name,
      selector,
      wanted: messages.map((_, index) => wanted.has(index) ? "1" : "0").join(""),
      messages,
    };
  }));
  await client.drop();
  return results.flatMap(({ name, selector, wanted, messages }) => {
    const matched = verdict(selector, messages);
    return matched === wanted ? [] : [
      `${name}: ${JSON.stringify(selector)}: ActiveMQ wants ${wanted}, the selector ${matched}`,
    ];
  });
}

/** Which messages came to a consumer. */
function* delivered(client: RawClient, consumer: number): Generator<number> {
  for (const command of client.inbox) {
    if (command.dataType === "MessageDispatch" && command.consumerId!.value === consumer) {
      yield command.message!.messageId!.producerSequenceId as number;
    }
  }
}

/** A message of the comparison. */
function message(index: number, destination: ActiveMQTopic | null = null): Message {
  const { properties: _, ...init } = MESSAGES[index]!;
  return createActiveMQMessage({
    persistent: true,
    priority: 4,
    destination,
    ...init,
    marshalledProperties: marshalledProperties(index),
  });
}

/** What a selector says, a digit for each message. */
function verdict(selector: string, messages: readonly Message[]): string {
  try {
    const parsed = parseSelector(selector);
    return messages.map((message) => parsed.matches(message) ? "1" : "0").join("");
  } catch (error) {
    if (error instanceof SelectorError) return REFUSED;
    throw error;
  }
}
