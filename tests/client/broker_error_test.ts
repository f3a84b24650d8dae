/** What a BrokerError tells of the broker's exception. */
import { BrokerError, createXid, XAError, XAErrorCode } from "../../mod.ts";
import type { StackTraceElement, Throwable } from "../../codec/mod.ts";
import { harmlessValue } from "../../errors.ts";
import { assert, assertEquals, assertInstanceOf, assertMatch, assertRejects } from "@std/assert";
import { test } from "../_harness.ts";
import { testOnBrokers } from "./_brokers.ts";

const HOSTILE = "\x1b[2J\r\n\u202e";

function element(change: Partial<StackTraceElement> = {}): StackTraceElement {
  return {
    className: "org.Queue",
    methodName: "send",
    fileName: "Queue.java",
    lineNumber: 7,
    ...change,
  };
}

function exception(change: Partial<Throwable> = {}): Throwable {
  return {
    className: "java.io.IOException",
    message: "No",
    stackTrace: [],
    cause: null,
    ...change,
  };
}

test("a BrokerError has the calls of the broker's stack as Java writes them", () => {
  const stackTrace = [
    element(),
    element({ fileName: null, lineNumber: -1 }),
    element({ fileName: null, lineNumber: -2 }),
    element({ lineNumber: -1 }),
    element({ className: null, methodName: null }),
  ];
  assertEquals(new BrokerError("Cannot send", exception({ stackTrace })).stackFrames, [
    "org.Queue.send(Queue.java:7)",
    "org.Queue.send(Unknown Source)",
    "org.Queue.send(Native Method)",
    "org.Queue.send(Queue.java)",
    "?.?(Queue.java:7)",
  ]);
  assertEquals(new BrokerError("Cannot send", exception()).stackFrames, []);
  assertEquals(new BrokerError("Cannot send", null).stackFrames, []);
});

test("the stack of a broker is short and has no control characters", () => {
  const stackTrace = Array.from({ length: 5000 }, () =>
    element({
      className: HOSTILE.repeat(10_000),
      methodName: HOSTILE,
      fileName: HOSTILE.repeat(10_000),
    }));
  const { stackFrames } = new BrokerError("Cannot send", exception({ stackTrace }));
  assertEquals(stackFrames.length, 100);
  for (const frame of stackFrames) {
    assert(frame.length < 700);
    // deno-lint-ignore no-control-regex
    assertEquals(/[\x00-\x1f\u202e]/.test(frame), false);
  }
});

test("each cause has its own stack", () => {
  const cause = exception({
    className: "java.lang.IllegalStateException",
    message: "full",
    stackTrace: [element({ methodName: "store" })],
  });
  const error = new BrokerError("Cannot send", exception({ stackTrace: [element()], cause }));
  assertInstanceOf(error.cause, BrokerError);
  const caused = error.cause as BrokerError;
  const { message, exceptionClass, stackFrames } = caused;
  assertEquals([message, exceptionClass], ["Caused by: full", "java.lang.IllegalStateException"]);
  assertEquals(stackFrames, ["org.Queue.store(Queue.java:7)"]);
});

test("a copy for a log keeps the stack of the broker", () => {
  const cause = new BrokerError("Cannot send", exception({ stackTrace: [element()] }));
  const copy = harmlessValue(new Error(`bad ${HOSTILE}`, { cause })).cause as BrokerError;
  assertEquals(copy.stackFrames, ["org.Queue.send(Queue.java:7)"]);
});

testOnBrokers("stackTraceEnabled brings the stack and the causes", async (broker) => {
  const refused = async (stackTraceEnabled: boolean) => {
    const connection = await broker.connect({ wireFormat: { stackTraceEnabled } });
    return await assertRejects(
      () =>
        connection.createConsumer(broker.name, { selector: "convert_string_expressions:a = = 1" }),
      BrokerError,
    );
  };
  const plain = await refused(false);
  assertEquals(plain.stackFrames, []);
  const error = await refused(true);
  assertEquals(error.exceptionClass, plain.exceptionClass);
  assertEquals(error.code, "INVALID_SELECTOR");
  if (!broker.real) return;
  assert(error.stackFrames.length > 0);
  for (const frame of error.stackFrames) assertMatch(frame, /^[\w.$<>/@-]+\([^()]+\)$/);
});

testOnBrokers("an XAError has the stack of the broker, too", async (broker) => {
  const connection = await broker.connect({ wireFormat: { stackTraceEnabled: true } });
  const error = await assertRejects(() => connection.xa.commit(createXid()), XAError);
  // Artemis says that it is no time to commit.
  assertEquals(
    error.errorCode,
    broker.kind === "artemis" ? XAErrorCode.protocol : XAErrorCode.notFound,
  );
  if (broker.real) assert(error.stackFrames.length > 0);
});
