/**
 * Sends messages to a broker, receives them back and checks them, and says how fast that was.
 *
 * ```sh
 * npx --yes deno@2.9.6 task demo                          # against a broker in memory, over TCP
 * npx --yes deno@2.9.6 task demo tcp://localhost:61616 --username=system --password=manager
 * bun demo.ts --help
 * node demo.ts --help                                 # 24 or later
 * ```
 *
 * @module
 */

import process from "node:process";
import { parseArgs } from "node:util";
import {
  AuthenticationError,
  byte,
  BytesWriter,
  char,
  connect,
  type Connection,
  float,
  long,
  type Message,
  type MessageBody,
  type MessageConsumer,
  type MessageKind,
  type MessageProducer,
  OpenWireError,
  type SendResult,
  short,
  TransportError,
  type WireFormatSettings,
} from "./mod.ts";
import { MemoryBroker } from "./testing/mod.ts";

const HELP = `Sends messages to a broker and receives them back.

  demo [tcp://HOST[:PORT]] [OPTIONS]

Without a URL it starts a broker in memory, on a free port of 127.0.0.1.

  --username=NAME  --password=TEXT
  --count=N        number of messages (20000)
  --size=BYTES     size of each, 4 or more (1024)
  --persistent     send them persistent: each is answered by the broker
  --tight          offer tight encoding
  --no-cache       don't offer the cache
  --version=N      highest version of OpenWire to offer, 1 to 12 (12)
  --timeout=S      seconds to wait for the connection (10)
  --help           print this
`;

/** Sends that are not waited for one by one. */
const BATCH = 100;
/** How far sending may be ahead of receiving, in messages and bytes. */
const AHEAD = { messages: 10_000, bytes: 32 * 1024 * 1024 };
/** Milliseconds in which the next message must come. */
const PATIENCE = 30_000;
const SERIALIZED_JAVA_STRING = Uint8Array.of(0xac, 0xed, 0, 5, 0x74, 0, 2, 0x68, 0x69);

interface Options {
  readonly url: string | undefined;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly count: number;
  readonly size: number;
  readonly persistent: boolean;
  readonly tight: boolean;
  readonly cache: boolean;
  readonly version: number;
  readonly timeout: number;
  readonly help: boolean;
}

/** Something is wrong that the user can set right: told without a stack trace. */
class DemoError extends Error {}

function readOptions(args: string[]): Options {
  const { values, positionals } = parse(args);
  if (positionals.length > 1) throw usage(`one URL is expected, not ${positionals.join(" and ")}`);
  return {
    url: positionals[0],
    username: values.username,
    password: values.password,
    count: integer("count", values.count, 1, 2 ** 31 - 1),
    size: integer("size", values.size, 4, 2 ** 30),
    persistent: values.persistent,
    tight: values.tight,
    cache: !values["no-cache"],
    version: integer("version", values.version, 1, 12),
    timeout: integer("timeout", values.timeout, 1, 3600),
    help: values.help,
  };
}

// deno-lint-ignore explicit-function-return-type -- it follows from the options
function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        username: { type: "string" },
        password: { type: "string" },
        count: { type: "string", default: "20000" },
        size: { type: "string", default: "1024" },
        persistent: { type: "boolean", default: false },
        tight: { type: "boolean", default: false },
        "no-cache": { type: "boolean", default: false },
        version: { type: "string", default: "12" },
        timeout: { type: "string", default: "10" },
        help: { type: "boolean", default: false },
      },
    });
  } catch (error) {
    throw usage((error as Error).message.split(/[.\n]/)[0]!);
  }
}

function usage(problem: string): DemoError {
  return new DemoError(`${problem}\n--help lists the options`);
}

function integer(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most) {
    throw usage(`--${name} is an integer from ${least} to ${most}, not "${text}"`);
  }
  return value;
}

/** What Ctrl-C ends. */
class Interrupt {
  readonly controller: AbortController = new AbortController();
  connection: Connection | undefined;

  get happened(): boolean {
    return this.controller.signal.aborted;
  }

  /** A second Ctrl-C does what it does by default. */
  readonly listener = (): void => {
    process.off("SIGINT", this.listener);
    this.controller.abort();
    void this.connection?.close();
  };
}

async function main(args: string[]): Promise<number> {
  const interrupt = new Interrupt();
  process.on("SIGINT", interrupt.listener);
  try {
    const options = readOptions(args);
    if (options.help) print(HELP.trimEnd());
    else await demo(options, interrupt);
    return 0;
  } catch (error) {
    if (interrupt.happened) {
      print("\nInterrupted: the connection is closed");
      return 130;
    }
    if (error instanceof DemoError || error instanceof OpenWireError) {
      process.stderr.write(`${error.message}${hint(error)}\n`);
      return 1;
    }
    throw error;
  } finally {
    process.off("SIGINT", interrupt.listener);
  }
}

