/** URLs as users of ActiveMQ write them. */

import { typeName } from "../../errors.ts";
import { TransportError } from "../../transport/mod.ts";
import type { FailoverOptions } from "../failover/failover_options.ts";
import type { ConnectOptions } from "../options.ts";
import { type AnyAddress, parseAnyAddress } from "./broker_address.ts";
import { failoverOptions } from "./failover_options.ts";
import { foreignOption } from "./foreign_options.ts";
import { jmsOptions } from "./jms_options.ts";
import { mergeOptions } from "./merge_options.ts";
import { OptionTable } from "./option_table.ts";
import { type Parameter, parseQuery } from "./query.ts";
import { type TransportOptions, transportOptions } from "./transport_options.ts";

/** A broker, and what is for it alone. */
export interface BrokerTarget {
  readonly address: AnyAddress;
  /** What its part of the URL says; `nested.` options too. */
  readonly options: TransportOptions;
}

/** What a URL says. */
export interface BrokerUrl {
  /** One or more; none only if there may be none. */
  readonly brokers: readonly BrokerTarget[];
  /** What is for all of them, and for others that they tell of. */
  readonly nested: TransportOptions;
  /** Options of the connection. `failover` is there when the URL is one for several brokers, even if it lists only one. */
  readonly options: ConnectOptions;
}

/** What a URL may be. */
export interface UrlRules {
  /** Whether the schemes of brokers may be any: the application makes the connections. */
  readonly anyScheme?: boolean;
  /** Whether a list may have no brokers: the application finds them. */
  readonly mayBeEmpty?: boolean;
}

/** Composite schemes, and what they say beyond their options. */
const composites: ReadonlyMap<string, FailoverOptions> = new Map([
  ["failover", {}],
  ["static", {}],
  // As in Java: the master is to be tried first, and a lost connection is given up.
  ["masterslave", { randomize: false, maxReconnectAttempts: 0 }],
]);

const NESTED = "nested.";

/** Lists within lists, at most. */
const MAX_DEPTH = 8;

/** What may stand behind the one address of a URL. */
const simpleOptions = new OptionTable<ConnectOptions>([
  ...transportOptions.rows,
  ...jmsOptions.rows,
]);

/** What may stand behind the parentheses. */
const compositeOptions = new OptionTable<ConnectOptions>([
  ...failoverOptions.rows,
  ...jmsOptions.rows,
]);

/** What may stand behind the parentheses with `nested.` before it, for all brokers. */
const nestedOptions = new OptionTable<TransportOptions>(
  transportOptions.rows.map((row) => ({
    ...row,
    name: NESTED + row.name,
    aliases: row.aliases.map((alias) => NESTED + alias),
  })),
);

/**
 * Reads a URL, such as `tcp://localhost:61616?jms.useAsyncSend=true` or
 * `failover:(tcp://a:61616,tcp://b:61616)?randomize=false`.
 *
 * Without parentheses a query belongs to the last broker. `nested.` options count more than those of the broker itself, as in
 * Java.
 *
 * @throws {TransportError} `"INVALID_URL"` or `"UNSUPPORTED_SCHEME"`; the message has no user name, password or value.
 * @throws {TypeError} When it is neither a string nor a URL.
 */
export function parseBrokerUrl(url: string | URL, rules: UrlRules = {}): BrokerUrl {
  const text = textOfUrl(url);
  const composite = parseScheme(text);
  if (composite) return parseComposite(composite, rules);
  const [before, query] = splitQuery(text);
  const address = parseAnyAddress(before, rules.anyScheme ?? false);
  const { socket, tls, wireFormat, ...options } = simpleOptions.read(
    parseQuery(query, invalid).map(withJmsPrefix),
    invalid,
    misplacedInSimple,
  );
  const nested = mergeOptions({}, { socket, tls, wireFormat });
  checkTls(nested, [address.scheme]);
  return { brokers: [{ address, options: nested }], nested, options };
}

/**
 * Reads what a function of the application has found: each may be what stands within the parentheses of `failover:(…)`.
 *
 * @param urls The texts.
 * @param nested What is for all brokers.
 * @throws As {@linkcode parseBrokerUrl}.
 */
