// Operations of queues, each to be killed at every one of its steps, and what must hold afterwards: as those of the heap in
// heap-operations.ts.
import assert from 'node:assert/strict';
import { encode } from '../../src/codec/internal.js';
import { QueueClosedError, StaleHandleError, ValueError } from '../../src/errors/index.js';
import { checkHeap } from '../../src/heap/fsck.js';
import type { Heap } from '../../src/heap/heap.js';
import { header, root, rootKind } from '../../src/heap/layout.js';
import { Place } from '../../src/heap/place.js';
import type { RootAddress } from '../../src/heap/roots.js';
import '../../src/queues/contents.js';
import { bodyType, type QueueType } from '../../src/queues/layout.js';
import type { Lease } from '../../src/queues/lease.js';
import { createPipe, PipeEnd } from '../../src/queues/pipe-end.js';
import { createQueue, QueueStore } from '../../src/queues/store.js';
import { notYet } from '../../src/queues/waiting.js';
import { Prepared, prepare } from '../../src/values/internal.js';
import type { Facts, Operation } from './heap-operations.js';

const at = ({ address, serial }: Facts): RootAddress => ({ address: address!, serial: serial! });
const lockAt = ({ lock, lockSerial }: Facts): RootAddress => ({ address: lock!, serial: lockSerial! });

/** A store for each queue of each participant: it knows what that participant has of it. */
const stores = new WeakMap<Heap, Map<number, QueueStore>>();
export function storeIn(heap: Heap, facts: Facts): QueueStore {
  const known = stores.get(heap) ?? new Map<number, QueueStore>();
  stores.set(heap, known);
  const store = known.get(facts['address']!) ?? new QueueStore(new Place(heap, at(facts)));
  known.set(facts['address']!, store);
  return store;
}

const TEXT = 'a text that does not fit a cell';
const LONG_TEXT = 'x'.repeat(2000);
const LARGE = new Uint8Array(70_000).fill(5);
/** Stands for a value that refers to an object: unpacked, it is a text. */
const REFERRING = 'refers to a lock';

export function put(heap: Heap, facts: Facts, value: unknown): void {
  const prepared = prepare(heap, value);
  try {
    assert.equal(storeIn(heap, facts).tryPut(prepared), true);
  } finally {
    prepared.release();
  }
}

/** Puts a value that refers to the lock. */
function putReferring(heap: Heap, facts: Facts): void {
  const { bytes } = encode(REFERRING);
  const prepared = new Prepared().setReferring(bytes, [new Place(heap, lockAt(facts))]);
  assert.equal(storeIn(heap, facts).tryPut(prepared), true);
}

export function get(heap: Heap, facts: Facts): unknown {
  const taken = storeIn(heap, facts).tryTake();
  return taken === notYet ? notYet : taken.value;
}

export function lease(heap: Heap, facts: Facts): Lease<unknown> {
  const leased = storeIn(heap, facts).tryLease();
  if (leased === notYet) assert.fail('nothing to lease');
  return leased;
}

/** All that is in it. */
export function drain(heap: Heap, facts: Facts): unknown[] {
  const items: unknown[] = [];
  for (let value = get(heap, facts); value !== notYet; value = get(heap, facts)) {
    items.push(value);
    if (storeIn(heap, facts).kind.type === bodyType.joinable) storeIn(heap, facts).taskDone();
  }
  return items;
}

export const queue = (values: readonly unknown[] = [], maxsize = 0, type: QueueType = bodyType.queue) => {
  return (survivor: Heap): Facts => {
    const made = createQueue(survivor, { type, maxsize });
    const lock = survivor.create(rootKind.lock);
    const facts: Facts = { ...made, lock: lock.address, lockSerial: lock.serial };
    for (const value of values) {
      if (value === REFERRING) putReferring(survivor, facts);
      else put(survivor, facts, value);
    }
    return facts;
  };
};

/** The victim takes part in the queue. */
export function hold(victim: Heap, facts: Facts): void {
  victim.open(at(facts));
  victim.open(lockAt(facts));
  storeIn(victim, facts);
}

