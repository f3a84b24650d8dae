/** The examples, each as a process, against the broker in memory and ActiveMQ. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { connect as dial, type Connection, type Message } from "../../mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { runtime, test } from "../_harness.ts";
import { SECRET } from "../_secret.ts";
import { testOnBrokers } from "../client/_brokers.ts";
import { empty } from "../client/_messages.ts";
import { type Outcome, run, runFile } from "./_program.ts";
import { RunningProgram } from "./_running_program.ts";

function example(name: string, ...args: string[]): string[] {
  const file = fileURLToPath(new URL(`../../examples/${name}.ts`, import.meta.url));
  return [...runFile(file), ...args];
}

const patience = { timeout: 10_000 };

/** The next message; it must come. */
async function next(connection: Connection, queue: string, selector?: string): Promise<Message> {
  await using consumer = await connection.createConsumer(queue, {
    prefetchSize: 0,
    ...(selector ? { selector } : {}),
  });
  const message = await consumer.receive(patience);
  if (message === null) throw new Error(`There is no message in ${queue}`);
  return message;
}

/** Whether there is nothing in a queue, not even with a consumer. */
async function isEmpty(connection: Connection, queue: string): Promise<boolean> {
  for await (const _ of await connection.createBrowser(queue)) return false;
  return true;
}

// The worker pool.

/** Where webhooks go to, with the number of calls for each path. */
class Hooks implements AsyncDisposable {
  readonly calls: Record<string, number> = {};
  readonly keys: (string | undefined)[] = [];
  /** Resolves when `/slow` was called, which is answered when {@linkcode finish} is. */
  readonly slow: PromiseWithResolvers<void> = Promise.withResolvers();
  readonly finish: PromiseWithResolvers<void> = Promise.withResolvers();
  readonly #server: Server = createServer(async (request, response) => {
    request.resume();
    response.statusCode = await this.#answer(request);
    // No connection is to stay open after the answer.
    response.setHeader("connection", "close").end();
  });

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async #answer({ url, headers }: IncomingMessage): Promise<number> {
    const path = url!;
    const call = this.calls[path] = (this.calls[path] ?? 0) + 1;
    if (path === "/flaky") {
      this.keys.push(headers["idempotency-key"] as string);
      return call < 3 ? 503 : 204;
    }
    if (path === "/slow") {
      this.slow.resolve();
      await this.finish.promise;
    }
    return path === "/gone" ? 410 : 200;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

testOnBrokers("the worker pool delivers, tries again, gives up and finishes its work", async ({
  connect,
  url,
  name,
}) => {
  await using hooks = new Hooks();
  const base = await hooks.listen();
  const connection = await connect();
  const properties = { test: name };
  for (const path of ["/ok", "/gone", "/flaky", "/slow"]) {
    await connection.send(name, { json: { url: base + path, payload: 1 } }, { properties });
  }
  await connection.send(name, "nonsense", { properties });

  await using program = new RunningProgram(example("worker_pool", url, name));
  await hooks.slow.promise;
  for (const line of [/ done: 200\n/, / done: 204\n/, / says 410\n/, / This is no webhook\n/]) {
    await program.until(line);
  }
  program.signal("SIGTERM");
  await program.until(/\nSIGTERM: 1 messages to finish\n/);
  hooks.finish.resolve();

  const { code, stdout, stderr } = await program.ended;
  assertEquals(code, 0, stderr);
  assertEquals(stdout.match(/ done: 20[04]\n/g)?.length, 3, stdout);
  assertEquals(stderr, `error: ${base}/flaky says 503\n`.repeat(2));
  assertEquals(hooks.calls, { "/ok": 1, "/gone": 1, "/flaky": 3, "/slow": 1 });
  assertMatch(hooks.keys[0]!, /^ID:/);
  assertEquals(hooks.keys, Array(3).fill(hooks.keys[0]));

  assert(await isEmpty(connection, name));
  const dead = [0, 0].map(() => next(connection, "ActiveMQ.DLQ", `test = '${name}'`));
  const reasons = (await Promise.all(dead))
    .map(({ properties }) => String(properties.get("dlqDeliveryFailureCause"))).sort();
  assertStringIncludes(reasons[0]!, "This is no webhook");
  assertStringIncludes(reasons[1]!, `${base}/gone says 410`);
});

