/**
 * What two peers agree on before they speak: version, encoding, cache and limits.
 *
 * @module
 */

import { OptionNames } from "../option_names.ts";
import { numberText } from "../errors.ts";
import { printable, ProtocolError } from "./errors.ts";
import { createWireFormatInfo } from "./generated/factories.ts";
import type { WireFormatInfo } from "./generated/types.ts";
import { decodePrimitiveMap, encodePrimitiveMap } from "./primitive_map.ts";
import { PROVIDER, VERSION } from "./version.ts";
import { int, long, type PrimitiveMap, type PrimitiveType } from "./primitive_value.ts";

/**
 * Highest version of OpenWire that this module speaks.
 *
 * @example
 * ```ts
 * import { MAX_VERSION } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(MAX_VERSION, 12);
 * ```
 */
export const MAX_VERSION = 12;

/**
 * What a peer offers in its WireFormatInfo, and what it asks of the other's.
 *
 * @example
 * ```ts
 * import { OpenWireFormat, type WireFormatOptions } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const options: WireFormatOptions = { version: 11, cacheEnabled: false };
 * assertEquals(new OpenWireFormat(options).offer.version, 11);
 * ```
 */
export interface WireFormatOptions {
  /** Highest version to speak, 1 to 12. @default {12} */
  version?: number | undefined;
  /** Lowest version of the peer that is accepted, 1 to 12. @default {1} */
  minimumVersion?: number | undefined;
  /**
   * Whether to offer tight encoding: smaller frames for more work on both sides. @default {false}
   */
  tightEncodingEnabled?: boolean | undefined;
  /**
   * Whether to offer the object cache for ids and destinations (Java: on by default). It saves 130 to 200 bytes a message.
   * Turn it on only if you trust all senders: after a message that ActiveMQ fails to write the caches of both sides differ,
   * and a message that cannot be decoded ends the connection. @default {false}
   */
  cacheEnabled?: boolean | undefined;
  /** Slots of the cache, 100 to 32,767: a Java peer hangs with 1 to 99. @default {1024} */
  cacheSize?: number | undefined;
  /** Whether exceptions come with stack traces and causes. @default {false} */
  stackTraceEnabled?: boolean | undefined;
  /**
   * Whether to offer frames without a size. Most peers can't do without it, and the decoder has to read a command from
   * its start each time that more of it comes. @default {false}
   */
  sizePrefixDisabled?: boolean | undefined;
  /** Whether to ask the peer to send small packets at once. @default {true} */
  tcpNoDelayEnabled?: boolean | undefined;
  /** Milliseconds of silence after which a connection is given up; 0 for never. @default {30_000} */
  maxInactivityDuration?: number | undefined;
  /** Milliseconds before silence counts. @default {10_000} */
  maxInactivityDurationInitialDelay?: number | undefined;
  /**
   * Largest frame in bytes that is taken or sent. The client takes a message that is up to 16,384 bytes larger, for the fields
   * that the broker adds, and has the broker dead-letter one that is larger still. @default {104_857_600}
   */
  maxFrameSize?: number | undefined;
  /** Name of the virtual host; none by default. */
  host?: string | undefined;
}

/**
 * What is in force on a connection.
 *
 * @example
 * ```ts
 * import { OpenWireFormat, type WireFormatSettings } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const settings: WireFormatSettings = OpenWireFormat.fixed({ version: 9 }).settings;
 * assertEquals(settings.version, 9);
 * ```
 */
export interface WireFormatSettings {
  /** Version in use. */
  readonly version: number;
  /** Whether frames are tight. */
  readonly tightEncodingEnabled: boolean;
  /** Whether cached fields go through the cache. */
  readonly cacheEnabled: boolean;
  /** Slots of the cache. */
  readonly cacheSize: number;
  /** Whether exceptions come with stack traces and causes. */
  readonly stackTraceEnabled: boolean;
  /** Whether frames come without a size. */
  readonly sizePrefixDisabled: boolean;
  /** Whether small packets are sent at once. */
  readonly tcpNoDelayEnabled: boolean;
  /** Milliseconds of silence after which the connection is given up; 0 for never. */
  readonly maxInactivityDuration: number;
  /** Milliseconds before silence counts. */
  readonly maxInactivityDurationInitialDelay: number;
  /** Largest frame in bytes that may be sent, its size prefix not counted. */
  readonly maxFrameSize: number;
}