function hint(error: Error): string {
  if (error instanceof AuthenticationError) return "\nGive other --username and --password";
  if (error instanceof TransportError && error.code === "CONNECTION_REFUSED") {
    return "\nIs a broker running there? Without a URL the demo starts one in memory";
  }
  return "";
}

async function demo(options: Options, interrupt: Interrupt): Promise<void> {
  if (options.url !== undefined) return await run(options.url, options, interrupt);
  await using broker = await MemoryBroker.listen();
  print(`Started a broker in memory, in this process, at ${broker.url}`);
  await run(broker.url, options, interrupt);
}

async function run(url: string, options: Options, interrupt: Interrupt): Promise<void> {
  const { username, password, tight, cache, version, timeout } = options;
  await using connection = await connect(url, {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    wireFormat: { tightEncodingEnabled: tight, cacheEnabled: cache, version },
    connectTimeout: timeout * 1000,
    signal: interrupt.controller.signal,
  });
  interrupt.connection = connection;
  const session = await connection.createSession();
  print(`Connected to ${connection.remoteAddress}`);
  print(`  broker       ${await describeBroker(connection)}`);
  print(`  wire format  ${describeFormat(connection.wireFormat)}`);

  const name = `openwire.demo.${crypto.randomUUID().slice(0, 8)}`;
  const consumer = await session.createConsumer(name);
  const producer = await session.createProducer(name);
  print(`Queue ${name}: a producer and a consumer`);

  await tryEachKind(producer, consumer);
  await measure(producer, consumer, options);

  await connection.close();
  print("Closed the connection");
}

async function describeBroker(connection: Connection): Promise<string> {
  // The broker introduces itself soon after the connection stands.
  for (let tries = 0; tries < 100 && !connection.brokerInfo; tries++) {
    await new Promise((wake) => setTimeout(wake, 10));
  }
  const name = connection.brokerInfo?.brokerName;
  return `${connection.provider || "of an unknown kind"}${name ? `, named ${name}` : ""}`;
}

function describeFormat(settings: WireFormatSettings): string {
  const { version, tightEncodingEnabled, cacheEnabled, cacheSize } = settings;
  return [
    `OpenWire ${version}`,
    tightEncodingEnabled ? "tight" : "loose",
    cacheEnabled ? `cache of ${cacheSize}` : "no cache",
    `frames up to ${number(settings.maxFrameSize)} bytes`,
  ].join(", ");
}

interface Sample {
  readonly kind: MessageKind;
  readonly body: MessageBody;
  /** What the message must give, in a form that can be compared. */
  readonly expected: unknown;
  read(message: Message): unknown;
}

function samples(): Sample[] {
  const text = "text with emoji 😀 and NUL \0";
  const bytes = new BytesWriter().writeInt(-5).writeUtf("é").writeDouble(0.5).finish();
  const values = [true, byte(-1), char("ü"), short(300), 7, long(2n ** 53n), float(0.5), 0.1, text];
  const types = "boolean byte char short int long float double string".split(" ");
  const plain = [true, -1, "ü", 300, 7, 2n ** 53n, 0.5, 0.1, text];
  const typed = types.map((type, i) => [type, plain[i]]);
  const pairs = ({ type, value }: { type: string; value: unknown }) => [type, value];
  const entries = types.map((type, i) => [type, values[i]!] as const);
  return [
    { kind: "text", body: text, expected: text, read: ({ text }) => text },
    { kind: "bytes", body: bytes, expected: bytes, read: ({ bytes }) => bytes },
    {
      kind: "map",
      body: { map: new Map(entries) },
      expected: typed,
      read: ({ map }) => [...map.typedEntries()].map(([, v]) => pairs(v)),
    },
    {
      kind: "stream",
      body: { stream: values },
      expected: typed,
      read: ({ stream }) => [...stream.typedValues()].map(pairs),
    },
    {
      kind: "object",
      body: { object: SERIALIZED_JAVA_STRING },
      expected: SERIALIZED_JAVA_STRING,
      read: ({ bytes }) => bytes,
    },
    { kind: "plain", body: null, expected: null, read: () => null },
  ];
}

/** Sends one persistent message of each kind, plain and compressed, and compares what comes back. */
async function tryEachKind(producer: MessageProducer, consumer: MessageConsumer): Promise<void> {
  const all = samples();
  let checked = 0;
  for (const compress of [false, true]) {
    for (const sample of all) {
      const properties = { kind: sample.kind, compress };
      const { messageId } = await producer.send(sample.body, {
        compress,
        compressionThreshold: 0,
        properties,
        priority: 6,
      });
      const message = await next(consumer);
      const problem = differs(message, messageId, sample, compress);
      if (problem) {
        throw new DemoError(`The ${sample.kind} message came back with another ${problem}`);
      }
      checked++;
    }
  }
  const kinds = all.map(({ kind }) => kind).join(", ");
  print(`Sent ${checked} persistent messages and received them back equal: ${kinds},`);
  print("  each plain and compressed");
}

