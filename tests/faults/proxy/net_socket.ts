/**
 * Sockets of `node:net`, which all three runtimes have: the only ones that can send a reset on demand, which the sockets
 * of the transports can't.
 */
import { connect, createServer, type Server, type Socket } from "node:net";
import { ReadQueue } from "../../../transport/_read_queue.ts";

/** One end of a TCP connection. */
export class NetSocket {
  /** Resolves when it is released, for whatever reason. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #queue: ReadQueue;
  #ended = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#queue = new ReadQueue(() => socket.resume());
    socket.on("data", (bytes: Uint8Array) => {
      if (!this.#queue.push(Uint8Array.from(bytes))) socket.pause();
    });
    socket.on("end", () => this.#queue.end());
    socket.on("error", (cause: Error) => this.#queue.end(cause));
    this.closed = new Promise((resolve) => {
      socket.on("close", () => {
        this.#queue.end(new Error("The socket is closed"));
        resolve();
      });
    });
  }

  /** Connects to `tcp://host:port`; rejects when nobody listens. */
  static connect(url: string): Promise<NetSocket> {
    const { hostname, port } = new URL(url);
    const options = { host: hostname, port: Number(port), noDelay: true, allowHalfOpen: true };
    return new Promise((resolve, reject) => {
      const socket = connect(options);
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.removeListener("error", reject);
        resolve(new NetSocket(socket));
      });
    });
  }

  /** The next bytes; `null` when the peer sends no more. Rejects when the connection is broken. */
  read(): Promise<Uint8Array | null> {
    return this.#queue.read();
  }

  /** Resolves when the system has taken the bytes; rejects when the connection is broken. */
  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      // Not every runtime tells of writes that wait when the socket goes.
      void this.closed.then(() => reject(new Error("The socket is closed")));
      this.#socket.write(bytes, (cause?: Error | null) => cause ? reject(cause) : resolve());
    });
  }

  /** Sends no more (FIN); reading goes on. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#socket.end();
  }

  /** Breaks the connection (RST). */
  reset(): void {
    if (!this.#socket.destroyed) this.#socket.resetAndDestroy();
  }

  /** Releases the socket, as the system does with those of a process that ends. */
  destroy(): void {
    this.#socket.destroy();
  }
}

/** A port, with what is to be done with those who connect. */
export class NetListener {
  readonly port: number;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as { port: number }).port;
  }

  /** Listens on 127.0.0.1; port 0 takes a free one. */
  static listen(port: number, accept: (socket: NetSocket) => void): Promise<NetListener> {
    return new Promise((resolve, reject) => {
      const server = createServer({ noDelay: true, allowHalfOpen: true });
      server.on("connection", (socket) => accept(new NetSocket(socket)));
      server.once("error", reject);
      server.listen({ host: "127.0.0.1", port }, () => resolve(new NetListener(server)));
    });
  }

  /** Frees the port. Connections stay. */
  close(): void {
    this.#server.close();
  }
}
