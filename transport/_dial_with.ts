import { numberText } from "../errors.ts";
import { closedError } from "./_runtime_errors.ts";
import type { Adapter, Socket } from "./_socket.ts";
import { SocketTransport } from "./_socket_transport.ts";
import { resolveTls } from "./_tls_settings.ts";
import { formatAddress, parseAddress } from "./address.ts";
import { TransportError } from "./errors.ts";
import type { DialOptions, Transport } from "./transport.ts";

/** What a timer can hold. */
const maxTimeout = 2 ** 31 - 1;

/** `dial()` with any way to connect. */
export async function dialWith(
  connect: Adapter["connect"],
  url: string | URL,
  { connectTimeout = 30_000, signal, noDelay = true, keepAlive = false, tls }: DialOptions = {},
): Promise<Transport> {
  if (!(Number.isFinite(connectTimeout) && connectTimeout >= 0 && connectTimeout <= maxTimeout)) {
    throw new RangeError(
      `connectTimeout must be 0 to ${maxTimeout} ms, got ${numberText(connectTimeout)}`,
    );
  }
  const target = parseAddress(url);
  if (tls && target.scheme !== "ssl") {
    throw new TypeError(`Cannot use options of TLS for a ${target.scheme}:// URL: write ssl://`);
  }
  const secure = target.scheme === "ssl" ? resolveTls(tls) : undefined;
  signal?.throwIfAborted();

  const attempt = new AbortController();
  const onAbort = () => attempt.abort(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  const timer = connectTimeout > 0 ? setTimeout(onTimeout, connectTimeout) : undefined;
  function onTimeout() {
    const address = `${target.scheme}://${formatAddress(target.hostname, target.port)}`;
    const message = `Cannot connect to ${address}: no answer within ${connectTimeout} ms`;
    attempt.abort(new TransportError("CONNECT_TIMEOUT", message, { retryable: true }));
  }

  try {
    const connecting = connect(target, { noDelay, keepAlive, tls: secure, signal: attempt.signal });
    return new SocketTransport(await unlessAborted(connecting, attempt.signal));
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

/** Waits for the connection, or for the signal; a connection that comes too late is closed. */
function unlessAborted(connecting: Promise<Socket>, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    connecting.then((socket) => {
      if (signal.aborted) socket.destroy(closedError(socket.remoteAddress));
      else resolve(socket);
    }, reject);
  });
}
