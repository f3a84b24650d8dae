/**
 * Answers what things cost: a responder, for Deno, Bun and Node. `order_server.ts` asks it.
 *
 * ```sh
 * deno run --allow-net price_service.ts tcp://localhost:61616
 * ```
 *
 * Start as many as you like: each request goes to one of them.
 */

// deno-lint-ignore-file no-console -- a service has a log
import process from "node:process";
// In a program of yours: from "https://example.com/openwire/mod.ts"
import { connect, type Message } from "../mod.ts";

const [url = "tcp://localhost:61616"] = process.argv.slice(2);

/** In cents. */
const PRICES: ReadonlyMap<string, number> = new Map([["apple", 30], ["melon", 250]]);

class NotFound extends Error {
  readonly code = "NOT_FOUND";
}

const connection = await connect(url);
const responder = await connection.respond("prices", answer, { concurrency: 8 });
console.log("Answering requests on the queue prices");

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  // Answers what has come, takes no more, and closes.
  process.once(signal, () => void connection.drain({ timeout: 10_000 }));
}

const failure = await responder.closed;
if (failure) {
  console.error(failure.message);
  process.exitCode = 1;
}

function answer(request: Message): { json: unknown } {
  const { item } = request.json<{ item: string }>();
  const cents = PRICES.get(item);
  // Who asks gets a RemoteError with this message, and the code as its `remoteCode`.
  if (cents === undefined) throw new NotFound(`There is no ${item}`);
  return { json: { item, cents } };
}