/** Nothing is left of the queue and its lock, nor of what anybody had of it. */
export function isEmpty(survivor: Heap, facts: Facts): void {
  survivor.release(facts['address']!);
  survivor.bury();
  assert.equal(survivor.memory.load(facts['lock']! + root.references), 0, 'something refers to the lock');
  survivor.release(facts['lock']!);
  const { problems, roots, holds, blocks } = checkHeap(survivor);
  assert.deepEqual({ problems, roots, holds, blocks }, { problems: [], roots: 0, holds: 0, blocks: 0 });
}

type Items = readonly unknown[];

/** It has these items: the first if the victim survived, one of them all if it died. It works on, and goes. */
const has =
  (after: Items, ...before: readonly Items[]) =>
  (survivor: Heap, facts: Facts, died: boolean): void => {
    assert.deepEqual(checkHeap(survivor).problems, []);
    const store = storeIn(survivor, facts);
    const allowed = died ? [after, ...before] : [after];
    const { size } = store;
    put(survivor, facts, 'more');
    const items = drain(survivor, facts);
    assert.equal(size, items.length - 1);
    assert.equal(items.pop(), 'more');
    const text = JSON.stringify(items);
    assert.ok(
      allowed.some((one) => JSON.stringify(one) === text),
      `${text.slice(0, 200)} is none of ${JSON.stringify(allowed).slice(0, 400)}`,
    );
    isEmpty(survivor, facts);
  };

/** An item that the victim has taken is lost if it dies before it has it. */
const lost = has;

/** Four of these nearly fill a chunk: one more needs the next. */
const QUARTER = 'q'.repeat(1000);
const FULL_CHUNK = [QUARTER, QUARTER, QUARTER, QUARTER];

const puts = (value: unknown, before: Items, atLeast: number, name: string): Operation => ({
  name: `put: ${name}`,
  atLeast,
  prepare: queue(before),
  arm: hold,
  act: (victim, facts) => (value === REFERRING ? putReferring(victim, facts) : put(victim, facts, value)),
  verify: has([...before, value], before),
});

const gets = (items: Items, atLeast: number, name: string): Operation => ({
  name: `get: ${name}`,
  atLeast,
  prepare: queue(items),
  arm: hold,
  act: (victim, facts) => assert.deepEqual(get(victim, facts), items[0]),
  verify: lost(items.slice(1), items),
});

/** The survivor says that it is about to sleep. */
const sleeps = (word: 'items' | 'room' | 'done') => (survivor: Heap, facts: Facts) =>
  void storeIn(survivor, facts)[word].mark();

export const counts = (values: readonly unknown[]) => queue(values, 0, bodyType.joinable);
const isJoined = (survivor: Heap, facts: Facts) => storeIn(survivor, facts).tryJoin() === true;

