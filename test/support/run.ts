import { type ChildProcess, spawn } from 'node:child_process';

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly input?: string;
  /** Ends a run that hangs; the test then fails for its signal. */
  readonly timeoutMs?: number;
}

/** Environment without anything that would make a program part of the test's own process tree. */
export function cleanEnvironment(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env, ...extra };
  for (const name of ['MULTIPROCESS_TREE', 'MULTIPROCESS_PROCESS', 'NODE_TEST_CONTEXT']) {
    if (!(name in extra)) delete env[name];
  }
  return env;
}

/** A program that runs beside the test; its output can be awaited line by line. */
export class Running {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  #stdout = '';
  #stderr = '';
  #changed: () => void = () => {};

  constructor(command: string, args: readonly string[], options: RunOptions = {}) {
    this.child = spawn(command, args, {
      env: options.env ?? cleanEnvironment(),
      cwd: options.cwd,
      stdio: 'pipe',
      timeout: options.timeoutMs ?? 60_000,
      killSignal: 'SIGKILL',
    });
    this.child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
      this.#changed();
    });
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    if (options.input !== undefined) this.child.stdin!.end(options.input);
    this.finished = new Promise((resolve, reject) => {
      this.child.on('error', reject);
      this.child.on('close', (code, signal) => {
        this.#changed();
        resolve({ code, signal, stdout: this.#stdout, stderr: this.#stderr });
      });
    });
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** The first line that the pattern matches; fails when the program ends without one. */
  async line(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      for (const line of this.#stdout.split('\n').slice(0, -1)) {
        const match = pattern.exec(line);
        if (match) return match;
      }
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        const { stdout, stderr } = await this.finished;
        throw new Error(`No line ${pattern}. Output:\n${stdout}\n${stderr}`);
      }
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }

  say(line: string): void {
    this.child.stdin!.write(`${line}\n`);
  }

  async kill(): Promise<Finished> {
    this.child.kill('SIGKILL');
    return this.finished;
  }
}

export function run(command: string, args: readonly string[], options?: RunOptions): Promise<Finished> {
  return new Running(command, args, options).finished;
}

/** Runs a compiled program with this very Node. */
export function runNode(file: string, args: readonly string[] = [], options?: RunOptions): Promise<Finished> {
  return run(process.execPath, [file, ...args], options);
}

export function startNode(file: string, args: readonly string[] = [], options?: RunOptions): Running {
  return new Running(process.execPath, [file, ...args], options);
}

export function runPython(source: string, args: readonly string[] = [], options?: RunOptions): Promise<Finished> {
  return run('python3', ['-c', source, ...args], options);
}

export function startPython(source: string, args: readonly string[] = [], options?: RunOptions): Running {
  return new Running('python3', ['-u', '-c', source, ...args], options);
}
