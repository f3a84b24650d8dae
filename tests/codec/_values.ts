/** Random values of every data type, by the schema. */
import * as codec from "../../codec/mod.ts";
import {
  byte,
  char,
  type DataStructure,
  double,
  encodePrimitiveMap,
  float,
  int,
  type Long,
  long,
  type PrimitiveInput,
  short,
  type StackTraceElement,
  type Throwable,
} from "../../codec/mod.ts";
import {
  allFields,
  concreteOf,
  type ConcreteType,
  concreteTypes,
} from "../../codec/schema/model.ts";
import type { Field } from "../../codec/schema/schema.ts";

const LONGS: readonly Long[] = [
  0,
  1,
  -1,
  0x7fff,
  0x8000,
  0xffff,
  0x10000,
  0x7fffffff,
  0x80000000,
  0xffffffff,
  2 ** 32,
  2 ** 53 - 1,
  2n ** 53n,
  -(2n ** 53n),
  2n ** 63n - 1n,
  -(2n ** 63n),
];
const INTS = [0, 1, -1, 127, 128, 32767, 32768, 2147483647, -2147483648];
const TEXTS = [
  "",
  "a",
  "hello",
  "ID:host-1234-5:6",
  "é",
  "€uro",
  "\0",
  "😀",
  "\ud800",
  "\ufffd",
  "x\0y",
];
/** Exceptions that Java can build from a message, and give a cause. */
const EXCEPTIONS = [
  "java.io.IOException",
  "java.lang.IllegalStateException",
  "java.lang.Exception",
];

/**
 * Fields for which Java says something else when they are null, or fails: a mime type has a default, the subscribed
 * destination is the destination, a transaction id needs both its parts.
 */
const NEVER_NULL = new Set([
  "mimeType",
  "subscribedDestination",
  "globalTransactionId",
  "branchQualifier",
]);

/** Makes random values of one version. */
export class RandomValues {
  readonly #random: () => number;
  readonly #version: number;

  /** Makes a generator of values for a version. */
  constructor(random: () => number, version: number) {
    this.#random = random;
    this.#version = version;
  }

  /** All types that the version has. */
  get types(): readonly string[] {
    return concreteTypes.filter(({ since }) => since <= this.#version).map(({ name }) => name);
  }

  /** A value of a type. Fields that the version has not are as the factory makes them. */
  of(name: string, depth = 0): DataStructure {
    const init: Record<string, unknown> = {};
    for (const field of allFields(name)) {
      if (field.since > this.#version || this.#version > (field.until ?? 99)) continue;
      init[field.name] = this.#field(name, field, depth);
    }
    const create = (codec as unknown as Record<string, (init: object) => DataStructure>)[
      `create${name}`
    ]!;
    return create(init);
  }

  /** A value of any type. */
  any(depth = 0): DataStructure {
    return this.of(this.pick(this.types), depth);
  }

  /** One of some values. */
  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }

  /** An integer from 0 to below a limit. */
  below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  /** True with a probability. */
  chance(probability: number): boolean {
    return this.#random() < probability;
  }

  /** Text, sometimes with what is hard to encode. */
  text(): string {
    if (this.chance(0.5)) return this.pick(TEXTS);
    const parts = Array.from({ length: this.below(12) }, () => this.pick(TEXTS));
    return parts.join(this.chance(0.05) ? "long".repeat(100) : "");
  }

  /** Bytes. */
  bytes(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.chance(0.1) ? this.below(3000) : this.below(20));
    for (let i = 0; i < bytes.length; i++) bytes[i] = this.below(256);
    return bytes;
  }