const plain: readonly Operation[] = [
  {
    name: 'a queue made and let go of',
    atLeast: 252,
    act: (victim, facts) => {
      const made = createQueue(victim, { type: bodyType.queue, maxsize: 3 });
      facts['made'] = 1;
      victim.release(made.address);
    },
    verify: (survivor) => {
      survivor.bury();
      const { problems, roots, blocks } = checkHeap(survivor);
      assert.deepEqual({ problems, roots, blocks }, { problems: [], roots: 0, blocks: 0 });
    },
  },
  puts(1, [], 77, 'the first item'),
  puts(2, [1], 18, 'a number'),
  puts(TEXT, [1], 19, 'a text'),
  puts(LONG_TEXT, [1], 65, 'a long text'),
  puts(QUARTER, FULL_CHUNK, 36, 'what needs another chunk'),
  puts(REFERRING, [1], 72, 'a reference'),
  {
    name: 'put: a large value',
    atLeast: 118,
    prepare: queue([1]),
    arm: hold,
    act: (victim, facts) => put(victim, facts, LARGE),
    verify: (survivor, facts, died) => {
      const items = drain(survivor, facts);
      assert.deepEqual(items.slice(0, 1), [1]);
      assert.ok(items.length === 2 || died);
      if (items.length === 2) assert.deepEqual(items[1], LARGE);
      isEmpty(survivor, facts);
    },
  },
  {
    name: 'put: where all has been read',
    atLeast: 23,
    prepare: (survivor) => {
      const facts = queue(FULL_CHUNK)(survivor);
      drain(survivor, facts);
      return facts;
    },
    arm: hold,
    act: (victim, facts) => put(victim, facts, QUARTER),
    verify: has([QUARTER], []),
  },
  {
    name: 'put: somebody sleeps',
    atLeast: 79,
    prepare: queue(),
    arm: hold,
    follow: sleeps('items'),
    act: (victim, facts) => put(victim, facts, 1),
    verify: has([1], []),
  },
  {
    name: 'put: into a full queue',
    atLeast: 6,
    prepare: queue([1], 1),
    arm: hold,
    act: (victim, facts) => assert.equal(storeIn(victim, facts).tryPut(prepare(victim, 2)), notYet),
    verify: (survivor, facts) => {
      assert.deepEqual(drain(survivor, facts), [1]);
      isEmpty(survivor, facts);
    },
  },
  gets([1, 2], 14, 'a number'),
  gets([TEXT, 2], 14, 'a text'),
  gets([LONG_TEXT, 2], 24, 'a long text'),
  gets([REFERRING, 2], 126, 'a reference'),
  {
    name: 'get: a large value',
    atLeast: 265,
    prepare: queue([LARGE, 2]),
    arm: hold,
    act: (victim, facts) => assert.deepEqual(get(victim, facts), LARGE),
    verify: (survivor, facts, died) => {
      const items = drain(survivor, facts);
      assert.equal(items.pop(), 2);
      if (items.length > 0) assert.ok(died);
      for (const value of items) assert.deepEqual(value, LARGE);
      isEmpty(survivor, facts);
    },
  },
  {
    name: 'get: the last of a chunk',
    atLeast: 32,
    prepare: (survivor) => {
      const facts = queue([...FULL_CHUNK, TEXT, 2])(survivor);
      for (let i = 0; i < FULL_CHUNK.length; i++) get(survivor, facts);
      return facts;
    },
    arm: hold,
    act: (victim, facts) => assert.deepEqual(get(victim, facts), TEXT),
    verify: lost([2], [TEXT, 2]),
  },
  {
    name: 'get: what has been given back',
    atLeast: 32,
    prepare: (survivor) => {
      const facts = queue([LONG_TEXT, 2])(survivor);
      lease(survivor, facts).giveBack();
      return facts;
    },
    arm: hold,
    act: (victim, facts) => assert.equal(get(victim, facts), LONG_TEXT),
    verify: lost([2], [LONG_TEXT, 2]),
  },
  {
    name: 'get: somebody waits for room',
    atLeast: 17,
    prepare: queue([1], 1),
    arm: hold,
    follow: sleeps('room'),
    act: (victim, facts) => assert.equal(get(victim, facts), 1),
    verify: (survivor, facts, died) => {
      const items = drain(survivor, facts);
      assert.ok(items.length === 0 || (died && items.length === 1));
      isEmpty(survivor, facts);
    },
  },
  {
    name: 'end',
    atLeast: 14,
    prepare: queue([1]),
    arm: hold,
    follow: sleeps('items'),
    act: (victim, facts) => storeIn(victim, facts).end(),
    verify: (survivor, facts, died) => {
      const store = storeIn(survivor, facts);
      assert.ok(store.ended || died);
      const { ended } = store;
      assert.equal(get(survivor, facts), 1);
      if (ended) {
        assert.throws(() => put(survivor, facts, 2), QueueClosedError);
        assert.throws(() => get(survivor, facts), QueueClosedError);
      } else {
        put(survivor, facts, 2);
        assert.equal(get(survivor, facts), 2);
      }
      isEmpty(survivor, facts);
    },
  },
  {
    name: 'dispose, with items of all kinds',
    atLeast: 198,
    prepare: (survivor) => {
      const facts = queue([REFERRING, TEXT, 2, LONG_TEXT, LARGE])(survivor);
      lease(survivor, facts).giveBack();
      return facts;
    },
    arm: (victim, facts) => {
      hold(victim, facts);
      storeIn(victim, facts).tryLease();
    },
    act: (victim, facts) => victim.dispose(at(facts)),
    verify: (survivor, facts, died) => {
      try {
        const items = drain(survivor, facts);
        assert.ok(died);
        assert.equal(items.length, 5);
      } catch (error) {
        assert.ok(error instanceof StaleHandleError);
      }
      isEmpty(survivor, facts);
    },
  },
  {
    name: 'let go of by the last, with items of all kinds',
    atLeast: 263,
    arm: (victim, facts) => {
      Object.assign(facts, queue([...FULL_CHUNK, REFERRING, TEXT, 2, LONG_TEXT, LARGE])(victim));
      lease(victim, facts).giveBack();
    },
    act: (victim, facts) => {
      victim.release(facts['address']!);
      victim.bury();
      victim.release(facts['lock']!);
    },
    verify: (survivor) => {
      survivor.bury();
      assert.equal(survivor.memory.segment[header.dying], 0);
      const { problems, roots, blocks } = checkHeap(survivor);
      assert.deepEqual({ problems, roots, blocks }, { problems: [], roots: 0, blocks: 0 });
    },
  },
];

