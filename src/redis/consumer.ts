import type { Engine } from './engine.js';

/** What a consumer asks of its queue, or pool. */
export interface Consumed {
  /** The key where its lease stands. */
  readonly leases: string;
  /** Has all that a consumer has go back, or be done. */
  resign(consumer: string, patience: number): Promise<unknown>;
  /** All that a consumer had is lost. */
  onLost?(consumer: string): void;
}

/** How long giving back what is not wanted waits for a server that cannot be reached. Its lease ends anyway. */
const GIVING_BACK_MS = 1000;

interface Holding {
  readonly letGo: () => void;
  readonly forget: () => void;
}

/**
 * What this client has taken from a queue and is not done with: it has it for as long as its lease is renewed. When that has
 * ended, all of it is lost, and whatever is taken afterwards is another consumer's.
 */
export class Consumer {
  readonly #engine: Engine;
  readonly #queue: Consumed;
  #id: string;
  #count = 0;
  #holding: Holding | undefined;
  #idle: NodeJS.Timeout | undefined;

  constructor(engine: Engine, queue: Consumed) {
    this.#engine = engine;
    this.#queue = queue;
    this.#id = this.#newId();
  }

  get id(): string {
    return this.#id;
  }

  /** To be awaited before something is taken. @throws (rejects) when it could not be kept. */
  start(): Promise<void> {
    return this.#engine.leases.start();
  }

  /**
   * Something has been taken in the name of `id`.
   *
   * @param ends until when that consumer lives at least, on the monotonic clock.
   * @returns whether it still has it.
   */
  took(id: string, ends: number): boolean {
    if (id !== this.#id) return false;
    this.#count += 1;
    clearTimeout(this.#idle);
    this.#holding ??= this.#hold(id, ends);
    return true;
  }

  /** It is done with something. @returns whether it had not lost it. */
  settled(id: string): boolean {
    if (id !== this.#id) return false;
    this.#count -= 1;
    if (this.#count > 0) return true;
    // It is kept for a while: most take more.
    this.#idle = setTimeout(() => this.#let(), this.#engine.leases.lease).unref();
    return true;
  }

  #hold(id: string, ends: number): Holding {
    const resign = () => this.#queue.resign(id, GIVING_BACK_MS);
    const lost = () => {
      if (this.#id !== id) return;
      this.#let();
      this.#count = 0;
      this.#id = this.#newId();
      resign().catch(() => {}); // if the server has not noticed yet
      this.#queue.onLost?.(id);
    };
    return {
      letGo: this.#engine.leases.hold(this.#queue.leases, id, ends, lost),
      forget: this.#engine.onClose(resign),
    };
  }

  #let(): void {
    clearTimeout(this.#idle);
    this.#holding?.letGo();
    this.#holding?.forget();
    this.#holding = undefined;
  }

  #newId(): string {
    return `${this.#engine.client}/${this.#engine.nextNumber()}`;
  }
}
