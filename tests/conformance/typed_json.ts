/** Typed values of properties and bodies to and from the JSON of the vectors. */

import {
  type BytesReader,
  type BytesWriter,
  PrimitiveList,
  PrimitiveMap,
  type PrimitiveType,
  TypedValue,
} from "../../codec/mod.ts";
import { fromBase64, toBase64 } from "./convert.ts";

/** A typed value as it stands in a vector. */
export interface TypedJson {
  readonly t: PrimitiveType;
  readonly v?: unknown;
  readonly bits?: string;
}

/** JSON of a typed value; maps are sorted by name. */
export function typedToJson({ type, value }: TypedValue): TypedJson {
  switch (type) {
    case "null":
      return { t: type };
    case "long":
      return { t: type, v: String(value) };
    case "float":
    case "double":
      return { t: type, v: numberToJson(value as number), bits: bitsOf(type, value as number) };
    case "bytes":
      return { t: type, v: { $bytes: toBase64(value as Uint8Array) } };
    case "map":
      return { t: type, v: mapToJson(value as PrimitiveMap) };
    case "list":
      return { t: type, v: [...(value as PrimitiveList).typedValues()].map(typedToJson) };
    default:
      return { t: type, v: value };
  }
}

/** JSON of a map, sorted by name. */
export function mapToJson(map: PrimitiveMap): [string, TypedJson][] {
  return sorted([...map.typedEntries()].map(([name, value]) => [name, typedToJson(value)]));
}

/** Sorts names by their UTF-16 units. */
export function sorted<T>(entries: readonly [string, T][]): [string, T][] {
  return [...entries].sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0);
}

/** The value for a vector's JSON. */
export function typedFromJson({ t, v, bits }: TypedJson): TypedValue {
  switch (t) {
    case "null":
      return new TypedValue(t, null);
    case "long":
      return new TypedValue(t, BigInt(v as string));
    case "float":
    case "double":
      return new TypedValue(t, fromBits(t, bits!));
    case "bytes":
      return new TypedValue(t, fromBase64((v as { $bytes: string }).$bytes));
    case "map":
      return new TypedValue(
        t,
        new PrimitiveMap(
          new Map((v as [string, TypedJson][]).map(([name, item]) => [name, typedFromJson(item)])),
        ),
      );
    case "list":
      return new TypedValue(t, new PrimitiveList((v as TypedJson[]).map(typedFromJson)));
    default:
      return new TypedValue(t, v as string);
  }
}

/** JSON in which numbers are written in one way, whatever the vector's writer did. */
export function canonical(json: TypedJson): TypedJson {
  return typedToJson(typedFromJson(json));
}

/** Reads a value of a type from the body of a bytes message. */
export function readTyped(reader: BytesReader, { t, v }: TypedJson): TypedJson {
  const read = (): unknown => {
    switch (t) {
      case "boolean":
        return reader.readBoolean();
      case "byte":
        return reader.readByte();
      case "char":
        return reader.readChar();
      case "short":
        return reader.readShort();
      case "int":
        return reader.readInt();
      case "long":
        return reader.readLong();
      case "float":
        return reader.readFloat();
      case "double":
        return reader.readDouble();
      case "string":
        return reader.readUtf();
      case "bytes":
        return reader.readBytes(fromBase64((v as { $bytes: string }).$bytes).length);
      default:
        throw new Error(`A bytes message holds no ${t}`);
    }
  };
  return typedToJson(new TypedValue(t, read() as string));
}

/** Writes a value of a type to the body of a bytes message. */
export function writeTyped(writer: BytesWriter, json: TypedJson): void {
  const { type, value } = typedFromJson(json);
  switch (type) {
    case "boolean":
      return void writer.writeBoolean(value as boolean);
    case "byte":
      return void writer.writeByte(value as number);
    case "char":
      return void writer.writeChar(value as string);
    case "short":
      return void writer.writeShort(value as number);
    case "int":
      return void writer.writeInt(value as number);
    case "long":
      return void writer.writeLong(value as bigint);
    case "float":
      return void writer.writeFloat(value as number);
    case "double":
      return void writer.writeDouble(value as number);
    case "string":
      return void writer.writeUtf(value as string);
    case "bytes":
      return void writer.writeBytes(value as Uint8Array);
    default:
      throw new Error(`A bytes message holds no ${type}`);
  }
}

function numberToJson(value: number): number | string {
  return Number.isFinite(value) && !Object.is(value, -0)
    ? value
    : Object.is(value, -0)
    ? "-0"
    : String(value);
}

function bitsOf(type: "float" | "double", value: number): string {
  const view = new DataView(new ArrayBuffer(8));
  if (type === "float") view.setFloat32(0, value);
  else view.setFloat64(0, value);
  return view.getBigUint64(0).toString(16).padStart(16, "0").slice(0, type === "float" ? 8 : 16);
}

function fromBits(type: "float" | "double", bits: string): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, BigInt(`0x${bits.padEnd(16, "0")}`));
  return type === "float" ? view.getFloat32(0) : view.getFloat64(0);
}
