import type { ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import type { Socket } from 'node:net';
import { inspect } from 'node:util';
import { decode, encode } from '../codec/internal.js';
import { ClosedError, ProcessDiedError, ProcessStateError } from '../errors/index.js';
import type { WaitOptions } from '../heap/internal.js';
import { peekChildStatus } from '../os/index.js';
import { isImporting } from '../shared-memory/internal.js';
import { addChild, livingChildren, removeChild } from './children.js';
import { currentProcess } from './current.js';
import { type End, endFromEvent, endFromKernel } from './end.js';
import { checkOptions, type ModuleTarget, type ProcessOptions } from './process-options.js';
import { type SpawnOptions, spawnChild } from './spawn.js';
import { type Outcome, type Receipt, readOutcome } from './spawn-record.js';
import { locateTarget } from './target.js';
import { expectResult, resultArrived } from './transit.js';
import { fulfilledInTime } from './wait.js';

type ArgsOption<A extends readonly unknown[]> = [] extends A ? { args?: A } : { args: A };

let counter = 0;

/** Results that nobody has asked for, of processes that nobody can ask any more. */
const unclaimed = new FinalizationRegistry<Receipt>(resultArrived);

/** When a started process has ended. Does not keep the event loop alive. */
export let endOf: (process: Process) => Promise<void>;

/**
 * Starts a process that can wake this one's event loop by writing to its `bellDescriptor()`. What it writes says nothing more.
 *
 * @throws what `start()` throws.
 */
export let startWithBell: (process: Process) => Socket;

/**
 * A function running in a process of its own.
 *
 * The target is an exported function, found by the module in which it is defined; arguments and the result are copied,
 * but shared objects and views over shared memory arrive as the same memory. The module is imported anew in the child,
 * so keep what only the program should do under {@link isMainProcess}.
 *
 * A function that no module exports travels as its source, with a copy of the variables around it that it uses: see
 * {@link ProcessOptions.allowSource}.
 *
 * A child that throws prints the error, ends with exit code 1, and `result()` rejects with that error (of a class that this
 * library does not know, as an `Error` of that name). A child that is killed has exit code −N for signal N, and unless the
 * target had returned before, `result()` rejects with {@link ProcessDiedError}.
 *
 * @example
 * ```ts
 * import { isMainProcess, Process, SharedMemory } from 'multiprocess';
 *
 * export function addTen(numbers: Float64Array): number {
 *   numbers.forEach((n, i) => {
 *     numbers[i] = n + 10;
 *   });
 *   return numbers.length;
 * }
 *
 * if (isMainProcess) {
 *   using block = SharedMemory.create(3 * 8);
 *   const numbers = block.view(Float64Array);
 *   numbers.set([1, 2, 3]);
 *   const child = new Process({ target: addTen, args: [numbers] });
 *   child.start();
 *   console.log(await child.result(), numbers); // 3 Float64Array(3) [ 11, 12, 13 ]
 * }
 * ```
 */
export class Process<A extends readonly unknown[] = any[], R = unknown> {
  readonly #options: ProcessOptions;
  readonly #target: ((...args: never[]) => unknown) | ModuleTarget;
  #args: readonly unknown[];
  readonly #name: string;
  readonly #daemon: boolean;
  #child: ChildProcess | undefined;
  #ended: End | undefined;
  #outcome: Outcome | undefined;
  #end: Promise<void> = Promise.resolve();
  #result: Promise<Awaited<R>> | undefined;
  #receipt: Receipt | undefined;
  #waiting = 0;
  #closed = false;

  static {
    endOf = (process) => process.#end;
    startWithBell = (process) => {
      process.#start(['pipe']);
      return process.#child!.stdio.at(-1) as Socket;
    };
  }

  /**
   * Describes a process; `start()` starts it.
   *
   * @throws TypeError for a target that is no function, or options of a wrong type.
   */
  constructor(options: ProcessOptions & { target: (...args: A) => R } & ArgsOption<A>);
  constructor(options: ProcessOptions & { target: ModuleTarget; args?: A });
  constructor(options: ProcessOptions & { target: ((...args: A) => R) | ModuleTarget; args?: A }) {
    checkOptions(options);
    this.#options = { ...options };
    this.#target = options.target as (...args: never[]) => unknown;
    this.#args = [...(options.args ?? [])];
    this.#daemon = options.daemon ?? false;
    counter += 1;
    this.#name = options.name ?? `${namePrefix()}${counter}`;
  }

  /**
   * Starts the child. When this returns, the kernel has everything that the child needs: it gets on even if this process
   * blocks from now on, closes or unlinks what it has passed, or dies.
   *
   * @throws ProcessStateError when it has been started before, when this process is a child that still imports its
   * target's module (move the call under `isMainProcess`), or when the kernel starts no process; ClosedError after
   * `close()`.
   * @throws NotShareableError when the target is neither exported nor can travel as its source, as far as that can be known here
   * (otherwise `result()` rejects with it); or when an argument cannot travel, naming it: `args[1].onDone`. ClosedError for a shared object among
   * them that has been closed here.
   * @throws a system error: `ENOSPC` when the arguments do not fit into /dev/shm, `EMFILE` when the process has too many
   * files open; Node's `MODULE_NOT_FOUND` for a package that is not installed; UnsupportedPlatformError.
   */
  start(): void {
    this.#start([]);
  }

  #start(also: SpawnOptions['also']): void {
    this.#use();
    if (this.#child !== undefined) {
      throw new ProcessStateError(
        'STARTED',
        `${this.#name} has been started already. Make a new Process to run again.`,
      );
    }
    if (isImporting()) {
      throw new ProcessStateError(
        'IMPORTING',
        'A child process cannot start processes while it imports its own module: that would never end. ' +
          'Put what only the program should do under `if (isMainProcess)`.',
      );
    }
    const target = locateTarget(this.#target, this.#options.allowSource ?? true);
    // A source goes before the arguments, as shared objects may be among its variables.
    const bySource = 'functions' in target;
    if (bySource) encode(this.#args, 'args'); // so that errors name the way to what cannot travel
    const args = encode(bySource ? [target, ...this.#args] : this.#args, 'args');
    const header = {
      process: { pid: 0, name: this.#name, daemon: this.#daemon },
      parent: currentProcess(),
      target: bySource ? null : target.location,
      receipt: expectResult(),
    };
    this.#receipt = header.receipt;
    const { env, execArgv, stdio = 'inherit' } = this.#options;
    const { child, record } = spawnChild(header, args, { env, execArgv, stdio, also });
    this.#child = child;
    this.#args = []; // they are held for the child from here on
    unclaimed.register(this, header.receipt, this);
    this.#end = new Promise((ended) => {
      child.once('exit', (code, signal) => {
        this.#ended = endFromEvent(code, signal);
        try {
          this.#outcome = readOutcome(record);
        } catch {
          // A child can damage its own record; then it counts as one that left nothing.
        } finally {
          closeSync(record);
          removeChild(this);
          if (this.#outcome === undefined) this.#claimed();
          ended();
        }
      });
    });
    addChild(this);
    if (this.#daemon) child.unref();
  }

  /**
   * Waits until the child has ended.
   *
   * @returns whether it has; `false` when the timeout passed first.
   * @throws ProcessStateError before `start()`; ClosedError after `close()`; RangeError for a timeout of NaN;
   * `signal.reason` when aborted. Always by rejection.
   */
  async join(options?: WaitOptions): Promise<boolean> {
    this.#started();
    return this.#keepingLoop(fulfilledInTime(this.#end, options));
  }

  /**
   * What the target returned, once the child has ended.
   *
   * @throws the target's error; ProcessDiedError when the child ended without an outcome; NotShareableError when the
   * target is not exported or its result cannot travel; StaleHandleError when a shared object in the result is gone;
   * ProcessStateError before `start()`; ClosedError after `close()`. Always by rejection.
   */
  async result(): Promise<Awaited<R>> {
    this.#started();
    this.#result ??= this.#keepingLoop(this.#end).then(() => this.#read());
    return this.#result;
  }

  /** Sends SIGTERM; no effect on one that has ended. @throws ProcessStateError before `start()`; ClosedError after `close()`. */
  terminate(): void {
    this.#started().kill('SIGTERM');
  }

  /** Sends SIGKILL; no effect on one that has ended. @throws ProcessStateError before `start()`; ClosedError after `close()`. */
  kill(): void {
    this.#started().kill('SIGKILL');
  }

  /**
   * Lets go of a process that has ended or was never started. Idempotent.
   *
   * @throws ProcessStateError while it runs.
   */
  close(): void {
    if (this.#closed) return;
    if (this.isAlive()) {
      throw new ProcessStateError(
        'RUNNING',
        `${this.#name} still runs. Await join(), or terminate() it, before close().`,
      );
    }
    this.#closed = true;
    removeChild(this);
    if (this.#result === undefined) this.#claimed();
  }

  /** Whether the child runs: `false` as soon as the kernel says so, even if the event loop has not turned since. @throws ClosedError after `close()`. */
  isAlive(): boolean {
    this.#use();
    return (
      this.#child?.pid !== undefined && this.#ended === undefined && peekChildStatus(this.#child.pid) === 'running'
    );
  }

  /** The child's process id, `undefined` before `start()`. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get name(): string {
    return this.#name;
  }

  get daemon(): boolean {
    return this.#daemon;
  }

  /** `null` before the end; then the exit code, −N after signal N. */
  get exitCode(): number | null {
    return this.#status()?.exitCode ?? null;
  }

  /** The signal that ended the child, or `null`. */
  get signalCode(): NodeJS.Signals | null {
    return this.#status()?.signalCode ?? null;
  }

  /** With `stdio: 'pipe'`, after `start()`. */
  get stdin(): NodeJS.WritableStream | null {
    return this.#child?.stdin ?? null;
  }

  /** With `stdio: 'pipe'`, after `start()`. Read it: a child whose pipe is full waits, and `join()` with it. */
  get stdout(): NodeJS.ReadableStream | null {
    return this.#child?.stdout ?? null;
  }

  /** With `stdio: 'pipe'`, after `start()`. */
  get stderr(): NodeJS.ReadableStream | null {
    return this.#child?.stderr ?? null;
  }

  [inspect.custom](): string {
    const status = this.#status();
    const state =
      this.#child === undefined
        ? 'initial'
        : status === undefined
          ? 'started'
          : `stopped, exitCode=${status.signalCode === null ? status.exitCode : `-${status.signalCode}`}`;
    const pid = this.pid === undefined ? '' : `, pid=${this.pid}`;
    return `Process('${this.#name}'${pid}, ${state}${this.#daemon ? ', daemon' : ''}${this.#closed ? ', closed' : ''})`;
  }

  #use(): void {
    if (this.#closed) throw new ClosedError(`${this.#name} has been closed.`);
  }

  #started(): ChildProcess {
    this.#use();
    if (this.#child === undefined) {
      throw new ProcessStateError('NOT_STARTED', `${this.#name} has not been started. Call start() first.`);
    }
    return this.#child;
  }

  #status(): End | undefined {
    if (this.#ended !== undefined || this.#child?.pid === undefined) return this.#ended;
    return endFromKernel(this.#child.pid);
  }

  #read(): Awaited<R> {
    const outcome = this.#outcome;
    if (outcome === undefined) {
      const { exitCode, signalCode } = this.#ended!;
      const how = signalCode === null ? `with exit code ${exitCode}` : `by ${signalCode}`;
      throw new ProcessDiedError(`${this.#name} ended ${how} before its target returned.`, {
        exitCode,
        signalCode,
      });
    }
    let value: unknown;
    try {
      value = decode(outcome.bytes);
    } finally {
      this.#claimed();
    }
    if (outcome.kind === 'error') throw value;
    return value as Awaited<R>;
  }

  /** Nothing of the result is on its way any more. */
  #claimed(): void {
    unclaimed.unregister(this);
    if (this.#receipt !== undefined) resultArrived(this.#receipt);
    this.#receipt = undefined;
  }

  /** A daemon does not keep the event loop alive, but who waits for one does. */
  async #keepingLoop<T>(promise: Promise<T>): Promise<T> {
    this.#waiting += 1;
    if (this.#daemon) this.#child?.ref();
    try {
      return await promise;
    } finally {
      this.#waiting -= 1;
      if (this.#daemon && this.#waiting === 0) this.#child?.unref();
    }
  }
}

/** The processes started by this thread that still run. */
export function activeChildren(): Process[] {
  return livingChildren() as Process[];
}

function namePrefix(): string {
  const { name } = currentProcess();
  return name === 'MainProcess' ? 'Process-' : `${name}:`;
}
