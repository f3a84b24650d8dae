/** docs/brokers.md says what the tests go by. */

import { assertEquals } from "@std/assert";
import { readFileSync } from "node:fs";
import { brokersPage, PAGE } from "../broker/brokers_page.ts";
import { test } from "../_harness.ts";

test("docs/brokers.md is what tests/broker/brokers_page.ts makes", () => {
  assertEquals(readFileSync(PAGE, "utf8"), brokersPage());
});