function differs(
  message: Message,
  id: string,
  { kind, expected, read }: Sample,
  compress: boolean,
): string | undefined {
  if (message.kind !== kind) return "kind";
  if (message.id !== id) return "id";
  if (message.priority !== 6 || !message.persistent) return "header";
  if (message.properties.get("kind") !== kind) return "property";
  if (message.properties.get("compress") !== compress) return "property";
  return text(read(message)) === text(expected) ? undefined : "body";
}

/** A text that is the same for equal values only. */
function text(value: unknown): string {
  return JSON.stringify(
    value,
    (_, part) =>
      part instanceof Uint8Array ? [...part] : typeof part === "bigint" ? `${part}n` : part,
  );
}

async function next(consumer: MessageConsumer): Promise<Message> {
  const message = await consumer.receive({ timeout: PATIENCE });
  if (message === null) throw new DemoError(`No message came within ${PATIENCE / 1000} s`);
  return message;
}

/** Sends many messages and receives them at the same time. */
async function measure(
  producer: MessageProducer,
  consumer: MessageConsumer,
  { count, size, persistent }: Options,
): Promise<void> {
  const mode = persistent ? "persistent" : "non-persistent";
  print(`Sending ${number(count)} ${mode} messages of ${number(size)} bytes, receiving them`);
  const ahead = Math.max(BATCH, Math.min(AHEAD.messages, Math.floor(AHEAD.bytes / size)));
  const pattern = Uint8Array.from({ length: size }, (_, i) => i * 7);
  const progress = new Progress(count);
  let wake = (): void => {};
  const start = performance.now();
  const took = { sent: 0, received: 0 };

  const send = async (): Promise<void> => {
    const body = pattern.slice();
    const view = new DataView(body.buffer);
    while (progress.sent < count) {
      const batch: Promise<SendResult>[] = [];
      while (batch.length < BATCH && progress.sent < count) {
        view.setInt32(0, progress.sent++);
        batch.push(producer.send(body, { persistent }));
      }
      await Promise.all(batch);
      progress.show();
      while (progress.sent - progress.received > ahead) {
        await new Promise<void>((resolve) => wake = resolve);
      }
    }
    took.sent = performance.now() - start;
  };

  const receive = async (): Promise<void> => {
    for (let i = 0; i < count; i++) {
      const { bytes } = await next(consumer);
      if (!isNumbered(bytes, i, pattern)) {
        throw new DemoError(`Message ${i} came back changed or out of order`);
      }
      progress.received = i + 1;
      progress.show();
      wake();
    }
    took.received = performance.now() - start;
  };

  try {
    await Promise.all([send(), receive()]);
  } finally {
    progress.end();
  }
  print(`  sent      ${rate(count, size, took.sent)}`);
  print(`  received  ${rate(count, size, took.received)}, each in order and equal`);
}

function isNumbered(bytes: Uint8Array, index: number, pattern: Uint8Array): boolean {
  if (bytes.length !== pattern.length) return false;
  if (new DataView(bytes.buffer, bytes.byteOffset).getInt32(0) !== index) return false;
  for (let i = 4; i < bytes.length; i++) if (bytes[i] !== pattern[i]) return false;
  return true;
}

function rate(count: number, size: number, milliseconds: number): string {
  const seconds = milliseconds / 1000;
  const megabytes = (count * size / seconds / 1e6).toFixed(1);
  return `${number(count)} in ${seconds.toFixed(2)} s: ${
    number(Math.round(count / seconds))
  } messages/s, ${megabytes} MB/s`;
}

/** How far we are: on a terminal a line that changes, elsewhere a line for each quarter. */
class Progress {
  sent = 0;
  received = 0;
  readonly #count: number;
  readonly #terminal: boolean = process.stdout.isTTY === true;
  #shownAt = 0;
  #quarter = 0;
  #open = false;

  constructor(count: number) {
    this.#count = count;
  }

  show(): void {
    if (this.#terminal) {
      const now = performance.now();
      if (now - this.#shownAt < 100) return;
      this.#shownAt = now;
      process.stdout.write(`\r${this.#line()}`);
      this.#open = true;
    } else {
      const quarter = Math.floor(4 * this.received / this.#count);
      if (quarter === this.#quarter) return;
      this.#quarter = quarter;
      print(this.#line());
    }
  }

  end(): void {
    if (this.#open) print(`\r${this.#line()}`);
    this.#open = false;
  }

  #line(): string {
    const width = number(this.#count).length;
    const percent = Math.floor(100 * this.received / this.#count);
    const [sent, received] = [this.sent, this.received].map((n) => number(n).padStart(width));
    return `  ${String(percent).padStart(3)}%  sent ${sent}  received ${received}`;
  }
}

function number(value: number): string {
  return value.toLocaleString("en-US");
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

process.exitCode = await main(process.argv.slice(2));
