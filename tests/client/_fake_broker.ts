/** Peers that do as a test says, byte by byte. */

import {
  createBrokerInfo,
  createResponse,
  type DataStructure,
  OpenWireDecoder,
  OpenWireEncoder,
  OpenWireFormat,
  type WireFormatOptions,
} from "../../codec/mod.ts";
import { listen, type Transport } from "../../transport/mod.ts";

/** Listens, gives each connection to `serve`, and closes everything when the test is done with it. */
export async function fakePeer(
  serve: (transport: Transport) => Promise<void>,
): Promise<AsyncDisposable & { url: string }> {
  const listener = await listen();
  const open = new Set<Transport>();
  const serving = new Set<Promise<void>>();
  const accepting = (async () => {
    for await (const transport of listener) {
      open.add(transport);
      // What a test does to the connection may well break it.
      const served = serve(transport).catch(() => {}).finally(() => {
        serving.delete(served);
        transport.close();
      });
      serving.add(served);
    }
  })();
  return {
    url: `tcp://127.0.0.1:${listener.port}`,
    async [Symbol.asyncDispose]() {
      await listener.close();
      await accepting;
      for (const transport of open) transport.close();
      await Promise.all([...serving]);
      await Promise.all([...open].map(({ closed }) => closed));
    },
  };
}

/** Speaks OpenWire by hand. */
export class Script {
  readonly format: OpenWireFormat;
  readonly #encoder: OpenWireEncoder;
  readonly #decoder: OpenWireDecoder;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #received: DataStructure[] = [];

  constructor(transport: Transport, options: WireFormatOptions = {}) {
    // As brokers do.
    this.format = new OpenWireFormat({ cacheEnabled: true, ...options });
    this.#encoder = new OpenWireEncoder(this.format);
    this.#decoder = new OpenWireDecoder(this.format);
    this.#reader = transport.readable.getReader() as ReadableStreamDefaultReader<Uint8Array>;
    this.#writer = transport.writable.getWriter();
    this.#writer.closed.catch(() => {});
  }

  /** The next command; undefined at the end. */
  async next(): Promise<DataStructure | undefined> {
    while (this.#received.length === 0) {
      const { done, value } = await this.#reader.read();
      if (done) return undefined;
      this.#received.push(...this.#decoder.push(value));
    }
    return this.#received.shift();
  }

  /** Sends a command. */
  async send(command: DataStructure): Promise<void> {
    await this.#writer.write(this.#encoder.encode(command));
  }

  /** Sends bytes as they are. */
  async sendBytes(bytes: Uint8Array): Promise<void> {
    await this.#writer.write(bytes);
  }

  /** Sends no more. */
  async end(): Promise<void> {
    await this.#writer.close();
  }

  /** Negotiates and accepts the connection. */
  async accept(): Promise<void> {
    await this.send(this.format.info());
    for (let command; (command = await this.next()) !== undefined;) {
      if (command.dataType === "WireFormatInfo") await this.send(createBrokerInfo());
      if (command.dataType === "ConnectionInfo") return await this.answer(command);
    }
  }

  /** Answers a command, if it wants an answer. */
  async answer(command: DataStructure): Promise<void> {
    if (!("responseRequired" in command) || !command.responseRequired) return;
    await this.send(createResponse({ correlationId: command.commandId }));
  }

  /** Answers all that comes until the client leaves, and tells of each command. */
  async answerAll(seen: (command: DataStructure) => void = () => {}): Promise<void> {
    for (let command; (command = await this.next()) !== undefined;) {
      seen(command);
      if (command.dataType === "ShutdownInfo") return;
      await this.answer(command);
    }
  }
}
