// deno-lint-ignore-file no-console -- it is a program
/**
 * `deno task conformance [FOLDER]` checks the codec against every golden vector of a folder.
 *
 * Prints the first failures and ends with `N passed, N failed`.
 */

import { seededRandom } from "../_random.ts";
import { checkVector } from "./check.ts";
import { ownVectors, readVectors } from "./vectors.ts";

const SHOWN = 20;

const random = seededRandom(1);
let passed = 0;
let failed = 0;

try {
  for await (const vector of readVectors(Deno.args[0] ?? ownVectors)) {
    try {
      await checkVector(vector, random);
      passed++;
    } catch (error) {
      if (++failed <= SHOWN) {
        console.log(`${vector.file} ${vector.id}: ${(error as Error).message}`);
      }
    }
  }
} catch (error) {
  failed++;
  console.log(`Cannot read the vectors: ${(error as Error).message}`);
}
if (failed > SHOWN) console.log(`… and ${failed - SHOWN} more`);
console.log(`${passed} passed, ${failed} failed`);
Deno.exit(failed > 0 || passed === 0 ? 1 : 0);
