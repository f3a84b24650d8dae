import {
  type ActiveMQQueue,
  type ActiveMQTopic,
  createActiveMQQueue,
  createActiveMQTopic,
  type MessageDispatch,
  type WireFormatOptions,
} from "../../codec/mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { dial, type Transport } from "../../transport/mod.ts";
import { broker, brokerSkip } from "../broker/env.ts";
import { test } from "../_harness.ts";
import { RawClient, text } from "./_raw_client.ts";

let runs = 0;

/** A broker under test. */
export class Target implements AsyncDisposable {
  readonly memory: MemoryBroker | undefined;
  readonly #link: () => Promise<Transport>;
  readonly #prefix: string = `T${Date.now()}-${Math.floor(Math.random() * 1e9)}-${++runs}`;
  readonly #clients: RawClient[] = [];

  constructor(memory: MemoryBroker | undefined, link: () => Promise<Transport>) {
    this.memory = memory;
    this.#link = link;
  }

  /** A queue that no other test uses. */
  queue(name = "Q"): ActiveMQQueue {
    return createActiveMQQueue({ physicalName: this.name(name) });
  }

  /** A topic that no other test uses. */
  topic(name = "T"): ActiveMQTopic {
    return createActiveMQTopic({ physicalName: this.name(name) });
  }

  /** A name that no other test uses. */
  name(name: string): string {
    return `${this.#prefix}.${name}`;
  }

  /** A client that has not sent its ConnectionInfo. */
  async link(options: WireFormatOptions = {}): Promise<RawClient> {
    const client = new RawClient(await this.#link(), options);
    this.#clients.push(client);
    await client.next("BrokerInfo");
    return client;
  }

  /** A client with a session. */
  async open(options: WireFormatOptions = {}): Promise<RawClient> {
    const client = await RawClient.open(await this.#link(), options);
    this.#clients.push(client);
    return client;
  }

  /** Texts that came and were not taken, when nothing more will come. */
  async rest(client: RawClient): Promise<(string | null)[]> {
    // ActiveMQ dispatches from threads of its own: there is no event that says it is done.
    if (this.memory === undefined) await new Promise((resolve) => setTimeout(resolve, 150));
    return await client.texts();
  }

  /** The next dead letter of this test. */
  async deadLetter(client: RawClient): Promise<MessageDispatch> {
    const queue = createActiveMQQueue({ physicalName: "ActiveMQ.DLQ" });
    await client.consumer(queue, { prefetchSize: 1000 });
    for (;;) {
      const dispatch = await client.next("MessageDispatch");
      if (dispatch.destination?.physicalName !== "ActiveMQ.DLQ") continue;
      if (!dispatch.message?.originalDestination?.physicalName.startsWith(this.#prefix)) continue;
      await client.request(client.ack([dispatch], 4));
      return dispatch;
    }
  }

  /** Drops all clients. */
  async drop(): Promise<void> {
    for (const client of this.#clients) await client.drop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drop();
    await this.memory?.close();
  }
}

/** A test of what ActiveMQ does and the memory broker has to do as well: it runs against both. */
export function behaviour(name: string, fn: (target: Target) => Promise<void>): void {
  test(`${name} [memory]`, async () => {
    const memory = new MemoryBroker();
    await using target = new Target(memory, () => Promise.resolve(memory.connect()));
    await fn(target);
    await target.drop();
    await memory.until(() => memory.connections === 0);
  });
  test(`${name} [ActiveMQ]`, async () => {
    await using target = new Target(undefined, () => dial(broker!.urls.openwire));
    await fn(target);
  }, { skip: brokerSkip });
}

/** Texts of dispatches. */
export function texts(dispatches: readonly MessageDispatch[]): (string | null)[] {
  return dispatches.map(text);
}
