/** Cuts what a source gives into chunks of one size. */

/** Where the bytes of a stream come from. */
export type StreamSource = ReadableStream<Uint8Array> | AsyncIterable<Uint8Array> | Blob;

/** A chunk, and whether there are no more. */
export interface Chunk {
  readonly bytes: Uint8Array;
  readonly last: boolean;
}

/**
 * Checks a source.
 *
 * @throws {TypeError} When it is none.
 */
export function openSource(
  source: StreamSource,
): { readonly pieces: AsyncIterator<Uint8Array>; readonly length: number | undefined } {
  const blob = typeof Blob === "function" && source instanceof Blob ? source : undefined;
  const iterable = (blob ? blob.stream() : source) as AsyncIterable<Uint8Array> | null | undefined;
  if (typeof iterable?.[Symbol.asyncIterator] !== "function") {
    throw new TypeError(
      `Cannot send a ${
        source === null ? "null" : typeof source
      } as a stream: a ReadableStream, an AsyncIterable of Uint8Array or a Blob is expected`,
    );
  }
  return { pieces: iterable[Symbol.asyncIterator](), length: blob?.size };
}

/**
 * The bytes of a source in chunks of the same size; only the last one may be shorter. There is at least one. Each is a copy.
 *
 * @param pieces What the source gives, in any sizes.
 * @param size Bytes of a chunk.
 * @throws {TypeError} When the source gives something else than a `Uint8Array`.
 */
export async function* chunksOf(
  pieces: AsyncIterator<Uint8Array>,
  size: number,
): AsyncGenerator<Chunk> {
  let chunk = new Uint8Array(size);
  let used = 0;
  for (;;) {
    const { done, value: piece } = await pieces.next();
    if (done) break;
    if (!(piece instanceof Uint8Array)) {
      throw new TypeError(`Cannot send a ${typeof piece} in a stream: a Uint8Array is expected`);
    }
    for (let at = 0; at < piece.length;) {
      // Not before there is more: it might be the last one.
      if (used === size) {
        yield { bytes: chunk, last: false };
        chunk = new Uint8Array(size);
        used = 0;
      }
      const part = piece.subarray(at, at + size - used);
      chunk.set(part, used);
      used += part.length;
      at += part.length;
    }
  }
  yield { bytes: chunk.subarray(0, used), last: true };
}
