/**
 * Errors of the client.
 *
 * @module
 */

import type { Throwable } from "../codec/mod.ts";
import { OpenWireError, type OpenWireErrorOptions } from "../errors.ts";
import { noteException, stackFramesOf } from "./broker_exception.ts";
import { harmless } from "./harmless.ts";

/**
 * The connection has ended: it was closed here or there, or it broke.
 *
 * Its `code` is `"CONNECTION_CLOSED"`. What was not answered by then may or may not have been done by the broker.
 *
 * @example
 * ```ts
 * import { ConnectionClosedError } from "../mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new ConnectionClosedError("The broker is gone").code, "CONNECTION_CLOSED");
 * ```
 */
export class ConnectionClosedError extends OpenWireError {
  /** Name of the class. */
  override readonly name: string = "ConnectionClosedError";

  /**
   * Creates an error.
   *
   * @param message What ended it.
   * @param options Cause and retryability.
   */
  constructor(message: string, options?: OpenWireErrorOptions) {
    super("CONNECTION_CLOSED", message, options);
  }
}

/**
 * A session, producer or consumer was used after it was closed. Its `code` is `"CLOSED"`.
 *
 * @example
 * ```ts
 * import { ClosedError } from "../mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new ClosedError("The consumer is closed").code, "CLOSED");
 * ```
 */
export class ClosedError extends OpenWireError {
  /** Name of the class. */
  override readonly name: string = "ClosedError";

  /**
   * Creates an error.
   *
   * @param message What is closed.
   * @param options Cause.
   */
  constructor(message: string, options?: OpenWireErrorOptions) {
    super("CLOSED", message, options);
  }
}

/**
 * Something was not done in time. Its `code` is `"TIMEOUT"`.
 *
 * @example
 * ```ts
 * import { TimeoutError } from "../mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new TimeoutError("No answer within 30000 ms").retryable, true);
 * ```
 */
export class TimeoutError extends OpenWireError {
  /** Name of the class. */
  override readonly name: string = "TimeoutError";

  /**
   * Creates an error.
   *
   * @param message What was waited for, and how long.
   * @param options Cause.
   */
  constructor(message: string, options: OpenWireErrorOptions = {}) {
    super("TIMEOUT", message, { retryable: true, ...options });
  }
}

/**
 * The peer does not answer as an OpenWire broker does.
 *
 * Its `code` is `"WRONG_PROTOCOL"` when the peer speaks another protocol that was recognized, else `"HANDSHAKE"`: it closed
 * the connection, or what it sent makes no sense.
 *
 * @example
 * ```ts
 * import { HandshakeError } from "../mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new HandshakeError("The peer closed the connection").code, "HANDSHAKE");
 * ```
 */
export class HandshakeError extends OpenWireError {
  /** Name of the class. */
  override readonly name: string = "HandshakeError";

  /**
   * Creates an error.
   *
   * @param message What was expected and what came.
   * @param options Cause and retryability.
   * @param code Stable identifier.
   */
  constructor(
    message: string,
    options?: OpenWireErrorOptions,
    code: "HANDSHAKE" | "WRONG_PROTOCOL" = "HANDSHAKE",
  ) {
    super(code, message, options);
  }
}

/** What a {@linkcode BrokerError} is about. */
interface Condition {
  readonly code: string;
  readonly retryable?: boolean;
}

/** What a {@linkcode BrokerError} is about, by the simple name of the broker's exception. */
const conditions: ReadonlyMap<string, Condition> = new Map<string, Condition>([
  ["SecurityException", { code: "SECURITY" }],
  ["JMSSecurityException", { code: "SECURITY" }],
  ["InvalidClientIDException", { code: "INVALID_CLIENT_ID" }],
  ["InvalidDestinationException", { code: "INVALID_DESTINATION" }],
  ["DestinationDoesNotExistException", { code: "INVALID_DESTINATION" }],
  ["InvalidSelectorException", { code: "INVALID_SELECTOR" }],
  ["ResourceAllocationException", { code: "RESOURCE_ALLOCATION", retryable: true }],
  ["IllegalStateException", { code: "ILLEGAL_STATE" }],
  // Artemis' own exceptions.
  ["ActiveMQInvalidFilterExpressionException", { code: "INVALID_SELECTOR" }],
  ["ActiveMQNonExistentQueueException", { code: "INVALID_DESTINATION" }],
  ["ActiveMQSecurityException", { code: "SECURITY" }],
  ["ActiveMQAddressFullException", { code: "RESOURCE_ALLOCATION", retryable: true }],
  ["TransactionRolledBackException", { code: "TRANSACTION_ROLLED_BACK", retryable: true }],
]);

