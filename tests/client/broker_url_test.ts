import { readFileSync } from "node:fs";
import type { ConnectOptions } from "../../mod.ts";
import { OpenWireFormat } from "../../codec/mod.ts";
import { type BrokerUrl, parseBrokerUrl as parseWhole } from "../../client/url/broker_url.ts";
import { failoverOptions } from "../../client/url/failover_options.ts";
import { jmsOptions } from "../../client/url/jms_options.ts";
import { mergeConnectOptions } from "../../client/url/merge_connect_options.ts";
import { mergeOptions } from "../../client/url/merge_options.ts";
import { nearestName } from "../../nearest_name.ts";
import type { OptionRow } from "../../client/url/option_table.ts";
import { type TransportOptions, transportOptions } from "../../client/url/transport_options.ts";
import { resolveFailoverOptions } from "../../client/failover/failover_options.ts";
import { generateId } from "../../client/id_generator.ts";
import { resolveSettings } from "../../client/options.ts";
import { TransportError, type TransportErrorCode } from "../../transport/mod.ts";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { test } from "../_harness.ts";
import { seededRandom } from "../_random.ts";
import { tables } from "./_url_options_page.ts";

/** What a URL says, but for what is for brokers that are told of later. */
function parseBrokerUrl(url: string | URL): Omit<BrokerUrl, "nested"> {
  const { nested: _, ...read } = parseWhole(url);
  return read;
}

/** The message for a URL that is refused. */
function refusal(url: string, code: TransportErrorCode = "INVALID_URL"): string {
  const error = assertThrows(() => parseBrokerUrl(url), TransportError, undefined, url);
  assertEquals(error.code, code);
  assertEquals(error.retryable, false);
  assertEquals(error.cause, undefined);
  return error.message.replace("Cannot use the broker URL: ", "");
}

/** Hosts and ports, in order. */
function addresses({ brokers }: Pick<BrokerUrl, "brokers">): string[] {
  return brokers.map(({ address: { scheme, hostname, port } }) => `${scheme} ${hostname} ${port}`);
}

test("a URL has an address and options of all kinds", () => {
  assertEquals(
    parseBrokerUrl(
      "tcp://localhost:61617?tcpNoDelay=false&wireFormat.cacheEnabled=false&jms.useAsyncSend=true&" +
        "jms.prefetchPolicy.all=5&jms.prefetchPolicy.topicPrefetch=7",
    ),
    {
      brokers: [{
        address: { scheme: "tcp", hostname: "localhost", port: 61617 },
        options: { socket: { noDelay: false }, wireFormat: { cacheEnabled: false } },
      }],
      options: { useAsyncSend: true, prefetchPolicy: { all: 5, topicPrefetch: 7 } },
    },
  );
  assertEquals(parseBrokerUrl(" tcp://localhost "), {
    brokers: [{ address: { scheme: "tcp", hostname: "localhost", port: 61616 }, options: {} }],
    options: {},
  });
  assertEquals(parseBrokerUrl(new URL("tcp://localhost?")), parseBrokerUrl("tcp://localhost"));
});

test("a composite URL is written in many ways", () => {
  const both = ["tcp a 1", "tcp b 61616"];
  const cases: [url: string, brokers: string[]][] = [
    ["failover:(tcp://a:1,tcp://b)", both],
    ["failover://(tcp://a:1,tcp://b)", both],
    ["failover:tcp://a:1,tcp://b", both],
    ["failover://tcp://a:1,tcp://b", both],
    ["FAILOVER:(TCP://a:1,tcp://b)", both],
    ["failover:(nio://a:1,auto://b)", both],
    ["failover:( tcp://a:1 ,\n  tcp://b )", both],
    ["static:(tcp://a:1,tcp://b)", both],
    ["masterslave:(tcp://a:1,tcp://b)", both],
    ["failover:(tcp://a)", ["tcp a 61616"]],
    ["failover:(tcp://[::1]:7,tcp://[2001:db8::2])", ["tcp ::1 7", "tcp 2001:db8::2 61616"]],
    ["failover:(failover:(tcp://a:1,tcp://b),tcp://c)", [...both, "tcp c 61616"]],
    ["failover:(tcp://a:1,static:(failover:(tcp://b)))", both],
  ];
  for (const [url, brokers] of cases) {
    assertEquals(addresses(parseBrokerUrl(url)), brokers, url);
    assert(parseBrokerUrl(url).options.failover, url);
    // Behind `//` the URL class takes the first colon away.
    if (!url.startsWith("failover://")) {
      assertEquals(parseBrokerUrl(new URL(url)), parseBrokerUrl(url));
    }
  }
});

test("options of a composite URL are for all, those of a member for it, nested ones for each", () => {
  const { brokers, options } = parseBrokerUrl(
    "failover:(tcp://a:1?wireFormat.version=9&keepAlive=true,tcp://b:2)" +
      "?randomize=false&jms.userName=app&nested.wireFormat.cacheEnabled=false&nested.wireFormat.version=10",
  );
  assertEquals(options, { failover: { randomize: false }, username: "app" });
  // As in Java, where they are appended to each address.
  assertEquals(brokers.map((broker) => broker.options), [
    { socket: { keepAlive: true }, wireFormat: { version: 10, cacheEnabled: false } },
    { wireFormat: { version: 10, cacheEnabled: false } },
  ]);

  const inner = parseBrokerUrl(
    "failover:(failover:(tcp://a,tcp://b)?nested.keepAlive=true,tcp://c)?nested.tcpNoDelay=false",
  );
  assertEquals(inner.brokers.map(({ options }) => options.socket), [
    { keepAlive: true, noDelay: false },
    { keepAlive: true, noDelay: false },
    { noDelay: false },
  ]);
});

