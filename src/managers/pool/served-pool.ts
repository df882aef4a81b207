// Pools in a manager's server. They are loaded when somebody asks for the first one.
import { handleOf } from '../../codec/index.js';
import { SharedDict } from '../../collections/index.js';
import { closeWrapper, type Heap, makeIn, type Place } from '../../heap/internal.js';
import { Crew, type Job, type Sealed } from '../../pool/internal.js';
import type { Instances } from '../instances.js';
import type { Board, BoardFacts, BoardState } from './board.js';
import { ManagedPool, poolHandle } from './managed-pool.js';
import { type ChunkOutcome, ServedCall } from './served-call.js';

/** What a client says that wants a pool. */
export interface PoolRequest extends BoardFacts {
  readonly maxTasks: number;
  readonly flags: readonly string[];
  /** Sealed, with its arguments. */
  readonly initializer: readonly [fn: Sealed | null, args: Sealed];
}

const EXPOSED = ['begin', 'work', 'abandon', 'close', 'terminate', 'join'];

/** What clients call. Nothing that it has to tell is thrown, because what is thrown arrives as an error of user code. */
export class ServedPool {
  /** What user code in the server gets that is given the pool. */
  readonly object: ManagedPool;
  readonly #heap: Heap;
  readonly #crew: Crew;
  readonly #board: Board;
  readonly #calls = new Map<string, ServedCall>();
  readonly #refresh = () => this.#show();
  #shown = '';
  #isGone = false;

  /** @throws what `Process.start()` throws. */
  constructor(request: PoolRequest, heap: Heap, instances: Instances, manager: string) {
    const { processes, allowSource, maxTasks, flags, initializer } = request;
    this.#heap = heap;
    this.#board = makeIn(heap, () => SharedDict()) as Board;
    this.#board.set('facts', { processes, allowSource } satisfies BoardFacts);
    const [fn, args] = initializer;
    this.#crew = new Crew({ size: processes, maxTasks, flags, initializer: { fn, args, sealed: true } });
    this.#show();
    heap.onTick.add(this.#refresh);
    const place: Place = instances.enter(this, EXPOSED, () => this.#gone());
    // Until it is on its way to whoever asked for it, and so is held for him.
    setImmediate(() => heap.release(place.at.address));
    const handle = poolHandle(place, handleOf(this.#board), manager);
    // In the server it is the crew itself that works, and nothing passes through others.
    this.object = new ManagedPool(
      this.#crew,
      { processes, allowSource, sealed: false },
      { place, board: this.#board, handle },
    );
  }

  begin(id: string, job: Job, retries: number): ServedCall | { failed: unknown } {
    try {
      this.#crew.check();
    } catch (error) {
      return { failed: error };
    }
    const call = new ServedCall(this.#crew, job, retries, () => {
      this.#calls.delete(id);
      this.#show();
    });
    this.#calls.set(id, call);
    return call;
  }

  async work(id: string, first: number, items: ArrayLike<unknown>, known: number): Promise<ChunkOutcome> {
    const call = this.#calls.get(id);
    if (call === undefined) return [[], []]; // it has been given up meanwhile
    const done = call.add(first, items, known);
    this.#show();
    const outcome = await done;
    this.#show();
    return outcome;
  }

  abandon(id: string, end: boolean): void {
    this.#calls.get(id)?.abandon(end);
  }

  close(): void {
    this.#crew.close();
    this.#show();
  }

  async terminate(): Promise<void> {
    const ended = this.#crew.terminate();
    this.#show();
    await ended;
    this.#show();
  }

  join(): Promise<void> {
    return this.#crew.over;
  }

  /** Nobody can reach it any more. */
  #gone(): void {
    this.#isGone = true;
    this.#heap.onTick.delete(this.#refresh);
    void this.#crew.terminate();
    closeWrapper(this.#board); // a server that has nothing to do does not collect its garbage
  }

  #show(): void {
    if (this.#isGone) return;
    const state: BoardState = { ...this.#crew.stats(), closed: this.#crew.isClosed };
    const text = JSON.stringify(state);
    if (text === this.#shown) return;
    try {
      this.#board.set('state', state);
      this.#shown = text;
    } catch {
      // There is no room for it at the moment: the next look tries again.
    }
  }
}
