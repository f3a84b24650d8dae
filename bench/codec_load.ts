// deno-lint-ignore-file no-console
/**
 * Our codec, timed like the marshaller of the Java client in `java/CodecBench.java`. The same file runs on Deno, Bun and
 * Node:
 *
 * ```sh
 * deno run bench/codec_load.ts run [WORKLOAD]   # times all cells, or those of one workload, and prints a JSON line each
 * deno run bench/codec_load.ts serve            # times what each line of the input asks for, "CELL PASS WARM SLICE"
 * ```
 *
 * Rates are in million commands a second. Decoding gets the whole stream in one array, in which Java's marshaller is
 * told where each frame lies and ours has to find them, by `pushTo`, which hands each command over without an array around
 * it. With `--chunks` it gets chunks of 64 KiB, as a socket would give them.
 */
import process from "node:process";
import { createInterface } from "node:readline";
import { concat } from "@std/bytes";
import {
  type ActiveMQTextMessage,
  createActiveMQTextMessage,
  type DataStructure,
  decodePrimitiveMap,
  decodeTextBody,
  OpenWireDecoder,
  OpenWireEncoder,
} from "../codec/mod.ts";
import {
  type Cell,
  cells,
  type Command,
  filled,
  formatOf,
  framesOf,
  type Pass,
  PASSES,
  passes,
  textOf,
} from "./corpus.ts";

const SLICES = 5;
const CHUNK = 65536;

/** What a pass made, so that nothing of it can be left out. */
let sink = 0;

class Loaded {
  readonly count: number;
  readonly bytes: number;
  readonly #chunks: Uint8Array[];
  readonly #commands: Command[] = [];
  readonly #texts: string[];
  readonly #decoder: OpenWireDecoder;
  readonly #encoder: OpenWireEncoder;

  constructor(cell: Cell, chunked: boolean) {
    const frames = framesOf(cell);
    this.count = frames.length;
    this.bytes = frames.reduce((sum, frame) => sum + frame.length, 0);
    this.#chunks = cut(frames, chunked ? CHUNK : this.bytes);
    this.#decoder = new OpenWireDecoder(formatOf(cell));
    this.#encoder = new OpenWireEncoder(formatOf(cell));
    const source = new OpenWireDecoder(formatOf(cell));
    for (const frame of frames) this.#commands.push(...source.push(frame) as Command[]);
    this.#texts = cell.workload === "send-1k" ? frames.map((_, i) => textOf(i, 1024)) : [];
  }

  /** As in a broker or a relay: a message's content and properties stay bytes. */
  decode(): void {
    for (const chunk of this.#chunks) this.#decoder.pushTo(chunk, count);
  }

  /** As in a consumer that reads each message's text and one property. */
  decodeFull(): void {
    for (const chunk of this.#chunks) this.#decoder.pushTo(chunk, read);
  }

  /** The decoded commands again: their content and properties are bytes already. */
  encode(): void {
    for (const command of this.#commands) sink += this.#encoder.encode(command).length;
  }

  /** As in a producer: each message from a string and two properties. */
  encodeFull(): void {
    for (const [i, text] of this.#texts.entries()) {
      const like = this.#commands[i] as ActiveMQTextMessage;
      const message = createActiveMQTextMessage({
        producerId: like.producerId,
        messageId: like.messageId,
        destination: like.destination,
        persistent: true,
        ...filled(i, text),
      });
      sink += this.#encoder.encode(message).length;
    }
  }

  /** Warms up, then takes the median of some slices. */
  rate(pass: Pass, warm: number, slice: number): number {
    for (const end = performance.now() + warm; performance.now() < end;) this[pass]();
    const rates = Array.from({ length: SLICES }, () => {
      const start = performance.now();
      let commands = 0;
      let now;
      do {
        this[pass]();
        commands += this.count;
        now = performance.now();
      } while (now < start + slice);
      return commands / 1e3 / (now - start);
    });
    return rates.sort((a, b) => a - b)[SLICES >> 1]!;
  }
}

function count(command: DataStructure): void {
  sink += (command as Command).commandId;
}

function read(command: DataStructure): void {
  const inner = command.dataType === "MessageDispatch" ? command.message : command;
  if (inner?.dataType === "ActiveMQTextMessage") {
    sink += decodeTextBody(inner.content)!.length;
    sink += decodePrimitiveMap(inner.marshalledProperties).get("attempt") as number;
  } else {
    count(command);
  }
}

function cut(frames: Uint8Array[], size: number): Uint8Array[] {
  const all = concat(frames);
  const chunks = [];
  for (let start = 0; start < all.length; start += size) {
    // A chunk of a socket is an array of its own.
    chunks.push(all.slice(start, start + size));
  }
  return chunks;
}

function run(workload: string | undefined, chunked: boolean): void {
  const runtime = "Deno" in globalThis ? "deno" : "Bun" in globalThis ? "bun" : "node";
  for (const cell of cells()) {
    if (workload !== undefined && cell.workload !== workload) continue;
    const loaded = new Loaded(cell, chunked);
    const rates = PASSES.map((pass) => {
      const timed = passes(cell.workload).includes(pass);
      return [pass, timed ? Number(loaded.rate(pass, 700, 200).toFixed(4)) : null];
    });
    console.log(JSON.stringify({
      peer: runtime,
      stream: cell.name,
      bytes: loaded.bytes,
      ...Object.fromEntries(rates),
    }));
  }
}

async function serve(chunked: boolean): Promise<void> {
  // Only the cell that is timed: what others hold would cost its garbage collection.
  let loaded: [name: string, cell: Loaded] | undefined;
  for await (const line of createInterface({ input: process.stdin })) {
    const [name, pass, warm, slice] = line.split(" ");
    const cell = cells().find((cell) => cell.name === name)!;
    if (loaded?.[0] !== cell.name) loaded = [cell.name, new Loaded(cell, chunked)];
    console.log(loaded[1].rate(pass as Pass, Number(warm), Number(slice)).toFixed(4));
  }
}

const options = process.argv.slice(2);
const [command, workload] = options.filter((option) => !option.startsWith("--"));
const chunked = options.includes("--chunks");
if (command === "serve") await serve(chunked);
else if (command === "run") run(workload, chunked);
else throw new Error("run or serve is expected");
// It is asked for nothing, but this way the engine can't know that.
if (sink === 0.5) console.log(sink);
