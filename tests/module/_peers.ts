/** Runs the code of other clients that the pages show. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { Client, type StompConfig } from "@stomp/stompjs";
import rhea from "rhea";
import type { BrokerInfo } from "../broker/env.ts";
import { stompSocket } from "../interop/_stomp_socket.ts";

/** A snippet that was run, and whose client is still there. */
export interface Running extends AsyncDisposable {
  /** What it has printed. */
  readonly lines: string[];
}

/** Runs snippets of one client against one broker. */
export interface Peer extends AsyncDisposable {
  /** Resolves when the code has come to its end; what it waits for may come later. */
  run(code: string): Promise<Running>;
}

const AsyncFunction = (async () => {}).constructor as new (
  ...parts: string[]
) => (...values: unknown[]) => Promise<void>;

/** JavaScript with some names in scope. */
async function evaluate(code: string, scope: Record<string, unknown>): Promise<void> {
  const body = code.replaceAll(/^import .*$/gm, "");
  // In a block of its own it may have variables of the same names.
  await new AsyncFunction(...Object.keys(scope), `{\n${body}\n}`)(...Object.values(scope));
}

function recorder(): { lines: string[]; console: { log(...values: unknown[]): void } } {
  const lines: string[] = [];
  return { lines, console: { log: (...values) => void lines.push(values.join(" ")) } };
}

/** Snippets of @stomp/stompjs. There is a `client` that is connected. */
export function stompPeer({ urls }: BrokerInfo): Peer {
  return {
    async run(code) {
      const clients: Client[] = [];
      class TcpClient extends Client {
        constructor(config: StompConfig) {
          super({ ...config, webSocketFactory: () => stompSocket(urls.stomp!) });
          clients.push(this);
        }
      }
      const client = new TcpClient({ connectHeaders: { login: "system", passcode: "manager" } });
      const connected = new Promise<void>((resolve) => client.onConnect = () => resolve());
      client.activate();
      await connected;
      const { lines, console } = recorder();
      await evaluate(code, { Client: TcpClient, client, console });
      const close = async () => void await Promise.all(clients.map((one) => one.deactivate()));
      return { lines, [Symbol.asyncDispose]: close };
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** Snippets of rhea. There is a `connection` that is open. */
export function rheaPeer({ urls }: BrokerInfo): Peer {
  const port = new URL(urls.amqp!.replace(/^\w+:/, "http:")).port;
  return {
    async run(code) {
      const container = rhea.create_container();
      const open: rhea.Connection[] = [];
      const connect = container.connect;
      container.connect = (options) => {
        // ActiveMQ takes it for the client id, which only one connection can have.
        const own = { "container_id": crypto.randomUUID(), ...options } as rhea.ConnectionOptions;
        const connection = connect.call(container, own);
        open.push(connection);
        return connection;
      };
      const connection = container.connect({
        host: "localhost",
        port: Number(port),
        username: "system",
        password: "manager",
      });
      await once(connection as never, "connection_open");
      const { lines, console } = recorder();
      await evaluate(code.replaceAll("5672", port), { rhea: container, connection, console });
      const close = async () => {
        for (const one of open) {
          // What rhea has not written yet would be lost.
          await new Promise((resolve) => setTimeout(resolve));
          if (!one.is_open()) one.set_reconnect(false);
          else {
            const closed = once(one as never, "connection_close");
            one.close();
            await closed;
          }
        }
      };
      return { lines, [Symbol.asyncDispose]: close };
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** What goes around the snippets of Java. */
function javaSource(snippets: readonly string[], url: string, jms: string): string {
  const tasks = snippets.map((code, index) =>
    `  static void task${index}() throws Exception {\n${
      code.replaceAll("tcp://localhost:61616", url)
    }  }\n`
  );
  const cases = snippets.map((_, index) => `        case ${index}: task${index}(); break;\n`);
  return `
import ${jms}.*;
import ${jms}.Queue;
import java.io.*;
import org.apache.activemq.*;

public class Snippets {
  static ConnectionFactory factory = new ActiveMQConnectionFactory("${url}");
  static Connection connection;
  static Session session;

${tasks.join("\n")}
  static void run(int task) throws Exception {
    switch (task) {
${cases.join("")}    }
  }

  public static void main(String[] args) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    for (String line; (line = in.readLine()) != null;) {
      if (line.equals("close")) {
        connection.close();
        System.out.println("\\u0001closed");
        continue;
      }
      connection = factory.createConnection("system", "manager");
      connection.start();
      session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
      try {
        run(Integer.parseInt(line));
        System.out.println("\\u0001done");
      } catch (Throwable e) {
        System.out.println("\\u0001failed " + e);
      }
    }
  }
}
`;
}

/** Snippets of Java; they are compiled together. There are `factory`, `connection` and `session`. */
export async function javaPeer(
  { kind, urls, classpath, java, javac }: BrokerInfo,
  snippets: readonly string[],
): Promise<Peer> {
  const folder = mkdtempSync(join(tmpdir(), "openwire-snippets-"));
  const file = join(folder, "Snippets.java");
  const jms = kind === "activemq5" ? "javax.jms" : "jakarta.jms";
  writeFileSync(file, javaSource(snippets, urls.openwire, jms));
  const compiler = spawn(javac!, ["-nowarn", "-cp", classpath, "-d", folder, file]);
  const problems: string[] = [];
  compiler.stderr.setEncoding("utf8").on("data", (text) => problems.push(text));
  const [[code]] = await Promise.all([once(compiler, "exit"), once(compiler, "close")]);
  if (code !== 0) throw new Error(problems.join(""));
  const path = [folder, classpath].join(delimiter);
  const child: ChildProcess = spawn(java, ["-cp", path, "Snippets"], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  const ended = Promise.all([once(child, "exit"), once(child, "close")]);
  let lines: string[] = [];
  let told: (line: string) => void = () => {};
  createInterface(child.stdout!).on("line", (line) => {
    if (line.startsWith("\u0001")) told(line.slice(1));
    else lines.push(line);
  });
  child.on("close", () => told("failed: Java has ended"));
  const ask = (line: string): Promise<string> =>
    new Promise((resolve) => {
      told = resolve;
      child.stdin!.write(`${line}\n`);
    });
  return {
    async run(code) {
      const printed: string[] = lines = [];
      const answer = await ask(String(snippets.indexOf(code)));
      const close = async () => void await ask("close");
      if (answer !== "done") {
        await close();
        throw new Error(answer);
      }
      return { lines: printed, [Symbol.asyncDispose]: close };
    },
    async [Symbol.asyncDispose]() {
      child.kill();
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}
