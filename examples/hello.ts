/**
 * Sends a message and receives it back. A Deno script that runs from its URL; it needs the network and nothing else:
 *
 * ```sh
 * deno run --allow-net https://example.com/openwire/examples/hello.ts tcp://localhost:61616
 * deno run --allow-net hello.ts "tcp://localhost:61616?jms.userName=system&jms.password=manager" orders
 * ```
 *
 * Deno asks whether it may import from hosts that it does not know: `--allow-import=example.com` says so beforehand.
 */

// deno-lint-ignore-file no-console -- a script talks to its user
// In a program of yours: from "https://example.com/openwire/mod.ts"
import { connect, OpenWireError } from "../mod.ts";

const [url = "tcp://localhost:61616", queue = "openwire.hello"] = Deno.args;

try {
  // Closed at the end of the block, whatever happens.
  await using connection = await connect(url);
  console.log(`Connected to ${connection.remoteAddress} (${connection.provider || "unknown"})`);

  // A message is persistent unless you say otherwise: this waits until the broker has it.
  const { messageId, outcome } = await connection.send(queue, "hello", {
    properties: { greeter: "Deno" },
    timeToLive: 60_000,
  });
  console.log(`Sent ${messageId}: ${outcome}`);

  await using consumer = await connection.createConsumer(queue);
  const message = await consumer.receive({ timeout: 5_000 });
  if (message === null) {
    console.error("Nothing came within 5 s: does somebody else consume this queue?");
    Deno.exitCode = 1;
  } else {
    const greeter = message.properties.get("greeter");
    console.log(`Received ${JSON.stringify(message.text)} from ${greeter}`);
  }
} catch (error) {
  // What can go wrong outside of this program says so in its message; anything else is a bug.
  if (!(error instanceof OpenWireError)) throw error;
  console.error(`${error.code}: ${error.message}`);
  Deno.exitCode = 1;
}
