import { assert, assertEquals, assertThrows } from "@std/assert";
import { formatAddress, parseBrokerUrl } from "../../transport/broker_url.ts";
import { TransportError } from "../../transport/errors.ts";
import { test } from "../_harness.ts";

function refusal(url: string): TransportError {
  const error = assertThrows(() => parseBrokerUrl(url), TransportError);
  assertEquals(error.retryable, false);
  return error as TransportError;
}

test("parseBrokerUrl() reads host and port", () => {
  const cases: [url: string, hostname: string, port: number][] = [
    ["tcp://localhost:61617", "localhost", 61617],
    ["tcp://localhost", "localhost", 61616],
    ["TCP://broker.example.com/", "broker.example.com", 61616],
    ["tcp://127.0.0.1:1", "127.0.0.1", 1],
    ["tcp://[::1]:61617", "::1", 61617],
    ["tcp://[2001:db8::2]", "2001:db8::2", 61616],
  ];
  for (const [url, hostname, port] of cases) {
    assertEquals(parseBrokerUrl(url), { scheme: "tcp", hostname, port });
    assertEquals(parseBrokerUrl(new URL(url)), { scheme: "tcp", hostname, port });
  }
});

test("parseBrokerUrl() names the schemes there are", () => {
  for (
    const [url, scheme] of [
      ["http://localhost", "http:"],
      ["ssl://localhost:61617", "ssl:"],
      ["failover:(tcp://user:secret@localhost)", "failover:"],
      ["localhost:61616", "localhost:"],
      ["constructor://localhost", "constructor:"],
    ] as const
  ) {
    const error = refusal(url);
    assertEquals(error.code, "UNSUPPORTED_SCHEME");
    assertEquals(error.message, `Cannot connect to a "${scheme}" URL: supported are tcp://`);
  }
});

test("parseBrokerUrl() refuses what it doesn't understand", () => {
  for (
    const url of [
      "",
      "localhost",
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

test("parseBrokerUrl() names options in the URL, without their values", () => {
  const error = refusal("tcp://localhost?jms.prefetchPolicy.all=1&jms.password=secret");
  assertEquals(error.code, "INVALID_URL");
  assertEquals(
    error.message,
    "Cannot use the broker URL: options in the URL are not supported yet: " +
      "jms.prefetchPolicy.all, jms.password",
  );
});

test("parseBrokerUrl() never repeats a password", () => {
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
