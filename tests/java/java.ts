/**
 * Java peers: the reference marshallers and the reference client, as processes. They need a JDK of 17 or later.
 *
 * The classes are compiled once into the user's cache folder.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brokers, skipWithout } from "../broker/env.ts";
import { cacheDir } from "../broker/cache.ts";
import type { BrokerKind } from "../broker/kinds.ts";
import { provision } from "../broker/provision.ts";
import { JavaSession, type JavaSessionOptions } from "./java_session.ts";

/** Why tests with Java peers and a broker can't run; `false` when they can. */
export function skipJava(kind: BrokerKind): string | false {
  return skipWithout(kind) || (brokers[kind]?.javac ? false : "no javac command");
}

/** Why tests with Java peers and ActiveMQ 5 can't run; `false` when they can. */
export const javaSkip: string | false = skipJava("activemq5");

const HERE = fileURLToPath(new URL(".", import.meta.url));
const CHECK = join(HERE, "check");

interface Jdk {
  kind: BrokerKind;
  java: string;
  javac: string;
  classpath: string;
}

/** What runs the peers: as the test runner says, or, without it, as found here. */
function jdk(kind: BrokerKind): Jdk {
  const found = brokers[kind] ?? provision(kind);
  if (typeof found === "string") throw new Error(found);
  const { java, javac, classpath } = found;
  if (!javac) throw new Error("No javac command");
  return { kind, java, javac, classpath };
}

const compiled: Partial<Record<BrokerKind, Promise<string[]>>> = {};

/** The `java` command with the class path of the peers, compiled if need be. */
function javaCommand(kind: BrokerKind): Promise<string[]> {
  return compiled[kind] ??= compile(jdk(kind));
}

async function compile({ kind, java, javac, classpath }: Jdk): Promise<string[]> {
  // What checks frames is for the marshallers of ActiveMQ 5: later ones have other limits.
  const folders = kind === "activemq5" ? [HERE, CHECK] : [HERE];
  const sources = folders.flatMap((folder) =>
    readdirSync(folder).filter((name) => name.endsWith(".java")).map((name) => ({
      name,
      text: forClient(kind, readFileSync(join(folder, name), "utf8")),
    }))
  );
  const hash = createHash("sha256").update(classpath);
  for (const { text } of sources) hash.update(text);
  const classes = join(cacheDir(), `java-${hash.digest("hex").slice(0, 16)}`);
  if (!existsSync(classes)) {
    mkdirSync(cacheDir(), { recursive: true });
    // Another runtime may do the same now: compile aside, then rename.
    const aside = mkdtempSync(join(cacheDir(), "javac-"));
    try {
      const files = sources.map(({ name, text }) => {
        const file = join(aside, name);
        writeFileSync(file, text);
        return file;
      });
      const options = ["--release", "17", "-nowarn", "-Xlint:none", "-cp", classpath, "-d", aside];
      await execute(javac, [...options, ...files]);
      if (!existsSync(classes)) renameSync(aside, classes);
    } finally {
      rmSync(aside, { recursive: true, force: true });
    }
  }
  const options = ["-Xmx1g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];
  return [java, ...options, "-cp", [classes, classpath].join(delimiter)];
}

/** One source for all clients: JMS has another package name in that of ActiveMQ 6. */
function forClient(kind: BrokerKind, source: string): string {
  return kind === "activemq6" ? source.replaceAll("javax.jms", "jakarta.jms") : source;
}

function execute(command: string, args: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(command, args, { timeout: 120_000 }, (error, _stdout, stderr) => {
      if (error) reject(new Error(`${command} failed: ${stderr}`, { cause: error }));
      else resolve();
    });
  });
}

/** A frame, or the frames of one connection, for {@linkcode checkWithJava}. */
export interface CheckLine {
  /** Comes back in the answer. */
  id: string;
  /** OpenWire version. */
  version: number;
  /** Whether the encoding is tight. */
  tight: boolean;
  /** Whether values are cached. */
  cache: boolean;
  /** Whether frames have no size prefix. */
  sizePrefixDisabled: boolean;
  /** Whether throwables carry their stack trace. */
  stackTrace: boolean;
  /** The bytes. */
  hex: string;
  /** Whether `hex` is any number of frames. */
  stream?: boolean;
  /** The negotiated size of the cache, of a stream. */
  cacheSize?: number;
  /** Whether to read the properties and the body of a message. */
  decodeBody?: boolean;
}

