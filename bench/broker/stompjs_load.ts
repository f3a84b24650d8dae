/** stompjs as one of the benchmark's clients, on Node. */
import { connect as connectSocket, type Socket } from "node:net";
import { setImmediate } from "node:timers";
import { Client } from "@stomp/stompjs";
import { asWebSocket } from "../../tests/interop/_stomp_socket.ts";
import { serve } from "./_serve.ts";
import { type Headers, runStomp, type StompClient } from "./_stomp.ts";

await serve(async (url) => {
  let socket: Socket;
  const client = new Client({
    webSocketFactory: () => {
      socket = connectSocket({ host: url.hostname, port: Number(url.port), noDelay: true });
      return asWebSocket(socket);
    },
    connectHeaders: { login: "system", passcode: "manager" },
    heartbeatIncoming: 0,
    heartbeatOutgoing: 0,
    reconnectDelay: 0,
  });
  client.onStompError = (frame) => {
    throw new Error(`${frame.headers.message}: ${frame.body}`);
  };
  const { promise, resolve } = Promise.withResolvers<void>();
  client.onConnect = () => resolve();
  client.activate();
  await promise;

  let receipts = 0;
  const receipt = (): { id: string; came: Promise<void> } => {
    const id = `r${++receipts}`;
    const { promise: came, resolve } = Promise.withResolvers<void>();
    client.watchForReceipt(id, () => resolve());
    return { id, came };
  };
  const stomp: StompClient = {
    send({ destination, ...headers }, body, confirmed) {
      const publish = (headers: Headers): void =>
        // Without a length it is a text for the broker.
        client.publish({ destination: destination!, headers, body, skipContentLengthHeader: true });
      if (!confirmed) return publish(headers);
      const { id, came } = receipt();
      publish({ ...headers, receipt: id });
      return came;
    },
    flushed: () =>
      socket.writableNeedDrain
        ? new Promise((resolve) => socket.once("drain", resolve))
        : new Promise((resolve) => setImmediate(resolve)),
    begin: (transaction) => void client.begin(transaction),
    commit(transaction) {
      const { id, came } = receipt();
      // Its own commit() knows no receipts.
      client["_stompHandler"]!["_transmit"]({
        command: "COMMIT",
        headers: { transaction, receipt: id },
      });
      return came;
    },
    subscribe({ destination, ...headers }, take) {
      const subscription = client.subscribe(
        destination!,
        (message) => take(message.body, (headers) => message.ack(headers)),
        headers,
      );
      return {
        unsubscribe() {
          const { id, came } = receipt();
          subscription.unsubscribe({ receipt: id });
          return came;
        },
      };
    },
  };
  return (task) => runStomp(stomp, task);
});
