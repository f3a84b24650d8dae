/**
 * The pair of streams, and other shapes that it might have: what does a chunk cost, and is it worth to carry many
 * commands in one? Each iteration moves 1,000 commands.
 */
import { concat } from "@std/bytes";
import {
  type DataStructure,
  OpenWireDecoder,
  OpenWireDecoderStream,
  OpenWireEncoder,
  OpenWireEncoderStream,
} from "../codec/mod.ts";
import { titled } from "./_cases.ts";
import { group } from "./_harness.ts";
import { type Command, commandsOf, formatOf, framesOf, type Workload } from "./corpus.ts";

const CHUNK = 65536;
/** Commands that one array carries to the encoder. */
const BATCH = 50;
const FORM = { tight: false, cache: false };

/** The decoder with one array of commands for each chunk of bytes. */
class BatchDecoderStream extends TransformStream<Uint8Array, DataStructure[]> {
  constructor(decoder: OpenWireDecoder) {
    super({
      transform(chunk, controller) {
        const commands = decoder.push(chunk);
        if (commands.length > 0) controller.enqueue(commands);
      },
      flush: () => decoder.end(),
    });
  }
}

/** The decoder as a generator, without streams behind it. */
async function* decoded(source: ReadableStream<Uint8Array>): AsyncGenerator<DataStructure[]> {
  const decoder = new OpenWireDecoder(formatOf(FORM));
  const reader = source.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    yield decoder.push(next.value);
  }
  decoder.end();
}

function sourceOf<T>(chunks: readonly T[]): ReadableStream<T> {
  let next = 0;
  return new ReadableStream({
    pull(controller) {
      if (next < chunks.length) controller.enqueue(chunks[next++]!);
      else controller.close();
    },
  });
}

async function drain<T>(stream: ReadableStream<T>, each: (chunk: T) => void): Promise<void> {
  const reader = stream.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) each(next.value);
}

function cut<T>(all: readonly T[], size: number): T[][] {
  const parts: T[][] = [];
  for (let i = 0; i < all.length; i += size) parts.push(all.slice(i, i + size));
  return parts;
}

function inChunks(frames: Uint8Array[]): Uint8Array[] {
  const all = concat(frames);
  const chunks: Uint8Array[] = [];
  for (let i = 0; i < all.length; i += CHUNK) chunks.push(all.slice(i, i + CHUNK));
  return chunks;
}

let sink = 0;
const one = (command: DataStructure): void => void (sink += (command as Command).commandId);
const many = (commands: readonly DataStructure[]): void => commands.forEach(one);
const bytes = (chunk: Uint8Array): void => void (sink += chunk.length);

for (const workload of ["ack", "dispatch-1k"] satisfies Workload[]) {
  const commands: DataStructure[] = commandsOf(workload);
  const batches = cut(commands, BATCH);
  const cell = { name: workload, workload, ...FORM };
  const frames = framesOf(cell);
  const chunks = inChunks(frames);
  const total = frames.reduce((sum, frame) => sum + frame.length, 0);

  group(`decoder stream, ${workload}, chunks of 64 KiB`, (bench) => {
    bench(titled("a command a chunk", total), async () => {
      const stream = new OpenWireDecoderStream(formatOf(FORM));
      await drain(sourceOf(chunks).pipeThrough(stream), one);
    }, { baseline: true });
    bench(titled("an array a chunk", total), async () => {
      const stream = new BatchDecoderStream(new OpenWireDecoder(formatOf(FORM)));
      await drain(sourceOf(chunks).pipeThrough(stream), many);
    });
    bench(titled("a generator of arrays", total), async () => {
      for await (const commands of decoded(sourceOf(chunks))) many(commands);
    });
    bench(titled("no stream", total), () => {
      const decoder = new OpenWireDecoder(formatOf(FORM));
      for (const chunk of chunks) many(decoder.push(chunk));
    });
  });

  group(`decoder stream, ${workload}, a frame a chunk`, (bench) => {
    bench(titled("a command a chunk", total), async () => {
      const stream = new OpenWireDecoderStream(formatOf(FORM));
      await drain(sourceOf<Uint8Array>(frames).pipeThrough(stream), one);
    }, { baseline: true });
    bench(titled("an array a chunk", total), async () => {
      const stream = new BatchDecoderStream(new OpenWireDecoder(formatOf(FORM)));
      await drain(sourceOf<Uint8Array>(frames).pipeThrough(stream), many);
    });
  });

  group(`encoder stream, ${workload}`, (bench) => {
    bench(titled("a command a chunk", total), async () => {
      const stream = new OpenWireEncoderStream(formatOf(FORM));
      await drain(sourceOf(commands).pipeThrough(stream), bytes);
    }, { baseline: true });
    bench(titled(`an array of ${BATCH} a chunk`, total), async () => {
      const stream = new OpenWireEncoderStream(formatOf(FORM));
      await drain(sourceOf(batches).pipeThrough(stream), bytes);
    });
    bench(titled(`no stream, ${BATCH} at once`, total), () => {
      const encoder = new OpenWireEncoder(formatOf(FORM));
      for (const batch of batches) {
        for (const command of batch) encoder.write(command);
        bytes(encoder.take());
      }
    });
  });

  group(`both streams, one behind the other, ${workload}`, (bench) => {
    bench(titled("a command a chunk", total), async () => {
      const encoder = new OpenWireEncoderStream(formatOf(FORM));
      const decoder = new OpenWireDecoderStream(formatOf(FORM));
      await drain(sourceOf(commands).pipeThrough(encoder).pipeThrough(decoder), one);
    }, { baseline: true });
    bench(titled(`arrays of ${BATCH}`, total), async () => {
      const encoder = new OpenWireEncoderStream(formatOf(FORM));
      const decoder = new BatchDecoderStream(new OpenWireDecoder(formatOf(FORM)));
      await drain(sourceOf(batches).pipeThrough(encoder).pipeThrough(decoder), many);
    });
  });
}