const leases: readonly Operation[] = [
  {
    name: 'lease: taken',
    atLeast: 124,
    prepare: queue([TEXT, 2]),
    arm: hold,
    act: (victim, facts) => void lease(victim, facts),
    // Its holder has died or left: the item is the first again.
    verify: has([TEXT, 2]),
  },
  {
    name: 'lease: taken, of a reference',
    atLeast: 80,
    prepare: queue([REFERRING, 2]),
    arm: hold,
    act: (victim, facts) => void lease(victim, facts),
    verify: has([REFERRING, 2]),
  },
  {
    name: 'lease: taken once more',
    atLeast: 66,
    prepare: (survivor) => {
      const facts = queue([TEXT, 2])(survivor);
      lease(survivor, facts).giveBack();
      return facts;
    },
    arm: hold,
    act: (victim, facts) => assert.equal(lease(victim, facts).deliveries, 2),
    verify: (survivor, facts, died) => {
      const again = lease(survivor, facts);
      assert.equal(again.value, TEXT);
      assert.ok(again.deliveries === 3 || (died && again.deliveries === 2));
      again.ack();
      has([2])(survivor, facts, died);
    },
  },
  {
    name: 'lease: acknowledged',
    atLeast: 58,
    prepare: queue([REFERRING, 2]),
    arm: (victim, facts) => {
      hold(victim, facts);
      armed.set(victim, [lease(victim, facts)]);
    },
    act: (victim) => armed.get(victim)![0]!.ack(),
    verify: has([2], [REFERRING, 2]),
  },
  {
    name: 'lease: given back, among others',
    atLeast: 55,
    prepare: queue([TEXT, LONG_TEXT, 3, 4]),
    arm: (victim, facts) => {
      hold(victim, facts);
      armed.set(victim, [lease(victim, facts), lease(victim, facts), lease(victim, facts)]);
    },
    act: (victim) => armed.get(victim)![1]!.giveBack(),
    // The others go back when it leaves, first the last one taken.
    verify: has([TEXT, 3, LONG_TEXT, 4], [TEXT, LONG_TEXT, 3, 4]),
  },
  {
    name: 'lease: given back, and somebody sleeps',
    atLeast: 53,
    prepare: queue([TEXT]),
    arm: (victim, facts) => {
      hold(victim, facts);
      armed.set(victim, [lease(victim, facts)]);
    },
    follow: sleeps('items'),
    act: (victim) => armed.get(victim)![0]!.giveBack(),
    verify: has([TEXT]),
  },
  {
    name: 'lease: acknowledged, the last of an ended queue',
    atLeast: 47,
    prepare: queue([TEXT]),
    arm: (victim, facts) => {
      hold(victim, facts);
      armed.set(victim, [lease(victim, facts)]);
    },
    follow: (survivor, facts) => {
      storeIn(survivor, facts).end();
      // It may come back.
      assert.equal(storeIn(survivor, facts).tryTake(), notYet);
    },
    act: (victim) => armed.get(victim)![0]!.ack(),
    verify: (survivor, facts, died) => {
      let items = 0;
      assert.throws(() => {
        for (; get(survivor, facts) === TEXT; items++);
      }, QueueClosedError);
      assert.ok(items === 0 || (died && items === 1));
      isEmpty(survivor, facts);
    },
  },
];
const armed = new WeakMap<Heap, Lease<unknown>[]>();

