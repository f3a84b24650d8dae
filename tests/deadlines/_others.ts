/** The public members beneath and beside the client: what ends the wait for each, and proof that it does. */

import { assertEquals, assertRejects } from "@std/assert";
import {
  createActiveMQTextMessage,
  createKeepAliveInfo,
  deflateMessage,
  OpenWireDecoderStream,
  OpenWireEncoderStream,
  OpenWireFormat,
} from "../../codec/mod.ts";
import { createMessage, MemoryBroker } from "../../testing/mod.ts";
import { dial, listen, type Listener, memoryPair, type Transport } from "../../transport/mod.ts";
import { isPending, REASON } from "./_outcomes.ts";

const FIXED = { version: 12 };

/** Fails unless a promise waits until something is done, and rejects with a reason then. */
async function failsWith(promise: Promise<unknown>, end: () => unknown): Promise<void> {
  assertEquals(await isPending(promise), true);
  const rejected = assertRejects(() => promise);
  await end();
  await rejected;
}

/** What a transport's streams wait for, its peer or `close()`. */
async function streamEnds(use: (transport: Transport) => Promise<unknown>): Promise<void> {
  const [transport, peer] = memoryPair();
  await failsWith(use(transport), () => transport.close());
  peer.close();
  await Promise.all([transport.closed, peer.closed]);
}

/** Writes more than anybody takes. */
function overfill({ writable }: Transport): Promise<void> {
  const writer = writable.getWriter();
  writer.closed.catch(() => {});
  for (let n = 0; n < 100; n++) writer.write(new Uint8Array(65_536)).catch(() => {});
  return writer.write(new Uint8Array(1));
}

async function listenerEnds(close: (listener: Listener) => PromiseLike<void>): Promise<void> {
  const listener = await listen();
  const next = listener[Symbol.asyncIterator]().next();
  assertEquals(await isPending(next), true);
  await close(listener);
  assertEquals((await next).done, true);
}

/** A client that is connected to a broker in memory, for what ends it. */
async function brokerEnds(end: (broker: MemoryBroker) => Promise<void>): Promise<void> {
  await using broker = await MemoryBroker.listen();
  const transport = await dial(broker.url);
  const reading = (async () => {
    const reader = transport.readable.getReader();
    while (!(await reader.read()).done);
  })().catch(() => {});
  await end(broker);
  await reading;
  transport.close();
  await transport.closed;
}

/** By the name of the member. */
export const others: Readonly<Record<string, () => Promise<void>>> = {
  // Codec: streams of the platform, which wait for their other side; and what computes.
  "OpenWireDecoderStream.readable": async () => {
    const { readable, writable } = new OpenWireDecoderStream(OpenWireFormat.fixed(FIXED));
    await failsWith(readable.getReader().read(), () => writable.abort(REASON));
  },
  "OpenWireDecoderStream.writable": async () => {
    const { readable, writable } = new OpenWireDecoderStream(OpenWireFormat.fixed(FIXED));
    const writer = writable.getWriter();
    writer.closed.catch(() => {});
    writer.write(new Uint8Array(1)).catch(() => {});
    await failsWith(writer.write(new Uint8Array(1)), () => readable.cancel(REASON));
  },
  "OpenWireEncoderStream.readable": async () => {
    const { readable, writable } = new OpenWireEncoderStream(OpenWireFormat.fixed(FIXED));
    await failsWith(readable.getReader().read(), () => writable.abort(REASON));
  },
  "OpenWireEncoderStream.writable": async () => {
    const { readable, writable } = new OpenWireEncoderStream(OpenWireFormat.fixed(FIXED));
    const writer = writable.getWriter();
    writer.closed.catch(() => {});
    writer.write(createKeepAliveInfo()).catch(() => {});
    await failsWith(writer.write(createKeepAliveInfo()), () => readable.cancel(REASON));
  },
  "OpenWireFormat.agreement": async () => {
    const format = new OpenWireFormat();
    await failsWith(format.agreement, () => format.fail(REASON));
  },
  deflateMessage: async () => {
    await deflateMessage(createActiveMQTextMessage({ content: new Uint8Array(10_000) }));
  },

  // Transport.
  "Transport.readable": () => streamEnds(({ readable }) => readable.getReader().read()),
  "Transport.writable": () => streamEnds(overfill),
  "Transport.closed": async () => {
    const [transport, peer] = memoryPair();
    assertEquals(await isPending(transport.closed), true);
    transport.close();
    peer.close();
    await Promise.all([transport.closed, peer.closed]);
  },
  listen: async () => await (await listen()).close(),
  "Listener.close": () => listenerEnds((listener) => listener.close()),
  "Listener[Symbol.asyncDispose]": () =>
    listenerEnds((listener) => listener[Symbol.asyncDispose]()),
  "Listener[Symbol.asyncIterator]": () => listenerEnds((listener) => listener.close()),

  // Messages made by hand wait for nobody.
  "CreatedMessage.ack": () => createMessage("x").ack(),
  "CreatedMessage.reject": () => createMessage("x").reject("y"),
  "CreatedMessage.retry": () => createMessage("x").retry(),
  "CreatedMessage.readable": async () => {
    const chunks = await Array.fromAsync(createMessage("x").readable);
    assertEquals(chunks, [new TextEncoder().encode("x")]);
  },

  // The broker in memory.
  "MemoryBroker.listen": async () => await (await MemoryBroker.listen()).close(),
  "MemoryBroker.until": async () => {
    const broker = new MemoryBroker();
    await failsWith(broker.until(() => false), () => broker.close());
  },
  "MemoryBroker.disconnectClients": () => brokerEnds((broker) => broker.disconnectClients()),
  "MemoryBroker.suspend": () => brokerEnds((broker) => broker.suspend()),
  "MemoryBroker.resume": () =>
    brokerEnds(async (broker) => {
      await broker.suspend();
      await broker.resume();
    }),
  "MemoryBroker.close": () => brokerEnds((broker) => broker.close()),
  "MemoryBroker[Symbol.asyncDispose]": () => brokerEnds((broker) => broker[Symbol.asyncDispose]()),
};