test("options of TLS for all brokers are for those with TLS", () => {
  const { brokers } = parseBrokerUrl(
    "failover:(tcp://a,ssl://b,ssl://c?socket.verifyHostName=true)?nested.socket.verifyHostName=false",
  );
  assertEquals(brokers.map(({ options }) => options), [
    {},
    { tls: { verifyHostName: false } },
    { tls: { verifyHostName: false } },
  ]);
});

test("without parentheses a query belongs to the last broker", () => {
  const { brokers, options } = parseBrokerUrl("failover:tcp://a,tcp://b?tcpNoDelay=false");
  assertEquals(brokers.map((broker) => broker.options), [{}, { socket: { noDelay: false } }]);
  assertEquals(options, { failover: {} });
  assertStringIncludes(
    refusal("failover:tcp://a,tcp://b?randomize=false"),
    "the option randomize is not one of a single broker: write failover:(tcp://a,tcp://b)?randomize=…",
  );
});

test("masterslave: tries the master first and does not reconnect", () => {
  assertEquals(parseBrokerUrl("masterslave:(tcp://a,tcp://b)").options.failover, {
    randomize: false,
    maxReconnectAttempts: 0,
  });
  assertEquals(
    parseBrokerUrl("masterslave:(tcp://a,tcp://b)?maxReconnectAttempts=3").options.failover,
    { randomize: false, maxReconnectAttempts: 3 },
  );
});

test("names and values are decoded as in Java", () => {
  const cases: [written: string, meant: string][] = [
    ["p%40ss%3Aw%23rd%26%3D%25%2B", "p@ss:w#rd&=%+"],
    ["a+b", "a b"],
    ["a%20b", "a b"],
    ["a=b=c", "a=b=c"],
    ["%C3%A9%F0%9F%98%80", "é😀"],
    ["a;b", "a;b"],
    ["", ""],
  ];
  for (const [written, meant] of cases) {
    for (
      const url of [
        `tcp://h?jms.password=${written}`,
        `failover:(tcp://h)?jms%2Epassword=${written}`,
      ]
    ) {
      assertEquals(parseBrokerUrl(url).options.password, meant);
    }
  }
});