const joinable: readonly Operation[] = [
  {
    name: 'joinable: get',
    atLeast: 90,
    prepare: counts([1, 2]),
    arm: hold,
    act: (victim, facts) => assert.equal(get(victim, facts), 1),
    verify: (survivor, facts, died) => {
      assert.equal(isJoined(survivor, facts), false);
      const items = drain(survivor, facts);
      assert.deepEqual(items.slice(-1), [2]);
      assert.ok(items.length === 1 || (died && items.length === 2));
      assert.equal(isJoined(survivor, facts), true, 'join would hang');
      isEmpty(survivor, facts);
    },
  },
  {
    name: 'joinable: get of a reference, and one more',
    atLeast: 184,
    prepare: counts([REFERRING, 2]),
    arm: hold,
    act: (victim, facts) => {
      assert.equal(get(victim, facts), REFERRING);
      assert.equal(get(victim, facts), 2);
    },
    verify: (survivor, facts) => {
      drain(survivor, facts);
      assert.equal(isJoined(survivor, facts), true, 'join would hang');
      isEmpty(survivor, facts);
    },
  },
  {
    name: 'joinable: taskDone twice, and somebody waits',
    atLeast: 55,
    prepare: counts([1, 2]),
    arm: (victim, facts) => {
      hold(victim, facts);
      get(victim, facts);
      get(victim, facts);
    },
    follow: sleeps('done'),
    act: (victim, facts) => {
      storeIn(victim, facts).taskDone();
      storeIn(victim, facts).taskDone();
    },
    verify: (survivor, facts) => {
      assert.equal(isJoined(survivor, facts), true, 'join would hang');
      assert.throws(() => storeIn(survivor, facts).taskDone(), ValueError);
      isEmpty(survivor, facts);
    },
  },
  {
    name: 'joinable: taskDone for another',
    atLeast: 11,
    prepare: counts([1]),
    arm: (victim, facts) => {
      hold(victim, facts);
    },
    follow: (survivor, facts) => assert.equal(get(survivor, facts), 1),
    act: (victim, facts) => storeIn(victim, facts).taskDone(),
    verify: (survivor, facts, died) => {
      assert.ok(isJoined(survivor, facts) || died);
      storeIn(survivor, facts).taskDone();
      assert.equal(isJoined(survivor, facts), true);
      isEmpty(survivor, facts);
    },
  },
  {
    name: 'joinable: a lease acknowledged',
    atLeast: 47,
    prepare: counts([TEXT]),
    arm: (victim, facts) => {
      hold(victim, facts);
      armed.set(victim, [lease(victim, facts)]);
    },
    follow: (survivor, facts) => {
      assert.equal(isJoined(survivor, facts), false);
      sleeps('done')(survivor, facts);
    },
    act: (victim) => armed.get(victim)![0]!.ack(),
    verify: (survivor, facts, died) => {
      const { size } = storeIn(survivor, facts);
      assert.equal(isJoined(survivor, facts), size === 0);
      assert.ok(size === 0 || died);
      drain(survivor, facts);
      assert.equal(isJoined(survivor, facts), true, 'join would hang');
      isEmpty(survivor, facts);
    },
  },
];

// Pipes. The survivor has the first end, and the victim the other one.

export function pipe(survivor: Heap): Facts {
  const [here, there] = createPipe(survivor, true);
  const lock = survivor.create(rootKind.lock);
  return {
    here: here.address,
    hereSerial: here.serial,
    there: there.address,
    thereSerial: there.serial,
    lock: lock.address,
    lockSerial: lock.serial,
  };
}

const ends = new WeakMap<Heap, PipeEnd>();
export function endOf(heap: Heap, { here, hereSerial, there, thereSerial }: Facts, which: 'here' | 'there'): PipeEnd {
  const place = which === 'here' ? { address: here!, serial: hereSerial! } : { address: there!, serial: thereSerial! };
  const known = ends.get(heap) ?? new PipeEnd(new Place(heap, place));
  ends.set(heap, known);
  return known;
}

/** The victim takes the other end, and the survivor lets go of it. */
export function passEnd(victim: Heap, facts: Facts): void {
  victim.open({ address: facts['there']!, serial: facts['thereSerial']! });
  victim.open(lockAt(facts));
  endOf(victim, facts, 'there');
}
const letGoOfOther = (survivor: Heap, facts: Facts) => {
  endOf(survivor, facts, 'here');
  survivor.release(facts['there']!);
};

