import { inspect } from 'node:util';
import { registerSharedKind } from '../codec/internal.js';
import { placeOf, type SyncWaitOptions, timeoutOf, type WaitOptions } from '../heap/internal.js';
import type { Handle } from '../shared-memory/internal.js';
import { callable } from '../synchronize/internal.js';
import { bodyType } from './layout.js';
import { Line } from './line.js';
import { openAs } from './open-as.js';
import { type Queue, QueueClass } from './queue.js';
import { notYet, tryUntil } from './waiting.js';

/**
 * A queue of which one can wait until all items that were put have been dealt with: whoever takes one says `taskDone` when it
 * has, or acknowledges its lease.
 *
 * A consumer that exits or is killed before keeps nobody waiting: what it had taken counts as done, what it had leased goes
 * back into the queue.
 *
 * @throws as {@link Queue}.
 *
 * @example
 * ```ts
 * import { JoinableQueue } from 'multiprocess';
 *
 * const queue = new JoinableQueue<string>();
 * await queue.put('a');
 * await queue.put('b');
 * await queue.get();
 * queue.taskDone();
 * console.log(await queue.join({ timeout: 5 })); // false
 * const lease = await queue.get({ lease: true });
 * lease.ack();
 * console.log(await queue.join()); // true
 * ```
 */
export interface JoinableQueue<T = any> extends Queue<T> {
  /**
   * Says that one of the items taken without a lease has been dealt with.
   *
   * @throws ValueError when all that were taken are done already; QueueClosedError; StaleHandleError.
   */
  taskDone(): void;
  /**
   * Waits until all items that were put are done.
   *
   * @returns whether they were in time.
   * @throws (rejects) `signal.reason`; QueueClosedError when it has been closed here; StaleHandleError.
   */
  join(options?: WaitOptions): Promise<boolean>;
  /** The same, blocking this thread. */
  joinSync(options?: SyncWaitOptions): boolean;
}

class JoinableQueueClass<T = any> extends QueueClass<T> implements JoinableQueue<T> {
  static {
    Object.defineProperty(JoinableQueueClass, 'name', { value: 'JoinableQueue' });
  }

  readonly #joiners: Line;

  constructor(maxsize?: unknown, home?: unknown) {
    super(maxsize, home, 'JoinableQueue', bodyType.joinable);
    this.#joiners = new Line(this.store.done);
  }

  taskDone(): void {
    this.enter();
    this.store.taskDone();
  }

  async join(options?: WaitOptions): Promise<boolean> {
    this.enter();
    return (await this.#joiners.wait(() => this.attempt(() => this.store.tryJoin()), options)) !== notYet;
  }

  joinSync(options?: SyncWaitOptions): boolean {
    const timeout = timeoutOf(options);
    this.enter();
    const attempt = () => this.store.tryJoin();
    return tryUntil(this.store.done, { attempt, promising: () => true }, timeout) !== notYet;
  }

  override close(): void {
    super.close();
    this.#joiners.everybodyTries();
  }

  override get handle(): Handle<Queue<T>> {
    return this.handleAs('joinablequeue');
  }

  override [inspect.custom](): string {
    return this.show('JoinableQueue');
  }
}

export const JoinableQueue: {
  <T = any>(maxsize?: number): JoinableQueue<T>;
  new <T = any>(maxsize?: number): JoinableQueue<T>;
  readonly prototype: JoinableQueue;
} = callable(JoinableQueueClass as unknown as new (maxsize?: number) => JoinableQueue) as never;

registerSharedKind<JoinableQueueClass>({
  kind: 'joinablequeue',
  type: JoinableQueueClass,
  handle: (queue) => queue.handle,
  places: (queue) => [placeOf(queue)],
  open: (fields) => openAs(fields, JoinableQueueClass),
});
