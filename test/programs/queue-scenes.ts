// What two or three threads do at the same time with a queue or a pipe, for test/queues/lockstep.test.ts.
import assert from 'node:assert/strict';
import { QueueClosedError, StaleHandleError } from '../../src/errors/index.js';
import { checkHeap } from '../../src/heap/fsck.js';
import type { Heap } from '../../src/heap/heap.js';
import { Place } from '../../src/heap/place.js';
import type { Lease } from '../../src/queues/lease.js';
import { PipeEnd } from '../../src/queues/pipe-end.js';
import { notYet, tryUntil } from '../../src/queues/waiting.js';
import { prepare } from '../../src/values/internal.js';
import type { Ending, Facts, Part, Scene } from '../support/lockstep/scene.js';
import { counts, drain, hold, lease, pipe, queue, send, storeIn } from './queue-operations.js';

/** Longer than it takes until anybody's death is noticed. */
const LONG = 1000;
const NONE = -1;
const CLOSED = -2;

const everybodyLives = (endings: readonly Ending[]) => endings.every(({ died }) => !died);
const resultsOf = (endings: readonly Ending[]) => endings.filter(({ died }) => !died).map(({ result }) => result);
const deaths = (endings: readonly Ending[]) => endings.filter(({ died }) => died).length;

/** What `act` returns, or how it was told that there is nothing more to do. */
function orClosed(act: () => number): number {
  try {
    return act();
  } catch (error) {
    if (error instanceof QueueClosedError || error instanceof StaleHandleError) return CLOSED;
    throw error;
  }
}

const puts = (value: unknown): Part => ({
  arm: hold,
  act: (heap, facts) =>
    orClosed(() => {
      const store = storeIn(heap, facts);
      const prepared = prepare(heap, value);
      const way = { attempt: () => store.tryPut(prepared), promising: () => store.seemsWorthPutting(true) };
      return tryUntil(store.room, way, LONG) === notYet ? NONE : 1;
    }),
});

/** @param timeout 0 to look once. @returns the number taken. */
const takes = (timeout = LONG): Part => ({
  arm: hold,
  act: (heap, facts) =>
    orClosed(() => {
      const store = storeIn(heap, facts);
      const way = { attempt: () => store.tryTake(), promising: () => store.seemsWorthTaking() };
      const taken = tryUntil(store.items, way, timeout);
      return taken === notYet ? NONE : (taken.value as number);
    }),
});

const leases = new WeakMap<Heap, Lease<unknown>>();
const decides = (how: 'ack' | 'giveBack'): Part => ({
  arm: (heap, facts) => {
    hold(heap, facts);
    leases.set(heap, lease(heap, facts));
  },
  act: (heap) => {
    leases.get(heap)![how]();
    return 1;
  },
});

const ends: Part = { arm: hold, act: (heap, facts) => storeIn(heap, facts).end() };
const disposes: Part = {
  arm: hold,
  act: (heap, facts) => heap.dispose({ address: facts['address']!, serial: facts['serial']! }),
};

/** What is left, which must be a part of what there may be, and none of it twice. */
function left(survivor: Heap, facts: Facts, allowed: readonly number[]): number[] {
  assert.deepEqual(checkHeap(survivor).problems, []);
  const items = drain(survivor, facts) as number[];
  const rest = [...allowed];
  for (const item of items) {
    const at = rest.indexOf(item);
    assert.ok(at >= 0, `${items} is left, of ${allowed}`);
    rest.splice(at, 1);
  }
  return items;
}

/** Nobody else has the queue any more when all have left. */
const lets = (survivor: Heap, facts: Facts) => {
  survivor.release(facts['address']!);
  survivor.release(facts['lock']!);
};