test("the worker pool says that the connection has ended, and fails", async () => {
  await using memory = await MemoryBroker.listen();
  await using program = new RunningProgram(example("worker_pool", memory.url));
  await program.until(/wait for messages of the queue webhooks/);
  await memory.disconnectClients();
  const { code, stderr } = await program.ended;
  assertEquals(code, 1);
  assertMatch(stderr, /^closed: .+\nEnded: |^Ended: .+\nclosed: /);
});

// Dead letters.

/** Puts messages into the dead letter queue. */
async function die(connection: Connection, queue: string, texts: string[]): Promise<void> {
  await using consumer = await connection.createConsumer(queue, { acknowledgeMode: "individual" });
  for (const text of texts) {
    await connection.send(queue, text, { properties: { text } });
    await (await consumer.receive(patience))!.reject(new Error(`no ${text}`));
  }
}

/** Takes out what other tests have left: the example shows no more than a browser does. */
testOnBrokers("dead letters are shown, and put back where they came from", async ({
  connect,
  url,
  name,
}) => {
  const connection = await connect();
  await empty(connection, "ActiveMQ.DLQ");
  await die(connection, name, ["one", "two"]);
  await die(connection, `${name}.other`, ["three"]);

  const shown = await run(example("dead_letters", url));
  assertEquals([shown.code, shown.stderr], [0, ""]);
  assertMatch(shown.stdout, new RegExp(`^ID:\\S+ of ${name}: .*Error: no one\n`));
  assertMatch(shown.stdout, new RegExp(`ID:\\S+ of ${name}.other: .*Error: no three\n`));
  assertMatch(shown.stdout, /\n3 dead letters\n$/);

  const moved = await run(example("dead_letters", url, name));
  assertEquals([moved.code, moved.stderr], [0, ""]);
  assertMatch(moved.stdout, new RegExp(`\n2 dead letters put back to ${name}\n$`));
  for (const text of ["one", "two"]) {
    const message = await next(connection, name);
    assertEquals([message.text, message.properties.get("text")], [text, text]);
  }
  const { stdout } = await run(example("dead_letters", url, name));
  assertEquals(stdout, "0 dead letters\n");
  assertEquals((await next(connection, "ActiveMQ.DLQ")).text, "three");
}, { needs: ["origin of dead letters"] });

// The tap.