/**
 * {@linkcode WireFormatOptions} with the defaults filled in.
 *
 * @example
 * ```ts
 * import { OpenWireFormat, type WireFormatOffer } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const offer: WireFormatOffer = new OpenWireFormat().offer;
 * assertEquals(offer.version, 12);
 * ```
 */
export type WireFormatOffer =
  & {
    readonly [Name in Exclude<keyof WireFormatOptions, "host">]-?: NonNullable<
      WireFormatOptions[Name]
    >;
  }
  & Pick<WireFormatOptions, "host">;

/** Slots when one side says none: Java's `Short.MAX_VALUE / 2`. */
const DEFAULT_CACHE_SIZE = 16383;
/** Limits of a peer's options, as in Java 6.4. */
const MAX_PROPERTIES = 64;
const MAX_PROPERTY_LENGTH = 512;

/** The state of a codec before it knows its peer: only a WireFormatInfo may be sent. */
const INITIAL: WireFormatSettings = {
  version: 1,
  tightEncodingEnabled: false,
  cacheEnabled: false,
  cacheSize: 0,
  stackTraceEnabled: false,
  sizePrefixDisabled: false,
  tcpNoDelayEnabled: true,
  maxInactivityDuration: 0,
  maxInactivityDurationInitialDelay: 0,
  maxFrameSize: 65536,
};

/**
 * The format of one connection, shared by its encoder and its decoder (Java: OpenWireFormat).
 *
 * It starts with what we offer. The decoder merges it with the peer's WireFormatInfo, which must be the first frame, and
 * from the next frame on both directions use the result.
 *
 * @example What two peers agree on
 * ```ts
 * import { OpenWireFormat } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const ours = new OpenWireFormat({ version: 12, tightEncodingEnabled: true });
 * const theirs = new OpenWireFormat({ version: 9 });
 * ours.negotiate(theirs.info());
 * assertEquals(ours.settings.version, 9);
 * assertEquals(ours.settings.tightEncodingEnabled, false);
 * ```
 */
export class OpenWireFormat {
  /** What we offer. */
  readonly offer: WireFormatOffer;
  #settings: WireFormatSettings = INITIAL;
  #negotiated = false;
  #peer: PrimitiveMap | undefined;
  #agreement: PromiseWithResolvers<WireFormatSettings> = Promise.withResolvers();

  /**
   * Makes a format that is to be negotiated.
   *
   * @param options What to offer.
   * @throws {RangeError} When an option is out of range.
   */
  constructor(options: WireFormatOptions = {}) {
    WIRE_FORMAT_OPTIONS.check(options, "Cannot make a wire format");
    this.offer = {
      version: inRange("version", options.version ?? MAX_VERSION, 1, MAX_VERSION),
      minimumVersion: inRange("minimumVersion", options.minimumVersion ?? 1, 1, MAX_VERSION),
      tightEncodingEnabled: options.tightEncodingEnabled ?? false,
      cacheEnabled: options.cacheEnabled ?? false,
      cacheSize: inRange("cacheSize", options.cacheSize ?? 1024, 100, 32767),
      stackTraceEnabled: options.stackTraceEnabled ?? false,
      sizePrefixDisabled: options.sizePrefixDisabled ?? false,
      tcpNoDelayEnabled: options.tcpNoDelayEnabled ?? true,
      maxInactivityDuration: inRange(
        "maxInactivityDuration",
        options.maxInactivityDuration ?? 30_000,
        0,
        2 ** 31 - 1,
      ),
      maxInactivityDurationInitialDelay: inRange(
        "maxInactivityDurationInitialDelay",
        options.maxInactivityDurationInitialDelay ?? 10_000,
        0,
        2 ** 31 - 1,
      ),
      maxFrameSize: inRange("maxFrameSize", options.maxFrameSize ?? 104_857_600, 1024, 2 ** 31 - 1),
      host: options.host,
    };
    // Nobody may be waiting when it fails.
    this.#agreement.promise.catch(() => {});
  }