const queues: readonly Scene[] = [
  {
    name: 'put ‖ put',
    atLeast: 10,
    prepare: queue(),
    threads: [puts(1), puts(2)],
    verify: (survivor, facts, endings) => {
      const items = left(survivor, facts, [1, 2]);
      for (const [at, { died }] of endings.entries()) if (!died) assert.ok(items.includes(at + 1), 'an item is lost');
      lets(survivor, facts);
    },
  },
  {
    name: 'get ‖ get, of one item',
    atLeast: 8,
    everyDeath: true,
    prepare: queue([7]),
    threads: [takes(0), takes(0)],
    verify: (survivor, facts, endings) => {
      const taken = [...resultsOf(endings), ...left(survivor, facts, [7])].filter((item) => item === 7).length;
      assert.ok(taken <= 1, 'one item was taken twice');
      assert.ok(taken === 1 || deaths(endings) > 0, 'an item is lost');
      lets(survivor, facts);
    },
  },
  {
    name: 'get, waiting ‖ put',
    atLeast: 8,
    prepare: queue(),
    threads: [takes(), puts(7)],
    verify: (survivor, facts, endings) => {
      const items = left(survivor, facts, [7]);
      if (everybodyLives(endings)) assert.deepEqual([endings[0]!.result, items.length], [7, 0]);
      lets(survivor, facts);
    },
  },
  {
    name: 'get, waiting ‖ get, waiting ‖ put',
    atLeast: 8,
    prepare: queue(),
    threads: [takes(), takes(), puts(7)],
    verify: (survivor, facts, endings) => {
      const taken = resultsOf(endings.slice(0, 2)).filter((item) => item === 7).length;
      const items = left(survivor, facts, [7]);
      assert.ok(taken + items.length <= 1);
      if (everybodyLives(endings)) assert.equal(taken, 1);
      lets(survivor, facts);
    },
  },
  {
    name: 'put, into a full queue ‖ get ‖ put, into a full queue',
    atLeast: 8,
    prepare: queue([7], 1),
    threads: [puts(1), takes(), puts(2)],
    verify: (survivor, facts, endings) => {
      const items = left(survivor, facts, [7, 1, 2]);
      const [one, getter, other] = endings;
      if (everybodyLives(endings)) {
        assert.equal(getter!.result, 7);
        assert.deepEqual(
          items,
          [one, other].flatMap((ending, at) => (ending!.result === 1 ? [at + 1] : [])),
        );
        assert.equal(items.length, 1);
      }
      lets(survivor, facts);
    },
  },
  {
    name: 'put ‖ end ‖ get, waiting',
    atLeast: 8,
    prepare: queue(),
    threads: [puts(7), ends, takes()],
    verify: (survivor, facts, endings) => {
      const [putter, ender, getter] = endings;
      let items: number[] = [];
      if (!storeIn(survivor, facts).ended) {
        assert.ok(ender!.died);
        items = left(survivor, facts, [7]);
      } else {
        try {
          for (;;) items.push(storeIn(survivor, facts).tryTake() as never);
        } catch (error) {
          assert.ok(error instanceof QueueClosedError);
        }
      }
      if (everybodyLives(endings)) {
        if (putter!.result === 1) assert.ok(getter!.result === 7 || items.length === 1, 'an item is lost');
        else assert.deepEqual([getter!.result, items.length], [CLOSED, 0]);
      }
      lets(survivor, facts);
    },
  },
  {
    name: 'a lease given back ‖ get, waiting',
    atLeast: 8,
    everyDeath: true,
    prepare: queue([7]),
    threads: [decides('giveBack'), takes()],
    verify: (survivor, facts, [holder, getter]) => {
      const items = left(survivor, facts, [7]);
      // However its holder fares, it is there again.
      if (!getter!.died) assert.deepEqual([getter!.result, items.length], [7, 0]);
      assert.ok(holder!.died || holder!.result === 1);
      lets(survivor, facts);
    },
  },
  {
    name: 'a lease acknowledged ‖ get, waiting, of an ended queue',
    atLeast: 8,
    prepare: queue([7]),
    threads: [
      decides('ack'),
      {
        arm: (heap, facts) => {
          hold(heap, facts);
          storeIn(heap, facts).end();
        },
        act: takes().act,
      },
    ],
    verify: (survivor, facts, [holder, getter]) => {
      if (!getter!.died) assert.ok(getter!.result === CLOSED || (holder!.died && getter!.result === 7));
      lets(survivor, facts);
    },
  },
  {
    name: 'dispose ‖ get, waiting ‖ put',
    atLeast: 8,
    prepare: queue(),
    threads: [disposes, takes(), puts(7)],
    verify: (survivor, facts, endings) => {
      const [disposer, getter] = endings;
      if (everybodyLives(endings)) assert.ok(getter!.result === 7 || getter!.result === CLOSED);
      if (!disposer!.died) assert.throws(() => storeIn(survivor, facts).size, StaleHandleError);
      lets(survivor, facts);
    },
  },
  {
    name: 'taskDone ‖ join',
    atLeast: 8,
    prepare: counts([7]),
    threads: [
      {
        arm: (heap, facts) => {
          hold(heap, facts);
          assert.deepEqual(storeIn(heap, facts).tryTake(), { value: 7 });
        },
        act: (heap, facts) => storeIn(heap, facts).taskDone(),
      },
      {
        arm: hold,
        act: (heap, facts) => {
          const store = storeIn(heap, facts);
          const way = { attempt: () => store.tryJoin(), promising: () => true };
          return tryUntil(store.done, way, LONG) === notYet ? NONE : 1;
        },
      },
    ],
    // However the one who has taken it fares, nobody waits for him for ever.
    verify: (survivor, facts, [, joiner]) => {
      if (!joiner!.died) assert.equal(joiner!.result, 1, 'join hangs');
      lets(survivor, facts);
    },
  },
];

const ends2 = new WeakMap<Heap, PipeEnd>();
const hasEnd = (which: 'here' | 'there') => (heap: Heap, facts: Facts) => {
  const place = { address: facts[which]!, serial: facts[`${which}Serial`]! };
  heap.open(place);
  ends2.set(heap, new PipeEnd(new Place(heap, place)));
};

const pipes: readonly Scene[] = [
  {
    name: 'Pipe: send, and let go ‖ receive until it is over',
    atLeast: 8,
    everyDeath: true,
    prepare: pipe,
    threads: [
      {
        arm: (heap, facts) => hasEnd('there')(heap, facts),
        act: (heap, facts) => {
          const end = ends2.get(heap)!;
          send(end, 7);
          heap.release(end.pipe.at.address);
          heap.release(facts['there']!);
        },
      },
      {
        // The survivor has made both ends, and the second is to be the other thread's alone.
        arm: hasEnd('here'),
        act: (heap) => {
          const end = ends2.get(heap)!;
          const way = { attempt: () => end.tryReceive(), promising: () => end.seemsWorthReceiving() };
          let received = 0;
          return orClosed(() => {
            for (;;) {
              const taken = tryUntil(end.incoming, way, 20);
              if (taken === notYet) return received;
              assert.equal(taken.value, 7);
              received += 1;
              assert.equal(received, 1);
            }
          });
        },
      },
    ],
    verify: (survivor, facts) => {
      for (const word of ['here', 'there', 'lock'] as const) survivor.release(facts[word]!);
      survivor.bury();
    },
  },
];

export const scenes: readonly Scene[] = [...queues, ...pipes];
