/** Whatever is public and gives something to wait for has a driver, which the other tests here let run into silence. */
import { assertEquals } from "@std/assert";
import { test } from "../_harness.ts";
import { drivers } from "./_drivers.ts";
import { others } from "./_others.ts";
import { asyncSurface } from "./_surface.ts";

const surface = asyncSurface();
const driven = new Set([...drivers.map(({ name }) => name.split(",")[0]!), ...Object.keys(others)]);

test("each public member that gives something to wait for is driven, and nothing else", () => {
  assertEquals([...driven].sort(), [...surface.keys()].sort());
});

test("the drivers know which limits a caller may give", () => {
  const wrong = drivers.filter(({ name, takes }) =>
    takes !== surface.get(name.split(",")[0]!)?.takes
  );
  assertEquals(wrong.map(({ name, takes }) => [name, takes]), []);
});
