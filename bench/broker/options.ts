/** The command line of the benchmark. */
import { BROKER_KINDS, type BrokerKind } from "../../tests/broker/kinds.ts";
import { type Client, CLIENTS, scaled, type Workload, WORKLOADS } from "./workloads.ts";

/** What is to be run. */
export interface Options {
  readonly broker: BrokerKind;
  readonly rounds: number;
  readonly workloads: readonly Workload[];
  readonly clients: readonly Client[];
  /** Whether each turn has a process of its own, which does as much before as it is measured with. */
  readonly fresh: boolean;
  /** Whether it is only to be seen that all works: figures of so few messages mean nothing. */
  readonly smoke: boolean;
  /** A file for all figures. */
  readonly json: string | undefined;
}

/** How it is called. */
export const USAGE: string = `main.ts [--broker=${BROKER_KINDS.join("|")}] [--rounds=5]
  [--clients=${CLIENTS.join(",")}]
  [--workloads=${WORKLOADS.map(({ name }) => name).join(",")}]
  [--quick | --smoke] [--fresh] [--json=FILE]`;

/** With `--quick`: what most is asked of. */
const QUICK = [
  "produce-1k",
  "produce-1k-windowed",
  "persistent-1k",
  "consume-1k",
  "consume-1k-loop",
  "consume-1k-individual",
  "request-1k",
];
/** With `--smoke` only whether it works counts. */
const SMOKE_CLIENTS: readonly Client[] = ["deno", "java"];

/**
 * Reads the command line.
 *
 * @throws {TypeError} When an option or its value is unknown.
 */
export function parseOptions(args: readonly string[]): Options {
  let broker: BrokerKind = "activemq5";
  let rounds: number | undefined;
  let names: string[] | undefined;
  let clients: readonly Client[] | undefined;
  let json: string | undefined;
  let quick = false;
  let smoke = false;
  let fresh = false;
  for (const arg of args) {
    const [name, value = ""] = arg.split("=", 2);
    if (arg === "--quick") quick = true;
    else if (arg === "--smoke") smoke = true;
    else if (arg === "--fresh") fresh = true;
    else if (name === "--broker") [broker] = list(arg, value, BROKER_KINDS) as [BrokerKind];
    else if (name === "--rounds") rounds = count(arg, value);
    else if (name === "--workloads") {
      names = list(arg, value, WORKLOADS.map((workload) => workload.name));
    } else if (name === "--clients") clients = list(arg, value, CLIENTS);
    else if (name === "--json" && value) json = value;
    else throw new TypeError(`unknown option ${arg}`);
  }
  names ??= quick ? QUICK : WORKLOADS.map((workload) => workload.name);
  const chosen = WORKLOADS.filter(({ name }) => names.includes(name));
  return {
    broker,
    rounds: rounds ?? (smoke ? 1 : quick ? 3 : 5),
    workloads: smoke ? chosen.map((workload) => scaled(workload, 0.002)) : chosen,
    clients: clients ?? (smoke ? SMOKE_CLIENTS : CLIENTS.filter((client) => client !== "node")),
    fresh,
    smoke,
    json,
  };
}

function count(arg: string, value: string): number {
  if (/^[1-9]\d*$/.test(value)) return Number(value);
  throw new TypeError(`${arg} is no number`);
}

function list<T extends string>(arg: string, value: string, known: readonly T[]): T[] {
  return value.split(",").map((name) => {
    const found = known.find((one) => one === name);
    if (found === undefined) throw new TypeError(`${arg}: ${name} is none of ${known.join(", ")}`);
    return found;
  });
}
