/** What users are shown by consoles, guides and configurations: taken as it is, or refused with what to write instead. */
import { readFileSync } from "node:fs";
import {
  connect,
  type ConnectOptions,
  TransportError,
  type TransportErrorCode,
} from "../../mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { parseBrokerUrl } from "../../client/url/broker_url.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { test } from "../_harness.ts";

const ONE = "b-1234a5b6-78cd-901e-2fgh-3i45j6k178l9-1.mq.us-east-1.amazonaws.com";
const TWO = "b-1234a5b6-78cd-901e-2fgh-3i45j6k178l9-2.mq.us-east-1.amazonaws.com";

/** A text that is taken: its addresses, and its options. */
type Taken = [text: string, addresses: string[], options?: ConnectOptions];

const taken: Record<string, Taken[]> = {
  "Amazon MQ": [
    [`ssl://${ONE}:61617`, [`ssl ${ONE} 61617`]],
    [
      `failover:(ssl://${ONE}:61617,ssl://${TWO}:61617)`,
      [`ssl ${ONE} 61617`, `ssl ${TWO} 61617`],
      { failover: {} },
    ],
    [
      `failover:(ssl://${ONE}:61617,ssl://${TWO}:61617)?randomize=true`,
      [`ssl ${ONE} 61617`, `ssl ${TWO} 61617`],
      { failover: { randomize: true } },
    ],
    [`failover:(ssl://${ONE}:61617)`, [`ssl ${ONE} 61617`], { failover: {} }],
    [`ssl://${ONE.replace("amazonaws.com", "on.aws")}:61617`, [
      `ssl ${ONE.replace("amazonaws.com", "on.aws")} 61617`,
    ]],
    [`nio+ssl://${ONE}:61617`, [`ssl ${ONE} 61617`]],
  ],
  "guides of ActiveMQ": [
    ["tcp://localhost:61616", ["tcp localhost 61616"]],
    ["tcp://localhost:61616?jms.useAsyncSend=true", ["tcp localhost 61616"], {
      useAsyncSend: true,
    }],
    ["tcp://localhost:61616?jms.prefetchPolicy.all=50", ["tcp localhost 61616"], {
      prefetchPolicy: { all: 50 },
    }],
    ["tcp://localhost:61616?wireFormat.maxInactivityDuration=30000", ["tcp localhost 61616"]],
    ["nio://localhost:61616", ["tcp localhost 61616"]],
    ["auto://localhost:5671", ["tcp localhost 5671"]],
    ["auto+nio://localhost:5671", ["tcp localhost 5671"]],
    ["auto+ssl://localhost:5671", ["ssl localhost 5671"]],
    ["auto+nio+ssl://localhost:5671", ["ssl localhost 5671"]],
    ["failover://tcp://localhost:61616", ["tcp localhost 61616"], { failover: {} }],
    ["failover:tcp://primary:61616", ["tcp primary 61616"], { failover: {} }],
    [
      "failover:(tcp://primary:61616,tcp://secondary:61616)?randomize=false",
      ["tcp primary 61616", "tcp secondary 61616"],
      { failover: { randomize: false } },
    ],
    [
      "failover://(tcp://localhost:61616,tcp://remotehost:61616)?initialReconnectDelay=100",
      ["tcp localhost 61616", "tcp remotehost 61616"],
      { failover: { initialReconnectDelay: 100 } },
    ],
    [
      "failover:(ssl://a:61617,nio+ssl://b:61617,tcp://c:61616)?nested.keepAlive=true",
      ["ssl a 61617", "ssl b 61617", "tcp c 61616"],
      { failover: {} },
    ],
    [
      "static:(tcp://localhost:61616,tcp://remotehost:61617?trace=false)?initialReconnectDelay=100",
      ["tcp localhost 61616", "tcp remotehost 61617"],
      { failover: { initialReconnectDelay: 100 } },
    ],
    [
      "masterslave:(tcp://a:61616,tcp://b:61616)",
      ["tcp a 61616", "tcp b 61616"],
      { failover: { randomize: false, maxReconnectAttempts: 0 } },
    ],
  ],
  "Spring and the environment": [
    [
      "failover:(tcp://a:61616,tcp://b:61616)?timeout=3000&jms.redeliveryPolicy.maximumRedeliveries=1",
      ["tcp a 61616", "tcp b 61616"],
      { failover: { timeout: 3000 }, redeliveryPolicy: { maximumRedeliveries: 1 } },
    ],
    ["tcp://localhost:61616?jms.trustAllPackages=true", ["tcp localhost 61616"]],
    [
      "tcp://localhost:61616?jms.userName=app&jms.password=p%40ss",
      ["tcp localhost 61616"],
      { username: "app", password: "p@ss" },
    ],
    ["  tcp://activemq:61616\n", ["tcp activemq 61616"]],
    ["\ufefftcp://activemq:61616\r\n", ["tcp activemq 61616"]],
    ["\n  failover:(\n    tcp://a:61616,\n    tcp://b:61616\n  )\n", [
      "tcp a 61616",
      "tcp b 61616",
    ], { failover: {} }],
    ["tcp://active_mq:61616", ["tcp active_mq 61616"]],
    ["tcp://broker.example/", ["tcp broker.example 61616"]],
    ["ssl://broker.example", ["ssl broker.example 61617"]],
    ["tcp://[::1]:61616", ["tcp ::1 61616"]],
    ["failover:(tcp://[2001:db8::1]:61616,ssl://[2001:db8::2])", [
      "tcp 2001:db8::1 61616",
      "ssl 2001:db8::2 61617",
    ], { failover: {} }],
  ],
};

