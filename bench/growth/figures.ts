/** What was measured of a curve, as it is kept in `docs/growth/`. */
import type { Figures, Operation } from "./load.ts";

/** One operation at one point on one runtime; each figure is the median of the rounds. */
export interface Row extends Figures {
  /** Where it stands. */
  readonly at: Readonly<Record<string, number | string>>;
  readonly runtime: string;
  readonly operation: Operation;
  /** The least and the most CPU time of all rounds. */
  readonly range: readonly [least: number, most: number];
}

/** A measured curve. */
export interface MeasuredCurve {
  readonly broker: string;
  readonly runtimes: readonly string[];
  readonly rounds: number;
  readonly rows: readonly Row[];
}

/** The folder that the figures and pictures are kept in. */
export const FOLDER: URL = new URL("../../docs/growth/", import.meta.url);

/** Puts the rounds of one operation together. */
export function mediansOf(rounds: readonly Figures[]): Figures & Pick<Row, "range"> {
  const median = (name: keyof Figures): number => {
    const values = rounds.map((round) => round[name] ?? NaN).sort((a, b) => a - b);
    const middle = values.length >> 1;
    const value = values.length % 2 === 1
      ? values[middle]!
      : (values[middle - 1]! + values[middle]!) / 2;
    return rounded(value);
  };
  const names = Object.keys(rounds[0]!) as (keyof Figures)[];
  const cpu = rounds.map((round) => rounded(round.cpu)).sort((a, b) => a - b);
  return {
    ...Object.fromEntries(names.map((name) => [name, median(name)])) as unknown as Figures,
    range: [cpu[0]!, cpu.at(-1)!],
  };
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
