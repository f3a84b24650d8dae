/** What comes of calls. */

import { assertEquals } from "@std/assert";
import { type ConnectOptions, TimeoutError } from "../../mod.ts";
import type { Driver, Outcome } from "./_drivers.ts";
import { type Call, Stage } from "./_stage.ts";

/** Milliseconds after which a call hangs. */
const HANGS = 10_000;
/** Calls that are under way at the same time. */
const POOL = 30;
/** What signals are aborted with. */
export const REASON: Error = new Error("enough");

/** What comes of a promise; `"HANGS"` when nothing does. */
export async function outcomeOf(
  promise: Promise<unknown>,
  patience: number = HANGS,
): Promise<Outcome> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<Outcome>((resolve) => {
    timer = setTimeout(() => resolve("HANGS"), patience);
  });
  try {
    return await Promise.race([promise.then(() => "ok", codeOf), late]);
  } finally {
    clearTimeout(timer);
  }
}

function codeOf(error: unknown): Outcome {
  if (error === REASON) return "ABORTED";
  const { code, name, message } = error as Error & { code?: unknown };
  return typeof code === "string" ? code : `${name}: ${message}`;
}

/** Whether a promise is pending. */
export async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const first = await Promise.race([promise.catch(() => {}), Promise.resolve(HANGS)]);
  return first === HANGS;
}

/** A connection to a broker that can be made to fail. */
export interface Scene extends AsyncDisposable {
  readonly url: string;
  readonly options?: ConnectOptions;
}

/** Plays a scene with each driver, and compares what came of the calls with what must come of them. */
export async function play<S extends Scene>(
  drivers: readonly Driver[],
  open: () => Promise<S>,
  expected: (driver: Driver) => Outcome,
  run: (call: Call, stage: Stage, scene: S, driver: Driver) => Promise<Outcome>,
  pool: number = POOL,
): Promise<void> {
  const found = new Map<string, Outcome>();
  const waiting = [...drivers];
  const work = async (): Promise<void> => {
    for (let driver; (driver = waiting.shift()) !== undefined;) {
      let outcome: Outcome | undefined;
      while (outcome === undefined) outcome = await playOne(driver);
      found.set(driver.name, outcome);
    }
  };
  const playOne = async (driver: Driver): Promise<Outcome | undefined> => {
    await using scene = await open();
    await using stage = await Stage.open(scene.url, { ...scene.options, ...driver.options });
    let call;
    try {
      call = await driver.ready(stage);
    } catch (error) {
      // The short limits of the scene are for what comes then; a machine that is busy has another try.
      if (error instanceof TimeoutError) return undefined;
      throw error;
    }
    return await run(call, stage, scene, driver);
  };
  await Promise.all(Array.from({ length: pool }, work));
  compare(drivers, found, expected);
}

/** Compares what came of calls with what must come of them. */
export function compare(
  drivers: readonly Driver[],
  found: ReadonlyMap<string, Outcome>,
  expected: (driver: Driver) => Outcome,
): void {
  const rows = drivers.map((driver) => [driver.name, found.get(driver.name), expected(driver)]);
  const wrong = rows.filter(([, outcome, wanted]) => outcome !== wanted);
  assertEquals(
    wrong.map(([name, outcome]) => `${name}: ${outcome}`),
    wrong.map(([name, , wanted]) => `${name}: ${wanted}`),
  );
}
