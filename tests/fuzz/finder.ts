/**
 * Looks for inputs that take the decoder where none before did, and keeps them: they make better ancestors of mutants than
 * good frames do. A way shows by what was decoded, or by what was wrong in which field.
 */

import { writeFile } from "node:fs/promises";
import { seededRandom } from "../_random.ts";
import { toHex } from "../conformance/convert.ts";
import { type Corpus, foundInputs, type Frames, Inputs } from "./inputs.ts";
import { checkMutant } from "./properties.ts";

/** Longest input that is kept, in bytes. */
const LONGEST = 200;
/** How many mutants of the same bytes are tried in turn. */
const MUTANTS = 64;

/** For how long to look, and where to begin. */
export interface FinderOptions {
  readonly seed: number;
  readonly seconds: number;
}

/** Looks for new ways, and gives an input for each that is known, the shortest. */
export function find(corpus: Corpus, { seed, seconds }: FinderOptions): Frames[] {
  const ways = new Map<string, Frames>();
  const found: Frames[] = [];
  const keep = (input: Frames): void => {
    if (input.bytes.length > LONGEST) return;
    const { way } = checkMutant(input.bytes, input.settings, false);
    const known = ways.get(way);
    if (known && known.bytes.length <= input.bytes.length) return;
    if (!known) found.push(input);
    ways.set(way, input);
  };
  for (const input of corpus.found) keep(input);
  const until = performance.now() + seconds * 1000;
  const inputs = new Inputs({ ...corpus, found }, seededRandom(seed));
  while (performance.now() < until) {
    const ancestor = inputs.ancestor();
    for (let n = 0; n < MUTANTS; n++) {
      keep({ settings: ancestor.settings, bytes: inputs.mutant(ancestor) });
    }
  }
  return [...ways.values()];
}

/** Writes what was found to its file. */
export async function writeFound(found: readonly Frames[]): Promise<void> {
  const lines = found.map(({ settings, bytes }) => {
    const { version, tightEncodingEnabled: tight, cacheEnabled: cache, cacheSize } = settings;
    const { stackTraceEnabled: stackTrace, sizePrefixDisabled } = settings;
    return JSON.stringify({
      ...{ version, tight, cache, cacheSize, stackTrace, sizePrefixDisabled, hex: toHex(bytes) },
    });
  });
  const text = new Blob([lines.sort().join("\n")]).stream();
  const packed = await new Response(text.pipeThrough(new CompressionStream("gzip"))).bytes();
  await writeFile(new URL("found.jsonl.gz", foundInputs), packed);
}