export function parseBrokerList(
  urls: readonly (string | URL)[],
  nested: TransportOptions,
  rules: UrlRules,
): BrokerTarget[] {
  return urls.flatMap((url) => parseMember(textOfUrl(url), nested, 1, rules));
}

function textOfUrl(url: string | URL): string {
  const text: unknown = typeof url === "string" ? url : (url as URL | undefined | null)?.href;
  if (typeof text === "string") return text.trim();
  throw new TypeError(
    `Cannot use a value of type ${typeName(url)} as the broker URL: ` +
      `a string such as tcp://localhost:61616, or a URL, is expected${adviceOn(url)}`,
  );
}

function adviceOn(value: unknown): string {
  if (value === undefined) return ". Is the variable that it comes from set?";
  if (typeof value === "function") return ". A function can be given as the option `brokers`";
  if (typeof value !== "object" || value === null) return "";
  const hasHost = ["host", "hostname", "port"].some((name) => name in value);
  return hasHost ? ". Write host and port as tcp://host:port" : "";
}

function parseComposite({ scheme, rest }: Composite, rules: UrlRules): BrokerUrl {
  const { list, query } = splitComposite(rest);
  const { nested, others } = readNested(query);
  const options = compositeOptions.read(
    others.map(withJmsPrefix),
    invalid,
    misplacedInComposite,
  );
  const brokers = rules.mayBeEmpty && list.trim() === ""
    ? []
    : splitList(list).flatMap((member) => parseMember(member, nested, 1, rules));
  if (brokers.length > 0) checkTls(nested, brokers.map(({ address }) => address.scheme));
  return {
    brokers,
    nested,
    options: mergeOptions({ failover: composites.get(scheme)! }, options),
  };
}

/** One broker, or those of another list within the list. */
function parseMember(
  text: string,
  nested: TransportOptions,
  depth: number,
  rules: UrlRules,
): BrokerTarget[] {
  const member = text.trim();
  if (member === "") {
    throw invalid("an address is missing: expected such as failover:(tcp://a,tcp://b)");
  }
  const composite = parseScheme(member);
  if (composite) return parseInner(composite, nested, depth + 1, rules);
  const [before, query] = splitQuery(member);
  const address = parseAnyAddress(before, rules.anyScheme ?? false);
  const own = transportOptions.read(parseQuery(query, invalid), invalid, misplacedInMember);
  checkTls(own, [address.scheme]);
  const { tls, ...options } = mergeOptions(own, nested);
  // What is for all brokers is for those with TLS.
  return [{
    address,
    options: address.scheme === "ssl" ? mergeOptions(options, { tls }) : options,
  }];
}

function parseInner(
  { scheme, rest }: Composite,
  nested: TransportOptions,
  depth: number,
  rules: UrlRules,
): BrokerTarget[] {
  if (depth > MAX_DEPTH) throw invalid(`lists are nested deeper than ${MAX_DEPTH}`);
  if (scheme === "masterslave") {
    throw invalid("a masterslave: URL can't be within another one: only one order is possible");
  }
  const { list, query } = splitComposite(rest);
  const own = readNested(query);
  const [other] = own.others;
  if (other) {
    const option = compositeOptions.has(other.name)
      ? `the option ${other.name}`
      : `option ${other.place}`;
    throw invalid(`${option} has its place behind the outermost parentheses`);
  }
  const inherited = mergeOptions(own.nested, nested);
  return splitList(list).flatMap((member) => parseMember(member, inherited, depth, rules));
}

/** A URL of several brokers, in parts. */
interface Composite {
  readonly scheme: string;
  /** What stands behind the scheme, and behind `//` if that is there. */
  readonly rest: string;
}