/**
 * The broker refused something.
 *
 * Its `code` tells the condition: `"SECURITY"`, `"INVALID_CLIENT_ID"`, `"INVALID_DESTINATION"`, `"INVALID_SELECTOR"`,
 * `"SUBSCRIPTION_IN_USE"`, `"DESTINATION_IN_USE"`, `"RESOURCE_ALLOCATION"`, `"ILLEGAL_STATE"`, `"TRANSACTION_ROLLED_BACK"`, or
 * else `"BROKER"`.
 *
 * @example
 * ```ts
 * import { BrokerError } from "../mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const exception = { className: "javax.jms.InvalidDestinationException", message: "No", stackTrace: [], cause: null };
 * const error = new BrokerError("Cannot open a consumer", exception);
 * assertEquals(error.code, "INVALID_DESTINATION");
 * assertEquals(error.message, "Cannot open a consumer: No");
 * ```
 */
export class BrokerError extends OpenWireError {
  /** Name of the class. */
  override readonly name: string = "BrokerError";
  /** Full name of the broker's exception class, such as `javax.jms.JMSSecurityException`; empty when it sent none. */
  readonly exceptionClass: string;
  /**
   * The broker's stack, innermost call first, such as `org.apache.activemq.selector.SelectorParser.parse(SelectorParser.java:44)`;
   * 100 calls at most. It is empty unless the connection's option `wireFormat.stackTraceEnabled` is true and the broker sends
   * stacks. The broker sends what has caused its exception then, too, which is the `cause`: a `BrokerError` with its own stack.
   */
  readonly stackFrames: readonly string[];

  /**
   * Creates an error.
   *
   * @param action What was refused.
   * @param exception What the broker said.
   */
  constructor(action: string, exception: Throwable | null) {
    const exceptionClass = exception?.className ?? "";
    const { code, retryable = false } = conditionOf(exception);
    const reason = exception?.message ?? (exceptionClass || "the broker gave no reason");
    // Of a selector that it can't parse the broker says nothing else.
    const problem = code === "INVALID_SELECTOR" ? "the broker can't parse the selector: " : "";
    super(code, `${action}: ${problem}${harmless(reason)}`, {
      retryable,
      ...(exception?.cause ? { cause: new BrokerError("Caused by", exception.cause) } : {}),
    });
    this.exceptionClass = harmless(exceptionClass);
    this.stackFrames = stackFramesOf(exception);
    noteException(this, exception);
  }
}

/**
 * The broker refused user name and password, or the lack of them. Its `code` is `"SECURITY"`.
 *
 * @example
 * ```ts
 * import { AuthenticationError } from "../mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const exception = { className: "java.lang.SecurityException", message: "No", stackTrace: [], cause: null };
 * assertEquals(new AuthenticationError("Cannot connect", exception).code, "SECURITY");
 * ```
 */
export class AuthenticationError extends BrokerError {
  /** Name of the class. */
  override readonly name: string = "AuthenticationError";
}

/** What an exception of the broker is about. */
function conditionOf(exception: Throwable | null): Condition {
  // Artemis says only this of a subscription that is in use.
  if (exception?.message?.includes("durable subscription since it already has subscriber")) {
    return { code: "SUBSCRIPTION_IN_USE", retryable: true };
  }
  // And this of a queue that is to be deleted and is in use.
  if (
    exception?.message?.includes("Cannot delete queue") &&
    exception.message.includes("it has consumers")
  ) {
    return { code: "DESTINATION_IN_USE", retryable: true };
  }
  const known = conditions.get(simpleName(exception?.className ?? ""));
  if (known) return known;
  // A JMSException as any other, which a service meets that has lost its connection and is back before the broker knows.
  if (exception?.message?.startsWith("Durable consumer is in use")) {
    return { code: "SUBSCRIPTION_IN_USE", retryable: true };
  }
  // What is to be deleted is in use.
  if (exception?.message?.includes(" still has an active subscription")) {
    return { code: "DESTINATION_IN_USE", retryable: true };
  }
  return { code: "BROKER" };
}

function simpleName(className: string): string {
  return className.slice(className.lastIndexOf(".") + 1);
}
