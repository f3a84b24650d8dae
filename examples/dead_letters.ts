/**
 * Shows what is in the dead letter queue, and puts messages back to where they came from. For Deno, Bun and Node.
 *
 * ```sh
 * deno run --allow-net dead_letters.ts tcp://localhost:61616                # shows them
 * deno run --allow-net dead_letters.ts tcp://localhost:61616 webhooks       # puts those of the queue webhooks back
 * ```
 */

// deno-lint-ignore-file no-console -- printing is what it is for
import process from "node:process";
// In a program of yours: from "https://example.com/openwire/mod.ts"
import { connect, type Message, OpenWireError, queue, selector } from "../mod.ts";

const [url = "tcp://localhost:61616", origin] = process.argv.slice(2);

const DEAD_LETTERS = "ActiveMQ.DLQ";

try {
  await using connection = await connect(url);

  // Browsing leaves the messages there.
  const ids: string[] = [];
  for await (const message of await connection.createBrowser(DEAD_LETTERS)) {
    const from = message.originalDestination?.physicalName;
    if (origin !== undefined && from !== origin) continue;
    ids.push(message.id);
    console.log(
      `${message.id} of ${from ?? "a queue that the broker does not tell"}: ${why(message)}`,
    );
  }

  if (origin === undefined || ids.length === 0) {
    console.log(`${ids.length} dead letters`);
  } else {
    // All or none: a message is neither lost nor doubled, whatever happens meanwhile.
    const moved = await connection.transaction(async (session) => {
      const consumer = await session.createConsumer(DEAD_LETTERS, {
        selector: selector`JMSMessageID IN ${ids}`,
        // None but those are to be held here.
        prefetchSize: ids.length,
      });
      let count = 0;
      while (count < ids.length) {
        const message = await consumer.receive({ timeout: 5_000 });
        // Somebody else has taken the others.
        if (message === null) break;
        // Body and properties go on as they are.
        await session.send(queue(origin), message, { persistent: true });
        count++;
      }
      return count;
    });
    console.log(`${moved} dead letters put back to ${origin}`);
  }
} catch (error) {
  if (!(error instanceof OpenWireError)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = 1;
}

function why({ properties }: Message): string {
  return String(properties.get("dlqDeliveryFailureCause") ?? "no cause is told");
}
