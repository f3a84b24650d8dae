/**
 * What `tests/run.ts` tells the tests about the brokers that it started.
 *
 * Tests say `test("…", fn, { skip: brokerSkip })` and then use `broker!`.
 */
import process from "node:process";
import type { BrokerTls } from "./keys.ts";
import { BROKER_KINDS, type BrokerKind } from "./kinds.ts";

/** Addresses of one broker's connectors, all on 127.0.0.1; those with TLS by the name that the certificate has. */
export interface BrokerUrls {
  /** OpenWire with the broker's own defaults: tight encoding and value cache, frames to 100 MiB. */
  openwire: string;
  /** OpenWire whose frames end at 64 KiB; ActiveMQ only. */
  smallFrame?: string;
  /** OpenWire without tight encoding, value cache and keep-alives; ActiveMQ only. */
  plain?: string;
  /** OpenWire for one connection at a time. */
  single: string;
  /** OpenWire with TLS, with `tls.caCerts`. */
  ssl: string;
  /** The same for clients that show a certificate, `tls.cert` and `tls.key`. */
  mutualSsl: string;
  /** STOMP, where the broker's STOMP jar is installed. */
  stomp?: string;
  /** AMQP 1.0, where the broker's AMQP jar is installed. */
  amqp?: string;
}

/** A running broker, as the tests see it. */
export interface BrokerInfo {
  /** Which broker it is. */
  kind: BrokerKind;
  /** Where its connectors listen. */
  urls: BrokerUrls;
  /** What its TLS connectors need. */
  tls: BrokerTls;
  /** Its version, such as `5.17.2`. */
  version: string;
  /** Process id of its Java machine. */
  pid: number;
  /** Class path with the Java client and marshallers of the same version, for Java peers. */
  classpath: string;
  /** The `java` command that runs it. */
  java: string;
  /** The `javac` command, where there is one: Java peers need it. */
  javac?: string;
}

const value = process.env.OPENWIRE_TEST_BROKERS;
const skips = process.env.OPENWIRE_TEST_BROKERS_SKIP;

/** The real brokers that the runner started. */
export const brokers: Partial<Record<BrokerKind, BrokerInfo>> = value ? JSON.parse(value) : {};

/** Why there is none of the others. */
const reasons: Partial<Record<BrokerKind, string>> = skips ? JSON.parse(skips) : {};

/** The real brokers that tests are to be run against, or to be reported as skipped for. */
export const wantedBrokers: readonly BrokerKind[] = BROKER_KINDS.filter((kind) =>
  kind === "activemq5" || brokers[kind] || reasons[kind]
);

/** Why tests against a real broker can't run; `false` when they can. */
export function skipWithout(kind: BrokerKind): string | false {
  return brokers[kind] ? false : reasons[kind] || "no broker: run through `deno task test`";
}

/** ActiveMQ 5, for tests of that alone; absent when there is none. */
export const broker: BrokerInfo | undefined = brokers.activemq5;

/** Why tests against ActiveMQ 5 can't run; `false` when they can. */
export const brokerSkip: string | false = skipWithout("activemq5");
