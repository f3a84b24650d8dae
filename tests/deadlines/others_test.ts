/** What waits beneath and beside the client ends, too. */

import { test } from "../_harness.ts";
import { others } from "./_others.ts";

for (const [name, proof] of Object.entries(others)) {
  test(`${name} ends`, proof, { timeout: 5000 });
}
