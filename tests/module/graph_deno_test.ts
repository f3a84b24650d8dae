/** What imports what, and which files know of a runtime. */
import { assert, assertEquals } from "@std/assert";
import ts from "typescript";
import { test } from "../_harness.ts";

const ROOT = new URL("../../", import.meta.url);
const ENTRIES = ["mod.ts", "codec/mod.ts", "transport/mod.ts", "testing/mod.ts"];
const FOLDERS = ["client", "codec", "testing", "transport"];

/** What a file may import of other folders; of a folder its `mod.ts` only. */
const ALLOWED: Record<string, string[]> = {
  "errors.ts": [],
  "nearest_name.ts": [],
  "option_names.ts": ["errors.ts", "nearest_name.ts"],
  "mod.ts": ["client/mod.ts", "codec/mod.ts", "errors.ts", "transport/mod.ts"],
  client: ["codec/mod.ts", "errors.ts", "nearest_name.ts", "option_names.ts", "transport/mod.ts"],
  codec: ["errors.ts", "option_names.ts"],
  testing: [
    "client/message/created_message.ts",
    "client/mod.ts",
    "codec/mod.ts",
    "errors.ts",
    "option_names.ts",
    "transport/mod.ts",
  ],
  transport: ["errors.ts", "option_names.ts"],
};

/** Files that know in which runtime they are. */
const RUNTIME_FILES = ["_runtime.ts", "bun.ts", "deno.ts", "node.ts"]
  .map((name) => `transport/${name}`);

interface Dependency {
  readonly specifier: string;
  readonly code?: { readonly specifier: string };
  readonly type?: { readonly specifier: string };
}

interface Graph {
  readonly modules: readonly {
    readonly specifier: string;
    readonly kind: string;
    readonly error?: string;
    readonly dependencies?: readonly Dependency[];
  }[];
  readonly npmPackages: Record<string, unknown>;
}

async function graphOf(entry: string): Promise<Graph> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    // With the configuration it lists all packages that the tests use.
    args: ["info", "--json", "--no-config", entry],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** A path within the source tree; fails for what is elsewhere. */
function pathOf(specifier: string): string {
  assert(specifier.startsWith(ROOT.href), `${specifier} is not in the source tree`);
  return specifier.slice(ROOT.href.length);
}

function* sources(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(new URL(`${folder}/`, ROOT))) {
    const path = `${folder}/${name}`;
    if (path === "codec/schema") continue;
    if (isDirectory) yield* sources(path);
    else if (name.endsWith(".ts")) yield path;
  }
}

const ALL = [
  "mod.ts",
  "errors.ts",
  "nearest_name.ts",
  "option_names.ts",
  ...FOLDERS.flatMap((folder) => [...sources(folder)]),
];

for (const entry of ENTRIES) {
  test(`${entry} needs nothing but the files of its own tree`, async () => {
    const { modules, npmPackages } = await graphOf(entry);
    assertEquals(npmPackages, {});
    assert(modules.length > 10);
    for (const { specifier, kind, error, dependencies = [] } of modules) {
      assertEquals(error, undefined);
      const path = pathOf(specifier);
      assert(ALL.includes(path), `${path} belongs to no published folder`);
      assertEquals(kind, "esm");
      for (const { specifier } of dependencies) {
        assert(/^\.\.?\//.test(specifier), `${path} imports ${specifier}`);
      }
    }
  });
}

test("each folder imports only what is beneath it", async () => {
  const wrong = new Set<string>();
  const reached = new Set<string>();
  for (const entry of ENTRIES) {
    for (const { specifier, dependencies = [] } of (await graphOf(entry)).modules) {
      const path = pathOf(specifier);
      reached.add(path);
      const [part] = path.split("/");
      for (const { code, type } of dependencies) {
        const target = pathOf((code ?? type)!.specifier);
        if (path !== part && target.startsWith(`${part}/`)) continue;
        if (!ALLOWED[part!]?.includes(target)) wrong.add(`${path} imports ${target}`);
      }
    }
  }
  assertEquals([...wrong], []);
  // A file that nothing imports would escape these tests.
  assertEquals(ALL.filter((path) => !reached.has(path)), []);
});

test("no file but the adapters of the transport knows of a runtime", async () => {
  const found: string[] = [];
  for (const path of ALL) {
    if (RUNTIME_FILES.includes(path)) continue;
    const text = await Deno.readTextFile(new URL(path, ROOT));
    // To process a message is a word of OpenTelemetry.
    const names = path.startsWith("client/observe/")
      ? /\b(Deno|Bun|Buffer|require)\b/
      : /\b(Deno|Bun|process|Buffer|require)\b/;
    const file = ts.createSourceFile(path, text, ts.ScriptTarget.ESNext);
    const visit = (node: ts.Node): void => {
      // Comments are no nodes; texts are, because of `globalThis["Deno"]`.
      if (
        (ts.isIdentifier(node) || ts.isStringLiteralLike(node)) &&
        names.test(node.text)
      ) {
        const { line } = file.getLineAndCharacterOfPosition(node.getStart(file));
        found.push(`${path}:${line + 1}: ${node.text}`);
      }
      ts.forEachChild(node, visit);
    };
    visit(file);
  }
  assertEquals(found, []);
});
