/** Programs that go on until they are told to end. */
import process from "node:process";
import { type Outcome, run } from "./_program.ts";

/** A program in a process of its own. It is killed, and waited for, when it goes out of scope. */
export class RunningProgram implements AsyncDisposable {
  /** How it ended. */
  readonly ended: Promise<Outcome>;
  #stdout = "";
  #pid: number | undefined;
  #alive = true;
  #changed = Promise.withResolvers<void>();

  /** Starts a command. */
  constructor(command: string[]) {
    this.ended = run(command, {
      onOutput: (stdout, pid) => {
        this.#pid = pid;
        this.#stdout = stdout;
        this.#notify();
      },
    }).finally(() => {
      this.#alive = false;
      this.#notify();
    });
    // Whoever waits for output is told, too.
    this.ended.catch(() => {});
  }

  /** Waits until its output has something in it. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    while (true) {
      const found = pattern.exec(this.#stdout);
      if (found) return found;
      if (!this.#alive) {
        const { code, stdout, stderr } = await this.ended;
        throw new Error(`It ended with ${code} and did not print ${pattern}: ${stdout}\n${stderr}`);
      }
      await this.#changed.promise;
    }
  }

  /** Sends a signal to it. It must have printed something before. */
  signal(name: "SIGINT" | "SIGTERM" | "SIGKILL"): void {
    process.kill(this.#pid!, name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#alive && this.#pid !== undefined) this.signal("SIGKILL");
    await this.ended.catch(() => {});
  }

  #notify(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