  /**
   * Makes a format whose settings are known, such as those of recorded bytes; nothing is negotiated.
   *
   * @param settings What is in force; the rest is as in {@linkcode WireFormatOptions}, with caching off by default.
   * @returns The format.
   * @throws {RangeError} When the version or the size of the cache is out of range.
   */
  static fixed(settings: Partial<WireFormatSettings> = {}): OpenWireFormat {
    const format = new OpenWireFormat(
      settings.maxFrameSize ? { maxFrameSize: settings.maxFrameSize } : {},
    );
    inRange("version", settings.version ?? MAX_VERSION, 1, MAX_VERSION);
    inRange("cacheSize", settings.cacheSize ?? DEFAULT_CACHE_SIZE, 1, 32767);
    format.#settle({
      ...format.offer,
      cacheEnabled: false,
      ...settings,
      cacheSize: settings.cacheSize ?? DEFAULT_CACHE_SIZE,
    });
    return format;
  }

  /** What is in force now. */
  get settings(): WireFormatSettings {
    return this.#settings;
  }

  /** Whether the peer's WireFormatInfo is known, or the settings are fixed. */
  get negotiated(): boolean {
    return this.#negotiated;
  }

  /** Resolves with the settings once they are negotiated; rejects when they can't be. */
  get agreement(): Promise<WireFormatSettings> {
    return this.#agreement.promise;
  }

  /** The options that the peer sent, such as `ProviderName` and `ProviderVersion`; undefined before. */
  get peerProperties(): PrimitiveMap | undefined {
    return this.#peer;
  }

  /** The WireFormatInfo to send first. */
  info(): WireFormatInfo {
    const offer = this.offer;
    const marshalledProperties = encodePrimitiveMap({
      StackTraceEnabled: offer.stackTraceEnabled,
      TcpNoDelayEnabled: offer.tcpNoDelayEnabled,
      CacheEnabled: offer.cacheEnabled,
      CacheSize: int(offer.cacheSize),
      TightEncodingEnabled: offer.tightEncodingEnabled,
      SizePrefixDisabled: offer.sizePrefixDisabled,
      MaxInactivityDuration: long(offer.maxInactivityDuration),
      MaxInactivityDurationInitalDelay: long(offer.maxInactivityDurationInitialDelay),
      MaxFrameSize: long(offer.maxFrameSize),
      MaxFrameSizeEnabled: true,
      ProviderName: PROVIDER,
      ProviderVersion: VERSION,
      PlatformDetails: "JavaScript",
      ...(offer.host === undefined ? {} : { Host: offer.host }),
    });
    return createWireFormatInfo({ version: offer.version, marshalledProperties });
  }

  /**
   * Merges what we offer with the peer's WireFormatInfo (Java: OpenWireFormat.renegotiateWireFormat).
   *
   * @param info The peer's first frame.
   * @returns What is in force from now on.
   * @throws {ProtocolError} When the info breaks a rule, or the peer's version is too low.
   */
  negotiate(info: WireFormatInfo): WireFormatSettings {
    const fail = (field: string, problem: string): never => {
      const message = `Cannot negotiate with the peer: ${problem}`;
      throw new ProtocolError(message, { dataType: "WireFormatInfo", field });
    };
    if (String.fromCharCode(...info.magic) !== "ActiveMQ") {
      fail("magic", "its magic isn't `ActiveMQ`");
    }
    const offer = this.offer;
    const version = info.version <= 0 ? offer.version : Math.min(offer.version, info.version);
    if (version < offer.minimumVersion) {
      fail("version", `it speaks version ${version}, at least ${offer.minimumVersion} is expected`);
    }
    const peer = decodePrimitiveMap(info.marshalledProperties);
    checkProperties(peer, fail);
    const flag = (name: string): boolean => expectType(peer, name, "boolean", fail) === true;
    const number = (name: string, type: "int" | "long"): number =>
      Number(expectType(peer, name, type, fail) ?? 0);

    const cacheSize = Math.min(offer.cacheSize, number("CacheSize", "int"));
    if (cacheSize < 0) fail("marshalledProperties", `its CacheSize is ${cacheSize}`);
    const peerFrameSize = number("MaxFrameSize", "long");
    const settings = {
      version,
      tightEncodingEnabled: flag("TightEncodingEnabled") && offer.tightEncodingEnabled,
      cacheEnabled: flag("CacheEnabled") && offer.cacheEnabled,
      cacheSize: cacheSize || DEFAULT_CACHE_SIZE,
      stackTraceEnabled: flag("StackTraceEnabled") && offer.stackTraceEnabled,
      sizePrefixDisabled: flag("SizePrefixDisabled") && offer.sizePrefixDisabled,
      tcpNoDelayEnabled: flag("TcpNoDelayEnabled") && offer.tcpNoDelayEnabled,
      maxInactivityDuration: Math.max(
        0,
        Math.min(offer.maxInactivityDuration, number("MaxInactivityDuration", "long")),
      ),
      maxInactivityDurationInitialDelay: Math.max(
        0,
        Math.min(
          offer.maxInactivityDurationInitialDelay,
          number("MaxInactivityDurationInitalDelay", "long"),
        ),
      ),
      maxFrameSize: peerFrameSize > 0
        ? Math.min(offer.maxFrameSize, peerFrameSize)
        : offer.maxFrameSize,
    };
    this.#peer = peer;
    return this.#settle(settings);
  }

  /** Says that there will be no agreement, so that who waits for it goes on. */
  fail(reason: unknown): void {
    this.#agreement.reject(reason);
  }

  #settle(settings: WireFormatSettings): WireFormatSettings {
    this.#settings = Object.freeze(settings);
    this.#negotiated = true;
    this.#agreement.resolve(settings);
    return settings;
  }
}

