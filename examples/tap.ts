/**
 * A tap for OpenWire: stands between clients and a broker, passes all bytes on as they are, and prints the commands in
 * them. There is no client in it, only streams between two sockets.
 *
 * ```sh
 * deno run --allow-net tap.ts tcp://localhost:61616 61617     # or: bun tap.ts …, node tap.ts …
 * ```
 *
 * Then have a client connect to port 61617. Passwords are blanked and bodies left out, so that the output can be shown to
 * others.
 */

// deno-lint-ignore-file no-console -- printing is what it is for
import process from "node:process";
// In a program of yours: from "https://example.com/openwire/codec/mod.ts" and ".../transport/mod.ts"
import {
  type DataStructure,
  OpenWireDecoderStream,
  OpenWireFormat,
  type WireFormatSettings,
} from "../codec/mod.ts";
import { dial, listen, type Transport } from "../transport/mod.ts";

const [broker = "tcp://localhost:61616", port = "61617"] = process.argv.slice(2);

async function main(): Promise<void> {
  const listener = await listen({ port: Number(port) });
  console.log(`Listening on port ${listener.port} for ${broker}`);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => void listener.close());
  }

  const clients = new Set<Transport>();
  let count = 0;
  for await (const client of listener) {
    const name = `#${++count}`;
    clients.add(client);
    pass(client, name)
      .catch((error) => console.log(`${name} failed: ${error.message}`))
      .finally(() => clients.delete(client));
  }
  // A signal has closed the listener, but not the connections that came through it.
  for (const client of clients) client.close();
}

/** Connects a client to the broker, until one of them closes. */
async function pass(client: Transport, name: string): Promise<void> {
  console.log(`${name} opened by ${client.remoteAddress}`);
  try {
    const server = await dial(broker);
    const up = new Tap();
    const down = new Tap();
    // What one side sends is encoded as the other side has offered to read it.
    const shown = [print(`${name} ->`, up, down.offer), print(`${name} <-`, down, up.offer)];
    await Promise.allSettled([
      client.readable.pipeThrough(up).pipeTo(server.writable),
      server.readable.pipeThrough(down).pipeTo(client.writable),
    ]);
    server.close();
    await Promise.all(shown);
  } finally {
    client.close();
    console.log(`${name} closed`);
  }
}

/**
 * Lets bytes through as they are, and gives a copy of them. Unlike `tee()` it takes no more than the slower reader does,
 * so a slow broker slows the client down as it would without a tap.
 */
class Tap extends TransformStream<Uint8Array, Uint8Array> {
  /** The bytes that went through. */
  readonly copy: ReadableStream<Uint8Array>;
  /** What the sender offers in its first command, the WireFormatInfo. */
  readonly offer: Promise<WireFormatSettings>;

  constructor() {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const copy = writable.getWriter();
    super({
      async transform(chunk, controller) {
        controller.enqueue(chunk);
        // Bytes that make no sense go through nevertheless.
        await copy.write(chunk).catch(() => {});
      },
      flush: () => copy.close().catch(() => {}),
    });
    const [head, all] = readable.tee();
    this.copy = all;
    this.offer = readOffer(head);
    // Who prints is told.
    this.offer.catch(() => {});
  }
}

/** Reads the first command. The rest can't be read by what is known then. */
async function readOffer(bytes: ReadableStream<Uint8Array>): Promise<WireFormatSettings> {
  // Against somebody who offers everything the sender gets all that it offers itself.
  const format = new OpenWireFormat({
    tightEncodingEnabled: true,
    cacheSize: 32_767,
    stackTraceEnabled: true,
    sizePrefixDisabled: true,
    maxFrameSize: 2 ** 31 - 1,
  });
  const reader = bytes.pipeThrough(new OpenWireDecoderStream(format)).getReader();
  await reader.read();
  void reader.cancel();
  return await format.agreement;
}

/** Prints the commands that go through a tap. */
async function print(
  name: string,
  { copy }: Tap,
  offer: Promise<WireFormatSettings>,
): Promise<void> {
  try {
    const format = new OpenWireFormat(await offer);
    for await (const command of copy.pipeThrough(new OpenWireDecoderStream(format))) {
      console.log(`${name} ${describe(command)}`);
    }
  } catch (error) {
    console.log(`${name} can't be read: ${(error as Error).message}`);
    await copy.cancel().catch(() => {});
  }
}

/** A command in one line, such as `RemoveInfo {"commandId":7,…}`, without what says nothing. */
function describe({ dataType, ...fields }: DataStructure): string {
  const text = JSON.stringify(fields, (name, value) => {
    if (value === null || value === false) return undefined;
    if (name === "password") return "***";
    if (value instanceof Uint8Array) return `<${value.length} bytes>`;
    if (typeof value === "bigint") return String(value);
    return value;
  });
  return `${dataType} ${text}`;
}

await main();