/** What each typed option of a URL becomes, for a value that is not the default. */
const typedCases: Record<string, [value: string, options: ConnectOptions][]> = {
  "connectionTimeout": [
    ["5000", { socket: { connectTimeout: 5000 } }],
    ["-1", { socket: { connectTimeout: 0 } }],
  ],
  "tcpNoDelay": [["false", { socket: { noDelay: false } }]],
  "socket.tcpNoDelay": [["false", { socket: { noDelay: false } }]],
  "keepAlive": [["true", { socket: { keepAlive: true } }]],
  "socket.keepAlive": [["true", { socket: { keepAlive: true } }]],
  "socket.verifyHostName": [
    ["false", { tls: { verifyHostName: false } }],
    ["true", { tls: { verifyHostName: true } }],
  ],
  "useInactivityMonitor": [
    ["false", { wireFormat: { maxInactivityDuration: 0 } }],
    ["true", {}],
  ],
  "minmumWireFormatVersion": [["9", { wireFormat: { minimumVersion: 9 } }]],
  "minimumWireFormatVersion": [["9", { wireFormat: { minimumVersion: 9 } }]],
  "wireFormat.version": [["11", { wireFormat: { version: 11 } }]],
  "wireFormat.tightEncodingEnabled": [["true", { wireFormat: { tightEncodingEnabled: true } }]],
  "wireFormat.cacheEnabled": [["FALSE", { wireFormat: { cacheEnabled: false } }]],
  "wireFormat.cacheSize": [["100", { wireFormat: { cacheSize: 100 } }]],
  "wireFormat.stackTraceEnabled": [["true", { wireFormat: { stackTraceEnabled: true } }]],
  "wireFormat.sizePrefixDisabled": [["true", { wireFormat: { sizePrefixDisabled: true } }]],
  "wireFormat.tcpNoDelayEnabled": [["false", { wireFormat: { tcpNoDelayEnabled: false } }]],
  "wireFormat.maxInactivityDuration": [
    ["0", { wireFormat: { maxInactivityDuration: 0 } }],
    ["-1", { wireFormat: { maxInactivityDuration: 0 } }],
  ],
  "wireFormat.maxInactivityDurationInitalDelay": [
    ["0", { wireFormat: { maxInactivityDurationInitialDelay: 0 } }],
  ],
  "wireFormat.maxInactivityDurationInitialDelay": [
    ["1", { wireFormat: { maxInactivityDurationInitialDelay: 1 } }],
  ],
  "wireFormat.maxFrameSize": [
    ["1024", { wireFormat: { maxFrameSize: 1024 } }],
    ["9223372036854775807", { wireFormat: { maxFrameSize: 2147483647 } }],
  ],
  "wireFormat.host": [["virtual", { wireFormat: { host: "virtual" } }]],
  "initialReconnectDelay": [["100", { failover: { initialReconnectDelay: 100 } }]],
  "maxReconnectDelay": [["5000", { failover: { maxReconnectDelay: 5000 } }]],
  "useExponentialBackOff": [["false", { failover: { useExponentialBackOff: false } }]],
  "reconnectDelayExponent": [["1.5", { failover: { reconnectDelayExponent: 1.5 } }]],
  "maxReconnectAttempts": [["0", { failover: { maxReconnectAttempts: 0 } }]],
  "startupMaxReconnectAttempts": [["3", { failover: { startupMaxReconnectAttempts: 3 } }]],
  "randomize": [["false", { failover: { randomize: false } }]],
  "timeout": [["3000", { failover: { timeout: 3000 } }]],
  "backup": [["true", { failover: { backup: true } }]],
  "backupPoolSize": [["2", { failover: { backupPoolSize: 2 } }]],
  "priorityBackup": [["true", { failover: { priorityBackup: true } }]],
  "priorityURIs": [["tcp://a,tcp://b", { failover: { priorityURIs: ["tcp://a", "tcp://b"] } }]],
  "trackMessages": [["true", { failover: { trackMessages: true } }]],
  "maxCacheSize": [["5", { failover: { maxCacheSize: 5 } }]],
  "updateURIsSupported": [["false", { failover: { updateURIsSupported: false } }]],
  "rebalanceUpdateURIs": [["false", { failover: { rebalanceUpdateURIs: false } }]],
  "reconnectSupported": [["false", { failover: { reconnectSupported: false } }]],
  "warnAfterReconnectAttempts": [["1", { failover: { warnAfterReconnectAttempts: 1 } }]],
  "jms.userName": [["app", { username: "app" }]],
  "jms.password": [["secret", { password: "secret" }]],
  "jms.clientID": [["me", { clientId: "me" }]],
  "jms.clientIDPrefix": [["me-", { clientIdPrefix: "me-" }]],
  "jms.connectionIDPrefix": [["me-", { connectionIdPrefix: "me-" }]],
  "jms.requestTimeout": [["0", { requestTimeout: 0 }], ["5", { requestTimeout: 5 }]],
  "jms.sendTimeout": [["-1", { sendTimeout: 0 }], ["5", { sendTimeout: 5 }]],
  "jms.closeTimeout": [["5", { closeTimeout: 5 }]],
  "jms.optimizeAcknowledge": [["true", { optimizeAcknowledge: true }]],
  "jms.optimizeAcknowledgeTimeOut": [["500", { optimizeAcknowledgeTimeout: 500 }]],
  "jms.sendAcksAsync": [["false", { sendAcksAsync: false }]],
  "jms.transactedIndividualAck": [["true", { transactedIndividualAck: true }]],
  "jms.nonBlockingRedelivery": [["true", { nonBlockingRedelivery: true }]],
  "jms.consumerExpiryCheckEnabled": [["false", { consumerExpiryCheckEnabled: false }]],
  "jms.exclusiveConsumer": [["true", { exclusiveConsumer: true }]],
  "jms.useRetroactiveConsumer": [["true", { useRetroactiveConsumer: true }]],
  "jms.dispatchAsync": [["false", { dispatchAsync: false }]],
  "jms.useAsyncSend": [["true", { useAsyncSend: true }]],
  "jms.alwaysSyncSend": [["true", { alwaysSyncSend: true }]],
  "jms.producerWindowSize": [["0", { producerWindowSize: 0 }]],
  "jms.useCompression": [["true", { useCompression: true }]],
  "jms.disableTimeStampsByDefault": [["true", { disableTimeStampsByDefault: true }]],
  "jms.nestedMapAndListEnabled": [["false", { nestedMapAndListEnabled: false }]],
  "jms.prefetchPolicy.all": [["32767", { prefetchPolicy: { all: 32767 } }]],
  "jms.prefetchPolicy.queuePrefetch": [["0", { prefetchPolicy: { queuePrefetch: 0 } }]],
  "jms.prefetchPolicy.queueBrowserPrefetch": [
    ["1", { prefetchPolicy: { queueBrowserPrefetch: 1 } }],
  ],
  "jms.prefetchPolicy.topicPrefetch": [["1", { prefetchPolicy: { topicPrefetch: 1 } }]],
  "jms.prefetchPolicy.durableTopicPrefetch": [
    ["1", { prefetchPolicy: { durableTopicPrefetch: 1 } }],
  ],
  "jms.prefetchPolicy.optimizeDurableTopicPrefetch": [
    ["1", { prefetchPolicy: { optimizeDurableTopicPrefetch: 1 } }],
  ],
  "jms.prefetchPolicy.maximumPendingMessageLimit": [
    ["10", { prefetchPolicy: { maximumPendingMessageLimit: 10 } }],
  ],
  "jms.redeliveryPolicy.maximumRedeliveries": [
    ["-1", { redeliveryPolicy: { maximumRedeliveries: -1 } }],
  ],
  "jms.redeliveryPolicy.initialRedeliveryDelay": [
    ["0", { redeliveryPolicy: { initialRedeliveryDelay: 0 } }],
  ],
  "jms.redeliveryPolicy.redeliveryDelay": [["10", { redeliveryPolicy: { redeliveryDelay: 10 } }]],
  "jms.redeliveryPolicy.useExponentialBackOff": [
    ["true", { redeliveryPolicy: { useExponentialBackOff: true } }],
  ],
  "jms.redeliveryPolicy.backOffMultiplier": [
    ["2.5", { redeliveryPolicy: { backOffMultiplier: 2.5 } }],
  ],
  "jms.redeliveryPolicy.maximumRedeliveryDelay": [
    ["100", { redeliveryPolicy: { maximumRedeliveryDelay: 100 } }],
  ],
  "jms.redeliveryPolicy.useCollisionAvoidance": [
    ["true", { redeliveryPolicy: { useCollisionAvoidance: true } }],
  ],
  "jms.redeliveryPolicy.collisionAvoidancePercent": [
    ["30", { redeliveryPolicy: { collisionAvoidanceFactor: 0.3 } }],
  ],
  "jms.redeliveryPolicy.preDispatchCheck": [
    ["false", { redeliveryPolicy: { preDispatchCheck: false } }],
  ],
};

