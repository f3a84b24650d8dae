/** What is measured with a real broker, and who can do it. */
import type { Runtime } from "../_runtimes.ts";

/** Who is measured. */
export type Client = Runtime | "java" | "stompjs" | "stompit" | "rhea";

/** All of them; the first three are ours. */
export const CLIENTS: readonly Client[] = [
  "deno",
  "bun",
  "node",
  "java",
  "stompjs",
  "stompit",
  "rhea",
];

/** What one client does in its turn; the same for all of them. */
export interface Workload {
  readonly name: string;
  /**
   * - `produce`: sends, until the broker has taken the last message.
   * - `consume`: takes what another process has sent before.
   * - `request`: sends requests one by one and waits for the replies.
   */
  readonly kind: "produce" | "consume" | "request";
  /** Characters of a message's text. */
  readonly body: number;
  readonly count: number;
  readonly persistent: boolean;
  /**
   * Of producers:
   *
   * - `unconfirmed`: at full speed, without a window; only the last message waits for the broker's answer.
   * - `windowed`: the same with a window of {@linkcode WINDOW} bytes, which ours has by default and Java's does not.
   * - `confirmed`: the broker answers each, and up to {@linkcode IN_FLIGHT} wait for that at the same time.
   * - `sequential`: each is awaited before the next. One that isn't persistent is so when it was handed over.
   * - `transacted`: in batches of {@linkcode BATCH}.
   *
   * Of consumers:
   *
   * - `handler`, `loop`, `stream`: mode `auto`, and how messages are taken.
   * - `individual`: a handler that acknowledges each one itself.
   * - `transacted`: a loop that commits after each {@linkcode BATCH}.
   */
  readonly style: Style;
  /** How often it is done in one turn: processes are told their CPU in steps of 10 ms. */
  readonly passes: number;
  /** Those to compare with if another client has no way to do this one, the nearest first. */
  readonly nearest?: readonly string[];
}

/** See {@linkcode Workload.style}. */
export type Style =
  | "unconfirmed"
  | "windowed"
  | "confirmed"
  | "sequential"
  | "transacted"
  | "handler"
  | "loop"
  | "stream"
  | "individual";

/** Messages of a producer that wait for something at the same time. */
export const IN_FLIGHT = 500;
/** Bytes that a producer with a window may have on their way. */
export const WINDOW: number = 1_048_576;
/** Messages of a transaction. */
export const BATCH = 100;
/** Messages that the broker sends ahead to a consumer: what Java's client has by default for queues. */
export const PREFETCH = 1000;

const KIB = 1024;

/** What the bars are about is what is done with messages of this size. */
export const BAR_BODY: number = KIB;

/**
 * All of them. What one turn sends stays under 60 MB: the tests' broker keeps no more than 256 MB in memory, and counts
 * 1 KiB for what a message has beside its body.
 */
export const WORKLOADS: readonly Workload[] = [
  produce("produce-100", 100, 25_000, "unconfirmed"),
  produce("produce-1k", KIB, 20_000, "unconfirmed"),
  produce("produce-64k", 64 * KIB, 600, "unconfirmed"),
  produce("produce-1m", 1024 * KIB, 40, "unconfirmed"),
  produce("produce-1k-windowed", KIB, 20_000, "windowed"),
  produce("produce-1k-sequential", KIB, 10_000, "sequential"),
  produce("produce-1k-transacted", KIB, 10_000, "transacted"),
  persistent("persistent-100", 100, 4_000, "confirmed"),
  persistent("persistent-1k", KIB, 4_000, "confirmed"),
  persistent("persistent-64k", 64 * KIB, 300, "confirmed"),
  persistent("persistent-1m", 1024 * KIB, 20, "confirmed"),
  persistent("persistent-1k-unconfirmed", KIB, 4_000, "unconfirmed"),
  persistent("persistent-1k-sequential", KIB, 1_000, "sequential"),
  consume("consume-100", 100, 25_000, "handler"),
  consume("consume-1k", KIB, 20_000, "handler"),
  consume("consume-64k", 64 * KIB, 600, "handler"),
  consume("consume-1k-loop", KIB, 20_000, "loop", ["consume-1k"]),
  consume("consume-1k-stream", KIB, 20_000, "stream", ["consume-1k-loop", "consume-1k"]),
  consume("consume-1k-individual", KIB, 20_000, "individual", ["consume-1k"]),
  consume("consume-1k-transacted", KIB, 20_000, "transacted"),
  {
    name: "request-1k",
    kind: "request",
    body: KIB,
    count: 2_000,
    persistent: false,
    style: "sequential",
    passes: 1,
  },
];

function produce(name: string, body: number, count: number, style: Style): Workload {
  return { name, kind: "produce", body, count, persistent: false, style, passes: passesOf(body) };
}

function passesOf(body: number): number {
  return body > KIB ? 1 : 3;
}

function persistent(name: string, body: number, count: number, style: Style): Workload {
  return { name, kind: "produce", body, count, persistent: true, style, passes: 1 };
}

function consume(
  name: string,
  body: number,
  count: number,
  style: Style,
  nearest: readonly string[] = [],
): Workload {
  const passes = passesOf(body);
  return { name, kind: "consume", body, count, persistent: false, style, nearest, passes };
}

/** Other protocols know no windows of producers, their clients no loops and streams. */
const OPENWIRE_ONLY: ReadonlySet<Style> = new Set(["windowed", "loop", "stream"]);

/** Whether a client has a way to do it; that of AMQP has no transactions. */
export function canDo(client: Client, { style, kind }: Workload): boolean {
  switch (client) {
    case "deno":
    case "bun":
    case "node":
      return true;
    case "java":
      // Its receive() is what is nearest to both, and measured as the loop.
      return style !== "stream";
    case "stompjs":
      return !OPENWIRE_ONLY.has(style);
    case "stompit":
      // With acknowledgements of its own it comes to a stop now and then in these tasks; why was not found.
      return !OPENWIRE_ONLY.has(style) && style !== "individual" &&
        !(kind === "consume" && style === "transacted");
    case "rhea":
      return kind !== "request" && style !== "loop" && style !== "stream" && style !== "transacted";
  }
}

/** The workload with fewer messages; a transacted one keeps whole batches. */
export function scaled(workload: Workload, factor: number): Workload {
  const count = Math.max(1, Math.round(workload.count * factor));
  return {
    ...workload,
    passes: 1,
    count: workload.style === "transacted" ? Math.max(BATCH, count - count % BATCH) : count,
  };
}
