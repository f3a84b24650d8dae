import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { formatAddress, parseAddress } from "../../transport/address.ts";
import { TransportError } from "../../transport/errors.ts";
import { test } from "../_harness.ts";

function refusal(url: string): TransportError {
  const error = assertThrows(() => parseAddress(url), TransportError);
  assertEquals(error.retryable, false);
  return error as TransportError;
}

test("parseAddress() reads host and port", () => {
  const cases: [url: string, hostname: string, port: number][] = [
    ["tcp://localhost:61617", "localhost", 61617],
    ["tcp://localhost", "localhost", 61616],
    ["TCP://broker.example.com/", "broker.example.com", 61616],
    ["tcp://127.0.0.1:1", "127.0.0.1", 1],
    ["tcp://[::1]:61617", "::1", 61617],
    ["tcp://[2001:db8::2]", "2001:db8::2", 61616],
  ];
  for (const [url, hostname, port] of cases) {
    assertEquals(parseAddress(url), { scheme: "tcp", hostname, port });
    assertEquals(parseAddress(new URL(url)), { scheme: "tcp", hostname, port });
  }
});

test("parseAddress() takes nio and auto for tcp", () => {
  for (const scheme of ["nio", "auto", "auto+nio", "NIO"]) {
    assertEquals(parseAddress(`${scheme}://localhost`), {
      scheme: "tcp",
      hostname: "localhost",
      port: 61616,
    });
  }
});

test("parseAddress() knows the names of TLS, and that it has another port", () => {
  for (const scheme of ["ssl", "nio+ssl", "auto+ssl", "auto+nio+ssl", "SSL"]) {
    assertEquals(parseAddress(`${scheme}://broker.example`), {
      scheme: "ssl",
      hostname: "broker.example",
      port: 61617,
    });
  }
  assertEquals(parseAddress("ssl://[::1]:443"), { scheme: "ssl", hostname: "::1", port: 443 });
});

test("parseAddress() says why it refuses a scheme", () => {
  const cases: [reason: string, schemes: string[]][] = [
    ["scheme for TLS is ssl://", ["tls", "tcps", "tcp+ssl"]],
    ["for STOMP and MQTT over WebSockets: take that of OpenWire, tcp://host:61616", ["ws"]],
    ["for STOMP and MQTT over WebSockets: take that of OpenWire, ssl://host:61617", ["wss"]],
    ["HTTP", ["http", "https"]],
    ["Java program", ["vm", "peer"]],
    ["Java client", ["mock"]],
    ["known addresses", ["udp", "multicast", "discovery", "zeroconf", "jgroups"]],
    ["open a connection to each", ["fanout"]],
    ["for AMQP: take that of OpenWire, tcp://host:61616", ["amqp", "amqp+nio", "amqp+ws"]],
    ["for AMQP: take that of OpenWire, ssl://host:61617", ["amqp+ssl", "amqp+nio+ssl"]],
    ["RabbitMQ", ["amqps"]],
    ["for MQTT: take that of OpenWire, ssl://host:61617", ["mqtts", "mqtt+ssl"]],
    ["for STOMP: take that of OpenWire, tcp://host:61616", ["stomp", "stomp+nio"]],
    ["for STOMP: take that of OpenWire, ssl://host:61617", ["stomps", "stomp+ssl"]],
  ];
  for (const [reason, schemes] of cases) {
    for (const scheme of schemes) {
      const error = refusal(`${scheme}://user:secret@localhost:1`);
      assertEquals(error.code, "UNSUPPORTED_SCHEME");
      assertStringIncludes(error.message, `"${scheme}:" URL: `);
      assertStringIncludes(error.message, reason);
      assert(!error.message.includes("secret"));
    }
  }
});

test("parseAddress() names the schemes there are, not an unknown one", () => {
  for (
    const scheme of ["broker.example", "constructor", "amqp+secret", "secret", "stomp+ssl+nio"]
  ) {
    const error = refusal(`${scheme}://localhost:1`);
    assertEquals(error.code, "UNSUPPORTED_SCHEME");
    assertEquals(
      error.message,
      "Cannot connect to a URL of an unknown scheme: supported are tcp://, nio://, auto://, " +
        "auto+nio://, ssl://, nio+ssl://, auto+ssl://, auto+nio+ssl://",
    );
  }
});

