import { ManagerClosedError, StaleHandleError } from '../errors/index.js';
import { now } from '../heap/internal.js';
import { Crew, type Job } from '../pool/internal.js';
import { randomHex } from '../shared-memory/internal.js';
import { Consumer } from './consumer.js';
import { Engine } from './engine.js';
import { addEngine } from './engines.js';
import type { PoolBoard } from './pool-board.js';
import { makeProxy } from './proxies.js';
import { DROPPED, makePool } from './scripts/pool.js';
import type { Reached } from './target.js';
import { decodeChunk } from './task-payload.js';
import { outcomeOf, Work } from './work.js';

const TASKS = new URL('./pool-tasks.js', import.meta.url).href;

export interface PoolWorkerOptions {
  readonly prefix: string;
  readonly lease: number;
  /** The name of the pool. */
  readonly pool: string;
  /** URL of the module whose exported functions it calls. */
  readonly module: string;
  readonly processes: number;
  /** After so many chunks a process is replaced. */
  readonly maxTasks: number;
}

const perform: Job = { fn: { location: { url: TASKS, exportName: 'perform' } }, spread: true, sealed: false };
const ready: Job = { fn: { location: { url: TASKS, exportName: 'ready' } }, spread: true, sealed: false };

/** Processes of this machine that work for a pool at a server. */
export class PoolWorker {
  readonly #engine: Engine;
  readonly #options: PoolWorkerOptions;
  readonly #crew: Crew;
  #board!: PoolBoard;
  #consumer!: Consumer;
  readonly #work = new Map<string, { readonly work: Work; readonly consumer: string }>();
  /** Outcomes that are on their way to the server. */
  readonly #sending = new Set<Promise<void>>();
  #isStopping = false;
  #check = false;
  #isHinted = false;
  #wake: () => void = () => {};

