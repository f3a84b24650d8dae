/**
 * One `test()` for Deno, Bun and Node, so that the same files run on all three.
 *
 * On Deno the sanitizers are on: a test that leaves a socket, a timer or a pending operation behind fails.
 */

/** Options of {@linkcode test}. */
export interface TestOptions {
  /** Milliseconds after which the test fails. @default {30_000} */
  timeout?: number;
  /** The reason why this test can't run here; `false` or absent runs it. */
  skip?: string | false | undefined;
}

interface DenoTest {
  test(definition: {
    name: string;
    ignore: boolean;
    sanitizeOps: boolean;
    sanitizeResources: boolean;
    sanitizeExit: boolean;
    fn: () => Promise<void>;
  }): void;
}

type NodeTest = (
  name: string,
  options: { skip?: string; timeout?: number },
  fn: () => Promise<void>,
) => void;

const deno = (globalThis as { Deno?: DenoTest }).Deno;

/** The runtime that runs the tests. */
export const runtime: "deno" | "bun" | "node" = deno
  ? "deno"
  : "Bun" in globalThis
  ? "bun"
  : "node";

const nodeTest: NodeTest | undefined = deno
  ? undefined
  : ((await import("node:test")) as unknown as { test: NodeTest }).test;

/** Registers a test with the runtime's own runner. */
export function test(
  name: string,
  fn: () => void | Promise<void>,
  { timeout = 30_000, skip = false }: TestOptions = {},
): void {
  const title = skip ? `${name} [skipped: ${skip}]` : name;
  if (deno) {
    deno.test({
      name: title,
      ignore: skip !== false,
      sanitizeOps: true,
      sanitizeResources: true,
      sanitizeExit: true,
      fn: () => withDeadline(fn, timeout),
    });
  } else {
    nodeTest!(
      title,
      skip ? { skip } : { timeout: timeout + 5_000 },
      () => withDeadline(fn, timeout),
    );
  }
}

async function withDeadline(fn: () => void | Promise<void>, timeout: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Test did not end within ${timeout} ms`)), timeout);
  });
  try {
    await Promise.race([fn(), late]);
  } finally {
    clearTimeout(timer);
  }
}
