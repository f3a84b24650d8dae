/** Programs that use the module, each in a process of its own, in an empty folder. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { leakIn } from "../_secret.ts";
import { runtime } from "../_harness.ts";

/** How a program ended. */
export interface Outcome {
  /** Exit code; null when a signal ended it. */
  readonly code: number | null;
  /** All that it wrote to its standard output. */
  readonly stdout: string;
  /** All that it wrote to its standard error. */
  readonly stderr: string;
}

/** Options of {@linkcode run}. */
export interface RunOptions {
  /** Working folder; an empty one by default. */
  readonly cwd?: string;
  /** The whole environment; that of the tests by default. */
  readonly env?: Record<string, string>;
  /** Milliseconds after which the program is killed. @default {20_000} */
  readonly deadline?: number;
  /** Is given all output so far, whenever there is more, and the process id. */
  readonly onOutput?: (stdout: string, pid: number) => void;
}

/** The command that runs a file of TypeScript on the runtime of the tests, with no more than the network. */
export function runFile(file: string): string[] {
  const options = runtime === "deno" ? ["run", "--no-config", "--no-prompt", "--allow-net"] : [];
  return [process.execPath, ...options, file];
}

/** Runs a command to its end. */
export async function run(command: string[], options: RunOptions = {}): Promise<Outcome> {
  if (options.cwd === undefined) {
    return await inTemporaryFolder((cwd) => run(command, { ...options, cwd }));
  }
  const child = spawn(command[0]!, command.slice(1), {
    cwd: options.cwd,
    env: options.env ?? { ...process.env, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    stdout += chunk;
    options.onOutput?.(stdout, child.pid!);
  });
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => stderr += chunk);
  const deadline = options.deadline ?? 20_000;
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, deadline);
  try {
    const [code] = await once(child, "close") as [number | null];
    if (late) throw new Error(`${command.join(" ")} did not end within ${deadline} ms: ${stderr}`);
    for (const text of [stdout, stderr]) {
      if (leakIn(text) !== undefined) {
        throw new Error(`The program has written a password: ${text}`);
      }
    }
    return { code, stdout, stderr };
  } finally {
    clearTimeout(timer);
  }
}

/** Gives an empty folder to a function, and removes it. */
export async function inTemporaryFolder<T>(fn: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), "openwire-module-"));
  try {
    return await fn(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * A program that sends and receives through a broker in memory, then through the others.
 *
 * @param base Where the source tree is, with a slash at the end.
 * @param urls Other brokers.
 * @returns Its text.
 */
export function clientProgram(base: string, urls: string[]): string {
  return `
import { connect, type Message, queue, type Session } from "${base}mod.ts";
import { MemoryBroker } from "${base}testing/mod.ts";

async function exchange(session: Session): Promise<Message | null> {
  const place = queue("module." + crypto.randomUUID());
  const producer = await session.createProducer(place);
  await producer.send("smile 😀", { properties: { attempt: 1 }, compress: true });
  const consumer = await session.createConsumer(place);
  return await consumer.receive({ timeout: 10_000 });
}

await using memory = await MemoryBroker.listen();
for (const url of [memory.url, ...${JSON.stringify(urls)}] as string[]) {
  await using connection = await connect(url, { connectTimeout: 10_000 });
  await using session = await connection.createSession();
  const message = await exchange(session);
  console.log(JSON.stringify([
    connection.brokerInfo?.brokerName,
    message?.text,
    message?.properties.get("attempt"),
  ]));
}
`;
}

/** What {@linkcode clientProgram} prints for each broker of that name. */
export function clientLine(brokerName: string): string {
  return `["${brokerName}","smile 😀",1]\n`;
}

/** A program that uses nothing but the codec: commands through both streams, in chunks of a few bytes. */
export function codecProgram(base: string): string {
  return `
import {
  createKeepAliveInfo,
  createWireFormatInfo,
  type DataStructure,
  OpenWireDecoderStream,
  OpenWireEncoderStream,
  OpenWireFormat,
} from "${base}codec/mod.ts";

const format = OpenWireFormat.fixed({ version: 12, tightEncodingEnabled: true });
const sent: DataStructure[] = [createKeepAliveInfo(), createKeepAliveInfo({ responseRequired: true })];

const readable = ReadableStream.from(sent)
  .pipeThrough(new OpenWireEncoderStream(format))
  .pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        for (let i = 0; i < chunk.length; i += 3) controller.enqueue(chunk.subarray(i, i + 3));
      },
    }),
  );
const names: string[] = [];
for await (const command of readable.pipeThrough(new OpenWireDecoderStream(format))) {
  names.push(command.dataType + (command.dataType === "KeepAliveInfo" && command.responseRequired ? "?" : ""));
}
console.log(names.join(" "), createWireFormatInfo().dataType);
`;
}

/** What {@linkcode codecProgram} prints. */
export const codecLine = "KeepAliveInfo KeepAliveInfo? WireFormatInfo\n";
