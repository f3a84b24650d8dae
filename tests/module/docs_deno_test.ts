/** The pages for users: what they point to is there, and nothing is missing. Their code is run with `--doc`. */
import { assert, assertEquals } from "@std/assert";
import { test } from "../_harness.ts";

const ROOT = new URL("../../", import.meta.url);

function* files(folder: string, extension: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(new URL(folder, ROOT))) {
    if (isDirectory) yield* files(`${folder}${name}/`, extension);
    else if (name.endsWith(extension)) yield `${folder}${name}`;
  }
}

const PAGES = [
  "README.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  "SECURITY.md",
  ...files("docs/", ".md"),
];

function read(path: string): Promise<string> {
  return Deno.readTextFile(new URL(path, ROOT));
}

/** A page without its code. */
async function readText(path: string): Promise<string> {
  return (await read(path)).replaceAll(/^```[^]*?^```$/gm, "");
}

/** The anchors of a page, as GitHub makes them of headings. */
async function anchorsOf(path: string): Promise<string[]> {
  const headings = (await readText(path)).matchAll(/^#+ (.*)$/gm);
  return Array.from(
    headings,
    ([, heading]) =>
      heading!.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-"),
  );
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(new URL(path, ROOT)).then(() => true, () => false);
}

test("all links between pages lead somewhere", async () => {
  const broken: string[] = [];
  let count = 0;
  for (const page of PAGES) {
    for (const [, link] of (await readText(page)).matchAll(/\]\((?!https?:)([^)\s]*)\)/g)) {
      count++;
      const target = new URL(link!, new URL(page, ROOT));
      const path = target.href.slice(ROOT.href.length).split("#")[0]!;
      const anchor = target.hash.slice(1);
      const found = await exists(path) &&
        (anchor === "" || (await anchorsOf(path)).includes(decodeURIComponent(anchor)));
      if (!found) broken.push(`${page}: ${link}`);
    }
  }
  assertEquals(broken, []);
  assert(count > 30);
});

test("links to tests have words of the tests' titles", async () => {
  const wrong: string[] = [];
  let count = 0;
  for (const page of PAGES) {
    const links = (await readText(page)).replaceAll(/\s+/g, " ")
      .matchAll(/\[([^\]]+)\]\((?:\.\.\/)?(tests\/[^)#]*_test\.ts)\)/g);
    for (const [link, words, path] of links) {
      count++;
      const isName = words === "The tests" || words === path;
      if (!isName && !(await read(path!)).includes(words!)) wrong.push(`${page}: ${link}`);
    }
  }
  assertEquals(wrong, []);
  assert(count > 10);
});

test("README.md points to all guides and examples", async () => {
  const readme = await read("README.md");
  const all = [...files("docs/", ".md"), ...files("examples/", ".ts")];
  assertEquals(all.filter((path) => !readme.includes(`](${path})`)), []);
});

/** What `code` an error can have, as the sources have it. */
async function codesInSources(): Promise<Set<string>> {
  const codes = new Set<string>();
  for (const folder of ["client/", "codec/", "transport/"]) {
    for (const path of files(folder, ".ts")) {
      if (path.startsWith("codec/schema/")) continue;
      const source = (await read(path)).replaceAll(/^ *\/?\*.*$/gm, "");
      // Classes of errors have them all over; elsewhere they stand where an error is made.
      const pattern = /error/.test(path)
        ? /"([A-Z]{2,}(?:_[A-Z]+)*)"/g
        : /new OpenWireError\(\s*"([A-Z_]+)"/g;
      for (const [, code] of source.matchAll(pattern)) codes.add(code!);
    }
  }
  return codes;
}

test("docs/errors.md has all codes, and no others", async () => {
  const page = await readText("docs/errors.md");
  const listed = Array.from(page.matchAll(/^\| `([A-Z_]+)` /gm), ([, code]) => code!);
  assertEquals([...new Set(listed)].sort(), [...await codesInSources()].sort());
});