export function send(end: PipeEnd, value: unknown): void {
  const prepared = prepare(end.place.heap, value);
  end.send(prepared);
  prepared.release();
}

function received(end: PipeEnd): unknown[] {
  const values: unknown[] = [];
  assert.throws(() => {
    for (;;) {
      const taken = end.tryReceive();
      if (taken === notYet) assert.fail('the other end seems to be there');
      values.push(taken.value);
    }
  }, QueueClosedError);
  return values;
}

/** The victim is gone: the survivor receives what it has sent, hears that no more will come, and the pipe is gone, too. */
function hears(survivor: Heap, facts: Facts, allowed: readonly Items[]): void {
  survivor.bury();
  const end = endOf(survivor, facts, 'here');
  const text = JSON.stringify(received(end));
  assert.ok(
    allowed.some((one) => JSON.stringify(one) === text),
    `${text} is none of ${JSON.stringify(allowed)}`,
  );
  assert.throws(() => send(end, 1), QueueClosedError);
  survivor.release(end.pipe.at.address);
  survivor.release(facts['here']!);
  survivor.bury();
  assert.equal(survivor.memory.load(facts['lock']! + root.references), 0, 'something refers to the lock');
  survivor.release(facts['lock']!);
  const { problems, roots, holds, blocks } = checkHeap(survivor);
  assert.deepEqual({ problems, roots, holds, blocks }, { problems: [], roots: 0, holds: 0, blocks: 0 });
}

const pipes: readonly Operation[] = [
  {
    name: 'a pipe made and let go of',
    atLeast: 635,
    act: (victim, facts) => {
      const [one, other] = createPipe(victim, true);
      facts['made'] = 1;
      victim.release(one.address);
      victim.release(other.address);
      victim.bury();
    },
    verify: (survivor) => {
      survivor.bury();
      const { problems, roots, blocks } = checkHeap(survivor);
      assert.deepEqual({ problems, roots, blocks }, { problems: [], roots: 0, blocks: 0 });
    },
  },
  {
    name: 'pipe: an end opened',
    atLeast: 56,
    prepare: pipe,
    act: (victim, facts) => {
      victim.open({ address: facts['there']!, serial: facts['thereSerial']! });
      endOf(victim, facts, 'there');
    },
    verify: (survivor, facts) => {
      letGoOfOther(survivor, facts);
      hears(survivor, facts, [[]]);
    },
  },
  {
    name: 'pipe: send, and leave',
    atLeast: 96,
    prepare: pipe,
    arm: passEnd,
    follow: letGoOfOther,
    act: (victim, facts) => {
      send(endOf(victim, facts, 'there'), 1);
      send(endOf(victim, facts, 'there'), TEXT);
    },
    verify: (survivor, facts, died) => hears(survivor, facts, died ? [[], [1], [1, TEXT]] : [[1, TEXT]]),
  },
  {
    name: 'pipe: receive',
    atLeast: 150,
    prepare: pipe,
    arm: passEnd,
    follow: (survivor, facts) => {
      letGoOfOther(survivor, facts);
      const end = endOf(survivor, facts, 'here');
      send(end, LONG_TEXT);
      const { bytes } = encode(REFERRING);
      end.send(new Prepared().setReferring(bytes, [new Place(survivor, lockAt(facts))]));
      send(end, TEXT);
    },
    act: (victim, facts) => {
      const end = endOf(victim, facts, 'there');
      assert.deepEqual(end.tryReceive(), { value: LONG_TEXT });
      assert.deepEqual(end.tryReceive(), { value: REFERRING });
    },
    verify: (survivor, facts) => hears(survivor, facts, [[]]),
  },
  {
    name: 'pipe: an end closed by the last who has it, and somebody sleeps at the other',
    atLeast: 109,
    prepare: pipe,
    arm: passEnd,
    follow: (survivor, facts) => {
      letGoOfOther(survivor, facts);
      endOf(survivor, facts, 'here').incoming.mark();
    },
    act: (victim, facts) => {
      victim.release(endOf(victim, facts, 'there').pipe.at.address);
      victim.release(facts['there']!);
    },
    verify: (survivor, facts) => hears(survivor, facts, [[]]),
  },
];

export const queueOperations: readonly Operation[] = [...plain, ...leases, ...joinable, ...pipes];
