/**
 * Keeps the bytes of texts that are sent again and again: the texts of ids and the names of destinations. Copying them is
 * cheaper than encoding them, and their size is known without a look at each character.
 *
 * One table for all encoders, because the same ids go through many. When it is full it starts anew.
 */

const CAPACITY = 1024;
/** Longest text that is kept. */
const LONGEST = 64;

const storage = new Uint8Array(CAPACITY * LONGEST);
const known: Map<string, Uint8Array> = new Map();

/** The bytes of a text of ASCII without NUL, for which all forms agree; undefined for others. Don't change them. */
export function bytesOf(text: string): Uint8Array | undefined {
  return known.get(text) ?? keep(text);
}

function keep(text: string): Uint8Array | undefined {
  const length = text.length;
  if (length > LONGEST) return undefined;
  if (known.size === CAPACITY) known.clear();
  const start = known.size * LONGEST;
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f || unit === 0) return undefined;
    storage[start + i] = unit;
  }
  const bytes = storage.subarray(start, start + length);
  known.set(text, bytes);
  return bytes;
}