type Fail = (field: string, problem: string) => never;

function checkProperties(peer: PrimitiveMap, fail: Fail): void {
  const field = "marshalledProperties";
  if (peer.size > MAX_PROPERTIES) {
    fail(field, `it sent ${peer.size} properties, ${MAX_PROPERTIES} are allowed`);
  }
  for (const [name, { type, value }] of peer.typedEntries()) {
    if (type === "map" || type === "list") {
      fail(field, `its property ${printable(name)} is a ${type}`);
    }
    if (
      (type === "string" || type === "bytes") &&
      (value as string | Uint8Array).length > MAX_PROPERTY_LENGTH
    ) {
      fail(field, `its property ${printable(name)} is longer than ${MAX_PROPERTY_LENGTH}`);
    }
  }
}

function expectType(peer: PrimitiveMap, name: string, type: PrimitiveType, fail: Fail): unknown {
  const typed = peer.typed(name);
  // To Java null is as good as nothing.
  if (typed === undefined || typed.type === "null") return undefined;
  if (typed.type !== type) {
    fail("marshalledProperties", `its ${name} is of type ${typed.type}, ${type} is expected`);
  }
  return typed.value;
}

function inRange(name: string, value: number, least: number, most: number): number {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(
      `Cannot use ${numberText(value)} as ${name}: an integer from ${least} to ${most} is expected`,
    );
  }
  return value;
}

/** The names of these options. */
const WIRE_FORMAT_OPTIONS: OptionNames<WireFormatOptions> = new OptionNames<WireFormatOptions>({
  version: true,
  minimumVersion: true,
  tightEncodingEnabled: true,
  cacheEnabled: true,
  cacheSize: true,
  stackTraceEnabled: true,
  sizePrefixDisabled: true,
  tcpNoDelayEnabled: true,
  maxInactivityDuration: true,
  maxInactivityDurationInitialDelay: true,
  maxFrameSize: true,
  host: true,
});
