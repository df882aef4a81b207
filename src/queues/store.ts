import { QueueClosedError, ValueError } from '../errors/index.js';
import {
  type Heap,
  type Place,
  type RootAddress,
  readConsistently,
  removeHold,
  root,
  rootKind,
  stale,
  type Transaction,
} from '../heap/internal.js';
import type { LoadedCell, Prepared } from '../values/internal.js';
import { append, takeItem } from './channel.js';
import { body, bodyType, channel, item, QUEUE_WORDS, type QueueType, share, shareKind, waitWord } from './layout.js';
import { type Lease, makeLease } from './lease.js';
import {
  alertIfOver,
  countTaken,
  finishShare,
  finishTaken,
  isTaker,
  ownList,
  returnShare,
  takeOut,
  unfinished,
} from './shares.js';
import { type Taken, takeFirst, takeInFull, unpack, withLoaded } from './take.js';
import { WaitWord } from './wait-word.js';
import { expectToWait, notYet } from './waiting.js';

/** So many items are taken while a putter looks for room, before it would rather sleep. */
const ROOM_AT_ONCE = 32;

/** How many places a queue has, a joinable one too. */
export interface QueueKind {
  readonly type: QueueType;
  readonly maxsize: number;
}

/** Makes a queue that the caller holds. */
export function createQueue(heap: Heap, { type, maxsize }: QueueKind): RootAddress {
  const at = heap.createWithBlock(rootKind.queue, QUEUE_WORDS);
  try {
    heap.transaction.run((tx) => {
      tx.lockObject(at.address);
      const block = tx.read(at.address + root.a);
      tx.write(at.address + root.b, 0);
      tx.write(block + body.type, type);
      tx.write(block + body.maxsize, maxsize);
    });
  } catch (error) {
    heap.release(at.address);
    throw error;
  }
  return at;
}

/** What is done with a queue in shared memory: tries, which never wait. */
export class QueueStore {
  readonly place: Place;
  readonly kind: QueueKind;
  /** For those who wait for an item, for room, and for all items to be done. */
  readonly items: WaitWord;
  readonly room: WaitWord;
  readonly done: WaitWord;
  /** Where this participant's items are counted that it is not done with; 0 for none. */
  #taker = 0;
  /** Items that are leased to this participant. */
  #leased = 0;

