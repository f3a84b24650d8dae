// A TLS server of Node, whichever runtime runs the tests: what a peer does must not depend on that.
//
// Reads its options as JSON from the first line of its input, and ends with its input. Prints a line of JSON for its port, and for
// what happens.
import process from "node:process";
import { createInterface } from "node:readline";
import { createServer } from "node:tls";

const lines = createInterface({ input: process.stdin });
lines.once("line", (line) => serve(JSON.parse(line)));
lines.on("close", () => process.exit());

function tell(event) {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

function serve({ behaviour, ...options }) {
  const sockets = new Map(); // those of TCP by their remote ports
  const server = createServer(options);
  server.on("connection", (socket) => {
    const { remotePort } = socket;
    sockets.set(remotePort, socket);
    socket.on("error", () => {});
    socket.on("close", () => {
      sockets.delete(remotePort);
      tell({ type: "closed" });
    });
  });
  server.on("tlsClientError", (error) => tell({ type: "refused", code: error.code }));
  server.on("secureConnection", (socket) => {
    const tcp = sockets.get(socket.remotePort);
    const client = socket.getPeerCertificate()?.subject?.CN ?? null;
    const servername = socket.servername || null;
    tell({ type: "secure", servername, protocol: socket.getProtocol(), client });
    socket.on("error", (error) => tell({ type: "error", code: error.code }));
    socket.on("end", () => {
      tell({ type: "end" });
      socket.end();
    });
    socket.on("data", (bytes) => {
      tell({ type: "data", length: bytes.length });
      behave(socket, tcp, bytes);
    });
  });
  const behave = {
    echo(socket, _tcp, bytes) {
      if (socket.write(bytes)) return;
      socket.pause();
      socket.once("drain", () => socket.resume());
    },
    // An orderly end.
    end: (socket) => socket.end("goodbye"),
    // An end without close_notify.
    vanish: (socket, tcp) => socket.write("goodbye", () => tcp.end()),
    reset: (socket, tcp) => socket.write("goodbye", () => tcp.resetAndDestroy()),
  }[behaviour];
  server.listen(0, "127.0.0.1", () => tell({ type: "listening", port: server.address().port }));
}
