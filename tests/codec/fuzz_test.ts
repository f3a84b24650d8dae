import { assert, assertEquals } from "@std/assert";
import { test } from "../_harness.ts";
import { fuzz } from "../fuzz/fuzzer.ts";
import { readCorpus } from "../fuzz/inputs.ts";
import { checkFrames } from "../fuzz/properties.ts";

test("the codec gives values or ProtocolErrors for whatever bytes", async () => {
  const corpus = await readCorpus();
  for (const seed of [1, 2]) {
    const report = await fuzz(corpus, { seed, count: 80_000 });
    assertEquals(report.findings, []);
    assert(report.inputs >= 80_000);
    // Inputs that are all refused, or all taken, would test little.
    assert(report.decoded > report.inputs / 20, `${report.decoded} of ${report.inputs} decoded`);
    assert(report.refused > report.inputs / 5, `${report.refused} of ${report.inputs} refused`);
  }
}, { timeout: 120_000 });

test("what the fuzzer's finder has kept is refused or decoded, alike in pieces", async () => {
  const { found } = await readCorpus();
  assert(found.length > 1_000, `${found.length} inputs`);
  for (const { bytes, settings } of found) {
    checkFrames(bytes, [...bytes].map((byte) => Uint8Array.of(byte)), settings);
  }
});

test("the fuzzer makes the same input of the same seed and number", async () => {
  const corpus = await readCorpus();
  const [a, b] = [
    await fuzz(corpus, { seed: 3, count: 5_000 }),
    await fuzz(corpus, { seed: 3, count: 5_000 }),
  ];
  assertEquals([a.decoded, a.refused, a.targets], [b.decoded, b.refused, b.targets]);
});
