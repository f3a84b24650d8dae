/** Feeds inputs to the codec and collects what must not be. */
import process from "node:process";
import { type Message, OpenWireDecoder, OpenWireFormat } from "../../codec/mod.ts";
import { timesAsLong } from "../_pace.ts";
import { seededRandom } from "../_random.ts";
import { toHex } from "../conformance/convert.ts";
import { type Corpus, type Frames, Inputs } from "./inputs.ts";
import {
  checkBody,
  checkCompressed,
  checkFrames,
  checkMap,
  checkMutant,
  checkOpening,
  Finding,
  INFLATE_LIMIT,
  type Outcome,
} from "./properties.ts";

/** When to stop, and where to begin. */
export interface FuzzOptions {
  readonly seed: number;
  /** Number of the first input. @default {0} */
  readonly first?: number;
  /** How many inputs. */
  readonly count?: number | undefined;
  /** For how many seconds. */
  readonly seconds?: number | undefined;
  /** Is told now and then. */
  readonly progress?: (report: FuzzReport) => void;
}

/** What came out so far. */
export interface FuzzReport {
  inputs: number;
  decoded: number;
  refused: number;
  seconds: number;
  /** By how many bytes the process grew, at most. */
  memory: number;
  /** By target. */
  targets: Record<string, number>;
  findings: Found[];
}

/** A finding with what it takes to see it again. */
export interface Found {
  readonly seed: number;
  readonly number: number;
  readonly target: string;
  readonly message: string;
  readonly settings?: unknown;
  readonly hex: string;
}

/** How many times as long as to decode all vectors, some megabytes, an input of some kilobytes may take. */
const SLOW = 2;
/** Milliseconds from which on that is looked at: it takes time itself. */
const SUSPICIOUS = 50;
/** Bytes by which the process may grow. */
const MEMORY = 1_000_000_000;
const FINDINGS = 20;
/** How many mutants of the same bytes are tried in turn. */
const MUTANTS = 128;

interface Case {
  readonly target: string;
  readonly bytes: Uint8Array;
  readonly settings?: unknown;
  /** How many inputs it stands for. */
  readonly inputs?: number;
  /** What became of it; of each input, where there are several. */
  readonly check: () => Outcome | Promise<Outcome> | Readonly<Record<Outcome, number>>;
}

/** Runs inputs until it's time to stop. Each depends only on the seed and its number. */
export async function fuzz(corpus: Corpus, options: FuzzOptions): Promise<FuzzReport> {
  const { seed, first = 0, count = Infinity, seconds = Infinity, progress } = options;
  const report: FuzzReport = {
    inputs: 0,
    decoded: 0,
    refused: 0,
    seconds: 0,
    memory: 0,
    targets: {},
    findings: [],
  };
  const started = performance.now();
  const memory = process.memoryUsage().rss;
  let told = started;
  for (let number = first; report.inputs < count; number++) {
    if (number % 256 === 0) {
      const now = performance.now();
      report.seconds = (now - started) / 1000;
      report.memory = Math.max(report.memory, process.memoryUsage().rss - memory);
      if (report.seconds >= seconds) break;
      if (now - told > 10_000) {
        told = now;
        progress?.(report);
      }
    }
    const input = caseOf(corpus, seed, number);
    report.inputs += input.inputs ?? 1;
    report.targets[input.target] = (report.targets[input.target] ?? 0) + (input.inputs ?? 1);
    const failure = await run(input, report);
    const problem = failure ? failure.message : await slowness(input, corpus, seed, number);
    if (problem === undefined) continue;
    report.findings.push({
      seed,
      number,
      target: input.target,
      message: problem,
      ...(input.settings ? { settings: input.settings } : {}),
      hex: toHex(failure instanceof Finding && failure.bytes || input.bytes),
    });
    if (report.findings.length >= FINDINGS) break;
  }
  report.seconds = (performance.now() - started) / 1000;
  if (report.memory > MEMORY) {
    const message = `the process grew by ${Math.round(report.memory / 1e6)} MB`;
    report.findings.push({ seed, number: -1, target: "memory", message, hex: "" });
  }
  return report;
}

let took = 0;

