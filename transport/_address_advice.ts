/** What is wrong with a text that is no address of a broker, and what to write instead. */

const OPENWIRE = "take that of OpenWire, tcp://host:61616";
const OPENWIRE_TLS = "take that of OpenWire, ssl://host:61617";
const LIST = "failover:(tcp://a:61616,tcp://b:61616)";
const broadcast =
  `only connections to known addresses are supported: give the broker's tcp:// address, or ${LIST}`;
const PLACEHOLDER = "expected tcp://host:port, there is a placeholder to be filled in";
const tls = "the scheme for TLS is ssl://";
const webConsole =
  "it is the web console, or OpenWire over HTTP, which is not supported: give the broker's";

/** Other protocols that brokers speak, and the names that they have in addresses. */
const protocols: ReadonlyMap<string, string> = new Map([
  ["amqp", "AMQP"],
  ["amqps", "AMQP"],
  ["mqtt", "MQTT"],
  ["mqtts", "MQTT"],
  ["stomp", "STOMP"],
  ["stomps", "STOMP"],
  ["ws", "STOMP and MQTT over WebSockets"],
  ["wss", "STOMP and MQTT over WebSockets"],
]);

/** Why other schemes are refused. */
const refusals: ReadonlyMap<string, string> = new Map([
  ["vm", "it is for a broker within the same Java program; for tests there is a broker in memory"],
  ["peer", "it starts a broker within the same Java program"],
  ["http", `${webConsole} tcp:// address`],
  ["https", `${webConsole} ssl:// address`],
  ["udp", broadcast],
  ["multicast", broadcast],
  ["discovery", broadcast],
  ["zeroconf", broadcast],
  ["jgroups", broadcast],
  ["fanout", "sending to many brokers at once is not supported, open a connection to each"],
  ["mock", "it is for the tests of the Java client"],
  ["tls", tls],
  ["tcps", tls],
  ["tcp+ssl", tls],
  ["tcp+tls", tls],
  ["activemq", "leave out `activemq:`, or write tcp: for it"],
  ["openwire", "leave out `openwire:`, or write tcp: for it"],
]);

/** What a scheme of one of these protocols may end with. */
const PROTOCOL = /^([a-z]+)(?:\+(?:nio|ssl|ws|wss|nio\+ssl|auto|auto\+ssl|auto\+nio\+ssl))?$/;

/**
 * Why there is no connection to such a URL, and its scheme, which may be shown; undefined for schemes that nobody knows.
 *
 * @param scheme Without a colon.
 */
export function refusalOf(scheme: string): { scheme: string; reason: string } | undefined {
  const protocol = protocols.get(PROTOCOL.exec(scheme)?.[1] ?? "");
  if (!protocol) {
    const reason = refusals.get(scheme);
    return reason === undefined ? undefined : { scheme, reason };
  }
  const secure = /^(?:amqps|mqtts|stomps|wss)$|\+(?:ssl|wss)$/.test(scheme);
  const rabbit = scheme === "amqps"
    ? "; a broker that has only this one is RabbitMQ, which has no OpenWire"
    : "";
  const instead = secure ? OPENWIRE_TLS : OPENWIRE;
  return { scheme, reason: `it is the broker's address for ${protocol}: ${instead}${rabbit}` };
}

/** Looks for what users paste; what it returns never has a part of the text, which may be a password. */
export function adviceOn(text: string): string {
  return advice.find(([pattern]) => pattern.test(text))?.[1] ?? "expected tcp://host:port";
}

/** Characters of an address, at most: names of hosts have 253. */
export const LONGEST_ADDRESS = 1024;

/** Two addresses with something between that is not part of one. A pattern would take cubic time. */
const several = {
  test(text: string): boolean {
    const first = text.indexOf("://");
    return first >= 0 && /[\s,;#)]/.test(text.slice(first + 3, text.lastIndexOf("://")));
  },
};

const tooLong = { test: (text: string): boolean => text.length > LONGEST_ADDRESS };

const missing = "the scheme is missing: expected tcp://host:port, or ssl://host:port";

/** Where the port stands: behind the last colon, up to what may follow. */
const port = { test: (text: string): boolean => !hasPort(/:([^:/?#\]]*)\/?$/.exec(text)?.[1]) };

function hasPort(port: string | undefined): boolean {
  return port === undefined || (/^\d*$/.test(port) && Number(port) <= 65535);
}

/** The first one that matches counts. */
const advice: readonly [{ test(text: string): boolean }, string][] = [
  [/^$/, "expected tcp://host:port, it is empty"],
  [/^["'`]|["'`]$/, "expected tcp://host:port without quotes"],
  [/\$\{|\{\{|\$\(|^\$\w+$|^%\w+%$/, PLACEHOLDER],
  [/^[\w.-]+(?:\s*=\s*|:\s+)\S*:/, "expected tcp://host:port alone, without the name before it"],
  [several, `several brokers are written ${LIST}`],
  [/^\(/, `the scheme is missing: several brokers are written ${LIST}`],
  [tooLong, `expected tcp://host:port, it has more than ${LONGEST_ADDRESS} characters`],
  // As guides, consoles and shells write what is to be filled in.
  [/[<>{}$]|%[A-Za-z_]\w*%|%3[ce]|%7[bd]|:\/\/\.{3}|…|:port\/?$/i, PLACEHOLDER],
  [/\s/, "expected tcp://host:port, there is white space within it"],
  [/^(?:\/\/)?(?:[\w.-]+|\[[\da-f:.]+\])(?::\d+)?$/i, missing],
  [/:\/\/\[?\*/, "`*` is for a broker that listens: write the name of the broker's host"],
  [/:\/\/[\da-f]*:[\da-f:.]*:/i, "an IPv6 address stands in brackets: tcp://[::1]:61616"],
  [/^[a-z+]+:\/?[\w[]/i, "expected two slashes: tcp://host:port"],
  [/:\/\/[^/]*[,;]$/, "nothing may follow the port"],
  [/:\/\/\[/, "between brackets an IPv6 address is expected: tcp://[::1]:61616"],
  [
    /:\/\/[^/]*:[^/]*:/,
    "expected tcp://host:port, there is more than one colon behind the slashes",
  ],
  [port, "expected a port from 1 to 65535"],
  [
    /^[a-z][a-z\d+.-]*:\/\//i,
    "expected tcp://host:port, the host has a character that no name of a host has",
  ],
];