function parseScheme(text: string): Composite | undefined {
  const [, name, rest] = /^([a-z]+):(?:\/\/(?=\(|[\w+.-]+:))?([^]*)$/i.exec(text) ?? [];
  const scheme = name?.toLowerCase() ?? "";
  return composites.has(scheme) ? { scheme, rest: rest! } : undefined;
}

function checkTls(options: TransportOptions, schemes: readonly AnyAddress["scheme"][]): void {
  if (options.tls && !schemes.includes("ssl")) {
    throw invalid("the option socket.verifyHostName is for ssl:// only");
  }
}

/** `openwire.` is a name of ours for the prefix that Java calls `jms.`. */
function withJmsPrefix(parameter: Parameter): Parameter {
  return { ...parameter, name: parameter.name.replace(/^openwire\./, "jms.") };
}

/** Takes the `nested.` options out of a query. */
function readNested(query: string): { nested: TransportOptions; others: Parameter[] } {
  const isNested = ({ name }: Parameter): boolean => name.startsWith(NESTED);
  const parameters = parseQuery(query, invalid);
  return {
    nested: nestedOptions.read(parameters.filter(isNested), invalid, misplacedInMember),
    others: parameters.filter((parameter) => !isNested(parameter)),
  };
}

/** Takes the list and the query of `(a,b)?query`, or of `a,b`, whose query belongs to b. */
function splitComposite(text: string): { list: string; query: string } {
  const end = checkParentheses(text);
  if (!text.startsWith("(")) return { list: text, query: "" };
  const after = text.slice(end + 1);
  if (after !== "" && !after.startsWith("?")) {
    throw invalid("only `?` and options may follow the parentheses");
  }
  if (after.includes("#")) throw invalid("within a value `#` is written %23");
  return { list: text.slice(1, end), query: after.slice(1) };
}

/** Splits at the commas that are not within parentheses; as in Java, one at the end has nothing behind it. */
function splitList(list: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at < list.length; at++) {
    if (list[at] === "(") depth++;
    else if (list[at] === ")") depth--;
    else if (list[at] === "," && depth === 0) {
      parts.push(list.slice(from, at));
      from = at + 1;
    }
  }
  const last = list.slice(from);
  return parts.length > 0 && last.trim() === "" ? parts : [...parts, last];
}

/** Where the first group of parentheses ends. */
function checkParentheses(text: string): number {
  let depth = 0;
  let end = -1;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "(") depth++;
    if (text[at] === ")" && --depth === 0 && end < 0) end = at;
    if (depth < 0) break;
  }
  if (depth !== 0) {
    throw invalid("as many `)` as `(` are expected; within a value they are written %28 and %29");
  }
  return end;
}

/** The parts before and behind the first `?`. */
function splitQuery(text: string): [before: string, query: string] {
  const at = text.indexOf("?");
  if (at < 0) return [text, ""];
  if (text.includes("#", at)) throw invalid("within a value `#` is written %23");
  return [text.slice(0, at), text.slice(at + 1)];
}

function misplacedInSimple(name: string): string | undefined {
  if (failoverOptions.has(name) || name.startsWith(NESTED)) {
    return `the option ${name} is for URLs such as failover:(tcp://a,tcp://b)?${name}=…`;
  }
  return misplacedAnywhere(name);
}

function misplacedInComposite(name: string): string | undefined {
  if (transportOptions.has(name)) {
    return `the option ${name} is one of a single broker: write nested.${name} for all of them`;
  }
  return misplacedAnywhere(name);
}

function misplacedInMember(name: string): string | undefined {
  const own = name.startsWith(NESTED) ? name.slice(NESTED.length) : name;
  if (jmsOptions.has(own) || failoverOptions.has(own)) {
    return `the option ${name} is not one of a single broker: write failover:(tcp://a,tcp://b)?${own}=…`;
  }
  return misplacedAnywhere(name);
}

function misplacedAnywhere(name: string): string | undefined {
  if (/^(consumer|producer)\./.test(name)) {
    return `the option ${name} is one of a destination, such as orders?${name}=…`;
  }
  if (name.startsWith("transport.")) {
    return `the option ${name} is one of the broker's configuration; for clients it has no prefix`;
  }
  return foreignOption(name);
}

function invalid(problem: string): TransportError {
  return new TransportError("INVALID_URL", `Cannot use the broker URL: ${problem}`);
}
