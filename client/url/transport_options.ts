/** Options of one broker's address, as the Java client has them for `tcp:` and for its wire format. */

import type { ConnectOptions } from "../options.ts";
import { boolean, frameSize, integer, milliseconds, text, timeout } from "./option_value.ts";
import { fixed, ignored, OptionTable, refused, typed } from "./option_table.ts";

/** The typed options that stand for those of an address. */
export type TransportOptions = Pick<ConnectOptions, "socket" | "tls" | "wireFormat">;

const ciphers = "the runtimes choose, not all can be told";
const asked =
  "it is for the broker, which asks for a certificate: give it as `tls.cert` and `tls.key`";
const traffic = "no runtime lets a program mark its packets";
const loggingOnly = "it is about the log of `trace`; see the option `inspect` of connect()";

const socketRows = [
  typed(
    "connectionTimeout",
    timeout,
    "0",
    "Milliseconds until the socket must be open. `connectTimeout` limits all steps together.",
    (connectTimeout) => ({ socket: { connectTimeout } }),
  ),
  typed(
    "tcpNoDelay",
    boolean,
    "true",
    "Whether small packets are sent at once.",
    (noDelay) => ({ socket: { noDelay } }),
    { aliases: ["socket.tcpNoDelay"] },
  ),
  typed(
    "keepAlive",
    boolean,
    "false",
    "Whether the operating system probes a silent connection.",
    (keepAlive) => ({ socket: { keepAlive } }),
    { aliases: ["socket.keepAlive"] },
  ),
  typed(
    "useInactivityMonitor",
    boolean,
    "true",
    "With `false` neither side looks whether the other is alive.",
    (used): TransportOptions => used ? {} : { wireFormat: { maxInactivityDuration: 0 } },
  ),
  typed(
    "minmumWireFormatVersion",
    integer(1, 12),
    "1",
    "Lowest version of the broker that is accepted. (Java misspells it; the right name is taken too.)",
    (minimumVersion) => ({ wireFormat: { minimumVersion } }),
    { aliases: ["minimumWireFormatVersion"] },
  ),
  typed(
    "socket.verifyHostName",
    boolean,
    "true",
    "Whether the certificate must be for the host of the URL; only for `ssl://`.",
    (verifyHostName) => ({ tls: { verifyHostName } }),
  ),
  fixed(
    "soTimeout",
    "0",
    "a silent connection is ended by wireFormat.maxInactivityDuration",
  ),
  fixed("soWriteTimeout", "0", "send() has a time limit of its own, jms.sendTimeout"),
  fixed("useKeepAlive", "true", "the broker would end a connection on which nothing is sent"),
  fixed("keepAliveResponseRequired", "false", "brokers send signs of life by themselves"),
  fixed("ignoreRemoteWireFormat", "false", "both sides have to use what they agreed on"),
  fixed("ignoreAllWireFormatInfo", "false", "both sides have to use what they agreed on"),
  fixed("useLocalHost", "false", "the host is taken as it is written"),
  fixed("trace", "false", "see the option `inspect` of connect()"),
  refused("connectAttemptTimeout", "the option `connectTimeout` of connect() limits all steps"),
  refused("soLinger", "not all runtimes can"),
  refused("socketBufferSize", "the runtimes choose the sizes of their buffers"),
  refused("trafficClass", traffic),
  refused("diffServ", traffic),
  refused("typeOfService", traffic),
  fixed(
    "socket.enabledProtocols",
    "TLSv1.2,TLSv1.3",
    "both are offered, and not all runtimes can leave one out",
  ),
  refused("socket.enabledCipherSuites", ciphers),
  refused("socket.needClientAuth", asked),
  refused("socket.wantClientAuth", asked),
  refused("socket.receiveBufferSize", "the runtimes choose the sizes of their buffers"),
  refused("socket.sendBufferSize", "the runtimes choose the sizes of their buffers"),
  refused("socket.soTimeout", "a silent connection is ended by wireFormat.maxInactivityDuration"),
  refused("socket.reuseAddress", "it is for sockets that wait for connections"),
  refused("socket.OOBInline", "there is no urgent data in OpenWire"),
  refused("socket.trafficClass", traffic),
  ignored("ioBufferSize", integer(0, 0x7fffffff), "it is about buffers within the Java client"),
  ignored("closeAsync", boolean, "it is about threads"),
  ignored("daemon", boolean, "it is about threads"),
  ignored("stackSize", integer(0, 0x7fffffff), "it is about threads"),
  ignored("threadName", text, "it is about threads"),
  ignored("logWriterName", text, loggingOnly),
  ignored("dynamicManagement", boolean, loggingOnly),
  ignored("startLogging", boolean, loggingOnly),
  ignored("jmxPort", integer(0, 65535), loggingOnly),
];