test("parseAddress() converts names of hosts that are not ASCII", () => {
  const cases: [url: string, hostname: string][] = [
    ["tcp://bücher.example:61616", "xn--bcher-kva.example"],
    ["tcp://b%C3%BCcher.example:61616", "xn--bcher-kva.example"],
    ["tcp://BÜCHER.Example:61616", "xn--bcher-kva.example"],
    ["tcp://例え.jp:61616", "xn--r8jz45g.jp"],
    ["tcp://broker。example:61616", "broker.example"],
  ];
  for (const [url, hostname] of cases) {
    assertEquals(parseAddress(url), { scheme: "tcp", hostname, port: 61616 }, url);
    assertEquals(parseAddress(new URL(url)), { scheme: "tcp", hostname, port: 61616 }, url);
  }
});

test("parseAddress() says what is wrong with a host or a port", () => {
  const cases: [advice: string, urls: string[]][] = [
    ["a placeholder to be filled in", [
      "tcp://<host>:61616",
      "tcp://<host>",
      "tcp://{host}",
      "tcp://{host}:61616",
      "ssl://$HOST:61617",
      "ssl://$HOST",
      "tcp://${HOST}:61616",
      "tcp://$(HOST):61616",
      "tcp://%HOST%:61616",
      "tcp://broker:{port}",
      "tcp://host:port",
      "tcp://…:61616",
      "$BROKER_URL",
      "<url>",
      "{{url}}",
    ]],
    ["`*` is for a broker that listens", ["tcp://*:61616", "tcp://*", "ssl://[*]:61617"]],
    ["nothing may follow the port", ["tcp://broker:61616,", "tcp://broker:61616;"]],
    ["between brackets an IPv6 address is expected", ["tcp://[broker]:61616"]],
    ["more than one colon", ["tcp://broker:61616:61617"]],
    ["the host has a character that no name of a host has", [
      "tcp://bro!ker:61616",
      "tcp://bro|ker",
      "tcp://bro\u0000ker:61616",
      "tcp://\u202ebroker:61616",
      "tcp://broker\\:61616",
    ]],
    ["expected a port from 1 to 65535", [
      "tcp://broker:65536",
      "tcp://broker:616160",
      "tcp://broker:-1",
      "tcp://broker:a",
      "tcp://broker:6161x/",
    ]],
  ];
  for (const [advice, urls] of cases) {
    for (const url of urls) {
      assertStringIncludes(refusal(url).message, advice, url);
      assertEquals(refusal(url).code, "INVALID_URL", url);
    }
  }
});

test("parseAddress() refuses a value that is neither a string nor a URL", () => {
  for (const [value, type] of [[undefined, "undefined"], [null, "null"], [61616, "number"]]) {
    assertThrows(
      () => parseAddress(value as string),
      TypeError,
      `Cannot use a value of type ${type} as the broker URL: a string such as tcp://localhost:61616`,
    );
  }
  const secret = { host: "localhost", password: "secret" };
  const error = assertThrows(() => parseAddress(secret as unknown as string), TypeError);
  assert(!error.message.includes("secret"));
});

test("parseAddress() refuses what it doesn't understand", () => {
  for (
    const url of [
      "",
      "localhost",
      "localhost:61616",
      "tcp:",
      "tcp://",
      "tcp://:61616",
      "tcp:localhost",
      "tcp://localhost:0",
      "tcp://localhost:65536",
      "tcp://localhost:port",
      "tcp://localhost/path",
      "tcp://localhost#part",
      "tcp://[::1",
    ]
  ) {
    assertEquals(refusal(url).code, "INVALID_URL", url);
  }
});

test("parseAddress() takes no options", () => {
  const error = refusal("tcp://localhost?jms.password=secret");
  assertEquals(error.code, "INVALID_URL");
  assertEquals(error.message, "Cannot use the broker URL: only connect() takes options in the URL");
});

test("parseAddress() never repeats a password", () => {
  for (
    const url of [
      "tcp://user:secret@localhost:61616",
      "tcp://:secret@localhost",
      "tcp://user:secret@localhost:99999",
      "tcp://user:secret@",
      "tcp://user:sec/secret@localhost",
      "ssl://user:secret@localhost",
    ]
  ) {
    const error = refusal(url);
    assert(!`${error.message} ${error.stack} ${error.cause}`.includes("secret"), error.message);
    assertEquals(error.cause, undefined);
  }
  assert(refusal("tcp://user:secret@localhost").message.includes("options"));
});

test("formatAddress() puts IPv6 into brackets", () => {
  assertEquals(formatAddress("127.0.0.1", 1), "127.0.0.1:1");
  assertEquals(formatAddress("::1", 1), "[::1]:1");
});
