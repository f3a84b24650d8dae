/**
 * A web server for Bun with a broker behind it: orders are queued, prices are asked for.
 *
 * ```sh
 * bun price_service.ts tcp://localhost:61616 &       # who knows the prices
 * bun order_server.ts tcp://localhost:61616 3000
 * curl --json '{"item":"apple","count":3}' localhost:3000/orders
 * curl 'localhost:3000/price?item=apple'
 * ```
 */

// deno-lint-ignore-file no-console -- a server has a log
import process from "node:process";
// In a program of yours: from "./openwire/mod.ts", or wherever the module is
import {
  connect,
  type ConnectionStatus,
  OpenWireError,
  RemoteError,
  TimeoutError,
} from "../mod.ts";

const [url = "tcp://localhost:61616", port = "3000"] = process.argv.slice(2);

/** Milliseconds that a customer waits for a price. */
const PATIENCE = 2_000;

/** What is used of Bun: with `bun add -d @types/bun` all of it is there, and this isn't needed. */
declare const Bun: {
  serve(options: {
    port: number;
    routes: Record<string, Record<string, (request: Request) => Promise<Response>>>;
    error(error: Error): Response;
  }): { readonly url: URL; stop(): Promise<void> };
};

interface Order {
  readonly item: string;
  readonly count: number;
}

const connection = await connect(url);
const orders = await connection.createProducer("orders", { sendTimeout: 5_000 });

const server = Bun.serve({
  port: Number(port),
  routes: {
    "/orders": { POST: takeOrder },
    "/price": { GET: tellPrice },
  },
  error: toResponse,
});
console.log(`Serving ${server.url}, with ${connection.provider} behind`);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => void stop(signal));
}
void watch(connection.status());

/** The order is safe when the customer is told so: `send()` resolves when the broker has stored it. */
async function takeOrder(request: Request): Promise<Response> {
  const order = toOrder(await request.json().catch(() => null));
  if (order === null) return problem(400, "item and count are expected");
  const { messageId } = await orders.send({ json: order });
  return Response.json({ messageId }, { status: 202 });
}

/** Asks whoever answers on the queue `prices`. A request that nobody has taken by the end of its time is dropped. */
async function tellPrice(request: Request): Promise<Response> {
  const item = new URL(request.url).searchParams.get("item");
  if (!item) return problem(400, "?item=… is expected");
  const reply = await connection.request("prices", { json: { item } }, { timeout: PATIENCE });
  return Response.json(reply.json());
}

function toOrder(value: unknown): Order | null {
  const { item, count } = (value ?? {}) as Partial<Order>;
  return typeof item === "string" && Number.isInteger(count) ? { item, count: count! } : null;
}

/** What has failed, in terms of HTTP. */
function toResponse(error: Error): Response {
  if (error instanceof RemoteError && error.remoteCode === "NOT_FOUND") {
    return problem(404, error.message);
  }
  console.error(String(error));
  if (error instanceof TimeoutError) return problem(504, "nobody has answered in time");
  if (error instanceof OpenWireError) return problem(503, "try again later");
  return problem(500, "that should not have happened");
}

function problem(status: number, title: string): Response {
  return Response.json({ title }, { status });
}

/** Takes no more requests, answers those that it has, and leaves the broker in order. */
async function stop(reason: string): Promise<void> {
  console.log(`Stopping: ${reason}`);
  await server.stop();
  await connection.close();
}

/** Says what nobody else is told, and ends with the connection, so that whoever runs this server starts it again. */
async function watch(statuses: AsyncIterable<ConnectionStatus>): Promise<void> {
  for await (const { type, error } of statuses) {
    if (error) console.error(`${type}: ${error.message}`);
    if (type !== "closed" || !error) continue;
    process.exitCode = 1;
    await stop("the broker is gone");
  }
}
