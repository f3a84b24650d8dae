/** A process that stays for the whole run and answers lines with lines. */

/** Milliseconds that a process has to connect. */
const START = 30_000;

/** One of them. */
export class ClientProcess {
  readonly name: string;
  readonly #child: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  #text = "";

  private constructor(name: string, [program, ...args]: string[]) {
    this.name = name;
    this.#child = new Deno.Command(program!, {
      args,
      stdin: "piped",
      stdout: "piped",
      // Without its own logger slf4j complains.
      stderr: program!.endsWith("java") ? "null" : "inherit",
    }).spawn();
    this.#lines = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    this.#input = this.#child.stdin.getWriter();
  }

  /** Starts it; resolves when it is connected. It ends with its input, so with us. */
  static async start(name: string, command: string[]): Promise<ClientProcess> {
    const started = new ClientProcess(name, command);
    try {
      const line = await started.#line("start", START);
      if (line !== "ready") throw new Error(`${name} said ${line} instead of ready`);
    } catch (error) {
      await started.end();
      throw error;
    }
    return started;
  }

  /** Asks it for something; fails, and ends the process, when that takes too long. */
  async ask(line: string, timeout: number): Promise<string> {
    await this.#input.write(new TextEncoder().encode(`${line}\n`));
    return await this.#line(line, timeout);
  }

  /** Ends it, if it has not ended already. */
  async end(): Promise<void> {
    await this.#input.close().catch(() => {});
    const late = setTimeout(() => this.#kill(), 2_000);
    await this.#child.status;
    clearTimeout(late);
    await this.#lines.cancel();
  }

  async #line(task: string, timeout: number): Promise<string> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#kill();
    }, timeout);
    try {
      while (!this.#text.includes("\n")) {
        const { done, value } = await this.#lines.read();
        if (done) {
          const why = late ? `took more than ${timeout} ms` : "ended";
          throw new Error(`${this.name} ${why} for: ${task}`);
        }
        this.#text += value;
      }
    } finally {
      clearTimeout(timer);
    }
    const [line, ...rest] = this.#text.split("\n");
    this.#text = rest.join("\n");
    return line!;
  }

  #kill(): void {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
}
