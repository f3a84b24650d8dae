/** Random faults, which follow from a seed. */
import type { DataStructure } from "../../../codec/mod.ts";
import type { Ending, FaultContext, FaultOptions } from "../proxy/fault.ts";
import { type Direction, DIRECTIONS } from "../proxy/conversation.ts";
import type { ProxyConnection } from "../proxy/proxy_connection.ts";
import type { FaultProxy } from "../proxy/fault_proxy.ts";
import type { LedgerBroker } from "./ledger_broker.ts";

/** What a {@linkcode makeMischief} needs. */
export interface MischiefOptions {
  readonly proxy: FaultProxy;
  readonly broker: LedgerBroker;
  readonly random: () => number;
  /** When to end, in milliseconds since 1970. */
  readonly until: number;
  /** Is told of all that is done. */
  readonly tell: (text: string) => void;
}

/** How often each thing was done. */
export type Mischief = Record<string, number>;

type Command = Omit<FaultOptions, "action">;

const ONE_PHASE_COMMIT = 2;
const isCommit = (command: DataStructure): boolean =>
  command.dataType === "TransactionInfo" && command.type === ONE_PHASE_COMMIT;
const answerTo = (dataType: string) => (_: DataStructure, { request }: FaultContext): boolean =>
  request !== undefined && new RegExp(dataType).test(request.dataType);

/** The commands at which a cut may do the most harm. */
const COMMANDS: Record<string, Command> = {
  "commit": { command: "TransactionInfo", where: isCommit },
  "answer to a commit": {
    command: "Response",
    direction: "to-client",
    where: (_, { request }) => request !== undefined && isCommit(request),
  },
  "message": { command: "Message" },
  "answer to a message": {
    command: "Response",
    direction: "to-client",
    where: answerTo("^ActiveMQ.*Message$"),
  },
  "acknowledgement": { command: "MessageAck" },
  "answer to an acknowledgement": {
    command: "Response",
    direction: "to-client",
    where: answerTo("^MessageAck$"),
  },
  "dispatch": { command: "MessageDispatch", direction: "to-client" },
  "begin of a connection": { command: "ConnectionInfo" },
  "begin of a consumer": { command: "ConsumerInfo" },
};

/** Does harm until the time is over, and then leaves all as it should be. */
export async function makeMischief(options: MischiefOptions): Promise<Mischief> {
  const { proxy, until } = options;
  const done: Mischief = {};
  const tell = (what: string, detail = ""): void => {
    done[what] = (done[what] ?? 0) + 1;
    options.tell(detail ? `${what}: ${detail}` : what);
  };
  const telling = { ...options, tell, trace: options.tell };
  await Promise.all([killing(telling), meddling(telling)]);
  proxy.clear();
  proxy.admission = "accept";
  await proxy.resume();
  for (const connection of proxy.connections) connection.resume();
  options.tell(`no more faults, ${Math.round(Date.now() - until)} ms late`);
  return done;
}

type Telling = Omit<MischiefOptions, "tell"> & {
  /** Counts and tells. */
  tell(what: string, detail?: string): void;
  /** Tells. */
  trace(text: string): void;
};

/** Kills the broker now and then. */
async function killing({ broker, proxy, random, until, tell }: Telling): Promise<void> {
  for (;;) {
    await pause(4_000 + random() * 8_000);
    if (Date.now() >= until) return;
    tell("kill -9");
    // Sometimes it can't be told from a network that is gone, sometimes nobody listens.
    const refuses = random() < 0.5;
    if (refuses) proxy.suspend();
    await broker.kill();
    await pause(random() * 1_500);
    await broker.restart();
    proxy.upstream = broker.url;
    if (refuses) await proxy.resume();
    tell("start");
  }
}

/** Does something to connections every now and then. */
async function meddling(options: Telling): Promise<void> {
  const { proxy, random, until, tell } = options;
  const one = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const ending = (): Ending => one(["end", "reset"]);
  const way = (): Direction => one(DIRECTIONS);
  const later: Promise<void>[] = [];
  /** Undoes something after some milliseconds. */
  const undo = (delay: number, action: () => unknown): void => {
    const left = Math.max(0, until - Date.now());
    later.push(pause(Math.min(delay, left)).then(async () => void await action()));
  };
  /** Ends a silence, after which the peers may have noticed or not. */
  const heal = (connection: ProxyConnection | undefined): void => {
    if (random() < 0.7) undo(random() * 8_000, () => connection?.resume());
    else undo(10_000, () => connection?.reset());
  };

  const tricks: [weight: number, trick: () => void][] = [
    [3, () => {
      const how = ending();
      const connection = one(proxy.connections);
      tell(`${how} of one`, `connection ${connection?.number}`);
      connection?.apply(how);
    }],
    [1, () => {
      const how = ending();
      tell(`${how} of all`);
      for (const connection of [...proxy.connections]) connection.apply(how);
    }],
    [6, () => {
      const name = one(Object.keys(COMMANDS));
      const when = one(["before", "after"] as const);
      const action = one(["end", "reset", "silence"] as const);
      const nth = 1 + Math.floor(random() * 5);
      options.trace(`${action} to come ${when} ${name} number ${nth}`);
      const fault = proxy.fault({ ...COMMANDS[name]!, when, action, nth });
      void fault.hit.then(({ number }) =>
        tell("cut at a command", `${action} ${when} ${name} on ${number}`)
      );
    }],
    [2, () => {
      const direction = random() < 0.5 ? way() : undefined;
      const connection = one(proxy.connections);
      tell(
        direction ? "half-open" : "silence",
        `${direction ?? ""} connection ${connection?.number}`,
      );
      connection?.silence(direction);
      heal(connection);
    }],
    [2, () => {
      const connection = one(proxy.connections);
      const direction = way();
      const how = ending();
      const bytes = (connection?.bytes(direction) ?? 0) + Math.floor(random() * 20_000);
      tell(
        "truncate",
        `${how} of connection ${connection?.number} after ${bytes} bytes ${direction}`,
      );
      connection?.truncate(direction, bytes, how);
    }],
    [1, () => {
      const milliseconds = 20 + random() * 200;
      tell("delay", `${Math.round(milliseconds)} ms`);
      proxy.delay(milliseconds);
      undo(1_000 + random() * 3_000, () => proxy.delay(0));
    }],
    [1, () => {
      tell("throttle");
      proxy.throttle(30_000, way());
      undo(1_000 + random() * 2_000, () => proxy.throttle(Infinity));
    }],
    [1, () => {
      tell("refuse");
      proxy.suspend();
      undo(random() * 2_000, () => proxy.resume());
      for (const connection of [...proxy.connections]) if (random() < 0.5) connection.end();
    }],
    [1, () => {
      const admission = one(["silence", "end", "reset"] as const);
      tell(`${admission} for those who connect`);
      proxy.admission = admission;
      one(proxy.connections)?.reset();
      undo(random() * 3_000, () => proxy.admission = "accept");
    }],
  ];
  const bag = tricks.flatMap(([weight, trick]) => Array<typeof trick>(weight).fill(trick));
  while (Date.now() < until) {
    one(bag)();
    await pause(300 + random() * 2_700);
  }
  await Promise.all(later);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
