/** The programs of docs/codec.md: the codec's pair of streams on the runtime's own socket, without this module's transports. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { runtime } from "../_harness.ts";
import { credentials } from "../_secret.ts";
import { testOnBrokers } from "../client/_brokers.ts";
import { assert } from "@std/assert";
import { snippetsOf } from "../module/_snippets.ts";

const SOCKETS = { deno: "Deno.connect", bun: "Bun.connect", node: "node:net" };
const START =
  "const { readable, writable } = await Deno.connect({ hostname, port: Number(port) });\n";
const LARGE = "hello ".repeat(200_000);

/** The program of docs/codec.md for this runtime. */
function program(url: string, text: string): string {
  const path = new URL("../../docs/codec.md", import.meta.url);
  const blocks = Object.fromEntries(
    snippetsOf(readFileSync(path, "utf8")).map(({ task, code }) => [task.toLowerCase(), code]),
  );
  let code = blocks.deno!;
  if (runtime !== "deno") code = replaced(code, START, blocks[runtime]!);
  assert(code.includes(SOCKETS[runtime]));
  code = replaced(
    code,
    "await using broker = await MemoryBroker.listen();",
    `const broker = { url: ${JSON.stringify(url)} };`,
  );
  code = replaced(code, `"app"`, JSON.stringify(credentials.username));
  code = replaced(code, `"secret"`, JSON.stringify(credentials.password));
  code = code.replaceAll(`"hello"`, JSON.stringify(text));
  // The program stands in another folder.
  return code.replace(/ from "(\.\.[^"]*|@std[^"]*)"/g, (_, specifier: string) => {
    const from = specifier.startsWith("@std")
      ? import.meta.resolve(specifier)
      : new URL(specifier, path).href;
    return ` from ${JSON.stringify(from)}`;
  });
}

function replaced(code: string, from: string, to: string): string {
  assert(code.includes(from), from);
  return code.replace(from, () => to);
}

for (
  const [size, text] of [["a short message", "hello"], ["a message of 1.2 MB", LARGE]] as const
) {
  testOnBrokers(
    `the pair of streams sends and receives ${size} on a bare ${SOCKETS[runtime]} socket`,
    async ({ url }) => {
      const folder = mkdtempSync(join(tmpdir(), "openwire-bare-"));
      try {
        const file = join(folder, "program.ts");
        writeFileSync(file, program(url, text));
        await import(pathToFileURL(file).href);
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );
}
