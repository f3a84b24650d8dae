/** STOMP over TCP for @stomp/stompjs, which knows only WebSockets. */
import type { IStompSocket } from "@stomp/stompjs";
import { connect, type Socket } from "node:net";

/** Connects to a STOMP port, by a URL such as `tcp://127.0.0.1:61613`. */
export function stompSocket(url: string): IStompSocket {
  const { hostname, port } = new URL(url.replace(/^\w+:/, "http:"));
  return asWebSocket(connect({ host: hostname, port: Number(port) }));
}

/** A socket as what stompjs asks of a connection. */
export function asWebSocket(tcp: Socket): IStompSocket {
  const socket: IStompSocket & { readyState: number } = {
    url: "",
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
    socket.onopen?.();
  });
  tcp.on("data", (bytes) => {
    // A copy: a chunk may be part of a larger buffer.
    socket.onmessage?.({ data: new Uint8Array(bytes as Uint8Array).buffer });
  });
  tcp.on("error", (error) => socket.onerror?.(error));
  tcp.on("close", () => {
    socket.readyState = 3;
    socket.onclose?.({ code: 1000, reason: "", wasClean: true });
  });
  return socket;
}
