import { assertEquals } from "@std/assert";
import { Episode } from "../../client/consumer/episode.ts";
import { test } from "../_harness.ts";

test("an episode is news once, and another one after ten quiet seconds", () => {
  const episode = new Episode();
  assertEquals([episode.going, episode.begin(0), episode.begin(1)], [false, true, false]);
  episode.end(1_000);
  episode.end(2_000);
  assertEquals([episode.going, episode.begin(10_999), episode.going], [false, false, true]);
  episode.end(11_000);
  assertEquals([episode.begin(21_000), episode.begin(22_000)], [true, false]);
});
