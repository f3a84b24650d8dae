/** The source tree on a web server of this machine. */

const ROOT = new URL("../../", import.meta.url);

/** A server of the tree. */
export interface TreeServer {
  /** Where the tree is, with a slash at the end. */
  readonly base: string;
  /** Paths that were asked for, in order. */
  readonly asked: string[];
  readonly server: Deno.HttpServer<Deno.NetAddr>;
}

/** Serves the tree as raw.githubusercontent.com does, and notes what is asked for. */
export function serveTree(): TreeServer {
  const asked: string[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { pathname } = new URL(request.url);
      asked.push(pathname.slice(1));
      try {
        const text = await Deno.readTextFile(new URL(`.${pathname}`, ROOT));
        return new Response(text, { headers: { "content-type": "text/plain; charset=utf-8" } });
      } catch {
        return new Response("404: Not Found", { status: 404 });
      }
    },
  );
  return { base: `http://127.0.0.1:${server.addr.port}/`, asked, server };
}