const rows: readonly OptionRow<ConnectOptions>[] = [
  ...transportOptions.rows,
  ...failoverOptions.rows,
  ...jmsOptions.rows,
];

/** Where an option has its place, and what it becomes there. */
function read(name: string, value: string): ConnectOptions {
  if (failoverOptions.has(name)) {
    return parseBrokerUrl(`failover:(tcp://h)?${name}=${value}`).options;
  }
  const scheme = name === "socket.verifyHostName" ? "ssl" : "tcp";
  const { brokers: [broker], options } = parseBrokerUrl(`${scheme}://h?${name}=${value}`);
  if (transportOptions.has(name)) {
    const nested = parseBrokerUrl(`failover:(${scheme}://h)?nested.${name}=${value}`);
    assertEquals(nested.brokers[0]!.options, broker!.options);
  } else {
    const composite = parseBrokerUrl(`failover:(tcp://h)?${name}=${value}`).options;
    assertEquals(composite, { failover: {}, ...options });
  }
  return { ...broker!.options, ...options };
}

/** What the Java client has: its setters, and what its documentation lists. */
const javaOptions = `
  connectionTimeout soTimeout soWriteTimeout socketBufferSize ioBufferSize tcpNoDelay keepAlive
  soLinger closeAsync trafficClass diffServ typeOfService useLocalHost daemon stackSize threadName
  trace logWriterName dynamicManagement startLogging jmxPort minmumWireFormatVersion
  useInactivityMonitor useKeepAlive keepAliveResponseRequired connectAttemptTimeout
  ignoreRemoteWireFormat ignoreAllWireFormatInfo socket.verifyHostName socket.enabledCipherSuites
  socket.enabledProtocols wireFormat.cacheEnabled wireFormat.cacheSize
  wireFormat.tightEncodingEnabled wireFormat.sizePrefixDisabled wireFormat.stackTraceEnabled
  wireFormat.tcpNoDelayEnabled wireFormat.maxInactivityDuration
  wireFormat.maxInactivityDurationInitalDelay wireFormat.maxFrameSize
  wireFormat.maxFrameSizeEnabled wireFormat.version wireFormat.host wireFormat.providerName
  wireFormat.providerVersion wireFormat.platformDetails wireFormat.includePlatformDetails
  initialReconnectDelay maxReconnectDelay reconnectDelayExponent useExponentialBackOff randomize
  maxReconnectAttempts startupMaxReconnectAttempts timeout backup backupPoolSize trackMessages
  trackTransactionProducers maxCacheSize updateURIsSupported reconnectSupported
  rebalanceUpdateURIs updateURIsURL priorityBackup priorityURIs warnAfterReconnectAttempts
  jms.userName jms.password jms.clientID jms.clientIDPrefix jms.connectionIDPrefix
  jms.dispatchAsync jms.copyMessageOnSend jms.useCompression jms.maxInflatedDataSizeRatio
  jms.disableTimeStampsByDefault jms.optimizedMessageDispatch jms.optimizeAcknowledge
  jms.optimizeAcknowledgeTimeOut jms.optimizedAckScheduledAckInterval jms.useRetroactiveConsumer
  jms.exclusiveConsumer jms.nestedMapAndListEnabled jms.strictCompliance
  jms.objectMessageSerializationDefered jms.consumerExpiryCheckEnabled
  jms.consumerFailoverRedeliveryWaitPeriod jms.trustAllPackages jms.trustedPackages
  jms.maxThreadPoolSize jms.useDedicatedTaskRunner jms.useVirtualThreadTaskRunner jms.statsEnabled
  jms.alwaysSessionAsync jms.alwaysSyncSend jms.useAsyncSend jms.sendTimeout jms.requestTimeout
  jms.connectResponseTimeout jms.closeTimeout jms.producerWindowSize jms.sendAcksAsync
  jms.watchTopicAdvisories jms.warnAboutUnstartedConnectionTimeout jms.checkForDuplicates
  jms.auditDepth jms.auditMaximumProducerNumber jms.messagePrioritySupported
  jms.transactedIndividualAck jms.nonBlockingRedelivery jms.rmIdFromConnectionId jms.xaAckMode
  jms.prefetchPolicy.all jms.prefetchPolicy.queuePrefetch jms.prefetchPolicy.queueBrowserPrefetch
  jms.prefetchPolicy.topicPrefetch jms.prefetchPolicy.durableTopicPrefetch
  jms.prefetchPolicy.optimizeDurableTopicPrefetch jms.prefetchPolicy.maximumPendingMessageLimit
  jms.redeliveryPolicy.maximumRedeliveries jms.redeliveryPolicy.initialRedeliveryDelay
  jms.redeliveryPolicy.redeliveryDelay jms.redeliveryPolicy.useExponentialBackOff
  jms.redeliveryPolicy.backOffMultiplier jms.redeliveryPolicy.maximumRedeliveryDelay
  jms.redeliveryPolicy.useCollisionAvoidance jms.redeliveryPolicy.collisionAvoidancePercent
  jms.redeliveryPolicy.preDispatchCheck jms.blobTransferPolicy.uploadUrl
  jms.blobTransferPolicy.defaultUploadUrl jms.blobTransferPolicy.brokerUploadUrl
  jms.blobTransferPolicy.bufferSize
`.trim().split(/\s+/);

