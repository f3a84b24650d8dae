/**
 * One `group()` for Deno, Bun and Node, so that the same benchmarks run on all three: by `deno bench` on Deno, by mitata
 * elsewhere (`run_mitata.ts`).
 */

/** Registers a benchmark. */
export type Bench = (
  name: string,
  fn: () => unknown,
  options?: {
    /** Whether the others of the group are compared with this one. */
    baseline?: boolean;
  },
) => void;

interface DenoBench {
  bench(definition: {
    group: string;
    name: string;
    baseline: boolean;
    fn: () => void | Promise<void>;
  }): void;
}

const deno = (globalThis as { Deno?: DenoBench }).Deno;
const mitata = deno ? undefined : await import("mitata");

/** Registers benchmarks that are compared with each other. Filters see only names, so each begins with its group's. */
export function group(name: string, register: (bench: Bench) => void): void {
  if (deno) {
    register((title, fn, { baseline = false } = {}) =>
      deno.bench({
        group: name,
        name: `${name}: ${title}`,
        baseline,
        fn: fn as () => void | Promise<void>,
      })
    );
  } else {
    const { bench, group, summary } = mitata!;
    group(name, () =>
      summary(() =>
        register((title, fn, { baseline = false } = {}) => {
          bench(`${name}: ${title}`, fn).baseline(baseline);
        })
      ));
  }
}
