import type { Adapter } from "./_socket.ts";
import { bunAdapter } from "./bun.ts";
import { denoAdapter } from "./deno.ts";
import { TransportError } from "./errors.ts";
import { nodeAdapter } from "./node.ts";

/** The adapter of the runtime we are in. */
export function runtimeAdapter(): Adapter {
  if ("Deno" in globalThis) return denoAdapter;
  if ("Bun" in globalThis) return bunAdapter;
  if ("process" in globalThis) return nodeAdapter;
  throw new TransportError(
    "UNSUPPORTED_RUNTIME",
    "Cannot use sockets: neither Deno, nor Bun, nor Node found",
  );
}
