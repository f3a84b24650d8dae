import { test } from "./_harness.ts";
import { assertEquals } from "@std/assert";
import { concat } from "@std/bytes";
test("smoke", () => assertEquals(concat([new Uint8Array([1])]), new Uint8Array([1])));
