/** `deno task bench:draw`: draws the figures of `docs/growth/`, each picture anew. */
import { parse, resetSVGDefIds, View } from "vega";
import { compile } from "vega-lite";
import { type Chart, CHARTS } from "./charts.ts";
import { FOLDER, type MeasuredCurve } from "./figures.ts";

/** The picture as it is kept; the same figures always give the same text. */
export async function draw(chart: Chart, measured: MeasuredCurve): Promise<string> {
  resetSVGDefIds();
  const view = new View(parse(compile(chart.spec(measured)).spec), { renderer: "none" });
  try {
    return await view.toSVG() + "\n";
  } finally {
    view.finalize();
  }
}

/** The figures of a curve. */
export async function figuresOf(curve: string): Promise<MeasuredCurve> {
  return JSON.parse(await Deno.readTextFile(new URL(`${curve}.json`, FOLDER)));
}

/** Where a picture is kept. */
export function fileOf(chart: Chart): URL {
  return new URL(`${chart.name}.svg`, FOLDER);
}

if (import.meta.main) {
  for (const chart of CHARTS) {
    await Deno.writeTextFile(fileOf(chart), await draw(chart, await figuresOf(chart.curve)));
  }
}