test("each option of the Java client has an answer", () => {
  const names = new Set(rows.flatMap(({ name, aliases }) => [name, ...aliases]));
  assertEquals(javaOptions.filter((name) => !names.has(name)), []);
});

test("each option becomes its typed one", () => {
  const typed = rows.filter(({ kind }) => kind === "typed")
    .flatMap(({ name, aliases }) => [name, ...aliases]);
  assertEquals(Object.keys(typedCases).sort(), typed.sort());
  for (const [name, cases] of Object.entries(typedCases)) {
    for (const [value, options] of cases) assertEquals(read(name, value), options, name);
  }
});

test("each option that makes no difference here is taken and does nothing", () => {
  for (const row of rows.filter(({ kind }) => kind === "ignored")) {
    const value = row.expected.startsWith("an integer") ? "1" : "true";
    assertEquals(read(row.name, value), failoverOptions.has(row.name) ? { failover: {} } : {});
  }
});

test("each option that can't be changed takes the one value and says why no other", () => {
  const fixed = rows.filter(({ kind }) => kind === "fixed");
  for (const { name, expected, about } of fixed) {
    assertEquals(read(name, expected), failoverOptions.has(name) ? { failover: {} } : {});
    const other = { true: "false", false: "true", 0: "100" }[expected]!;
    const url = failoverOptions.has(name) ? "failover:(tcp://h)" : "tcp://h";
    assertEquals(
      refusal(`${url}?${name}=${other}`),
      `the option ${name} can only be ${expected}: ${about}`,
    );
  }
});

test("each option that is not supported says why", () => {
  const refused = rows.filter(({ kind }) => kind === "refused");
  for (const { name, about } of refused) {
    const url = failoverOptions.has(name) ? "failover:(tcp://h)" : "tcp://h";
    assertEquals(refusal(`${url}?${name}=true`), `the option ${name} is not supported: ${about}`);
    assert(about.length > 10, name);
  }
});

test("brokers that are told of later have the options that are for all", () => {
  const { nested } = parseWhole("failover:(tcp://a?tcpNoDelay=false)?nested.keepAlive=true");
  assertEquals(nested, { socket: { keepAlive: true } });
  assertEquals(parseWhole("tcp://a?keepAlive=true").nested, nested);
});

test("the defaults that the tables tell are those in force", () => {
  const idPrefix = generateId().split("-")[0]!;
  const given = {
    ...resolveSettings({}),
    clientIdPrefix: idPrefix,
    connectionIdPrefix: idPrefix,
    redeliveryPolicy: resolveSettings({}).redeliveryPolicies.default,
    wireFormat: new OpenWireFormat().offer,
    failover: resolveFailoverOptions({}),
    socket: { connectTimeout: 0, noDelay: true, keepAlive: false },
    tls: { verifyHostName: true },
  };
  for (const row of rows.filter(({ kind }) => kind === "typed")) {
    if (["none", "a new one", "the host of the URL", ""].includes(row.fallback)) continue;
    if (row.read(row.fallback) === undefined) continue;
    const options = row.name === "jms.prefetchPolicy.all" ? {} : row.read(row.fallback)!;
    // What the default says is in force already.
    assertEquals(mergeOptions(given, options), given, row.name);
  }
});

test("docs/url-options.md lists each option as it is", () => {
  const page = readFileSync(new URL("../../docs/url-options.md", import.meta.url), "utf8");
  const written: Record<string, string[][]> = {};
  let heading = "";
  for (const line of page.split("\n")) {
    if (line.startsWith("## ")) heading = line.slice(3);
    if (!line.startsWith("| `")) continue;
    (written[heading] ??= []).push(line.split("|").slice(1, -1).map((cell) => cell.trim()));
  }
  assertEquals(written, tables, "deno run tests/client/_url_options_page.ts prints them");
});

test("values that are wrong are refused with what is expected, never with themselves", () => {
  const cases: [option: string, expected: string][] = [
    ["jms.useAsyncSend=secret", "expected true or false"],
    ["jms.useAsyncSend=", "expected true or false"],
    ["jms.sendTimeout=secret", "expected milliseconds"],
    ["jms.sendTimeout=1e3", "expected milliseconds"],
    ["jms.sendTimeout=5000000000", "expected milliseconds"],
    ["jms.optimizeAcknowledgeTimeOut=-1", "expected milliseconds"],
    ["jms.producerWindowSize=-1", "expected bytes"],
    ["jms.prefetchPolicy.all=32768", "expected an integer from 0 to 32767"],
    ["jms.prefetchPolicy.all=1.5", "expected an integer from 0 to 32767"],
    ["jms.redeliveryPolicy.maximumRedeliveries=-2", "expected an integer of -1 or more"],
    ["jms.redeliveryPolicy.backOffMultiplier=0.5", "expected a number of 1 or more"],
    ["jms.clientID=", "expected text, not empty"],
    ["wireFormat.version=13", "expected an integer from 1 to 12"],
    ["wireFormat.cacheSize=99", "expected an integer from 100 to 32767"],
    ["wireFormat.maxFrameSize=1023", "expected bytes, 1024 or more"],
    ["wireFormat.maxFrameSize=2000.5", "expected bytes, 1024 or more"],
  ];
  for (const [option, expected] of cases) {
    const message = refusal(`tcp://h?${option}`);
    assertStringIncludes(message, `the option ${option.split("=")[0]} is wrong: ${expected}`);
    assert(!message.includes("secret"));
  }
});

