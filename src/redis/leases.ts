import { Worker } from 'node:worker_threads';
import { MultiprocessError } from '../errors/index.js';
import type { Target } from './port.js';

/** How long the thread goes on renewing what has been given back, at most. */
const DROP_MS = 20;

/** What the thread that renews leases is given. */
export interface LeaseConfig {
  readonly target: Target;
  readonly address: string;
  /** How long leases last, in ms. */
  readonly lease: number;
}

export type ToLeases =
  | {
      readonly hold: number;
      readonly leases: string;
      readonly member: string;
      readonly ends: number;
      readonly drop: readonly number[];
    }
  | { readonly drop: readonly number[] };

export type FromLeases =
  | { readonly ready: true }
  | { readonly failed: string; readonly code: string | undefined }
  | { readonly lost: number };

/** What those who hold by lease need to know. */
export interface LeaseSettings extends Omit<LeaseConfig, 'target'> {
  target(): Promise<Target>;
}

/** What this client holds by lease. The thread that renews it is started when there is something to hold. */
export class Leases {
  readonly #settings: LeaseSettings;
  readonly #onLost = new Map<number, () => void>();
  #worker: Worker | undefined;
  #ready: Promise<void> | undefined;
  #last = 0;
  /** What the thread need not renew any more, of which it has not been told yet. */
  #dropped: number[] = [];
  #telling: NodeJS.Timeout | undefined;

  constructor(settings: LeaseSettings) {
    this.#settings = settings;
  }

  get lease(): number {
    return this.#settings.lease;
  }

  /** To be awaited before something is taken: that it can be kept. @throws (rejects) when the thread cannot connect. */
  start(): Promise<void> {
    this.#ready ??= this.#start();
    return this.#ready;
  }

  /**
   * Keeps a lease that has been taken.
   *
   * @param leases the key where it stands. @param ends when it ends by itself, on the monotonic clock.
   * @returns what lets it go; it does not give it back.
   */
  hold(leases: string, member: string, ends: number, onLost: () => void): () => void {
    this.#last += 1;
    const number = this.#last;
    this.#onLost.set(number, onLost);
    // At once: the program may be busy from here on.
    this.#say({ hold: number, leases, member, ends, drop: this.#takeDropped() });
    return () => {
      if (this.#onLost.delete(number)) this.#drop(number);
    };
  }

  async close(): Promise<void> {
    this.#onLost.clear();
    clearTimeout(this.#telling);
    await this.#worker?.terminate();
  }

  /**
   * Waking the thread costs more than all else that taking and giving back does here, so it is told with the next hold, or a
   * little later. Renewing what has been given back changes nothing.
   */
  #drop(number: number): void {
    this.#dropped.push(number);
    this.#telling ??= setTimeout(() => this.#say({ drop: this.#takeDropped() }), DROP_MS).unref();
  }

  #takeDropped(): number[] {
    clearTimeout(this.#telling);
    this.#telling = undefined;
    const dropped = this.#dropped;
    this.#dropped = [];
    return dropped;
  }

  #say(message: ToLeases): void {
    this.#worker?.postMessage(message);
  }

  async #start(): Promise<void> {
    const { target, address, lease } = this.#settings;
    const config: LeaseConfig = { target: await target(), address, lease };
    const worker = new Worker(new URL('./lease-worker.js', import.meta.url), {
      name: 'multiprocess: leases',
      workerData: config,
      // None of the program's loaders and hooks: this thread runs only our own code.
      execArgv: [],
      stdin: false,
    });
    this.#worker = worker;
    await new Promise<void>((resolve, reject) => {
      const fail = (why: string, code = 'ERR_MULTIPROCESS_ENGINE') => {
        if (this.#worker === worker) {
          this.#worker = undefined;
          this.#ready = undefined;
        }
        reject(new MultiprocessError(`The thread that keeps leases could not be started: ${why}`, { code }));
        void worker.terminate();
      };
      worker.on('message', (message: FromLeases) => {
        if ('ready' in message) {
          worker.unref(); // from here on nobody waits for it
          resolve();
        } else if ('failed' in message) {
          fail(message.failed, message.code);
        } else this.#lose(message.lost);
      });
      worker.on('error', (error) => fail(String(error)));
      worker.on('exit', () => {
        fail('it has ended');
        // Nobody renews what it has kept.
        for (const number of [...this.#onLost.keys()]) this.#lose(number);
      });
    });
  }

  #lose(number: number): void {
    const onLost = this.#onLost.get(number);
    this.#onLost.delete(number);
    onLost?.();
  }
}
