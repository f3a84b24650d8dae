/**
 * Child processes that can't outlive this one.
 *
 * A small shell stands between us and the program and holds our end of a pipe: when we go away, even by
 * SIGKILL, the pipe ends, and it ends the program.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";

// $1 is the log file or empty, $2 a folder to remove after us or empty. Reading with the shell's own `read`,
// not `cat`, leaves no process behind.
const SCRIPT = `
trap '' INT
exec 3<&0
log=$1; scratch=$2; shift 2
orphan=
trap 'orphan=yes' USR1
if [ -n "$log" ]; then
  "$@" </dev/null >"$log" 2>&1 3<&- &
  child=$!
  echo "$child"
else
  "$@" </dev/null 3<&- &
  child=$!
fi
trap 'kill -TERM "$child" 2>/dev/null' TERM HUP
(
  while read -r _ <&3; do :; done
  kill -USR1 $$
  kill -TERM "$child"
  n=0
  while [ "$n" -lt 100 ] && kill -0 "$child"; do sleep 0.1; n=$((n + 1)); done
  kill -KILL "$child"
) >/dev/null 2>&1 &
watch=$!
exec 3<&-
while :; do
  wait "$child"
  code=$?
  kill -0 "$child" 2>/dev/null || break
done
kill -KILL "$watch" 2>/dev/null
if [ -n "$orphan" ] && [ -n "$scratch" ]; then rm -rf -- "$scratch"; fi
exit "$code"
`;

/** Options of {@linkcode tethered}. */
export interface TetherOptions {
  /** Environment of the program. */
  env?: Record<string, string | undefined>;
  /** Working directory of the program. */
  cwd?: string;
  /** A folder of the program, which the shell removes should we go away without stopping it. */
  scratch?: string;
  /** Is shown what the program writes, before that goes where our own output goes. */
  output?: (piece: Uint8Array) => void;
}

/** How a program ended. */
export interface Ended {
  /** Its exit code; above 128 when a signal ended it, `null` when it could not be told. */
  code: number | null;
}

/** A program with its output in a file. */
export interface Logged {
  /** Process id of the program itself. */
  pid: number;
  /** Settles when the program is gone. */
  ended: Promise<Ended>;
}

function start(
  log: string,
  command: string[],
  options: TetherOptions,
): { shell: ChildProcess; ended: Promise<Ended> } {
  const { output } = options;
  const own = output ? "pipe" : "inherit";
  const shell = spawn("/bin/sh", ["-c", SCRIPT, "tether", log, options.scratch ?? "", ...command], {
    stdio: ["pipe", log ? "pipe" : own, log ? "ignore" : own],
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
  });
  if (output && !log) {
    for (
      const [from, to] of [[shell.stdout!, process.stdout], [
        shell.stderr!,
        process.stderr,
      ]] as const
    ) {
      from.on("data", (piece: Uint8Array) => {
        output(piece);
        to.write(piece);
      });
    }
  }
  const closed = once(shell, "close");
  const ended = once(shell, "exit").then(async ([code]) => {
    shell.stdin?.destroy();
    // All that it has written is to be seen; what it may have left behind is not waited for.
    if (output) await Promise.race([closed, new Promise((wake) => setTimeout(wake, 1000))]);
    return { code: code as number | null };
  });
  closed.catch(() => {});
  return { shell, ended };
}

/** Runs a program to its end, with our own output. Past `deadline` milliseconds it is ended. */
export async function tethered(
  command: string[],
  deadline: number,
  options: TetherOptions = {},
): Promise<Ended & { late: boolean }> {
  const { shell, ended } = start("", command, options);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    shell.stdin?.end();
  }, deadline);
  try {
    return { ...await ended, late };
  } finally {
    clearTimeout(timer);
  }
}

/** Starts a program whose output goes to the file `log`. */
export async function tetheredToLog(
  command: string[],
  log: string,
  options: TetherOptions = {},
): Promise<Logged> {
  const { shell, ended } = start(log, command, options);
  const line = await Promise.race([
    once(shell.stdout!, "data").then(([chunk]) => String(chunk)),
    ended.then(({ code }) => {
      throw new Error(`The shell that starts ${command[0]} ended with code ${code}`);
    }),
  ]);
  shell.stdout!.destroy();
  const pid = Number(line);
  return {
    pid,
    // Should somebody kill the shell, the program must still not stay.
    ended: ended.then((how) => {
      signal(pid, "SIGKILL");
      return how;
    }),
  };
}

/** Sends a signal to a process; `false` when it is gone already. */
export function signal(pid: number, name: "SIGTERM" | "SIGKILL" | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}
