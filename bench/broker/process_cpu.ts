/** CPU of another process, from Linux's `/proc`. */

/** Microseconds of a clock tick: Linux says 100 a second to all programs. */
const TICK = 10_000;

/** Microseconds of CPU that a process has used so far; undefined where that can't be told. */
export async function processCpuMicros(pid: number): Promise<number | undefined> {
  if (Deno.build.os !== "linux") return undefined;
  return cpuMicrosOf(await Deno.readTextFile(`/proc/${pid}/stat`));
}

/** Reads the text of `/proc/PID/stat`. */
export function cpuMicrosOf(stat: string): number {
  // The name of the program, in parentheses, may have spaces; utime and stime are the 12th and 13th after it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK;
}
