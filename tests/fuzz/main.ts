// deno-lint-ignore-file no-console -- it is a program
/**
 * `deno task fuzz [--seed=N] [--seconds=N | --inputs=N]` gives bad bytes to the codec. N may be `1e8`.
 *
 * A finding is anything but a value or a ProtocolError, a value that can't be written and read again, an input that
 * takes longer than to decode all vectors twice, or much memory. With `--number=N` only the input of that number runs. The
 * last line is `N passed, N failed`. With `--find` it looks for inputs that take new ways through the decoder, and puts
 * them into `tests/testdata/fuzz/`.
 */
import { fuzz, type FuzzReport } from "./fuzzer.ts";
import { find, writeFound } from "./finder.ts";
import { readCorpus } from "./inputs.ts";

const options: { seed: number; seconds?: number; inputs?: number; number?: number } = {
  seed: Math.floor(Math.random() * 1e9),
};
let findsNew = false;
for (const arg of Deno.args) {
  const [, name, value] = /^--(seed|seconds|inputs|number)=(\d+(?:e\d+)?)$/.exec(arg) ?? [];
  if (arg === "--find") {
    findsNew = true;
  } else if (name === undefined) {
    console.log(
      `Unknown argument ${arg}\nfuzz [--seed=N] [--seconds=N | --inputs=N | --number=N] [--find]`,
    );
    Deno.exit(2);
  } else {
    options[name as keyof typeof options] = Number(value);
  }
}

const { seed, number } = options;
const limits = number !== undefined
  ? { first: number, count: 1 }
  : options.inputs !== undefined
  ? { count: options.inputs }
  : { seconds: options.seconds ?? 10 };
// Most inputs end in an error, and a stack costs more than the rest.
Error.stackTraceLimit = number === undefined ? 0 : 10;
const corpus = await readCorpus();
if (findsNew) {
  const found = find(corpus, { seed, seconds: options.seconds ?? 60 });
  await writeFound(found);
  console.log(`${found.length} ways, of which ${corpus.found.length} were known`);
  Deno.exit(0);
}
console.log(`seed ${seed}`);
const report = await fuzz(corpus, { seed, ...limits, progress: tell });
tell(report);
for (const [target, inputs] of Object.entries(report.targets)) console.log(`  ${inputs} ${target}`);
for (const { target, message, settings, hex, number } of report.findings) {
  console.log(`\nFinding in ${target}: ${message}`);
  if (settings) console.log(`  settings ${JSON.stringify(settings)}`);
  console.log(`  bytes ${hex}\n  again: deno task fuzz --seed=${seed} --number=${number}`);
}
const failed = report.findings.length;
console.log(`${report.inputs - failed} passed, ${failed} failed`);
Deno.exit(failed > 0 ? 1 : 0);

function tell({ inputs, decoded, refused, seconds, memory, findings }: FuzzReport): void {
  const rate = Math.round(inputs / seconds);
  console.log(
    `${inputs} inputs in ${seconds.toFixed(1)} s, ${rate} a second: ${decoded} decoded, ` +
      `${refused} refused, ${findings.length} findings, grown by at most ${
        Math.round(memory / 1e6)
      } MB`,
  );
}