test("an unknown option is named, with the nearest that there is", () => {
  const cases: [url: string, name: string, nearest: string][] = [
    ["tcp://h?jms.useAsyncSent=true", "jms.useAsyncSent", "jms.useAsyncSend"],
    ["tcp://h?useAsyncSend=true", "useAsyncSend", "jms.useAsyncSend"],
    ["tcp://h?jms.useasyncsend=true", "jms.useasyncsend", "jms.useAsyncSend"],
    ["tcp://h?wireformat.cacheEnabled=true", "wireformat.cacheEnabled", "wireFormat.cacheEnabled"],
    ["tcp://h?cacheEnabled=true", "cacheEnabled", "wireFormat.cacheEnabled"],
    ["tcp://h?jms.prefetch.all=1", "jms.prefetch.all", "jms.prefetchPolicy.all"],
    ["tcp://h?connectTimeout=1", "connectTimeout", "connectionTimeout"],
    ["failover:(tcp://h)?randomise=true", "randomise", "randomize"],
    ["failover:(tcp://h)?nested.keepalive=true", "nested.keepalive", "nested.keepAlive"],
    ["failover:(tcp://h?tcpNoDelai=true)", "tcpNoDelai", "tcpNoDelay"],
    ["tcp://h?constructor=1", "constructor", "socket.soTimeout"],
    ["tcp://h?__proto__=1", "__proto__", "trace"],
  ];
  for (const [url, name, nearest] of cases) {
    const message = refusal(url);
    assertStringIncludes(message, `there is no option ${name}; the nearest is `);
    if (!name.includes("o_") && name !== "constructor") assertStringIncludes(message, nearest);
  }
  assertEquals(nearestName("b", ["a.c", "a.b"]), "a.b");
});

test("an option in a wrong place is told its place", () => {
  const cases: [url: string, hint: string][] = [
    ["failover:(tcp://a?jms.userName=x)", "failover:(tcp://a,tcp://b)?jms.userName=…"],
    ["failover:(tcp://a)?nested.jms.userName=x", "failover:(tcp://a,tcp://b)?jms.userName=…"],
    ["failover:(tcp://a?randomize=true)", "failover:(tcp://a,tcp://b)?randomize=…"],
    ["tcp://a?randomize=true", "failover:(tcp://a,tcp://b)?randomize=…"],
    ["tcp://a?nested.keepAlive=true", "failover:(tcp://a,tcp://b)?nested.keepAlive=…"],
    ["failover:(tcp://a)?keepAlive=true", "nested.keepAlive"],
    ["failover:(tcp://a)?wireFormat.version=9", "nested.wireFormat.version"],
    ["failover:(failover:(tcp://a)?randomize=true)", "behind the outermost parentheses"],
    ["tcp://a?consumer.prefetchSize=1", "orders?consumer.prefetchSize=…"],
    ["tcp://a?transport.trace=true", "it has no prefix"],
    ["failover:(masterslave:(tcp://a,tcp://b))", "only one order is possible"],
  ];
  for (const [url, hint] of cases) assertStringIncludes(refusal(url), hint);
});

test("what is no URL is refused with a reason", () => {
  const cases: [url: string, reason: string][] = [
    ["", "it is empty"],
    ["localhost", "the scheme is missing"],
    ["tcp://", "the host is missing"],
    ["failover:", "an address is missing"],
    ["failover:()", "an address is missing"],
    ["failover:(,tcp://a)", "an address is missing"],
    ["failover:(tcp://a,,tcp://b)", "an address is missing"],
    ["failover:(tcp://a,,)", "an address is missing"],
    ["failover:(,)", "an address is missing"],
    ["failover:(,tcp://a)", "an address is missing"],
    ["failover:(tcp://a,localhost)", "the scheme is missing"],
    ["failover:((tcp://a))", "the scheme is missing"],
    ["failover:(tcp://a", "as many `)` as `(`"],
    ["failover:tcp://a)", "as many `)` as `(`"],
    ["failover:)tcp://a(", "as many `)` as `(`"],
    ["failover:(tcp://a)?jms.userName=a(b", "within a value they are written %28"],
    ["failover:(tcp://a)/path", "only `?` and options"],
    ["failover:(tcp://a),tcp://b", "only `?` and options"],
    ["failover:(tcp://a)#part", "only `?` and options"],
    ["failover:(tcp://a)?randomize=true#part", "`#` is written %23"],
    ["tcp://a?tcpNoDelay=true#part", "`#` is written %23"],
    ["tcp://a#part", "`#` is written %23"],
    ["tcp://a/localhost:5000", "nothing may follow the port"],
    ["tcp://a?tcpNoDelay=true?keepAlive=true", "within a value it is written %3F"],
    ["tcp://a?tcpNoDelay", "option 1 has no value"],
    ["tcp://a?&tcpNoDelay=true", "option 1 has no value"],
    ["tcp://a?tcpNoDelay=true&&keepAlive=true", "option 2 has no value"],
    ["tcp://a?tcpNoDelay=true&amp;keepAlive=true", "write `&`"],
    ["tcp://a?tcpNoDelay=true&tcpNoDelay=true", "tcpNoDelay is there twice"],
    ["tcp://a?tcpNoDelay=true&socket.tcpNoDelay=true", "socket.tcpNoDelay is there twice"],
    ["tcp://a?jms.userName=50%", "% is written %25"],
    ["tcp://a?jms.userName=%ff", "% is written %25"],
  ];
  for (const [url, reason] of cases) assertStringIncludes(refusal(url), reason, url);
});

