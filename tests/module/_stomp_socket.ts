/** STOMP over TCP for @stomp/stompjs, which knows only WebSockets. */
import type { IStompSocket, IStompSocketMessageEvent } from "@stomp/stompjs";
import { connect } from "node:net";

/** Connects to a STOMP port. */
export function stompSocket(url: string): IStompSocket {
  const { hostname, port } = new URL(url.replace(/^\w+:/, "http:"));
  const tcp = connect(Number(port), hostname);
  const socket: IStompSocket & { readyState: number } = {
    url,
    binaryType: "arraybuffer",
    readyState: 0,
    onopen: null,
    onclose: null,
    onerror: null,
    onmessage: null,
    send: (data) =>
      void tcp.write(typeof data === "string" ? data : new Uint8Array(data as ArrayBuffer)),
    close: () => void tcp.end(),
    terminate: () => void tcp.destroy(),
  };
  tcp.on("connect", () => {
    socket.readyState = 1;
    socket.onopen?.({});
  });
  tcp.on("data", (bytes) => {
    const data = new Uint8Array(bytes as Uint8Array).buffer;
    socket.onmessage?.({ data } as IStompSocketMessageEvent);
  });
  tcp.on("error", (error) => socket.onerror?.(error));
  tcp.on("close", () => {
    socket.readyState = 3;
    socket.onclose?.({ code: 1000, reason: "", wasClean: true });
  });
  return socket;
}
