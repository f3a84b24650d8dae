/** Writes DER, the encoding of certificates and key stores: a tag, a length and what is in it. */

import { concat } from "@std/bytes";

type Bytes = Uint8Array<ArrayBuffer>;

/** A value with its tag. */
export function tagged(tag: number, ...parts: Uint8Array[]): Bytes {
  const content = concat(parts);
  return concat([Uint8Array.of(tag, ...lengthOf(content)), content]);
}

export function sequence(...parts: Uint8Array[]): Bytes {
  return tagged(0x30, ...parts);
}

export function set(...parts: Uint8Array[]): Bytes {
  return tagged(0x31, ...parts);
}

/** `[n]` that holds other values. */
export function explicit(n: number, ...parts: Uint8Array[]): Bytes {
  return tagged(0xa0 | n, ...parts);
}

/** `[n]` in the place of the tag that the value had. */
export function implicit(n: number, content: Uint8Array): Bytes {
  return tagged(0x80 | n, content);
}

/** An integer that is not negative. */
export function integer(value: number | Uint8Array): Bytes {
  let bytes = typeof value === "number" ? bytesOf(value) : value;
  while (bytes.length > 1 && bytes[0] === 0) bytes = bytes.subarray(1);
  return tagged(0x02, bytes[0]! & 0x80 ? Uint8Array.of(0) : new Uint8Array(), bytes);
}

/** A name of a thing that is registered, such as `2.5.29.17`. */
export function oid(dotted: string): Bytes {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return tagged(0x06, ...[40 * first + second, ...rest].map(base128));
}

export function bool(value: boolean): Bytes {
  return tagged(0x01, Uint8Array.of(value ? 0xff : 0));
}

export function nothing(): Bytes {
  return tagged(0x05);
}

export function octets(bytes: Uint8Array): Bytes {
  return tagged(0x04, bytes);
}

/** Bits that fill whole bytes. */
export function bits(bytes: Uint8Array): Bytes {
  return tagged(0x03, Uint8Array.of(0), bytes);
}

export function utf8(text: string): Bytes {
  return tagged(0x0c, new TextEncoder().encode(text));
}

/** Text of two bytes a character. */
export function bmp(text: string): Bytes {
  const codes = Array.from({ length: text.length }, (_, at) => text.charCodeAt(at));
  return tagged(0x1e, Uint8Array.from(codes.flatMap((code) => [code >> 8, code & 0xff])));
}

/** A time, to the second. */
export function time(date: Date): Bytes {
  const digits = date.toISOString().replace(/\.\d+|[-:T]/g, "");
  return tagged(0x18, new TextEncoder().encode(digits));
}

/** PEM: DER in base64 with a label around it. */
export function pem(label: string, der: Uint8Array): string {
  const lines = btoa(String.fromCharCode(...der)).match(/.{1,64}/g)!;
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

function lengthOf({ length }: Uint8Array): number[] {
  if (length < 0x80) return [length];
  const bytes = bytesOf(length);
  return [0x80 | bytes.length, ...bytes];
}

function bytesOf(value: number): Bytes {
  const bytes = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Uint8Array.from(bytes.length > 0 ? bytes : [0]);
}

function base128(value: number): Bytes {
  const bytes = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) {
    bytes.unshift(0x80 | (rest % 128));
  }
  return Uint8Array.from(bytes);
}
