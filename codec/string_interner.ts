/**
 * Finds the string for bytes that were seen before, without decoding them again. Ids, names and property keys come
 * again and again; decoding them was half of the time of a decoder without the object cache.
 *
 * A fixed table, shared by all decoders: each slot holds up to 64 bytes and their string, and a new string takes the
 * slot of the one that hashed there before. Only plain ASCII without NUL is kept, for which all forms of strings on
 * the wire agree.
 */

const SLOTS = 1024;
/** Longest string that is kept, in bytes. */
export const INTERN_LIMIT = 64;
const WORDS = INTERN_LIMIT / 4;

const words = new Int32Array(SLOTS * WORDS);
const lengths = new Int32Array(SLOTS);
const strings: string[] = new Array(SLOTS).fill("");

/** Slot that the last lookup hashed to; for {@linkcode keep}. */
let slot = 0;

/**
 * Looks up bytes.
 *
 * @param view The bytes.
 * @param start Offset of the first byte.
 * @param length Number of bytes, from 4 to `INTERN_LIMIT`.
 * @returns The string, if it is in the table.
 */
export function lookUp(view: DataView, start: number, length: number): string | undefined {
  const last = start + length - 4;
  let hash = Math.imul(view.getInt32(start) ^ length, 0x9e3779b1);
  hash = Math.imul(hash ^ view.getInt32(last), 0x85ebca6b);
  hash = Math.imul(hash ^ view.getInt32(start + ((length - 4) >> 1)), 0xc2b2ae35);
  slot = (hash >>> 16) & (SLOTS - 1);
  if (lengths[slot] !== length) return undefined;
  let word = slot * WORDS;
  for (let p = start; p < last; p += 4) {
    if (view.getInt32(p) !== words[word++]) return undefined;
  }
  // The last word may overlap the one before: it is compared whole.
  return view.getInt32(last) === words[slot * WORDS + WORDS - 1] ? strings[slot] : undefined;
}

/** Keeps the string of the bytes that were just looked up in vain. */
export function keep(view: DataView, start: number, length: number, text: string): void {
  const last = start + length - 4;
  let word = slot * WORDS;
  for (let p = start; p < last; p += 4) words[word++] = view.getInt32(p);
  words[slot * WORDS + WORDS - 1] = view.getInt32(last);
  lengths[slot] = length;
  strings[slot] = text;
}
