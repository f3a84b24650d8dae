import { test } from "../_harness.ts";
import { seededRandom } from "../_random.ts";
import { checkVector } from "../conformance/check.ts";
import { ownVectors, readVectors } from "../conformance/vectors.ts";

/** Golden vectors by file; a file that loses lines must not pass. */
const FILES = { bodies: 74, commands: 19360, streams: 74, wireformat: 56 };

for (const [name, expected] of Object.entries(FILES)) {
  test(`the codec agrees with every vector of ${name}.jsonl.gz`, async () => {
    const random = seededRandom(2);
    const failures: string[] = [];
    let count = 0;
    for await (const vector of readVectors(ownVectors, `${name}.jsonl.gz`)) {
      count++;
      try {
        await checkVector(vector, random);
      } catch (error) {
        failures.push(`${vector.id}: ${(error as Error).message}`);
      }
    }
    if (failures.length > 0) {
      throw new Error(`${failures.length} differ:\n${failures.slice(0, 10).join("\n")}`);
    }
    if (count !== expected) throw new Error(`${count} vectors instead of ${expected}`);
  }, { timeout: 120_000 });
}
