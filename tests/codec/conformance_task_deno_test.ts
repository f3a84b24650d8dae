/** What `deno task conformance FOLDER` says of folders that it must not pass. */
import { assertEquals, assertMatch } from "@std/assert";
import { test } from "../_harness.ts";
import { ownVectors, readVectors, type Vector } from "../conformance/vectors.ts";

const MAIN = new URL("../conformance/main.ts", import.meta.url).href;

interface Outcome {
  readonly code: number;
  readonly lines: string[];
  readonly last: string;
}

/** Runs the task on a folder with these files. */
async function run(files: { [name: string]: string | Uint8Array }): Promise<Outcome> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, content] of Object.entries(files)) {
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      await Deno.writeFile(`${folder}/${name}`, bytes);
    }
    return await runOn(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function runOn(folder: string): Promise<Outcome> {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", MAIN, folder],
    env: { NO_COLOR: "1" },
    stderr: "inherit",
  }).output();
  const lines = new TextDecoder().decode(stdout).trimEnd().split("\n");
  return { code, lines, last: lines.at(-1)! };
}

async function gzip(text: string): Promise<Uint8Array> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** The first vector of a file that passes the filter, without what the reader adds. */
async function pick(
  file: string,
  filter: (vector: Vector) => boolean = () => true,
): Promise<Record<string, unknown>> {
  for await (const vector of readVectors(ownVectors, `${file}.jsonl.gz`)) {
    if (!filter(vector)) continue;
    const { file: _file, line: _line, ...members } = vector;
    return members;
  }
  throw new Error(`No such vector in ${file}`);
}

const consumer = await pick("commands", ({ id }) => id === "v12/ConsumerInfo/tight/nocache/5");

/** Runs the task on a good vector and a changed one; gives what it says of the changed one. */
async function refusal(change: (vector: Record<string, unknown>) => void): Promise<string> {
  const changed = structuredClone(consumer);
  change(changed);
  const text = `${JSON.stringify(consumer)}\n${JSON.stringify(changed)}\n`;
  const { code, lines, last } = await run({ "a.jsonl": text });
  assertEquals([code, last], [1, "1 passed, 1 failed"]);
  return lines[0]!;
}

test("conformance passes a folder of good vectors, compressed or not", async () => {
  const line = `${JSON.stringify(consumer)}\n`;
  const { code, last } = await run({ "a.jsonl": line, "b.jsonl.gz": await gzip(line + line) });
  assertEquals([code, last], [0, "3 passed, 0 failed"]);
});

test("conformance fails on an empty folder, and on one that isn't there", async () => {
  const empty = await run({ "notes.txt": "no vectors here" });
  assertEquals([empty.code, empty.last], [1, "0 passed, 1 failed"]);
  const absent = await runOn("/there/is/no/such/folder");
  assertEquals([absent.code, absent.last], [1, "0 passed, 1 failed"]);
});

test("conformance fails on a file without vectors", async () => {
  const { code, last } = await run({ "a.jsonl": `${JSON.stringify(consumer)}\n`, "b.jsonl": "\n" });
  assertEquals([code, last], [1, "1 passed, 1 failed"]);
});

test("conformance fails on a file that is no gzip, or ends too early", async () => {
  const no = await run({ "a.jsonl.gz": "not compressed at all" });
  assertEquals([no.code, no.last], [1, "0 passed, 1 failed"]);
  const whole = await gzip(`${JSON.stringify(consumer)}\n`.repeat(50));
  const cut = await run({ "a.jsonl.gz": whole.subarray(0, whole.length - 9) });
  assertEquals([cut.code, cut.last], [1, "0 passed, 1 failed"]);
});

test("conformance fails on lines that it does not understand", async () => {
  const lines = ["{", "5", "null", "[]", '"text"', "{}", '{"id":"x"}', '{"kind":"other"}'];
  const { code, last } = await run({ "a.jsonl": lines.join("\n") });
  assertEquals([code, last], [1, `0 passed, ${lines.length} failed`]);
});

test("conformance fails on one flipped byte", async () => {
  const message = await refusal((vector) => {
    const hex = vector["hex"] as string;
    vector["hex"] = hex.slice(0, -1) + (hex.endsWith("0") ? "1" : "0");
  });
  assertMatch(message, /v12\/ConsumerInfo\/tight\/nocache\/5/);
});

test("conformance fails on one wrong, missing or unknown field", async () => {
  type Fields = { [name: string]: unknown };
  const wrong = await refusal((vector) => (vector["fields"] as Fields)["prefetchSize"] = 1);
  assertMatch(wrong, /decoding whole, command 0 differs/);
  const missing = await refusal((vector) => delete (vector["fields"] as Fields)["prefetchSize"]);
  assertMatch(missing, /differs/);
  const unknown = await refusal((vector) => (vector["fields"] as Fields)["prefetchsize"] = 1);
  assertMatch(unknown, /differs/);
  assertMatch(await refusal((vector) => vector["type"] = "NoSuchInfo"), /differs/);
});

test("conformance fails on a missing and on an unknown member", async () => {
  for (const name of Object.keys(consumer)) {
    // Its name is for the reader only.
    if (name === "id") continue;
    assertMatch(await refusal((vector) => delete vector[name]), /no member|unknown form/, name);
  }
  assertMatch(await refusal((vector) => vector["checksum"] = 1), /unknown member checksum/);
  assertMatch(await refusal((vector) => vector["version"] = "12"), /version is no number/);
  assertMatch(await refusal((vector) => vector["version"] = 13), /version/);
});

test("conformance fails on a body that differs from its bytes", async () => {
  const good = await pick(
    "bodies",
    ({ id, body }) =>
      /^[^/]*$|text/i.test(id) && "text" in (body as object) &&
      (body as { text: unknown }).text !== null,
  );
  for (
    const change of [
      { body: { text: "another" } },
      { properties: [["extra", { t: "int", v: 1 }]] },
      { compressed: !good["compressed"] },
      { hexLoose: (good["hexLoose"] as string).slice(2) },
    ]
  ) {
    const { code, last } = await run({ "a.jsonl": JSON.stringify({ ...good, ...change }) });
    assertEquals([code, last], [1, "0 passed, 1 failed"]);
  }
});

test("conformance fails on a stream that lost a command", async () => {
  const good = await pick("streams");
  const commands = (good["commands"] as unknown[]).slice(1);
  for (const count of [good["count"], commands.length]) {
    const { code, last } = await run({ "a.jsonl": JSON.stringify({ ...good, commands, count }) });
    assertEquals([code, last], [1, "0 passed, 1 failed"]);
  }
});
