import { assert, assertEquals, assertRejects } from "@std/assert";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { test } from "../_harness.ts";
import { JavaClient, javaSkip } from "../java/java.ts";
import { brokerSkip } from "./env.ts";
import { startActiveMq } from "./launcher.ts";
import { signal } from "./tether.ts";

test("startActiveMq() starts a broker again where it was, with its messages", async () => {
  const data = mkdtempSync(join(tmpdir(), "openwire-data-"));
  try {
    await using java = await JavaClient.start();
    const first = await startActiveMq({ persistent: true, data });
    const at = { url: first.urls.openwire, queue: "kept" };
    await java.send({ ...at, type: "text", body: { text: "still here" } });
    await first.kill();
    await first.stop();

    await using second = await startActiveMq({ persistent: true, data, ports: first.ports });
    assertEquals(second.urls, first.urls);
    assertEquals((await java.receive(at))?.body.text, "still here");
  } finally {
    rmSync(data, { recursive: true });
  }
}, { skip: javaSkip, timeout: 60_000 });

test("startActiveMq() rejects with the broker's log when a port is taken", async () => {
  const server = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const { port } = server.address() as { port: number };
    await assertRejects(
      () => startActiveMq({ ports: { smallFrame: port } }),
      Error,
      "Address already in use",
    );
  } finally {
    server.close();
    await once(server, "close");
  }
}, { skip: brokerSkip, timeout: 60_000 });

test("startActiveMq() rejects when the broker is not ready in time", async () => {
  await assertRejects(() => startActiveMq({ deadline: 100 }), Error, "is not ready in time");
}, { skip: brokerSkip, timeout: 60_000 });

test("startActiveMq() leaves no broker when its process is killed", async () => {
  const main = fileURLToPath(new URL("main.ts", import.meta.url));
  const child = spawn(process.execPath, ["run", "-A", main], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  child.stdout.setEncoding("utf8");
  while (!/folder (.*)\n/.test(out)) out += (await once(child.stdout, "data"))[0];
  const pid = Number(/process (\d+)/.exec(out)![1]);
  const folder = /folder (.*)\n/.exec(out)![1]!;
  assert(signal(pid, 0));
  assert(existsSync(folder));

  child.kill("SIGKILL");
  await once(child, "close");
  const end = Date.now() + 20_000;
  while ((signal(pid, 0) || existsSync(folder)) && Date.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert(!signal(pid, 0), "the broker still runs");
  assert(!existsSync(folder), "its folder is still there");
}, { skip: brokerSkip, timeout: 60_000 });