for (const [source, texts] of Object.entries(taken)) {
  test(`connection strings of ${source} mean what they mean in Java`, () => {
    for (const [text, addresses, options = {}] of texts) {
      const parsed = parseBrokerUrl(text);
      const found = parsed.brokers.map(({ address: { scheme, hostname, port } }) =>
        `${scheme} ${hostname} ${port}`
      );
      assertEquals(found, addresses, text);
      assertEquals(parsed.options, options, text);
    }
  });
}

type Refused = [text: string, instead: string, code?: TransportErrorCode];
const SCHEME = "UNSUPPORTED_SCHEME";
const LIST = "several brokers are written failover:(tcp://a:61616,tcp://b:61616)";

const refused: Record<string, Refused[]> = {
  "Amazon MQ": [
    [`stomp+ssl://${ONE}:61614`, "for STOMP: take that of OpenWire, ssl://host:61617", SCHEME],
    [`stomp://${ONE}:61614`, "for STOMP: take that of OpenWire", SCHEME],
    [`amqp+ssl://${ONE}:5671`, "for AMQP: take that of OpenWire, ssl://host:61617", SCHEME],
    [`mqtt+ssl://${ONE}:8883`, "for MQTT: take that of OpenWire, ssl://host:61617", SCHEME],
    [`wss://${ONE}:61619`, "WebSockets: take that of OpenWire, ssl://host:61617", SCHEME],
    [`https://${ONE}:8162`, "it is the web console", SCHEME],
    ["amqps://b-1234a5b6.mq.us-east-1.amazonaws.com:5671", "RabbitMQ", SCHEME],
    [`failover:(ssl://${ONE}:61617,amqp+ssl://${ONE}:5671)`, "for AMQP", SCHEME],
    [`ssl://${ONE}:61617\nssl://${TWO}:61617`, LIST],
    [`ssl://${ONE}:61617,ssl://${TWO}:61617`, LIST],
    [`${ONE}:61617`, "the scheme is missing"],
  ],
  "guides of ActiveMQ": [
    ["vm://localhost?broker.persistent=false", "a broker in memory", SCHEME],
    ["vm:(broker:(tcp://localhost:6000)?persistent=false)?marshal=false", "in memory", SCHEME],
    ["peer://groupa/broker1?persistent=false", "same Java program", SCHEME],
    ["discovery:(multicast://default)", "known addresses", SCHEME],
    ["discovery:(static:(tcp://a,tcp://b))", "failover:(tcp://a:61616,tcp://b:61616)", SCHEME],
    ["fanout:(static:(tcp://a:61629,tcp://b:61639))", "open a connection to each", SCHEME],
    ["fanout:(multicast://default)", "open a connection to each", SCHEME],
    ["multicast://default", "known addresses", SCHEME],
    ["udp://localhost:8123", "known addresses", SCHEME],
    ["http://localhost:8080", "OpenWire over HTTP, which is not supported", SCHEME],
    ["http://localhost:8161/admin", "it is the web console", SCHEME],
    ["ws://localhost:61614", "WebSockets: take that of OpenWire", SCHEME],
    ["amqp://localhost:5672", "for AMQP", SCHEME],
    ["stomp://localhost:61613", "for STOMP", SCHEME],
    ["mqtt://localhost:1883", "for MQTT", SCHEME],
    [
      "tcp://0.0.0.0:61616?maximumConnections=1000&wireFormat.maxFrameSize=104857600",
      "maximumConnections is one of a transportConnector of the broker: leave it out",
    ],
    ["ssl://0.0.0.0:61617?transport.enabledProtocols=TLSv1.3", "it has no prefix"],
    ["ssl://localhost:61617?socket.enabledProtocols=TLSv1.1", "can only be TLSv1.2,TLSv1.3: both"],
    ["ssl://localhost:61617?socket.enabledCipherSuites=x", "not all can be told"],
    ["ssl://localhost:61617?socket.wantClientAuth=true", "give it as `tls.cert` and `tls.key`"],
    ["tcp://localhost:61616?socket.verifyHostName=false", "is for ssl:// only"],
    ["failover:(tcp://a)?nested.socket.verifyHostName=false", "is for ssl:// only"],
    ["failover:(ssl://a,tcp://b?socket.verifyHostName=false)", "is for ssl:// only"],
    ["failover:tcp://a,tcp://b?randomize=false", "failover:(tcp://a,tcp://b)?randomize=…"],
    ["tcp://localhost:61616/localhost:5000", "a local address can't be chosen"],
  ],
  "Spring and the environment": [
    ["", "it is empty"],
    ['"tcp://localhost:61616"', "without quotes"],
    ["'failover:(tcp://a,tcp://b)'", "without quotes"],
    ["spring.activemq.broker-url=tcp://localhost:61616", "without the name before it"],
    ["broker-url: failover:(tcp://a:61616,tcp://b:61616)", "without the name before it"],
    ["ACTIVEMQ_URL=ssl://a:61617", "without the name before it"],
    ["${ACTIVEMQ_URL}", "there is a placeholder"],
    ["tcp://${HOST}:61616", "there is a placeholder"],
    ["tcp://{{ host }}:61616", "there is a placeholder"],
    ["localhost", "the scheme is missing"],
    ["localhost:61616", "the scheme is missing"],
    ["127.0.0.1:61616", "the scheme is missing"],
    ["//localhost:61616", "the scheme is missing"],
    ["[::1]:61616", "the scheme is missing"],
    ["tcp:localhost:61616", "two slashes"],
    ["ssl:/localhost:61617", "two slashes"],
    ["tcp://::1:61616", "stands in brackets"],
    ["tcp://2001:db8::1", "stands in brackets"],
    ["tcp://a:61616,tcp://b:61616", LIST],
    ["tcp://a:61616;tcp://b:61616", LIST],
    ["tcp://a:61616 tcp://b:61616", LIST],
    ["tcp://a\nb:61616", "white space"],
    ["tcp://localhost:616160", "a port from 1 to 65535"],
    ["tls://localhost:61617", "the scheme for TLS is ssl://", SCHEME],
    ["tcp://app:secret@localhost:61616", "jms.userName=…&jms.password=…"],
    ["failover:(ssl://app:secret@localhost:61617)", "jms.userName=…&jms.password=…"],
    ["tcp://h?jms.useAsyncSend=true&amp;jms.clientID=a", "write `&`"],
  ],
  "Artemis": [
    ["(tcp://a:61616,tcp://b:61616)?ha=true&reconnectAttempts=-1", LIST],
    ["tcp://a:61616#tcp://b:61616", LIST],
    ["tcp://a:61616?ha=true", "Artemis' own client: several brokers are written failover:("],
    ["tcp://a:61617?sslEnabled=true&trustStorePassword=secret", "ssl://host:61617"],
    ["tcp://a:61616?user=admin&password=secret", "write jms.userName=…"],
    ["failover:(tcp://a,tcp://b)?reconnectAttempts=3", "maxReconnectAttempts=…"],
    ["tcp://a:61616?consumerWindowSize=0", "jms.prefetchPolicy.all"],
    [
      "tcp://0.0.0.0:61616?tcpSendBufferSize=1048576;tcpReceiveBufferSize=1048576;protocols=CORE,OPENWIRE",
      "tcpSendBufferSize is one of an acceptor of Artemis: leave it out",
    ],
    ["tcp://a:61616?protocols=OPENWIRE", "an acceptor of Artemis"],
    ["tcp://a:61616?keepAlive=true;tcpNoDelay=true", "options are separated by `&`"],
    ["jgroups://channel?file=x.xml", "known addresses", SCHEME],
  ],
  "NMS and CMS": [
    ["activemq:tcp://localhost:61616", "leave out `activemq:`", SCHEME],
    ["activemq:failover:(tcp://a:61616,tcp://b:61616)", "leave out `activemq:`", SCHEME],
    ["tcp://localhost:61616?wireFormat=openwire", "leave it out"],
    ["tcp://localhost:61616?connection.AsyncSend=true", "have the prefix jms."],
    ["failover:(tcp://a)?transport.timeout=3000", "for clients it has no prefix"],
  ],
};