const wireFormatRows = [
  typed(
    "wireFormat.version",
    integer(1, 12),
    "12",
    "Highest version of OpenWire to speak.",
    (version) => ({ wireFormat: { version } }),
  ),
  typed(
    "wireFormat.tightEncodingEnabled",
    boolean,
    "false",
    "Whether to offer tight encoding, which is the default in Java.",
    (tightEncodingEnabled) => ({ wireFormat: { tightEncodingEnabled } }),
  ),
  typed(
    "wireFormat.cacheEnabled",
    boolean,
    "false",
    "Whether to offer the object cache, which is the default in Java. It trusts all senders.",
    (cacheEnabled) => ({ wireFormat: { cacheEnabled } }),
  ),
  typed(
    "wireFormat.cacheSize",
    integer(100, 32767),
    "1024",
    "Slots of the cache.",
    (cacheSize) => ({ wireFormat: { cacheSize } }),
  ),
  typed(
    "wireFormat.stackTraceEnabled",
    boolean,
    "false",
    "Whether exceptions come with stack traces and causes.",
    (stackTraceEnabled) => ({ wireFormat: { stackTraceEnabled } }),
  ),
  typed(
    "wireFormat.sizePrefixDisabled",
    boolean,
    "false",
    "Whether to offer frames without a size, which most brokers can't read.",
    (sizePrefixDisabled) => ({ wireFormat: { sizePrefixDisabled } }),
  ),
  typed(
    "wireFormat.tcpNoDelayEnabled",
    boolean,
    "true",
    "Whether to ask the broker to send small packets at once.",
    (tcpNoDelayEnabled) => ({ wireFormat: { tcpNoDelayEnabled } }),
  ),
  typed(
    "wireFormat.maxInactivityDuration",
    timeout,
    "30000",
    "Milliseconds of silence after which the connection is given up.",
    (maxInactivityDuration) => ({ wireFormat: { maxInactivityDuration } }),
  ),
  typed(
    "wireFormat.maxInactivityDurationInitalDelay",
    milliseconds,
    "10000",
    "Milliseconds before silence counts. (Java misspells it; the right name is taken too.)",
    (maxInactivityDurationInitialDelay) => ({ wireFormat: { maxInactivityDurationInitialDelay } }),
    { aliases: ["wireFormat.maxInactivityDurationInitialDelay"] },
  ),
  typed(
    "wireFormat.maxFrameSize",
    frameSize,
    "104857600",
    "Largest frame in bytes that is taken or sent.",
    (maxFrameSize) => ({ wireFormat: { maxFrameSize } }),
  ),
  typed(
    "wireFormat.host",
    text,
    "the host of the URL",
    "Name of the virtual host; none by default for URLs with several brokers.",
    (host) => ({ wireFormat: { host } }),
  ),
  fixed(
    "wireFormat.maxFrameSizeEnabled",
    "true",
    "there is always a limit, wireFormat.maxFrameSize=2147483647 is the largest",
  ),
  fixed("wireFormat.includePlatformDetails", "false", "the broker is told `JavaScript`, no more"),
  refused("wireFormat.providerName", "this client says its own name"),
  refused("wireFormat.providerVersion", "this client says its own name"),
  refused("wireFormat.platformDetails", "the broker is told `JavaScript`"),
];

/** The options of one broker's address. */
export const transportOptions: OptionTable<TransportOptions> = new OptionTable<TransportOptions>([
  ...socketRows,
  ...wireFormatRows,
]);
