import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { runtime } from "../_harness.ts";

/** Options of a TLS server; those of `tls.createServer` of Node, and what it does when data comes. */
export interface TlsServerOptions {
  cert: string;
  key: string;
  /** Whether clients are asked for a certificate. */
  requestCert?: boolean;
  /** Whether those without a good one are refused. */
  rejectUnauthorized?: boolean;
  ca?: string;
  minVersion?: string;
  maxVersion?: string;
  ciphers?: string;
  /** @default {"echo"} */
  behaviour?: "echo" | "end" | "vanish" | "reset";
}

/** What a server tells. */
export type TlsServerEvent =
  | { type: "listening"; port: number }
  | { type: "secure"; servername: string | null; protocol: string; client: string | null }
  | { type: "data"; length: number }
  | { type: "end" | "closed" }
  | { type: "refused" | "error"; code: string };

/** A running server. */
export interface TlsServer extends AsyncDisposable {
  port: number;
  /** All that has happened so far. */
  events: TlsServerEvent[];
  /** Waits for the next event of a type. */
  next<Type extends TlsServerEvent["type"]>(
    type: Type,
  ): Promise<Extract<TlsServerEvent, { type: Type }>>;
}

const PROGRAM = fileURLToPath(new URL("_tls_server_program.mjs", import.meta.url));

/** Starts a server; the caller disposes of it. */
export async function startTlsServer(options: TlsServerOptions): Promise<TlsServer> {
  const node = runtime === "node" ? process.execPath : "node";
  const child = spawn(node, [PROGRAM], { stdio: ["pipe", "pipe", "inherit"] });
  const exited = once(child, "exit");
  const waiting: { type: string; resolve(event: TlsServerEvent): void }[] = [];
  const unseen: TlsServerEvent[] = [];
  const events: TlsServerEvent[] = [];
  const lines = createInterface({ input: child.stdout! });
  lines.on("line", (line: string) => {
    const event: TlsServerEvent = JSON.parse(line);
    events.push(event);
    const index = waiting.findIndex(({ type }) => type === event.type);
    if (index < 0) unseen.push(event);
    else waiting.splice(index, 1)[0]!.resolve(event);
  });
  const next = (type: string) =>
    new Promise<TlsServerEvent>((resolve) => {
      const index = unseen.findIndex((event) => event.type === type);
      if (index < 0) waiting.push({ type, resolve });
      else resolve(unseen.splice(index, 1)[0]!);
    });
  child.stdin!.write(`${JSON.stringify({ behaviour: "echo", ...options })}\n`);
  const { port } = await next("listening") as { port: number };
  return {
    port,
    events,
    next: next as TlsServer["next"],
    async [Symbol.asyncDispose]() {
      child.stdin!.end();
      await exited;
      lines.close();
    },
  };
}
