/** Data structures to and from the JSON of the vectors, by the schema. */

import * as codec from "../../codec/mod.ts";
import type { DataStructure, Throwable } from "../../codec/mod.ts";
import { allFields, byName } from "../../codec/schema/model.ts";
import type { Field } from "../../codec/schema/schema.ts";

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
type Fields = { [name: string]: Json };

/** The `fields` of a value, as a vector of that version has them. */
export function toFields(value: DataStructure, version: number, stackTrace: boolean): Fields {
  const json: Fields = {};
  for (const field of fieldsOf(value.dataType, version)) {
    const item = (value as unknown as Record<string, unknown>)[field.name];
    json[field.javaName ?? field.name] = toJson(field, item, version, stackTrace);
  }
  return json;
}

/** The value for the `fields` of a vector. */
export function fromFields(type: string, fields: Fields): DataStructure {
  const create =
    (codec as unknown as Record<string, (init: object) => DataStructure>)[`create${type}`];
  if (create === undefined || !byName.has(type)) throw new Error(`Unknown type ${type}`);
  const known = new Map(allFields(type).map((field) => [field.javaName ?? field.name, field]));
  const init: Record<string, unknown> = {};
  for (const [name, json] of Object.entries(fields)) {
    if (name === "$type") continue;
    const field = known.get(name);
    if (field === undefined) throw new Error(`Unknown field ${type}.${name}`);
    init[field.name] = fromJson(field, json);
  }
  return create(init);
}

function fieldsOf(type: string, version: number): Field[] {
  return allFields(type).filter(({ since, until }) => since <= version && version <= (until ?? 99));
}

function toJson(field: Field, value: unknown, version: number, stackTrace: boolean): Json {
  if (value === null) return null;
  switch (field.kind.name) {
    case "long":
      return String(value);
    case "bytes":
    case "constBytes":
      return { $bytes: toBase64(value as Uint8Array) };
    case "throwable":
      return throwableToJson(value as Throwable, stackTrace);
    case "nested":
    case "cached":
      return nestedToJson(value as DataStructure, version, stackTrace);
    case "array":
      return (value as (DataStructure | null)[]).map((item) =>
        item && nestedToJson(item, version, stackTrace)
      );
    default:
      return value as Json;
  }
}

function nestedToJson(value: DataStructure, version: number, stackTrace: boolean): Json {
  return { $type: value.dataType, ...toFields(value, version, stackTrace) };
}

function throwableToJson(value: Throwable, stackTrace: boolean): Json {
  const { className, message } = value;
  if (!stackTrace) return { $throwable: { className, message } };
  const calls = value.stackTrace.map(({ className, methodName, fileName, lineNumber }) => ({
    className,
    methodName,
    fileName,
    lineNumber,
  }));
  const cause = value.cause && throwableToJson(value.cause, stackTrace);
  return { $throwable: { className, message, stackTrace: calls, cause } };
}

function fromJson(field: Field, json: Json): unknown {
  if (json === null) return null;
  switch (field.kind.name) {
    case "long":
      return toLong(json as string);
    case "bytes":
    case "constBytes":
      return fromBase64((json as { $bytes: string }).$bytes);
    case "throwable":
      return throwableFromJson(json as unknown as { $throwable: Throwable });
    case "nested":
    case "cached":
      return nestedFromJson(json as Fields);
    case "array":
      return (json as (Fields | null)[]).map((item) => item && nestedFromJson(item));
    default:
      return json;
  }
}

function nestedFromJson(json: Fields): DataStructure {
  return fromFields(json["$type"] as string, json);
}

function throwableFromJson({ $throwable }: { $throwable: Throwable }): Throwable {
  const { className, message, stackTrace = [], cause = null } = $throwable;
  const nested = cause as unknown as { $throwable: Throwable } | null;
  return { className, message, stackTrace, cause: nested && throwableFromJson(nested) };
}

/** A number when it is a safe integer, as the decoder returns. */
export function toLong(text: string): number | bigint {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : BigInt(text);
}

/** Bytes from base 64. */
export function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (unit) => unit.charCodeAt(0));
}

/** Base 64 of bytes. */
export function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** Bytes from hex. */
export function fromHex(hex: string): Uint8Array<ArrayBuffer> {
  if (!/^([0-9a-f]{2})*$/.test(hex)) throw new Error("hex is expected");
  const bytes = new Uint8Array(hex.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = parseInt(hex.substr(i * 2, 2), 16);
  return bytes;
}

/** Hex of bytes. */
export function toHex(bytes: Uint8Array): string {
  let hex = "";
  for (const byte of bytes) hex += (byte < 16 ? "0" : "") + byte.toString(16);
  return hex;
}
