/** The pictures of the curves, as specifications for Vega-Lite. */
import type { TopLevelSpec } from "vega-lite";
import type { MeasuredCurve, Row } from "./figures.ts";
import { ENCODING_NAMES, MESSAGE_NAMES } from "./load.ts";

/** A picture. */
export interface Chart {
  /** Name of its file in `docs/growth/`. */
  readonly name: string;
  /** Name of the curve that it shows. */
  readonly curve: string;
  /** What to draw. */
  readonly spec: (measured: MeasuredCurve) => TopLevelSpec;
}

const FRAME = {
  $schema: "https://vega.github.io/schema/vega-lite/v6.json",
  // Pages may be dark.
  background: "white",
  padding: 8,
  config: { font: "sans-serif" },
};
const DECADES = [0, 1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000];
const LINE = { type: "line", point: true };
const RUNTIME = { field: "runtime", title: null, legend: { symbolOpacity: 1 } };
const CPU = "µs of CPU per message";

/** All pictures. */
export const CHARTS: readonly Chart[] = [
  cpuOver("consumers", "consumers of one queue on a connection"),
  cpuOver("destinations", "queues, each with a consumer, on a connection"),
  cpuOver("connections", "connections in a process, with a producer and a consumer each"),
  {
    name: "connecting",
    curve: "connections",
    spec: (measured) => {
      // Of a few connections the noise of the process's own memory is larger.
      const values = flat(measured).filter((row) =>
        row.operation === "connect" && Number(row.connections) >= 10
      );
      const over = (field: string, title: string) => ({
        width: 260,
        height: 200,
        mark: LINE,
        encoding: {
          x: logarithmic("connections", "connections in a process"),
          y: linear(field, title),
          color: RUNTIME,
        },
      });
      return {
        ...FRAME,
        data: { values },
        hconcat: [
          over("memoryKiB", "KiB of memory each"),
          over("milliseconds", "ms to connect, each"),
        ],
      } as TopLevelSpec;
    },
  },
  cpuOver("size", "bytes in the body", { scale: { type: "log" }, axis: { values: DECADES } }),
  cpuOver("prefetch", "prefetch size"),
  {
    name: "encoding-bytes",
    curve: "encoding",
    spec: (measured) => {
      const [runtime] = measured.runtimes;
      const values = flat(measured)
        .filter((row) => runtime!.startsWith(row.runtime))
        .map((row) => ({
          ...row,
          bytes: row.operation === "send" ? row.bytesSent : row.bytesReceived,
        }));
      return bars(values, "bytes", "bytes on the wire per message", {});
    },
  },
  {
    name: "encoding-cpu",
    curve: "encoding",
    spec: (measured) =>
      bars(flat(measured), "cpu", CPU, {
        row: { field: "runtime", title: null },
      }),
  },
];

/** CPU time per message over what grows; the thin lines are the least and the most of all rounds. */
function cpuOver(name: string, what: string, axis: object = {}): Chart {
  return {
    name,
    curve: name,
    spec: (measured) => {
      const values = flat(measured).filter(({ operation }) => operation !== "connect");
      const encoding = { x: logarithmic(name, what), color: RUNTIME };
      return {
        ...FRAME,
        data: { values },
        width: 480,
        height: 220,
        encoding,
        layer: [
          {
            mark: { type: "rule", opacity: 0.4 },
            encoding: { y: { ...linear("least", CPU), ...axis }, y2: { field: "most" } },
          },
          {
            mark: "line",
            encoding: {
              y: { ...linear("cpu", CPU), ...axis },
              strokeDash: { field: "operation", title: null },
            },
          },
          // With the lines, these would take the dashes out of the legend.
          {
            mark: { type: "point", filled: true, opacity: 1 },
            encoding: { y: { ...linear("cpu", CPU), ...axis } },
          },
        ],
      } as TopLevelSpec;
    },
  };
}

/** Bars for each encoding, side by side for sending and receiving. */
function bars(values: object[], field: string, title: string, facets: object): TopLevelSpec {
  return {
    ...FRAME,
    data: { values },
    width: 190,
    height: 150,
    mark: "bar",
    encoding: {
      x: { field: "encoding", sort: ENCODING_NAMES, title: null, axis: { labelAngle: -30 } },
      xOffset: { field: "operation", sort: ["send", "receive"] },
      y: linear(field, title),
      color: { field: "operation", title: null, sort: ["send", "receive"] },
      column: { field: "message", title: null, sort: MESSAGE_NAMES },
      ...facets,
    },
  } as TopLevelSpec;
}

/** An axis over several decades, which may begin at 0. */
function logarithmic(field: string, title: string): object {
  return {
    field,
    title,
    type: "quantitative",
    scale: { type: field === "prefetch" ? "symlog" : "log", nice: false },
    axis: { values: DECADES, format: ",d" },
  };
}

function linear(field: string, title: string): object {
  return { field, title, type: "quantitative" };
}

/** A row without objects in it. */
interface FlatRow extends Omit<Row, "at" | "range"> {
  readonly connections?: number | string;
  readonly least: number;
  readonly most: number;
  readonly milliseconds: number;
  readonly memoryKiB: number | null;
}

function flat({ rows }: MeasuredCurve): FlatRow[] {
  return rows.map(({ at, range: [least, most], memory, ...row }) => ({
    ...at,
    ...row,
    least,
    most,
    milliseconds: row.time / 1000,
    memoryKiB: memory === undefined ? null : memory / 1024,
  }));
}
