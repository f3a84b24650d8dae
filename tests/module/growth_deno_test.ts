/** The curves of docs/performance.md: each has figures, and the pictures are drawn from these. */
import { assert, assertEquals } from "@std/assert";
import { CHARTS } from "../../bench/growth/charts.ts";
import { CURVES } from "../../bench/growth/curves.ts";
import { draw, figuresOf, fileOf } from "../../bench/growth/draw.ts";
import { test } from "../_harness.ts";

/** So that pages with all of them are shown at once. */
const LARGEST = 60_000;

for (const chart of CHARTS) {
  test(`docs/growth/${chart.name}.svg shows what ${chart.curve}.json has`, async () => {
    const kept = await Deno.readTextFile(fileOf(chart));
    assert(
      kept === await draw(chart, await figuresOf(chart.curve)),
      "The picture is another one: deno task bench:draw",
    );
    assert(kept.length < LARGEST, `${kept.length} characters`);
  });
}

test("each curve has a picture, and figures of all its points", async () => {
  for (const curve of CURVES) {
    assert(CHARTS.some((chart) => chart.curve === curve.name), `nothing shows ${curve.name}`);
    const { rows, runtimes } = await figuresOf(curve.name);
    for (const runtime of runtimes.map((name) => name.split(" ")[0])) {
      assertEquals(
        rows.filter((row) => row.runtime === runtime).map(({ at, operation }) => ({
          at,
          operation,
        })),
        curve.points.flatMap(({ at, load }) =>
          load.operations.map((operation) => ({ at, operation }))
        ),
      );
    }
  }
});

test("docs/performance.md shows all pictures", async () => {
  const page = await Deno.readTextFile(new URL("../../docs/performance.md", import.meta.url));
  assertEquals(CHARTS.filter(({ name }) => !page.includes(`](growth/${name}.svg)`)), []);
});
