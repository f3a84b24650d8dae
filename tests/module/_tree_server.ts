/** The source tree on a web server of this machine. */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const ROOT = new URL("../../", import.meta.url);

/** A server of the tree. */
export interface TreeServer extends AsyncDisposable {
  /** Where the tree is, with a slash at the end. */
  readonly base: string;
  /** Paths that were asked for, in order. */
  readonly asked: readonly string[];
}

/** Serves the tree as plain text, and notes what is asked for. */
export async function serveTree(): Promise<TreeServer> {
  const asked: string[] = [];
  const server = createServer(async ({ url }, response) => {
    const { pathname } = new URL(url!, "http://localhost");
    asked.push(pathname.slice(1));
    response.setHeader("content-type", "text/plain; charset=utf-8");
    try {
      response.end(await readFile(new URL(`.${pathname}`, ROOT)));
    } catch {
      response.writeHead(404).end("404: Not Found");
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    base: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    asked,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