for (const [source, texts] of Object.entries(refused)) {
  test(`connection strings of ${source} that can't be used are answered`, () => {
    for (const [text, instead, code = "INVALID_URL"] of texts) {
      const error = assertThrows(() => parseBrokerUrl(text), TransportError, undefined, text);
      assertStringIncludes(error.message, instead, text);
      assertEquals([error.code, error.retryable], [code, false], text);
      assert(!error.message.includes("secret"), error.message);
    }
  });
}

test("Amazon MQ's string gets as far as looking for the hosts", async () => {
  const url = `failover:(ssl://${ONE}:61617,ssl://${TWO}:61617)`;
  const failover = { startupMaxReconnectAttempts: 1 };
  const error = await assertRejects(() => connect(url, { failover }), TransportError);
  assertEquals(error.code, "CONNECT_FAILED");
  const { errors } = error.cause as AggregateError;
  assertEquals(errors.map(({ code }) => code), ["HOST_NOT_FOUND", "HOST_NOT_FOUND"]);
});

test("a transport of one's own can be that of an ssl:// URL", async () => {
  await using broker = await MemoryBroker.listen();
  const transport = broker.connect();
  await using connection = await connect(`ssl://${ONE}:61617`, { transport });
  assertEquals(connection.wireFormat.version, 12);
});

test("docs/connecting.md has such strings, with what becomes of them", () => {
  const page = readFileSync(new URL("../../docs/connecting.md", import.meta.url), "utf8");
  const section = page.split("## The string you were given")[1]!.split("\n## ")[0]!;
  const rows = Array.from(section.matchAll(/^\| (`.*?) +\| (.*?) +\|$/gm));
  assert(rows.length > 15);
  for (const [, cell, answer] of rows) {
    for (const [, text] of cell!.matchAll(/`([^`]+)`/g)) {
      const url = text!.replaceAll("…", "1");
      if (answer!.startsWith("Refused")) {
        assertThrows(() => parseBrokerUrl(url), TransportError, undefined, text);
      } else parseBrokerUrl(url);
    }
  }
});
