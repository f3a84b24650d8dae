/** Reads golden vectors: files of JSON lines, compressed or not, in a folder. */

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** A vector as it stands in its file; `testdata/vectors/FORMAT.md` says what its members mean. */
export interface Vector {
  readonly file: string;
  readonly line: number;
  readonly id: string;
  readonly [member: string]: unknown;
}

/** Folder with the project's own vectors. */
export const ownVectors: URL = new URL("../testdata/vectors/", import.meta.url);

/** All vectors of a folder, or of one file in it. Fails when there are none, or when a file can't be read. */
export async function* readVectors(folder: URL | string, only?: string): AsyncGenerator<Vector> {
  const path = folder instanceof URL ? decodeURIComponent(folder.pathname) : folder;
  const files = (await readdir(path))
    .filter((name) => only === undefined ? /\.jsonl(\.gz)?$/.test(name) : name === only)
    .sort();
  if (files.length === 0) throw new Error(`No .jsonl or .jsonl.gz file in ${path}`);
  for (const file of files) {
    let count = 0;
    for (const [index, line] of (await readText(join(path, file))).split("\n").entries()) {
      if (line.trim() === "") continue;
      count++;
      yield { id: `${file}:${index + 1}`, ...parse(line), file, line: index + 1 };
    }
    if (count === 0) throw new Error(`No vectors in ${file}`);
  }
}

function parse(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>;
    }
    return { unreadable: line.slice(0, 40) };
  } catch (error) {
    return { unreadable: String(error) };
  }
}

async function readText(path: string): Promise<string> {
  const bytes = new Uint8Array(await readFile(path));
  if (!path.endsWith(".gz")) return new TextDecoder().decode(bytes);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return await new Response(stream).text();
}