testOnBrokers("the tap passes bytes on untouched and shows the commands", async ({
  connect,
  url,
  name,
}) => {
  await using program = new RunningProgram(example("tap", url, "0"));
  const [, port] = await program.until(/^Listening on port (\d+) for tcp:/);
  const login = `jms.userName=app&jms.password=${encodeURIComponent(SECRET)}`;
  const through = `tcp://127.0.0.1:${port}?${login}`;
  const direct = await connect();
  const body = new Uint8Array(300_000).map((_, i) => i * i);

  for (const tightEncodingEnabled of [false, true]) {
    await using tapped = await dial(through, { wireFormat: { tightEncodingEnabled } });
    await tapped.send(name, body);
    assertEquals((await next(direct, name)).bytes, body);
    await direct.send(name, body);
    assertEquals((await next(tapped, name)).bytes, body);
  }

  await program.until(/#2 closed/);
  program.signal("SIGINT");
  const { code, stdout, stderr } = await program.ended;
  assertEquals([code, stderr], [0, ""]);
  for (const number of [1, 2]) {
    const lines = stdout.split("\n").filter((line) => line.startsWith(`#${number} `))
      .map((line) => line.slice(3));
    assertMatch(lines[0]!, /^opened by 127\.0\.0\.1:\d+$/);
    const sent = lines.filter((line) => line.startsWith("->")).map((line) => line.split(" ")[1]);
    assertEquals(sent.slice(0, 5), [
      "WireFormatInfo",
      "ConnectionInfo",
      "SessionInfo",
      "ProducerInfo",
      "ActiveMQBytesMessage",
    ]);
    assertEquals(sent.at(-1), "ShutdownInfo");
    assert(lines.some((line) => /^<- MessageDispatch .*"content":"<300000 bytes>"/.test(line)));
    assert(lines.some((line) => /^<- Response .*"correlationId":4/.test(line)));
    assertEquals(lines.at(-1), "closed");
  }
  assertStringIncludes(stdout, `"userName":"app"`);
  assertStringIncludes(stdout, `"password":"***"`);
});

testOnBrokers("the tap goes on when somebody speaks something else", async ({ url, connect }) => {
  await using program = new RunningProgram(example("tap", url, "0"));
  const [, port] = await program.until(/port (\d+)/);
  const answer = await fetch(`http://127.0.0.1:${port}/`).then(() => "answer", () => "no answer");
  assertEquals(answer, "no answer");
  await program.until(/#1 -> can't be read: Cannot take a frame/);
  await program.until(/#1 closed/);
  await connect();
  program.signal("SIGTERM");
  assertEquals((await program.ended).code, 0);
}, { needs: ["end of foreign protocols"] });

// The web server, which needs Bun, and who answers it.

async function ask(url: string, init?: RequestInit): Promise<[number, unknown]> {
  const response = await fetch(url, init);
  return [response.status, await response.json()];
}

function ended({ code, stderr }: Outcome): [number | null, string] {
  return [code, stderr];
}

if (runtime === "bun") {
  testOnBrokers("the web server queues orders and asks for prices", async ({ url, connect }) => {
    await using service = new RunningProgram(example("price_service", url));
    await service.until(/Answering requests/);
    await using program = new RunningProgram(example("order_server", url, "0"));
    const [, base] = await program.until(/^Serving (http:\S+\/), /);

    await empty(await connect(), "orders");
    const order = { item: "apple", count: 3 };
    const [status, taken] = await ask(`${base}orders`, {
      method: "POST",
      body: JSON.stringify(order),
    });
    assertEquals(status, 202);
    const queued = await next(await connect(), "orders");
    assertEquals([queued.json(), queued.persistent], [order, true]);
    assertEquals(queued.id, (taken as { messageId: string }).messageId);
    for (const body of ["", "{}", `{"item":"apple","count":"many"}`]) {
      assertEquals((await ask(`${base}orders`, { method: "POST", body }))[0], 400);
    }

    assertEquals(await ask(`${base}price?item=melon`), [200, { item: "melon", cents: 250 }]);
    assertEquals(await ask(`${base}price?item=stone`), [404, { title: "There is no stone" }]);
    assertEquals((await ask(`${base}price`))[0], 400);

    service.signal("SIGTERM");
    assertEquals(ended(await service.ended), [0, ""]);
    assertEquals(await ask(`${base}price?item=melon`), [504, {
      title: "nobody has answered in time",
    }]);

    program.signal("SIGINT");
    const outcome = await program.ended;
    assertEquals(outcome.code, 0);
    assertStringIncludes(outcome.stdout, "Stopping: SIGINT");
  });

  test("the web server ends when the broker is gone", async () => {
    await using memory = await MemoryBroker.listen();
    await using program = new RunningProgram(example("order_server", memory.url, "0"));
    await program.until(/^Serving/);
    await memory.disconnectClients();
    const { code, stdout, stderr } = await program.ended;
    assertEquals(code, 1);
    assertStringIncludes(stdout, "Stopping: the broker is gone");
    assertMatch(stderr, /^closed: /);
  });
}
