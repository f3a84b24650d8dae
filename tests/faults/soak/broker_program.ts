/**
 * The broker of a soak, in a process of its own so that its memory does not count: a broker in memory, and a proxy before
 * it that breaks its connections now and then. Its argument says how many milliseconds pass between two breaks. It prints
 * both addresses, and ends with its standard input.
 */
import process from "node:process";
import { MemoryBroker } from "../../../testing/mod.ts";
import { FaultProxy } from "../proxy/fault_proxy.ts";

await using broker = await MemoryBroker.listen();
await using proxy = await FaultProxy.listen(broker.url);
process.stdout.write(`${JSON.stringify({ url: broker.url, faulty: proxy.url })}\n`);
const timer = proxy.breakEvery(Number(process.argv[2]));
await new Promise<void>((resolve) => process.stdin.on("end", resolve).resume());
clearInterval(timer);
