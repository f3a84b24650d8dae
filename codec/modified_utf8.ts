/**
 * Java's modified UTF-8 (`java.io.DataInput`): NUL is two bytes, a supplementary character is two
 * surrogates of three bytes each.
 */

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

/** Below this length a loop over the characters beats a call of the runtime's encoder. */
const SHORT = 48;

/** What standard UTF-8 has another form for. */
const DIFFERENT = /[\0\ud800-\udfff]/;

/** Number of bytes that `text` takes. */
export function modifiedUtf8Length(text: string): number {
  let size = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7ff) size += 2;
    else if (unit > 0x7f || unit === 0) size += 1;
  }
  return size;
}

/**
 * Writes `text` into `target` from `start` on, where there must be room for 3 bytes a character.
 *
 * @returns The offset after the last byte.
 */
export function writeModifiedUtf8(text: string, target: Uint8Array, start: number): number {
  const length = text.length;
  if (length >= SHORT) {
    const { read, written } = encoder.encodeInto(text, target.subarray(start));
    // As many bytes as characters: ASCII, where only NUL has another form.
    if (written === length ? !text.includes("\0") : read === length && !DIFFERENT.test(text)) {
      return start + written;
    }
  }
  let p = start;
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit <= 0x7f && unit !== 0) {
      target[p++] = unit;
    } else if (unit <= 0x7ff) {
      target[p++] = 0xc0 | (unit >> 6);
      target[p++] = 0x80 | (unit & 0x3f);
    } else {
      target[p++] = 0xe0 | (unit >> 12);
      target[p++] = 0x80 | ((unit >> 6) & 0x3f);
      target[p++] = 0x80 | (unit & 0x3f);
    }
  }
  return p;
}

/**
 * Writes `text` if it is ASCII without NUL, into as many bytes as it has characters.
 *
 * @returns Whether it was.
 */
export function writeAscii(text: string, target: Uint8Array, start: number): boolean {
  const { length } = text;
  const { read, written } = encoder.encodeInto(text, target.subarray(start, start + length));
  return read === length && written === length && !text.includes("\0");
}

/**
 * Reads text. Takes what Java's reader takes (a bare NUL, overlong forms) and standard 4-byte UTF-8 too, which
 * other writers send.
 *
 * @returns The text, or the offset of the first bad byte.
 */
export function readModifiedUtf8(source: Uint8Array, start: number, end: number): string | number {
  if (start === end) return "";
  const text = decoder.decode(
    new Uint8Array(source.buffer, source.byteOffset + start, end - start),
  );
  // Without a replacement character it was plain UTF-8, which then means the same.
  if (!text.includes("\ufffd")) return text;
  return readSlowly(source, start, end);
}

/** Reads text whose bytes are Latin-1. */
export function readLatin1(source: Uint8Array, start: number, end: number): string {
  const text = decoder.decode(
    new Uint8Array(source.buffer, source.byteOffset + start, end - start),
  );
  if (text.length === end - start && !text.includes("\ufffd")) return text;
  const parts: string[] = [];
  for (let p = start; p < end; p += PART) {
    parts.push(String.fromCharCode.apply(null, [...source.subarray(p, Math.min(end, p + PART))]));
  }
  return parts.join("");
}

const PART = 4096;

function readSlowly(source: Uint8Array, start: number, end: number): string | number {
  const parts: string[] = [];
  let units: number[] = [];
  let p = start;
  while (p < end) {
    const lead = source[p]!;
    let need: number;
    let unit: number;
    if (lead < 0x80) [need, unit] = [1, lead];
    else if (lead < 0xc0) return p;
    else if (lead < 0xe0) [need, unit] = [2, lead & 0x1f];
    else if (lead < 0xf0) [need, unit] = [3, lead & 0x0f];
    else if (lead < 0xf8) [need, unit] = [4, lead & 0x07];
    else return p;
    if (p + need > end) return p;
    for (let i = 1; i < need; i++) {
      const next = source[p + i]!;
      if ((next & 0xc0) !== 0x80) return p;
      unit = (unit << 6) | (next & 0x3f);
    }
    if (unit > 0x10ffff) return p;
    if (unit > 0xffff) units.push(0xd7c0 + (unit >> 10), 0xdc00 | (unit & 0x3ff));
    else units.push(unit);
    p += need;
    if (units.length >= PART) {
      parts.push(String.fromCharCode.apply(null, units));
      units = [];
    }
  }
  parts.push(String.fromCharCode.apply(null, units));
  return parts.join("");
}