test("a comma and `&` at the end make no difference, as in Java", () => {
  const cases: [text: string, without: string][] = [
    ["failover:(tcp://a,tcp://b,)", "failover:(tcp://a,tcp://b)"],
    ["failover:(tcp://a,\n)?randomize=false&", "failover:(tcp://a)?randomize=false"],
    ["failover:tcp://a,tcp://b,", "failover:tcp://a,tcp://b"],
    ["failover:(static:(tcp://a,),)", "failover:(static:(tcp://a))"],
    ["failover:(tcp://a?tcpNoDelay=true&,tcp://b)", "failover:(tcp://a?tcpNoDelay=true,tcp://b)"],
    ["tcp://a?tcpNoDelay=true&", "tcp://a?tcpNoDelay=true"],
    ["tcp://a?tcpNoDelay=true&&", "tcp://a?tcpNoDelay=true"],
    ["tcp://a?&", "tcp://a"],
    [
      "failover:(tcp://a)?priorityURIs=tcp://a,&priorityBackup=true",
      "failover:(tcp://a)?priorityURIs=tcp://a&priorityBackup=true",
    ],
  ];
  for (const [text, without] of cases) {
    assertEquals(parseBrokerUrl(text), parseBrokerUrl(without), text);
  }
});

test("a value that is neither a string nor a URL is refused with what to write", () => {
  const cases: [value: unknown, advice: string][] = [
    [undefined, "type undefined as the broker URL: a string such as tcp://localhost:61616"],
    [undefined, "Is the variable that it comes from set?"],
    [null, "type null"],
    [61616, "type number"],
    [Symbol("secret"), "type symbol"],
    [{ host: "secret", port: 1 }, "Write host and port as tcp://host:port"],
    [{ hostname: "secret" }, "Write host and port as tcp://host:port"],
    [{ brokers: [] }, "type Object as the broker URL"],
    [() => [], "A function can be given as the option `brokers`"],
  ];
  for (const [value, advice] of cases) {
    const error = assertThrows(() => parseBrokerUrl(value as string), TypeError);
    assertStringIncludes(error.message, advice);
    assert(!error.message.includes("secret"));
  }
});

test("schemes that are not supported are refused within a list, too", () => {
  assertStringIncludes(
    refusal("failover:(tcp://a,stomp://b)", "UNSUPPORTED_SCHEME"),
    "STOMP: take that of OpenWire",
  );
  assertStringIncludes(refusal("vm://localhost?foo=1", "UNSUPPORTED_SCHEME"), "in memory");
  assertStringIncludes(refusal("fanout:(static:(tcp://a))", "UNSUPPORTED_SCHEME"), "fanout:");
});

test("no error has a password", () => {
  for (
    const url of [
      "tcp://user:secret@h",
      "tcp://user:s?secret@h",
      "tcp://user:s?secret=@h",
      "tcp://user:s/secret@h",
      "failover:(tcp://user:secret@h)",
      "failover:(tcp://user:s,secret@h)",
      "failover:(tcp://h)?jms.password=a&secret=b",
      "failover:(tcp://h)?jms.password=a&secret",
      "failover:(tcp://h)?jms.password=(secret",
      "failover:(tcp://h)secret",
      "tcp://h?jms.password=a&secret=b",
      "tcp://h?jms.password=a&secret.b=c",
      "tcp://h?jms.password=a#secret",
      "tcp://h?jms.password=a?secret",
      "tcp://h?jms.password=secret%",
      "tcp://h?jms.password=secret&jms.pasword=x",
      "tcp://h?jms.userName=secret&jms.userName=secret",
      "tcp://h?jms.password=secret&trace=true",
      "tcp://h?a@secret=1",
      ...[
        "secret",
        "jms.secret",
        "nested.secret",
        "consumer.secret",
        "transport.secret",
        "nms.secret",
      ]
        .flatMap((name) => [
          `tcp://h?jms.password=a&${name}=b`,
          `tcp://h?jms.password=a&${name}=%zz`,
          `tcp://h?jms.password=a&jms.useAsyncSend=true&${name}=b`,
          `tcp://h?openwire.password=a&${name}=b`,
          `tcp://h?jms.userName=a&${name}=b`,
          `tcp://h?password=%41&${name}=%zz`,
          `failover:(tcp://h)?jms.password=a&${name}=b`,
          `failover:(tcp://h)?jms.password=a&nested.${name}=b`,
          `failover:(static:(tcp://h)?jms.password=a&${name}=b)`,
          `failover:(tcp://h?jms.password=a&${name}=b)`,
        ]),
      "tcp://h?jms.password=a&auto.secret=b",
      "tcp://h?jms.password=a&connection.secret=b",
    ]
  ) {
    const error = assertThrows(() => parseBrokerUrl(url), TransportError);
    assert(!`${error.message} ${error.stack}`.includes("secret"), `${url}: ${error.message}`);
  }
  // What is surely no part of the password is named.
  assertStringIncludes(refusal("tcp://h?jms.password=a&jms.pasword=b"), "no option jms.pasword");
});

