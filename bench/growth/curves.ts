/** The curves: what grows, and what stays as it is. */
import { ENCODING_NAMES, type Load, MESSAGE_NAMES, USUAL } from "./load.ts";

/** One point of a curve. */
export interface Point {
  /** Where it stands, by the names that the pictures use. */
  readonly at: Readonly<Record<string, number | string>>;
  /** What is done there. */
  readonly load: Load;
}

/** A curve. */
export interface Curve {
  /** Name of its file in `docs/growth/`. */
  readonly name: string;
  readonly points: readonly Point[];
}

const TO_1000 = [1, 3, 10, 30, 100, 300, 1000];

/** All curves. */
export const CURVES: readonly Curve[] = [
  // All on one queue.
  grow("consumers", TO_1000, (consumers) => ({ consumers })),
  // One producer sends to all of them in turn; each has a consumer, all on one connection.
  grow("destinations", TO_1000, (destinations) => ({
    operations: ["send", "receive"],
    destinations,
  })),
  // One producer and one consumer on each, all on one queue.
  grow("connections", TO_1000, (connections) => ({
    operations: ["connect", "send", "receive"],
    connections,
  })),
  // Bytes messages.
  grow("size", [100, 1024, 10_240, 102_400, 1_048_576, 10_485_760], (message) => ({
    operations: ["send", "receive"],
    message,
  })),
  grow("prefetch", [0, 1, 10, 100, 1000, 10_000], (prefetch) => ({ prefetch })),
  {
    name: "encoding",
    points: MESSAGE_NAMES.flatMap((message) =>
      ENCODING_NAMES.map((encoding): Point => ({
        at: { message, encoding },
        load: { ...USUAL, operations: ["send", "receive"], message, encoding },
      }))
    ),
  },
];

function grow(
  name: string,
  values: readonly number[],
  loadAt: (value: number) => Partial<Load>,
): Curve {
  const points = values.map((value) => ({
    at: { [name]: value },
    load: { ...USUAL, ...loadAt(value) },
  }));
  return { name, points };
}
