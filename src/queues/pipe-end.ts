import { QueueClosedError, ValueError } from '../errors/index.js';
import {
  addReference,
  type Heap,
  Place,
  type RootAddress,
  readConsistently,
  root,
  rootKind,
  stale,
} from '../heap/internal.js';
import type { Prepared } from '../values/internal.js';
import { append } from './channel.js';
import { body, bodyType, channel, ENDS_GONE, end, endMode, PIPE_WORDS, QUEUE_WORDS, waitWord } from './layout.js';
import { type Taken, takeFirst, takeInFull, unpack, withLoaded } from './take.js';
import { WaitWord } from './wait-word.js';
import { expectToWait, notYet } from './waiting.js';

// A pipe is a root with two channels. Its ends are objects of their own, which refer to it: so the heap knows of each end
// whether anybody has it still, or whether it is on its way to somebody. When the last lets go of an end, or dies, the end is
// buried, and that is noted at the pipe for the other end to see.

/** Makes a pipe. @returns its two ends, which the caller holds. */
export function createPipe(heap: Heap, duplex: boolean): [RootAddress, RootAddress] {
  const pipe = heap.createWithBlock(rootKind.queue, PIPE_WORDS);
  const made: RootAddress[] = [];
  try {
    heap.transaction.run((tx) => {
      tx.lockObject(pipe.address);
      tx.write(pipe.address + ENDS_GONE, 0);
      tx.write(tx.read(pipe.address + root.a) + body.type, bodyType.pipe);
    });
    const both = endMode.reads | endMode.writes;
    for (const [side, oneWay] of [endMode.reads, endMode.writes].entries()) {
      const at = heap.createWithBlock(rootKind.queue, QUEUE_WORDS);
      made.push(at);
      heap.transaction.run((tx) => {
        tx.lockObject(at.address);
        const block = tx.read(at.address + root.a);
        addReference(tx, pipe.address);
        tx.write(block + end.type, bodyType.end);
        tx.write(block + end.pipe, pipe.address);
        tx.write(block + end.side, side);
        tx.write(block + end.mode, duplex ? both : oneWay);
      });
    }
    return made as [RootAddress, RootAddress];
  } catch (error) {
    for (const { address } of made) heap.release(address);
    throw error;
  } finally {
    heap.release(pipe.address);
  }
}

/** What is done with one end of a pipe in shared memory: tries, which never wait. */
export class PipeEnd {
  /** Of the end, which the caller holds, and of the pipe, on which a hold is taken here. */
  readonly place: Place;
  readonly pipe: Place;
  readonly readable: boolean;
  readonly writable: boolean;
  /** For those who wait for something to receive. */
  readonly incoming: WaitWord;
  readonly #outgoing: WaitWord;
  readonly #side: number;

  /** @throws StaleHandleError when the end has been disposed of; ValueError for what is no end. */
  constructor(place: Place) {
    expectToWait();
    this.place = place;
    const { heap, at } = place;
    const facts = readConsistently(heap.transaction, at.address, (tx) => {
      if (tx.read(at.address + root.serial) !== at.serial) throw stale();
      const block = tx.read(at.address + root.a);
      if (tx.read(block + end.type) !== bodyType.end) return undefined;
      const address = tx.read(block + end.pipe);
      return {
        pipe: { address, serial: tx.read(address + root.serial) },
        side: tx.read(block + end.side),
        mode: tx.read(block + end.mode),
      };
    });
    if (facts === undefined) throw new ValueError('This handle means an object of another kind.');
    // The end may be disposed of while somebody is busy with the pipe, which must stay where it is.
    heap.open(facts.pipe);
    this.pipe = new Place(heap, facts.pipe);
    this.#side = facts.side & 1;
    this.readable = (facts.mode & endMode.reads) !== 0;
    this.writable = (facts.mode & endMode.writes) !== 0;
    const words = [waitWord.items, waitWord.otherItems];
    this.incoming = new WaitWord(heap, facts.pipe.address + words[this.#side]!);
    this.#outgoing = new WaitWord(heap, facts.pipe.address + words[1 - this.#side]!);
  }

  /** @throws QueueClosedError when nobody has the other end; a system error `ENOSPC` when there is no memory. */
  send(prepared: Prepared): void {
    this.#check();
    const { heap, at } = this.pipe;
    heap.transaction.run((tx) => {
      tx.lockObject(at.address);
      if (this.#otherEndGone(tx.read(at.address + ENDS_GONE))) throw broken('Nobody could receive this');
      if (prepared.refers) tx.lockRoots();
      append(tx, tx.read(at.address + root.a) + this.#channel(1 - this.#side), prepared);
    });
    this.#outgoing.wakeOne();
  }

  /** @throws QueueClosedError when nothing is left and nobody has the other end; what unpacking throws. */
  tryReceive(): Taken | typeof notYet {
    this.#check();
    const { heap, at } = this.pipe;
    return withLoaded((loaded) => {
      const node = takeInFull(heap, (tx) => {
        tx.lockObject(at.address);
        // Looked at first: what was sent before the other end went is there.
        const over = this.#otherEndGone(tx.read(at.address + ENDS_GONE));
        const block = tx.read(at.address + root.a);
        const base = block + this.#channel(this.#side);
        if (tx.read(base + channel.count) !== 0) return takeFirst(tx, this.pipe, block, base, loaded);
        if (over) throw broken('Nothing is left to receive');
        return undefined;
      });
      return node === undefined ? notYet : { value: unpack(this.pipe, loaded, node) };
    });
  }

  /** Whether `tryReceive` has something to tell: a value, or that none will come. */
  tryPoll(): true | typeof notYet {
    this.#check();
    return this.waiting > 0 || this.#otherEndGone(this.#load(this.pipe.at.address + ENDS_GONE)) || notYet;
  }

  /** How many values there are to receive. */
  get waiting(): number {
    const { heap, at } = this.pipe;
    return readConsistently(heap.transaction, at.address, (tx) =>
      tx.read(tx.read(at.address + root.a) + this.#channel(this.#side) + channel.count),
    );
  }

  /** Whether something may be there; takes no lock, and may be wrong. */
  seemsWorthReceiving(): boolean {
    const { at } = this.pipe;
    return (
      !this.place.heap.exists(this.place.at) ||
      this.#load(this.#load(at.address + root.a) + this.#channel(this.#side) + channel.count) !== 0 ||
      this.#otherEndGone(this.#load(at.address + ENDS_GONE))
    );
  }

  #channel(side: number): number {
    return side === 0 ? body.channel : body.otherChannel;
  }

  #otherEndGone(gone: number): boolean {
    return (gone & (1 << (1 - this.#side))) !== 0;
  }

  #load(address: number): number {
    return this.pipe.heap.memory.load(address);
  }

  #check(): void {
    const { heap, at } = this.place;
    if (!heap.exists(at)) throw stale();
  }
}

function broken(what: string): QueueClosedError {
  return new QueueClosedError(`${what}: nobody has the other end of this pipe any more.`);
}