test("options of a program count more than those of the URL, one by one", () => {
  const { options } = parseBrokerUrl(
    "tcp://h?jms.useAsyncSend=true&jms.userName=url&jms.prefetchPolicy.all=1&jms.prefetchPolicy.topicPrefetch=2&" +
      "jms.redeliveryPolicy.maximumRedeliveries=3&jms.redeliveryPolicy.redeliveryDelay=4",
  );
  assertEquals(
    mergeConnectOptions(options, {
      username: "program",
      useAsyncSend: undefined,
      prefetchPolicy: { all: 10, queuePrefetch: undefined },
      redeliveryPolicy: { redeliveryDelay: 40 },
    }),
    {
      username: "program",
      useAsyncSend: true,
      prefetchPolicy: { all: 10, topicPrefetch: 2 },
      redeliveryPolicy: { maximumRedeliveries: 3, redeliveryDelay: 40 },
    },
  );
  const destinations = [{ destination: "orders.>", policy: { maximumRedeliveries: 9 } }];
  assertEquals(
    mergeConnectOptions(options, {
      redeliveryPolicy: { default: { redeliveryDelay: 40 }, destinations },
    }).redeliveryPolicy,
    { default: { maximumRedeliveries: 3, redeliveryDelay: 40 }, destinations },
  );
  const signal = AbortSignal.abort();
  assertEquals(mergeConnectOptions({}, { signal }).signal, signal);
});

test("what is written as a URL is read as it was meant", () => {
  const random = seededRandom(7);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const some = <T>(list: readonly T[]): T[] => list.filter(() => random() < 0.15);
  const encode = (text: string): string =>
    encodeURIComponent(text).replaceAll("(", "%28").replaceAll(")", "%29")
      .replaceAll("%20", () => pick(["%20", "+"]));
  const names = Object.keys(typedCases).filter((name) =>
    // One name of each option.
    rows.some((row) => row.name === name) && name !== "useInactivityMonitor"
  );
  const prefixes = { tcp: ["tcp", "nio", "auto"], ssl: ["ssl", "nio+ssl", "auto+nio+ssl"] };
  const host = (): string => pick(["localhost", "10.0.0.1", "[::1]", "b-1.mq.example", "a_b"]);
  const choose = (of: (name: string) => boolean): [query: string, options: ConnectOptions] => {
    let options: ConnectOptions = {};
    const query = some(names.filter(of)).map((name) => {
      if (name === "jms.password") {
        const password = Array.from({ length: 8 }, () => pick([...'aZ0 &=?#%+();,:@/\\é😀"'])).join(
          "",
        );
        options = mergeOptions(options, { password });
        return `${name}=${encode(password)}`;
      }
      const [value, meant] = pick(typedCases[name]!);
      options = mergeOptions(options, meant);
      return `${name}=${encode(value)}`;
    });
    return [query.join("&"), options];
  };
  const isTransport = (name: string): boolean => transportOptions.has(name);
  const isJms = (name: string): boolean => jmsOptions.has(name);
  const question = (query: string): string => query === "" ? "" : `?${query}`;
  for (let i = 0; i < 2000; i++) {
    const members = Array.from({ length: 1 + Math.floor(random() * 3) }, () => {
      const [query, options] = choose(isTransport);
      const scheme = options.tls ? "ssl" : pick(["tcp", "ssl"] as const);
      const hostname = host();
      const port = 1 + Math.floor(random() * 65535);
      return {
        text: `${pick(prefixes[scheme])}://${hostname}:${port}${question(query)}`,
        address: { scheme, hostname: hostname.replace(/[[\]]/g, ""), port },
        options: options as TransportOptions,
      };
    });
    const brokers = members.map(({ address, options }) => ({ address, options }));
    const [query, options] = choose((name) => isJms(name) || failoverOptions.has(name));
    const list = members.map(({ text }) => text).join(",");
    const composite = `${pick(["failover:", "failover://", "static:"])}(${list})${question(query)}`;
    assertEquals(parseBrokerUrl(composite), {
      brokers,
      options: mergeOptions({ failover: {} }, options),
    }, composite);
    const [jms, own] = choose(isJms);
    const simple = members[0]!.text + (members[0]!.text.includes("?") && jms ? "&" : jms && "?") +
      jms;
    assertEquals(parseBrokerUrl(simple), { brokers: [brokers[0]!], options: own }, simple);
  }
});

test("any text is read or refused, and fast", () => {
  const random = seededRandom(11);
  const parts = [
    "failover:",
    "tcp://",
    "(",
    ")",
    ",",
    "?",
    "&",
    "=",
    "#",
    "%",
    "%41",
    "a",
    ":1",
    "//",
    "jms.userName",
    "nested.",
    "keepAlive=true",
    " ",
    "[::1]",
    "@",
    "\u0000",
    "é",
  ];
  for (let i = 0; i < 20_000; i++) {
    const length = Math.floor(random() * 12);
    const url = Array.from({ length }, () => parts[Math.floor(random() * parts.length)]).join("");
    try {
      parseBrokerUrl(url);
    } catch (error) {
      assert(error instanceof TransportError, `${url}: ${error}`);
    }
  }
});

test("openwire. is another word for jms.", () => {
  for (const url of ["tcp://a?PREFIXsendTimeout=5", "failover:(tcp://a)?PREFIXsendTimeout=5"]) {
    assertEquals(
      parseBrokerUrl(url.replace("PREFIX", "openwire.")).options,
      parseBrokerUrl(url.replace("PREFIX", "jms.")).options,
    );
  }
  assertThrows(
    () => parseBrokerUrl("tcp://a?openwire.sendTimeuot=5"),
    TransportError,
    "the nearest is jms.sendTimeout",
  );
});
