/** stompit as one of the benchmark's clients, on Node. */
import stompit from "stompit";
import { serve } from "./_serve.ts";
import { runStomp, type StompClient } from "./_stomp.ts";

await serve(async (url) => {
  const { promise, resolve, reject } = Promise.withResolvers<ReturnType<typeof stompit.connect>>();
  const options = {
    host: url.hostname,
    port: Number(url.port),
    connectHeaders: {
      host: "/",
      login: "system",
      passcode: "manager",
      "heart-beat": "0,0",
    },
  };
  stompit.connect(
    options,
    (error: Error | null, client: never) => error ? reject(error) : resolve(client),
  );
  const client = await promise;
  // It writes a frame in parts: each would wait for the broker's acknowledgement of the one before.
  client.getTransportSocket().setNoDelay(true);
  client.on("error", (error: Error) => {
    throw error;
  });
  let flushed = Promise.resolve();
  const stomp: StompClient = {
    send(headers, text, confirmed) {
      if (confirmed) {
        return new Promise<void>((resolve) => {
          const frame = client.send(headers, { onReceipt: resolve });
          frame.end(text);
        });
      }
      const frame = client.send(headers);
      // Frames leave one after another: the last one is all.
      flushed = new Promise((resolve) => frame.end(text, resolve));
    },
    flushed: () => flushed,
    begin: (transaction) => void client.begin({ transaction }),
    commit: (transaction) =>
      new Promise((resolve) =>
        client.sendFrame("COMMIT", { transaction }, { onReceipt: resolve }).end()
      ),
    subscribe(headers, take) {
      const subscription = client.subscribe(
        headers,
        // deno-lint-ignore no-explicit-any -- the library has no types
        (error: Error | null, message: any) => {
          if (error) throw error;
          message.readString("utf-8", (error: Error | null, text: string) => {
            if (error) throw error;
            take(text, (headers) => client.ack(message, headers));
          });
        },
      );
      return {
        // Its own unsubscribe() tells nobody when it is done.
        unsubscribe: () =>
          new Promise((resolve) => {
            const id = subscription.getId();
            client.sendFrame("UNSUBSCRIBE", { id }, { onReceipt: resolve }).end();
          }),
      };
    },
  };
  return (task) => runStomp(stomp, task);
});