/** Runs an input; gives what is wrong. */
async function run({ check }: Case, report?: FuzzReport): Promise<Error | undefined> {
  const started = performance.now();
  try {
    const result = check();
    const outcome = typeof result === "object" && "then" in result ? await result : result;
    if (report) count(report, outcome);
    return undefined;
  } catch (error) {
    if (error instanceof Finding) return error;
    return new Error(error instanceof Error ? error.stack ?? String(error) : String(error));
  } finally {
    took = performance.now() - started;
  }
}

function count(report: FuzzReport, outcome: Outcome | Readonly<Record<Outcome, number>>): void {
  if (typeof outcome === "string") {
    report[outcome]++;
    return;
  }
  report.decoded += outcome.decoded;
  report.refused += outcome.refused;
}

/** An input that took long is compared with known work: the machine may be slow or busy. */
async function slowness(
  input: Case,
  corpus: Corpus,
  seed: number,
  number: number,
): Promise<string | undefined> {
  const inputs = input.inputs ?? 1;
  if (took < SUSPICIOUS * inputs) return undefined;
  const again = () => run(caseOf(corpus, seed, number));
  const times = await timesAsLong(again, () => decodeAll(corpus), SLOW * inputs) / inputs;
  return times > SLOW ? `took ${times.toFixed(1)} times as long as all vectors` : undefined;
}

function decodeAll({ frames }: Corpus): void {
  for (const { settings, bytes } of frames) {
    new OpenWireDecoder(OpenWireFormat.fixed(settings)).pushTo(bytes, () => {});
  }
}

function caseOf(corpus: Corpus, seed: number, number: number): Case {
  const random = seededRandom(Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b));
  const inputs = new Inputs(corpus, random);
  if (random() < 0.2) return mutants(inputs, inputs.ancestor());
  const kind = random();
  if (kind < 0.6) {
    const { settings, bytes } = inputs.frames();
    // Without sizes each piece is a try from the start.
    const pieces = settings.sizePrefixDisabled ? 100 : 2000;
    const check = () => checkFrames(bytes, inputs.chunks(bytes, pieces), settings);
    return { target: "frames", bytes, settings, check };
  }
  if (kind < 0.602) return everyCut(inputs, inputs.goodFrames());
  if (kind < 0.66) {
    const bytes = inputs.opening();
    return { target: "openings", bytes, check: () => checkOpening(bytes, inputs.chunks(bytes)) };
  }
  if (kind < 0.82) {
    const bytes = inputs.map();
    return { target: "maps", bytes, check: () => checkMap(bytes) };
  }
  if (kind < 0.96) {
    const message = inputs.body();
    return body("bodies", message, () => checkBody(message, random));
  }
  const message = inputs.compressed();
  return body(
    `compressed bodies (to ${INFLATE_LIMIT} bytes)`,
    message,
    () => checkCompressed(message),
  );
}

function body(target: string, message: Message, check: Case["check"]): Case {
  return { target, bytes: message.content!, settings: { dataType: message.dataType }, check };
}

/** Good frames with many different mistakes. */
function mutants(inputs: Inputs, ancestor: Frames): Case {
  const { settings, bytes } = ancestor;
  const check = () => {
    const outcomes = { decoded: 0, refused: 0 };
    for (let n = 0; n < MUTANTS; n++) {
      const mutant = inputs.mutant(ancestor);
      try {
        outcomes[checkMutant(mutant, settings, inputs.chance(0.5)).outcome]++;
      } catch (error) {
        if (error instanceof Finding) error.bytes = mutant;
        throw error;
      }
    }
    return outcomes;
  };
  return { target: "mutants", bytes, settings, inputs: MUTANTS, check };
}

/** Good frames, cut short at each byte, with the size as it was and with one that fits. */
function everyCut(inputs: Inputs, { settings, bytes }: Frames): Case {
  const lengths = Math.min(bytes.length, 400);
  const check = (): Outcome => {
    for (let i = 0; i < lengths; i++) {
      const cut = bytes.slice(0, bytes.length <= 400 ? i : inputs.below(bytes.length));
      checkFrames(cut, [cut], settings);
      if (settings.sizePrefixDisabled || cut.length < 5) continue;
      new DataView(cut.buffer).setInt32(0, cut.length - 4);
      checkFrames(cut, [cut], settings);
    }
    return "refused";
  };
  return { target: "cuts", bytes, settings, inputs: Math.max(1, lengths * 2), check };
}