  private constructor(engine: Engine, options: PoolWorkerOptions) {
    this.#engine = engine;
    this.#options = options;
    this.#crew = new Crew({
      size: options.processes,
      maxTasks: options.maxTasks,
      flags: [],
      initializer: { fn: { location: { url: TASKS, exportName: 'prepare' } }, args: [options.module], sealed: false },
    });
  }

  /** @throws (rejects) what connecting rejects with; what the module throws when it is imported. */
  static async start(reached: Reached, options: PoolWorkerOptions): Promise<PoolWorker> {
    const engine = await Engine.open(reached, options, makeProxy);
    addEngine(engine);
    const worker = new PoolWorker(engine, options);
    try {
      await worker.#isReady();
      await worker.#join();
    } catch (error) {
      await worker.#end();
      throw error;
    }
    return worker;
  }

  get address(): string {
    return this.#engine.address;
  }

  /** Works until it is stopped. @throws (rejects) what its processes are broken by; what the server refuses it with. */
  async run(): Promise<void> {
    const alive = setInterval(() => {}, 2 ** 30); // connections do not keep the process so
    try {
      await this.#engine.leases.start();
      const leave = await this.#engine.listen(this.#board.channel, (message) => {
        if (message === undefined || String(message) === DROPPED) this.#check = true;
        this.#hear();
      });
      try {
        await this.#loop();
      } finally {
        leave();
      }
    } finally {
      clearInterval(alive);
      await this.#end();
    }
  }

  /** Takes nothing more, and ends when what is under way is done. */
  stop(): void {
    this.#isStopping = true;
    this.#hear();
  }

  /** Ends what is under way, and does not wait for a server that cannot be reached. */
  terminate(): void {
    this.stop();
    this.#giveUp([...this.#work.keys()]);
    void this.#engine.close();
  }

  async #isReady(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const work = new Work(
        ready,
        { retries: 0, first: 0, items: [[]] },
        {
          done: (_, [failure]) => {
            this.#crew.finish(work);
            if (failure === undefined) resolve();
            else reject(failure[1]);
          },
          failed: reject,
        },
      );
      this.#crew.enlist(work);
    });
  }

  /** The pool, which is made if it is not there. */
  async #join(): Promise<void> {
    const name = this.#options.pool;
    const id = randomHex(16);
    const found = await this.#engine.run(makePool, [this.#engine.key(name)], ['pool', id]);
    const board = this.#engine.proxy({ kind: 'pool', name, id: String(found) }) as PoolBoard;
    this.#board = board;
    this.#consumer = new Consumer(this.#engine, {
      leases: board.leases,
      resign: (consumer, patience) => board.resign(consumer, patience),
      onLost: () => {
        this.#giveUp([...this.#work.keys()]);
        this.#hear();
      },
    });
  }

  async #loop(): Promise<void> {
    let due = 0;
    while (!this.#isStopping) {
      this.#crew.check();
      const free = this.#options.processes - this.#work.size;
      const isDue = this.#check || now() >= due;
      const isHinted = this.#isHinted;
      this.#isHinted = false;
      if (isDue || (isHinted && free > 0)) {
        try {
          const again = await this.#take(Math.max(0, free), isDue);
          if (isDue) due = now() + again;
        } catch (error) {
          if (error instanceof ManagerClosedError && this.#isStopping) return;
          if (!(error instanceof StaleHandleError)) throw error;
          // Somebody has disposed of it, or the server has lost its data.
          this.#giveUp([...this.#work.keys()]);
          await this.#join();
          continue;
        }
      }
      await this.#sleep(due - now());
    }
    while (this.#work.size > 0) {
      this.#isHinted = false;
      await this.#sleep(this.#engine.leases.lease);
    }
    await Promise.allSettled(this.#sending);
  }

  /** @param check whether to look for what is not wanted any more. @returns in how many ms to do that again. */
  async #take(free: number, check: boolean): Promise<number> {
    const { id } = this.#consumer;
    const ends = now() + this.#engine.leases.lease;
    const known = [...this.#work.keys()];
    if (check) this.#check = false;
    const facts = JSON.stringify(this.#crew.stats().workers);
    const { again, dropped, given } = await this.#board.take(id, free, facts, check ? known : undefined);
    this.#giveUp(dropped);
    for (const [chunk, what] of given) {
      if (this.#work.has(chunk)) continue;
      if (!this.#consumer.took(id, ends)) {
        this.#check = true; // it was lost meanwhile, and is another one now
        break;
      }
      this.#begin(chunk, id, what);
    }
    return again;
  }

  #begin(chunk: string, consumer: string, what: Buffer): void {
    const { name, spread, retries, first, items } = decodeChunk(what);
    const tasks = { retries, first, items: Array.from(items, (item) => [name, spread, item]) };
    const work = new Work(perform, tasks, {
      done: (values, failures) => {
        if (this.#work.get(chunk)?.work !== work) return; // it was given up
        this.#crew.finish(work);
        this.#forget(chunk);
        this.#send(consumer, chunk, outcomeOf(values, failures));
      },
      failed: () => {}, // the crew is at its end, and so is this: others hear of it
    });
    this.#work.set(chunk, { work, consumer });
    this.#crew.enlist(work);
  }

  #send(consumer: string, chunk: string, outcome: Buffer): void {
    const sent = this.#board.finish(consumer, chunk, outcome).catch(() => {
      // It is not wanted, or cannot be told: then its lease ends, or it is asked for again.
    });
    this.#sending.add(sent);
    void sent.then(() => this.#sending.delete(sent));
    this.#hear();
  }

  #giveUp(chunks: readonly string[]): void {
    for (const chunk of chunks) {
      const work = this.#forget(chunk);
      if (work === undefined) continue;
      work.over = true;
      this.#crew.abandon(work, true);
    }
    if (chunks.length > 0) this.#hear();
  }

  #forget(chunk: string): Work | undefined {
    const found = this.#work.get(chunk);
    if (found === undefined) return undefined;
    this.#work.delete(chunk);
    this.#consumer.settled(found.consumer);
    return found.work;
  }

  async #end(): Promise<void> {
    this.#giveUp([...this.#work.keys()]);
    await this.#crew.terminate();
    await this.#engine.close();
  }

  #hear(): void {
    this.#isHinted = true;
    this.#wake();
  }

  async #sleep(ms: number): Promise<void> {
    if (this.#isHinted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, ms));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = () => {};
  }
}