/** What Java read; exactly one of `fields`, `commands` and `error` is there. */
export interface CheckAnswer {
  /** The line's `id`. */
  id: string;
  /** Name of the Java class; `null` for the null command. */
  type?: string | null;
  /** The fields. */
  fields?: Record<string, unknown>;
  /** The commands of a stream. */
  commands?: { type: string | null; fields: Record<string, unknown> }[];
  /** What Java says is wrong. */
  error?: string;
  /** Properties of a message, with `decodeBody`. */
  properties?: [string, TypedValue][];
  /** Body of a message, with `decodeBody`. */
  body?: Record<string, unknown>;
  /** What the client API says, where it differs. */
  javaProperties?: [string, TypedValue][];
  /** What the client API says, where it differs. */
  javaBody?: Record<string, unknown>;
}

/** Decodes frames with the Java marshallers, strictly; one answer for each line, in order. */
export async function checkWithJava(
  lines: CheckLine[],
  deadline = 120_000,
): Promise<CheckAnswer[]> {
  const [java, ...options] = await javaCommand("activemq5");
  const child = spawn(java!, [...options, "Check", join(CHECK, "schema.tsv"), "-"]);
  const out = collect(child, "stdout");
  const err = collect(child, "stderr");
  const timer = setTimeout(() => child.kill("SIGKILL"), deadline);
  // A broken pipe says less than the exit code and the error output.
  child.stdin.on("error", () => {});
  child.stdin.end(lines.map((line) => JSON.stringify(line) + "\n").join(""));
  const [code, signal] = await once(child, "close").finally(() => clearTimeout(timer));
  // 1 says that some lines have errors, which their answers tell.
  if (code !== 0 && code !== 1) {
    throw new Error(`Check ended with ${code ?? signal}: ${err.join("")}`);
  }
  const answers = out.join("").split("\n").filter(Boolean).map((line) =>
    JSON.parse(line) as CheckAnswer
  );
  if (answers.length !== lines.length) {
    throw new Error(`Check answered ${answers.length} of ${lines.length} lines: ${err.join("")}`);
  }
  return answers;
}

function collect(child: ChildProcess, name: "stdout" | "stderr"): string[] {
  const chunks: string[] = [];
  child[name]!.setEncoding("utf8").on("data", (chunk: string) => chunks.push(chunk));
  return chunks;
}

/** A Java value with its type. */
export type TypedValue =
  | { t: "null" }
  | { t: "boolean"; v: boolean }
  | { t: "byte" | "short" | "int"; v: number }
  | { t: "long"; v: string }
  | { t: "char" | "string"; v: string }
  /** Numbers that JSON has not are strings: `"NaN"`, `"-0"`. `bits` wins over `v`. */
  | { t: "float" | "double"; v: number | string; bits?: string }
  | { t: "bytes"; v: { $bytes: string } }
  | { t: "map"; v: [string, TypedValue][] }
  | { t: "list"; v: TypedValue[] };

/** A body for Java to send; the member goes with the message's type. */
export type JavaBody =
  | { text: string | null }
  /** The writes follow the bytes, as the `write` methods do; strings by `writeUTF`. */
  | { bytes?: { $bytes: string }; writes?: TypedValue[] }
  | { map: [string, TypedValue][] }
  | { stream: TypedValue[] }
  | { object: string | string[] | null };

/** Where and as whom a Java client connects. */
export interface JavaConnection {
  /** The broker's address, with any `wireFormat.` and `jms.` options of the Java client. */
  url: string;
  /** User name. */
  user?: string;
  /** Password. */
  password?: string;
}

/** A message for Java to send, and where. */
export interface JavaSend extends JavaConnection, JavaOutgoing {
  /** Name of the queue. */
  queue?: string;
  /** Name of the topic, instead of a queue. */
  topic?: string;
  /** Whether the client compresses. */
  compressed?: boolean;
}

/** A message for Java to send. */
export interface JavaOutgoing {
  /** The message's type. */
  type: "text" | "bytes" | "map" | "stream" | "object" | "message";
  /** The body; none for `message`. */
  body?: JavaBody;
  /** Properties in the order to set them. */
  properties?: [string, TypedValue][];
  /** JMSCorrelationID. */
  correlationId?: string;
  /** JMSType. */
  jmsType?: string;
  /** JMSPriority. */
  priority?: number;
  /** JMSDeliveryMode. @default {true} */
  persistent?: boolean;
  /** Milliseconds that the message lives. */
  timeToLive?: number;
  /** JMSReplyTo: name of a queue, or `topic://NAME`, `temp-queue://NAME`. */
  replyTo?: string;
}

/** What Java is to receive. */
export interface JavaReceive extends JavaConnection {
  /** Name of the queue. */
  queue: string;
  /** Milliseconds to wait. @default {5_000} */
  timeout?: number;
  /** Takes only messages that match. */
  selector?: string;
  /** Whether it is not acknowledged, so that the broker delivers it again. */
  leave?: boolean;
  /** Types to read from the start of a bytes message, a number reads as many bytes. */
  reads?: (
    | "boolean"
    | "byte"
    | "short"
    | "char"
    | "int"
    | "long"
    | "float"
    | "double"
    | "string"
    | number
  )[];
}

