/** Many losses in a row leave no more behind than one does. */

import { createShutdownInfo, type DataStructure } from "../../codec/mod.ts";
import { connect, type Connection, type ConnectionStats, type MessageConsumer } from "../../mod.ts";
import { assert, assertEquals } from "@std/assert";
import { testOnBrokers } from "../client/_brokers.ts";
import { received } from "../client/_messages.ts";
import { FaultProxy } from "./proxy/fault_proxy.ts";
import { collectGarbage } from "./soak/memory.ts";

const LOSSES = 50;
/** Milliseconds after which a silence is noticed: more than a busy machine may be late. */
const INACTIVITY = 1_000;
/** One loss of so many is a silence. */
const SILENCE = 25;

/** Timers that are set and neither called off nor over. */
class Timers implements Disposable {
  readonly #live: Set<unknown> = new Set();
  readonly #global: Pick<
    typeof globalThis,
    "setTimeout" | "clearTimeout" | "setInterval" | "clearInterval"
  > = {
    setTimeout: globalThis.setTimeout,
    clearTimeout: globalThis.clearTimeout,
    setInterval: globalThis.setInterval,
    clearInterval: globalThis.clearInterval,
  };

  constructor() {
    const { setTimeout, clearTimeout, setInterval, clearInterval } = this.#global;
    const live = this.#live;
    const replaced = {
      setTimeout(callback: () => void, delay?: number): unknown {
        const timer = setTimeout(() => {
          live.delete(timer);
          callback();
        }, delay);
        live.add(timer);
        return timer;
      },
      clearTimeout(timer?: number): void {
        live.delete(timer);
        clearTimeout(timer);
      },
      setInterval(callback: () => void, delay?: number): unknown {
        const timer = setInterval(callback, delay);
        live.add(timer);
        return timer;
      },
      clearInterval(timer?: number): void {
        live.delete(timer);
        clearInterval(timer);
      },
    };
    Object.assign(globalThis, replaced);
  }

  get count(): number {
    return this.#live.size;
  }

  [Symbol.dispose](): void {
    Object.assign(globalThis, this.#global);
  }
}

/** What is open, of what a connection counts. */
function openOf(stats: ConnectionStats): Partial<ConnectionStats> {
  const { sessions, consumers, producers, pendingRequests, windowBytes, unsettledMessages } = stats;
  return { sessions, consumers, producers, pendingRequests, windowBytes, unsettledMessages };
}

/** Resolves when the connection was lost and replaced. */
async function resumed(connection: Connection): Promise<void> {
  for await (const { type, error } of connection.status()) {
    if (type === "resumed") return;
    if (type === "closed") throw error;
  }
}

/** A message comes. Before it those may come again whose acknowledgement was lost, as they say. */
async function comes(consumer: MessageConsumer, text: string): Promise<void> {
  for (;;) {
    const message = await received(consumer);
    if (message.text === text) return;
    assert(message.redelivered, `${message.text} comes again unmarked, ${text} is expected`);
  }
}

testOnBrokers(`${LOSSES} losses leave as much behind as one`, async ({ url, memory, name }) => {
  using timers = new Timers();
  await using proxy = await FaultProxy.listen(url);
  /** Commands that went over the connection, as long as somebody holds them. */
  const commands: WeakRef<DataStructure>[] = [];
  await using connection = await connect(proxy.url, {
    failover: { initialReconnectDelay: 1, maxReconnectDelay: 20 },
    wireFormat: {
      maxInactivityDuration: INACTIVITY,
      maxInactivityDurationInitialDelay: INACTIVITY,
    },
    inspect: (command) => void commands.push(new WeakRef(command)),
  });
  const producer = await connection.createProducer(name);
  const consumer = await connection.createConsumer(name, { prefetchSize: 7 });
  const transacted = await connection.createSession({ acknowledgeMode: "transacted" });
  const inTransaction = await transacted.createConsumer(`${name}.transacted`);
  const temporary = await connection.createTemporaryQueue();
  const replies = await connection.createConsumer(temporary);
  const waiting = await connection.createConsumer(`${name}.waiting`, { prefetchSize: 0 });
  const message = waiting.receive({ timeout: 0 });

  const losses: (() => void)[] = [
    () => proxy.connection.end(),
    () => proxy.connection.reset(),
    ...(memory
      ? [() => {
        memory.sendToClients(createShutdownInfo());
        void memory.disconnectClients();
      }]
      : []),
  ];
  const lose = async (n: number): Promise<void> => {
    const done = resumed(connection);
    if (n % SILENCE === SILENCE - 1) proxy.connection.silence();
    else losses[n % losses.length]!();
    await done;
    // What is under way at a loss is part of it.
    await producer.send(`${n}`);
    await comes(consumer, `${n}`);
    await transacted.send(`${name}.transacted`, `${n}`);
    await transacted.commit();
    await comes(inTransaction, `${n}`);
    await transacted.commit();
    await connection.send(temporary, `${n}`);
    await comes(replies, `${n}`);
  };
  const look = async () => {
    // Silent connections are the proxy's to forget.
    for (const old of proxy.connections.slice(0, -1)) old.destroy();
    await proxy.until(() => proxy.connections.length === 1);
    await connection.ping();
    await collectGarbage();
    return {
      open: openOf(connection.stats()),
      timers: timers.count,
      commands: commands.filter((command) => command.deref()).length,
      ...(memory && {
        connections: memory.connections,
        consumers: memory.queue(name).consumers,
      }),
    };
  };

  await lose(0);
  const { timers: timersAtFirst, commands: commandsAtFirst, ...first } = await look();
  for (let n = 1; n < LOSSES; n++) await lose(n);
  const { timers: timersAtLast, commands: commandsAtLast, ...last } = await look();
  assertEquals(last, first);
  // Some more or less, as a signal of life is just due or not.
  assert(timersAtLast <= timersAtFirst + 3, `${timersAtLast} timers, ${timersAtFirst} at first`);
  assert(
    commandsAtLast <= commandsAtFirst + 10,
    `${commandsAtLast} commands are held, ${commandsAtFirst} at first`,
  );
  assert(connection.stats().reconnections >= LOSSES);

  // A consumer that nobody knows of would take its share.
  for (let n = 0; n < 30; n++) await producer.send(`last ${n}`);
  for (let n = 0; n < 30; n++) await comes(consumer, `last ${n}`);
  await connection.send(`${name}.waiting`, "waited for");
  assertEquals((await message)?.text, "waited for");
}, { timeout: 120_000 });
