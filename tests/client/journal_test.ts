/** What is kept to be sent again, and that it is kept no longer than it is needed. */

import {
  createActiveMQTextMessage,
  createConsumerInfo,
  createLocalTransactionId,
  createTransactionInfo,
  createXATransactionId,
  type TransactionId,
} from "../../codec/mod.ts";
import type { Command } from "../../client/link/commands.ts";
import { Journal } from "../../client/link/journal.ts";
import { assertEquals } from "@std/assert";
import { test } from "../_harness.ts";

const SIZES = { maxTransactionSize: 10_000, maxCacheSize: 0 };
const [BEGIN, COMMIT] = [0, 2];
let numbers = 0;

function numbered<Type extends Command>(command: Type, responseRequired = true): Type {
  return Object.assign(command, { commandId: ++numbers, responseRequired });
}

function message(transactionId: TransactionId | null = null, bytes = 0, properties = 0): Command {
  return numbered(createActiveMQTextMessage({
    transactionId,
    content: bytes > 0 ? new Uint8Array(bytes) : null,
    marshalledProperties: properties > 0 ? new Uint8Array(properties) : null,
  }));
}

/** A message that asks for no answer. */
function posted(bytes = 0): Command {
  return numbered(message(null, bytes), false);
}

const local = (value: number): TransactionId => createLocalTransactionId({ value });

function step(transactionId: TransactionId, type: number): Command {
  return numbered(createTransactionInfo({ transactionId, type }));
}

function journalOf(options: Partial<typeof SIZES>, ...commands: Command[]): Journal {
  const journal = new Journal({ ...SIZES, ...options });
  for (const command of commands) journal.add(command);
  return journal;
}

test("Journal keeps commands in their order until they are answered", () => {
  const [consumer, one, two] = [numbered(createConsumerInfo()), message(), message()];
  const journal = journalOf({}, consumer, one, two);
  assertEquals([...journal], [consumer, one, two]);
  journal.done(one);
  assertEquals([...journal], [consumer, two]);
  journal.remove(consumer);
  assertEquals([[...journal], journal.has(two), journal.has(one)], [[two], true, false]);
});

test("Journal keeps what was sent in a local transaction until it has ended", () => {
  const commands = [step(local(1), BEGIN), message(local(1)), message(local(1))];
  const others = [step(local(2), BEGIN), message(local(2))];
  const journal = journalOf({}, ...commands, ...others);
  for (const command of [...commands, ...others]) journal.done(command);
  assertEquals([...journal], [...commands, ...others]);
  assertEquals([journal.holds(local(1)), journal.holds(local(3))], [true, false]);
  const commit = step(local(1), COMMIT);
  journal.add(commit);
  assertEquals([...journal], [...commands, ...others, commit]);
  journal.done(commit);
  assertEquals([...journal], others);
  assertEquals([journal.holds(local(1)), journal.holds(local(2))], [false, true]);
});

test("Journal tells what it had of a transaction that is given up", () => {
  const commands = [step(local(1), BEGIN), message(local(1)), message(local(1))];
  const journal = journalOf({}, ...commands);
  journal.remove(commands[1]!);
  assertEquals(journal.forget(local(1)), [commands[0]!, commands[2]!]);
  assertEquals([[...journal], journal.forget(local(1))], [[], []]);
});

test("Journal drops a transaction that has become too large, and takes no more of it", () => {
  for (const [limit, kept] of [[2 * 1024 + 30, true], [2 * 1024 + 29, false]] as const) {
    const commands = [
      step(local(1), BEGIN),
      message(local(1), 10, 5),
      message(local(1), 0, 15),
    ];
    const other = message();
    const journal = journalOf({ maxTransactionSize: limit }, ...commands, other);
    assertEquals([...journal], kept ? [...commands, other] : [other]);
    assertEquals(journal.holds(local(1)), kept);
    const late = message(local(1));
    journal.add(late);
    assertEquals(journal.has(late), false);
  }
});

test("Journal keeps nothing of a transaction that it has not seen begin", () => {
  assertEquals([...journalOf({}, message(local(1)))], []);
});

test("Journal keeps messages of a distributed transaction like others", () => {
  const branch = createXATransactionId({ formatId: 1 });
  const commands = [step(branch, BEGIN), message(branch), step(branch, COMMIT)];
  const journal = journalOf({}, ...commands);
  assertEquals([[...journal], journal.holds(branch), journal.forget(branch)], [
    commands,
    false,
    [],
  ]);
  for (const command of commands) journal.done(command);
  assertEquals([...journal], []);
});

test("Journal keeps the last messages that asked for no answer, up to a size", () => {
  const [one, two, three] = [posted(), posted(5), posted(6)];
  const journal = journalOf({ maxCacheSize: 2 * 1024 + 11 }, one, two, three);
  for (const command of [one, two, two]) journal.done(command);
  assertEquals([...journal], [one, two, three]);
  journal.done(three);
  assertEquals([...journal], [two, three]);
  // What is removed counts no more.
  journal.remove(two);
  const four = posted(5);
  journal.add(four);
  journal.done(four);
  assertEquals([...journal], [three, four]);
  const five = posted(6);
  journal.add(five);
  journal.done(five);
  assertEquals([...journal], [four, five]);
  // What wants an answer, or is no message, is not needed once it is done.
  const others = [message(), numbered(createConsumerInfo(), false)];
  for (const command of others) journal.add(command);
  for (const command of others) journal.done(command);
  assertEquals([...journal], [four, five]);
  const unknown = posted();
  journal.done(unknown);
  assertEquals([journal.has(unknown), [...journal].length], [false, 2]);
});

test("Journal keeps no message that was sent without an answer when there is no cache", () => {
  const one = posted();
  const journal = journalOf({}, one);
  journal.done(one);
  assertEquals([...journal], []);
});