  constructor(place: Place) {
    expectToWait();
    this.place = place;
    const { heap, at } = place;
    this.items = new WaitWord(heap, at.address + waitWord.items);
    this.room = new WaitWord(heap, at.address + waitWord.room);
    this.done = new WaitWord(heap, at.address + waitWord.done);
    this.kind = this.#look((tx, block) => ({
      type: tx.read(block + body.type) as QueueType,
      maxsize: tx.read(block + body.maxsize),
    }));
  }

  /**
   * @param wakes whether to wake who waits for an item; otherwise the caller does so afterwards.
   * @throws QueueClosedError when the queue has been ended; a system error `ENOSPC` when there is no memory.
   */
  tryPut(prepared: Prepared, wakes = true): true | typeof notYet {
    const { maxsize } = this.kind;
    const done = this.place.heap.transaction.run((tx) => {
      const block = this.#lock(tx);
      if (tx.read(block + body.ended) !== 0) throw ended('takes no more items');
      if (maxsize > 0 && tx.read(block + body.channel + channel.count) >= maxsize) return false;
      if (prepared.refers) tx.lockRoots();
      append(tx, block + body.channel, prepared);
      return true;
    });
    if (!done) return notYet;
    if (wakes) this.items.wakeOne();
    return true;
  }

  /**
   * @throws QueueClosedError when the queue has been ended and nothing is left; StaleHandleError when an object in the value
   * is gone; whatever a registered `decode` throws. What cannot be unpacked is gone.
   */
  tryTake(): Taken | typeof notYet {
    return withLoaded((loaded) => {
      const node = takeInFull(this.place.heap, (tx) => this.#take(tx, loaded));
      if (node === undefined) return notYet;
      if (this.kind.maxsize > 0) this.room.wakeOne();
      return { value: unpack(this.place, loaded, node) };
    });
  }

  /** The same, with a lease. */
  tryLease(): Lease<unknown> | typeof notYet {
    return withLoaded((loaded) => {
      const taken = this.place.heap.transaction.run((tx) => this.#takeLease(tx, loaded));
      if (taken === undefined) return notYet;
      if (this.kind.maxsize > 0) this.room.wakeOne();
      const { node } = taken;
      let value: unknown;
      try {
        value = loaded.value(this.place.heap);
      } catch (error) {
        this.#finish(node);
        throw error;
      }
      this.#leased += 1;
      return makeLease(value, taken.deliveries, {
        ack: () => this.#settle(() => this.#finish(node)),
        giveBack: () => this.#settle(() => this.#giveBack(node)),
      });
    });
  }

  /** Whether something may be there; takes no lock, and may be wrong. */
  seemsWorthTaking(): boolean {
    return this.#glance((block) => this.#load(block + body.channel + channel.count) !== 0 || this.#hasEnded(block));
  }

  /** @param waiting whether to wait for room for several: who takes the only place each time meets the taker each time. */
  seemsWorthPutting(waiting: boolean): boolean {
    const { maxsize } = this.kind;
    const room = waiting ? Math.min(ROOM_AT_ONCE, (maxsize + 1) >> 1) : 1;
    return (
      maxsize === 0 ||
      this.#glance(
        (block) => this.#load(block + body.channel + channel.count) <= maxsize - room || this.#hasEnded(block),
      )
    );
  }

  /** How many items there are to get. */
  get size(): number {
    return this.#look((tx, block) => tx.read(block + body.channel + channel.count));
  }

  get ended(): boolean {
    return this.#look((tx, block) => tx.read(block + body.ended) !== 0);
  }

  end(): void {
    this.place.heap.transaction.run((tx) => {
      const block = this.#lock(tx);
      if (tx.read(block + body.ended) === 0) tx.write(block + body.ended, 1);
    });
    this.items.wakeAll();
    this.room.wakeAll();
  }

  /** One item is done. @throws ValueError when all that have been taken are done already. */
  taskDone(): void {
    const { heap, at } = this.place;
    const over = heap.transaction.run((tx) => {
      const block = this.#lock(tx);
      const node = this.#taker;
      if (node !== 0 && isTaker(tx, this.place, node)) {
        const count = tx.read(node + share.count);
        tx.write(node + share.count, count - 1);
        finishTaken(tx, block, 1);
        if (count === 1) {
          removeHold(tx, node, ownList(heap));
          this.#taker = 0;
        }
      } else {
        const doneByOthers = tx.read(block + body.doneByOthers);
        if (tx.read(block + body.taken) <= doneByOthers) {
          throw new ValueError('taskDone() has been called more often than items were taken from the queue.');
        }
        tx.write(block + body.doneByOthers, doneByOthers + 1);
      }
      return unfinished(tx, block) === 0;
    });
    if (over && heap.exists(at)) this.done.wakeAll();
  }

  /** Whether all items that were put are done. */
  tryJoin(): true | typeof notYet {
    return this.#look((tx, block) => unfinished(tx, block) === 0) || notYet;
  }

  #settle(settle: () => void): void {
    this.#leased -= 1;
    settle();
  }

  #giveBack(node: number): void {
    const { heap, at } = this.place;
    heap.transaction.run((tx) => {
      tx.lockObject(at.address);
      returnShare(tx, at.address, node, ownList(heap));
    });
    this.items.wakeOne();
  }

  #finish(node: number): void {
    const { heap, at } = this.place;
    heap.transaction.run((tx) => {
      tx.lockObject(at.address);
      finishShare(tx, at.address, node, ownList(heap));
      if (tx.read(at.address + root.serial) === at.serial) alertIfOver(tx, at.address);
    });
    heap.buryAny();
  }

  #take(tx: Transaction, loaded: LoadedCell): number | undefined {
    const block = this.#lock(tx);
    const base = block + body.channel;
    if (tx.read(base + channel.count) === 0) return this.#checkEnd(tx, block);
    const node = takeFirst(tx, this.place, block, base, loaded);
    if (this.kind.type === bodyType.joinable) this.#taker = countTaken(tx, this.place, block, this.#taker);
    return node;
  }

  #takeLease(tx: Transaction, loaded: LoadedCell): { node: number; deliveries: number } | undefined {
    const block = this.#lock(tx);
    const base = block + body.channel;
    if (tx.read(base + channel.count) === 0) return this.#checkEnd(tx, block);
    tx.lockRoots();
    const taken = takeItem(tx, base);
    const node = takeOut(tx, this.place, block, taken, shareKind.lease);
    loaded.take(tx, taken + item.cell);
    return { node, deliveries: tx.read(taken + item.deliveries) };
  }

  /** There is nothing to take. What others have leased may come back, so even an ended queue is not over before. */
  #checkEnd(tx: Transaction, block: number): undefined {
    if (tx.read(block + body.ended) !== 0 && tx.read(block + body.leased) <= this.#leased) {
      throw ended('has been ended, and nothing is left in it');
    }
    return undefined;
  }

  #lock(tx: Transaction): number {
    const { address, serial } = this.place.at;
    tx.lockObject(address);
    if (tx.read(address + root.serial) !== serial) throw stale();
    return tx.read(address + root.a);
  }

  #look<T>(look: (tx: Transaction, block: number) => T): T {
    const { heap, at } = this.place;
    heap.participant.check();
    return readConsistently(heap.transaction, at.address, (tx) => {
      if (tx.read(at.address + root.serial) !== at.serial) throw stale();
      return look(tx, tx.read(at.address + root.a));
    });
  }

  /** True when the queue is not what it was, too: then the attempt tells. */
  #glance(look: (block: number) => boolean): boolean {
    const { heap, at } = this.place;
    return !heap.exists(at) || look(this.#load(at.address + root.a));
  }

  #load(address: number): number {
    return this.place.heap.memory.load(address);
  }

  #hasEnded(block: number): boolean {
    return this.#load(block + body.ended) !== 0;
  }
}

function ended(what: string): QueueClosedError {
  return new QueueClosedError(`This queue ${what}: end() was called on it.`);
}
