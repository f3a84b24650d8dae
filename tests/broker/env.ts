/**
 * What `tests/run.ts` tells the tests about the broker that it started.
 *
 * Tests say `test("…", fn, { skip: brokerSkip })` and then use `broker!`.
 */
import process from "node:process";

/** Addresses of one broker's connectors, all on 127.0.0.1. */
export interface BrokerUrls {
  /** OpenWire with the broker's own defaults: tight encoding and value cache, frames to 100 MiB. */
  openwire: string;
  /** OpenWire whose frames end at 64 KiB. */
  smallFrame: string;
  /** OpenWire without tight encoding and without the value cache. */
  plain: string;
  /** STOMP, where the broker's STOMP jar is installed. */
  stomp?: string;
  /** AMQP 1.0, where the broker's AMQP jar is installed. */
  amqp?: string;
}

/** A running broker, as the tests see it. */
export interface BrokerInfo {
  /** Where its connectors listen. */
  urls: BrokerUrls;
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

const value = process.env.OPENWIRE_TEST_BROKER;

/** The broker that the runner started; absent when there is none. */
export const broker: BrokerInfo | undefined = value ? JSON.parse(value) as BrokerInfo : undefined;

/** Why tests against the real broker can't run; `false` when they can. */
export const brokerSkip: string | false = broker
  ? false
  : process.env.OPENWIRE_TEST_BROKER_SKIP || "no broker: run through `deno task test`";
