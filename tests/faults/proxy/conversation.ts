/** Understands what client and broker say to each other, frame by frame. */
import {
  type BaseCommand,
  type DataStructure,
  OpenWireDecoder,
  OpenWireFormat,
  type WireFormatInfo,
  type WireFormatSettings,
} from "../../../codec/mod.ts";

/** Which way a command goes. */
export type Direction = "from-client" | "to-client";

/** Both. */
export const DIRECTIONS: readonly Direction[] = ["from-client", "to-client"];

/** A command on its way. */
export interface Heard {
  readonly command: DataStructure;
  /** For an answer to the client: the command that it answers. */
  readonly request: BaseCommand | undefined;
}

interface Side {
  /** The frame of its WireFormatInfo. */
  introduction?: Uint8Array;
  /** What it offers there. */
  offer?: WireFormatSettings;
  decoder?: OpenWireDecoder;
  failure?: Error;
}

/** Decodes both directions of a connection. */
export class Conversation {
  readonly #sides: Record<Direction, Side> = { "from-client": {}, "to-client": {} };
  /** Commands of the client that wait for an answer. */
  readonly #requests: Map<number, BaseCommand> = new Map();

  /** Why what goes this way can't be understood any more. */
  failure(direction: Direction): Error | undefined {
    return this.#sides[direction].failure;
  }

  /** Understands the next frame; undefined when it can't be. */
  hear(direction: Direction, frame: Uint8Array): Heard | undefined {
    const side = this.#sides[direction];
    if (side.failure) return undefined;
    try {
      const command = this.#decode(direction, frame);
      return command && { command, request: this.#request(direction, command) };
    } catch (error) {
      side.failure = error as Error;
      return undefined;
    }
  }

  #decode(direction: Direction, frame: Uint8Array): DataStructure | undefined {
    const side = this.#sides[direction];
    if (!side.introduction) {
      const greedy = new OpenWireFormat(EVERYTHING);
      const info = new OpenWireDecoder(greedy).push(frame)[0] as WireFormatInfo;
      side.introduction = frame.slice();
      side.offer = greedy.settings;
      return info;
    }
    side.decoder ??= this.#decoder(direction);
    return side.decoder.push(frame)[0];
  }

  /** What one side sends is encoded as the other has offered to read it. */
  #decoder(direction: Direction): OpenWireDecoder {
    const other = this.#sides[direction === "from-client" ? "to-client" : "from-client"];
    if (!other.offer) throw new Error("A second command comes before the peer's first");
    const decoder = new OpenWireDecoder(new OpenWireFormat(other.offer));
    decoder.push(this.#sides[direction].introduction!);
    return decoder;
  }

  #request(direction: Direction, command: DataStructure): BaseCommand | undefined {
    if (direction === "to-client") {
      if (!("correlationId" in command) || typeof command.correlationId !== "number") return;
      const request = this.#requests.get(command.correlationId);
      this.#requests.delete(command.correlationId);
      return request;
    }
    if ("responseRequired" in command && command.responseRequired) {
      this.#requests.set(command.commandId, command);
    }
    return undefined;
  }
}

/** Against somebody who offers everything a side gets all that it offers itself. */
const EVERYTHING = {
  tightEncodingEnabled: true,
  cacheSize: 32_767,
  stackTraceEnabled: true,
  maxFrameSize: 2 ** 31 - 1,
  maxInactivityDuration: 2 ** 31 - 1,
  maxInactivityDurationInitialDelay: 2 ** 31 - 1,
};
