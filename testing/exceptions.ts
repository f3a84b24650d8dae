/**
 * What the broker tells a client when it refuses a command.
 *
 * @module
 */

import type { Throwable } from "../codec/mod.ts";

/** A refusal: the class and message of the Java exception that ActiveMQ would send. */
export class BrokerException extends Error {
  override readonly name: string = "BrokerException";
  /** Full name of the class in Java. */
  readonly className: string;

  constructor(className: string, message: string) {
    super(message);
    this.className = className;
  }
}

/** A `javax.jms` exception. */
export function jmsException(message: string, simpleName = "JMSException"): BrokerException {
  return new BrokerException(`javax.jms.${simpleName}`, message);
}

/** A command that comes at the wrong time. */
export function illegalState(message: string): BrokerException {
  return new BrokerException("java.lang.IllegalStateException", message);
}

/** A failure of a transaction. Java clients find the code in the text. */
export function xaException(message: string, code: number): BrokerException {
  return new BrokerException(
    "javax.transaction.xa.XAException",
    `${message} xaErrorCode:${code}`,
  );
}

/** What ActiveMQ does and this broker doesn't, yet. Nothing of that kind is ignored silently. */
export function unsupported(feature: string): BrokerException {
  return new BrokerException(
    "java.lang.UnsupportedOperationException",
    `The in-memory broker does not support ${feature} yet`,
  );
}

/** The value of a field without which a command makes no sense. */
export function required<T>(value: T | null | undefined, field: string): T {
  if (value !== null && value !== undefined) return value;
  throw new BrokerException("java.lang.NullPointerException", `${field} is null`);
}

/** An exception as it goes over the wire. */
export function toThrowable(error: unknown): Throwable {
  const { className, message } = error instanceof BrokerException
    ? error
    : { className: "java.lang.RuntimeException", message: String(error) };
  return { className, message: shortened(message), stackTrace: [], cause: null };
}

/** Characters of a message: a longer one could not be sent. */
const LONGEST = 10_000;

function shortened(message: string): string {
  return message.length > LONGEST ? `${message.slice(0, LONGEST)}…` : message;
}