  /** A value for a map or a list. */
  primitive(depth = 0): PrimitiveInput {
    switch (this.below(depth < 3 ? 14 : 12)) {
      case 0:
        return null;
      case 1:
        return this.chance(0.5);
      case 2:
        return byte(this.below(256) - 128);
      case 3:
        return char(String.fromCharCode(this.below(65536)));
      case 4:
        return short(this.below(65536) - 32768);
      case 5:
        return int(this.pick(INTS));
      case 6:
        return long(this.pick(LONGS));
      case 7:
        return double(this.pick([0, -0, 1.5, NaN, Infinity, -Infinity, 5e-324, 1e308]));
      case 8:
        return float(this.pick([0, -0, 1.5, NaN, Infinity, -Infinity, 1e-45, 3e38]));
      case 9:
      case 10:
        return this.chance(0.02) ? "s".repeat(8180 + this.below(20)) : this.text();
      case 11:
        return this.bytes();
      case 12:
        return this.primitives(depth + 1);
      default:
        return Array.from({ length: this.below(4) }, () => this.primitive(depth + 1));
    }
  }

  /** Named values. */
  primitives(depth = 0): Map<string, PrimitiveInput> {
    const map = new Map<string, PrimitiveInput>();
    for (let n = this.below(5); n > 0; n--) map.set(this.text(), this.primitive(depth));
    return map;
  }

  #field(type: string, { name, kind }: Field, depth: number): unknown {
    const none = !NEVER_NULL.has(name) && this.chance(0.25 + depth * 0.1);
    switch (kind.name) {
      case "boolean":
        return this.chance(0.5);
      case "byte":
        // Java clamps the priority of a message.
        return name === "priority" && type.endsWith("Message")
          ? this.below(10)
          : this.below(256) - 128;
      case "int":
        return this.chance(0.5) ? this.pick(INTS) : this.below(100);
      case "long":
        return this.chance(0.7) ? this.pick(LONGS) : this.below(100_000);
      case "string":
        if (name === "physicalName") return this.#destinationName(type);
        return none ? null : this.text();
      case "bytes":
        if (name === "marshalledProperties") {
          return none ? null : encodePrimitiveMap(this.primitives());
        }
        return none ? null : this.bytes();
      case "constBytes":
        return Uint8Array.of(65, 99, 116, 105, 118, 101, 77, 81);
      case "throwable":
        return none ? null : this.#throwable();
      case "nested":
      case "cached":
        return none ? null : this.#nested(kind.of, depth);
      case "array": {
        if (none) return null;
        // Java says null of an empty path.
        const least = name === "networkConsumerPath" ? 1 : 0;
        const length = least + (this.chance(0.05) ? this.below(60) : this.below(4));
        return Array.from({ length }, () => this.chance(0.2) ? null : this.#nested(kind.of, depth));
      }
    }
  }

  #nested(name: string, depth: number): DataStructure | null {
    // What closes something names its id.
    const types = name === "DataStructure" && (depth > 2 || this.chance(0.5))
      ? concreteOf("DataStructure").filter((type) => type.name.endsWith("Id"))
      : concreteOf(name);
    const known = types.filter((type: ConcreteType) => type.since <= this.#version);
    return depth > 6 ? null : this.of(this.pick(known).name, depth + 1);
  }

  #destinationName(type: string): string {
    const number = this.below(50);
    return type.includes("Temp")
      ? `ID:host-1-2:1:${number}`
      : this.pick([`Q.${number}`, `käse.${number}`, `>`, `a.*.${number}`, `smile😀${number}`]);
  }

  #throwable(depth = 0): Throwable {
    return {
      className: this.pick(EXCEPTIONS),
      // Some versions cut a longer one.
      message: this.chance(0.2) ? null : this.text().slice(0, 1000),
      stackTrace: Array.from({ length: this.below(4) }, (): StackTraceElement => ({
        className: `a.B${this.below(5)}`,
        methodName: this.text(),
        fileName: this.chance(0.3) ? null : this.text(),
        lineNumber: this.pick(INTS),
      })),
      cause: depth < 4 && this.chance(0.3) ? this.#throwable(depth + 1) : null,
    };
  }
}
