/** The versions of the runtimes that are fetched are exact, and the same everywhere. */

import { assertEquals } from "@std/assert";
import { test } from "../_harness.ts";
import versions from "../runtimes.json" with { type: "json" };

const root = new URL("../../", import.meta.url);

test("what is fetched from npm to run this is of the versions that are tested", async () => {
  const found: string[] = [];
  for (
    const file of [
      "README.md",
      "CONTRIBUTING.md",
      "demo.ts",
      ".ci/run",
      "tests/_runtimes.ts",
      "bench/_runtimes.ts",
    ]
  ) {
    const text = await Deno.readTextFile(new URL(file, root));
    for (
      const [, name, version] of text.matchAll(/(?:npx (?:--yes )?|")(deno|bun|node)@(\d[\w.]*)/g)
    ) {
      if (version !== versions[name as keyof typeof versions]) {
        found.push(`${file}: ${name}@${version}`);
      }
    }
  }
  assertEquals(found, []);
});

test("the versions are exact", () => {
  for (const version of Object.values(versions)) {
    assertEquals(/^\d+\.\d+\.\d+$/.test(version), true, version);
  }
});
