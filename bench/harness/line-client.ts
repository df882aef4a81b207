import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const PATIENCE_MS = 120_000;

/** The harness's end of the line protocol: drives a program that has been started once and lives for all rounds. */
export class LineClient {
  readonly #child: ChildProcess;
  readonly #shown: string;
  readonly #lines: AsyncIterator<string>;

  private constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv) {
    this.#shown = [command, ...args].join(' ');
    this.#child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
      // Ctrl-C ends the harness alone; the program then finds its input at an end, and cleans up.
      detached: true,
    });
    // A program that has ended does not read; what it did not answer is told by #next().
    this.#child.stdin!.on('error', () => {});
    this.#child.on('error', () => {});
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  /** Starts the program and waits until it has set itself up. */
  static async start(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<LineClient> {
    const client = new LineClient(command, args, env);
    try {
      const line = await client.#next();
      if (line !== 'ready') throw new Error(`${client.#shown} said '${line}' where it should say 'ready'.`);
      return client;
    } catch (error) {
      await client.stop();
      throw error;
    }
  }

  /** Has the operation done `count` times. @returns how many seconds that took. */
  async run(count: number): Promise<number> {
    this.#child.stdin!.write(`run ${count}\n`);
    const line = await this.#next();
    const seconds = Number(line);
    if (!(seconds > 0)) throw new Error(`${this.#shown} answered '${line}' instead of seconds.`);
    return seconds;
  }

  /** Programs end when their input does. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.stdin!.end();
    const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
    await ended;
    clearTimeout(timer);
  }

  async #next(): Promise<string> {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), PATIENCE_MS);
    const { value, done } = await this.#lines.next();
    clearTimeout(timer);
    if (done) throw new Error(`${this.#shown} ended without an answer; what it printed stands above.`);
    return value;
  }
}