/** A message as the Java client sees it. */
export interface JavaMessage {
  /** Name of its class, such as `ActiveMQTextMessage`. */
  type: string;
  /** Its headers; times are decimal strings, destinations are written as `queue://NAME`. */
  headers: {
    JMSMessageID: string;
    JMSDestination: string;
    JMSCorrelationID: string | null;
    JMSReplyTo: string | null;
    JMSType: string | null;
    JMSTimestamp: string;
    JMSExpiration: string;
    JMSPriority: number;
    /** 1 is non-persistent, 2 is persistent. */
    JMSDeliveryMode: 1 | 2;
    JMSRedelivered: boolean;
    JMSXGroupID: string | null;
    /** 0 is none. */
    JMSXGroupSeq: number;
  };
  /** Properties, sorted by name. */
  properties: [string, TypedValue][];
  /** The body; the members go with the type. An object is what its `toString` says. */
  body: {
    text?: string | null;
    hex?: string;
    length?: number;
    reads?: TypedValue[];
    map?: [string, TypedValue][];
    stream?: TypedValue[];
    object?: string | null;
    className?: string | null;
  };
}

interface Waiting {
  resolve(answer: Record<string, unknown>): void;
  reject(error: Error): void;
  timer: ReturnType<typeof setTimeout>;
}

/**
 * The Java client in a process of its own, for any number of steps, also at the same time.
 *
 * With each broker it is the client that comes with that broker: 5.17 of ActiveMQ 5, 6.3 of ActiveMQ 6, and 5.19, which
 * Artemis takes its OpenWire from. So one run of the tests sees three of them, and each where it is used most.
 */
export class JavaClient implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  readonly #waiting = new Map<number, Waiting>();
  readonly #stderr: string[];
  #nextId = 1;
  #line = "";
  #gone: Error | undefined;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#stderr = collect(child, "stderr");
    child.stdin!.on("error", () => {});
    child.stdout!.setEncoding("utf8").on("data", (chunk: string) => this.#read(chunk));
    this.#closed = once(child, "close").then(
      ([code, signal]) => this.#end(`ended with ${code ?? signal}: ${this.#stderr.join("")}`),
      (error) => this.#end(`did not start: ${error}`),
    );
  }

  /** Starts the process, with a broker's client. */
  static async start(kind: BrokerKind = "activemq5"): Promise<JavaClient> {
    const [java, ...options] = await javaCommand(kind);
    return new JavaClient(spawn(java!, [...options, "Interop"]));
  }

  /** Sends a message; resolves with its id when the broker has it. */
  async send(message: JavaSend, deadline = 15_000): Promise<string> {
    const { messageId } = await this.#ask({ op: "send", ...message }, deadline);
    return messageId as string;
  }

  /** Receives one message and, unless it is to be left, acknowledges it; `undefined` when none came in time. */
  async receive(what: JavaReceive, deadline = 15_000): Promise<JavaMessage | undefined> {
    const timeout = what.timeout ?? 5_000;
    const { message } = await this.#ask({ op: "receive", ...what, timeout }, timeout + deadline);
    return (message as JavaMessage | null) ?? undefined;
  }

  /** Opens a session with a connection of its own. */
  open(options: JavaSessionOptions): Promise<JavaSession> {
    return JavaSession.open((command, deadline) => this.#ask(command, deadline), options);
  }

  /** Ends the process. */
  async close(): Promise<void> {
    this.#child.stdin!.end();
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 10_000);
    try {
      await this.#closed;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends the process. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #ask(command: Record<string, unknown>, deadline: number): Promise<Record<string, unknown>> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      if (this.#gone) return reject(this.#gone);
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new Error(`Java did not answer ${command.op} within ${deadline} ms`));
      }, deadline);
      this.#waiting.set(id, { resolve, reject, timer });
      this.#child.stdin!.write(JSON.stringify({ ...command, id }) + "\n");
    });
  }

  #read(chunk: string): void {
    const lines = (this.#line + chunk).split("\n");
    this.#line = lines.pop()!;
    for (const line of lines) {
      const { id, error, ...answer } = JSON.parse(line) as Record<string, unknown>;
      const waiting = this.#waiting.get(id as number);
      if (!waiting) continue;
      this.#waiting.delete(id as number);
      clearTimeout(waiting.timer);
      if (error === undefined) waiting.resolve(answer);
      else waiting.reject(new Error(`Java: ${error}`));
    }
  }

  #end(why: string): void {
    this.#gone = new Error(`Java ${why}`);
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(this.#gone);
    }
    this.#waiting.clear();
  }
}
