import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';
import {
  Event,
  fromMessage,
  handleOf,
  JoinableQueue,
  Lock,
  open,
  Process,
  Queue,
  RawArray,
  registerType,
  SharedMemory,
  SimpleQueue,
  toMessage,
} from 'multiprocess';
import '../../src/queues/contents.js';
import * as targets from '../programs/queue-targets.js';
import { hasCode } from '../support/errors.js';
import { collectGarbage } from '../support/gc.js';
import { leavesNothing } from '../support/leaves-nothing.js';
import { eventually } from '../support/shm.js';

const isEmpty = hasCode('ERR_MULTIPROCESS_QUEUE_EMPTY');
const isFull = hasCode('ERR_MULTIPROCESS_QUEUE_FULL');
const isClosed = hasCode('ERR_MULTIPROCESS_QUEUE_CLOSED');
const isStale = hasCode('ERR_MULTIPROCESS_STALE_HANDLE');

function begin<A extends unknown[], R>(target: (...args: A) => R | Promise<R>, ...args: A): Process<A, R> {
  const child = new Process({ target, args } as never) as unknown as Process<A, R>;
  child.start();
  return child;
}

describe('as in CPython', () => {
  test('put: room for six, then Full, in time (_TestQueue.test_put)', async () => {
    const queue = new Queue(6);
    const emptied = new Event();
    assert.equal(queue.empty(), true);
    assert.equal(queue.full(), false);
    await queue.put(1);
    queue.putSync(2);
    await queue.put(3, { timeout: 10 });
    queue.putSync(4, { timeout: 0 });
    assert.equal(queue.tryPut(5), true);
    await queue.put(6, {});
    assert.equal(queue.empty(), false);
    assert.equal(queue.full(), true);
    assert.equal(queue.qsize(), 6);
    assert.equal(queue.tryPut(7), false);
    for (const timeout of [0, -1, Number.NEGATIVE_INFINITY]) {
      await assert.rejects(queue.put(7, { timeout }), isFull);
      assert.throws(() => queue.putSync(7, { timeout }), isFull);
    }
    for (const put of [() => queue.put(7, { timeout: 100 }), async () => queue.putSync(7, { timeout: 100 })]) {
      const since = performance.now();
      await assert.rejects(put(), isFull);
      const took = performance.now() - since;
      assert.ok(took >= 99 && took < 2000, `${took} ms`);
    }
    const items: unknown[] = [];
    while (!queue.empty()) items.push(await queue.get());
    assert.deepEqual(items, [1, 2, 3, 4, 5, 6]);
    assert.equal(emptied.isSet(), false);
  });

  test('get: in order, then Empty, in time (_TestQueue.test_get)', async () => {
    const queue = new Queue();
    const child = begin(targets.produce, queue, 0, 5);
    await child.join();
    assert.equal(queue.qsize(), 5);
    assert.deepEqual(await queue.get(), [0, 0]);
    assert.deepEqual(queue.getSync(), [0, 1]);
    assert.deepEqual(await queue.get({ timeout: 10 }), [0, 2]);
    assert.deepEqual(queue.getSync({ timeout: -1 }), [0, 3]);
    assert.deepEqual(queue.tryGet(), { value: [0, 4] });
    assert.equal(queue.tryGet(), undefined);
    assert.equal(queue.empty(), true);
    for (const timeout of [0, -1, Number.NEGATIVE_INFINITY]) {
      await assert.rejects(queue.get({ timeout }), isEmpty);
      assert.throws(() => queue.getSync({ timeout }), isEmpty);
    }
    for (const get of [() => queue.get({ timeout: 100 }), async () => queue.getSync({ timeout: 100 })]) {
      const since = performance.now();
      await assert.rejects(get(), isEmpty);
      const took = performance.now() - since;
      assert.ok(took >= 99 && took < 2000, `${took} ms`);
    }
  });

  test('a child puts more than a pipe holds, exits, and is joined before anybody gets (test_fork; bugs 73983, 78321)', async () => {
    const queue = new Queue();
    const child = begin(targets.produce, queue, 0, 20_000);
    assert.equal(await child.join(), true);
    assert.equal(child.exitCode, 0);
    assert.equal(queue.qsize(), 20_000);
    for (let number = 0; number < 20_000; number++) assert.deepEqual(queue.getSync(), [0, number]);
    assert.equal(queue.empty(), true);
  });

  test('qsize (_TestQueue.test_qsize)', async () => {
    const queue = new Queue();
    for (const [size, change] of [
      [1, () => queue.put(1)],
      [2, () => queue.put(5)],
      [1, () => queue.get()],
      [0, () => queue.get()],
    ] as const) {
      await change();
      assert.equal(queue.qsize(), size);
    }
  });

  test('what cannot travel is an error at put, and the next item arrives (test_queue_feeder_donot_stop_onexc)', async () => {
    class Unregistered {
      x = 1;
    }
    for (const queue of [new Queue(1), new JoinableQueue(1)]) {
      for (const wrong of [() => {}, Symbol('s'), new Unregistered(), { deep: [new Unregistered()] }, new WeakMap()]) {
        await assert.rejects(queue.put(wrong), hasCode('ERR_MULTIPROCESS_NOT_SHAREABLE'));
        assert.throws(() => queue.putSync(wrong), hasCode('ERR_MULTIPROCESS_NOT_SHAREABLE'));
        assert.throws(() => queue.tryPut(wrong), hasCode('ERR_MULTIPROCESS_NOT_SHAREABLE'));
      }
      assert.throws(() => queue.putSync({ deep: [new Unregistered()] }), /item\.deep\[0\]/);
      assert.equal(queue.empty(), true);
      await queue.put(true);
      assert.equal(await queue.get({ timeout: 1000 }), true);
    }
  });

  test('closed: every use says so (test_closed_queue_put_get_exceptions)', async () => {
    for (const queue of [new Queue(), new JoinableQueue()]) {
      queue.close();
      queue.close();
      await assert.rejects(queue.put('foo'), isClosed);
      await assert.rejects(queue.get(), isClosed);
      await assert.rejects(queue.get({ lease: true }), isClosed);
      for (const use of [
        () => queue.putSync(1),
        () => queue.getSync(),
        () => queue.tryPut(1),
        () => queue.tryGet(),
        () => queue.qsize(),
        () => queue.empty(),
        () => queue.end(),
        () => queue.handle,
        () => toMessage({ queue }),
      ]) {
        assert.throws(use, isClosed);
      }
      await assert.rejects(async () => {
        for await (const _ of queue);
      }, isClosed);
      assert.match(inspect(queue), /\{ closed \}/);
    }
  });
});

describe('Queue', () => {
  test('values of all kinds and sizes come out as they went in', async () => {
    const queue = new Queue();
    const values = [
      undefined,
      null,
      true,
      0,
      -0,
      1.5,
      Number.NaN,
      2 ** 40,
      12n,
      '',
      'short',
      'ünï',
      '日本語'.repeat(100),
      'x'.repeat(1023),
      'x'.repeat(1024),
      'x'.repeat(1025),
      'x'.repeat(5000),
      'x'.repeat(200_000),
      new Uint8Array(0),
      new Uint8Array([1, 2, 3]),
      new Uint8Array(1024).fill(7),
      new Uint8Array(65_536).fill(8),
      new Uint8Array(65_537).fill(9),
      new Float64Array([1, 2]),
      { a: [1, { b: new Map([[1, new Set([2])]]) }], d: new Date(5) },
      [[[[]]]],
    ];
    for (const value of values) await queue.put(value);
    for (const value of values) assert.deepEqual(await queue.get(), value);
    for (const value of values) {
      await queue.put(value);
      const lease = await queue.get({ lease: true });
      assert.deepEqual(lease.value, value);
      lease.giveBack();
      assert.deepEqual(queue.tryGet(), { value });
    }
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    await queue.put(cycle);
    const copy = (await queue.get()) as typeof cycle;
    assert.equal(copy.self, copy);
    assert.notEqual(copy, cycle);
  });

  test('registered classes', async () => {
    class Point {
      constructor(readonly x: number) {}
    }
    registerType(Point, { encode: ({ x }) => x, decode: (x: number) => new Point(x) });
    const queue = new Queue<Point>();
    await queue.put(new Point(3));
    assert.deepEqual(await queue.get(), new Point(3));
  });

  test('shared objects arrive as the same objects, and live while they are in it', async () => {
    const queue = new Queue();
    const lock = new Lock();
    const array = RawArray('i', 4);
    await queue.put({ lock, again: [lock], array });
    const arrived = await queue.get();
    assert.equal(arrived.lock, lock);
    arrived.array[1] = 5;
    assert.equal(array[1], 5);
    // Held by the queue alone.
    (() => {
      const held = new Lock();
      held.acquireSync();
      queue.putSync([held, ...Array.from({ length: 9 }, () => new Event())]);
    })();
    await collectGarbage();
    const [held] = (await queue.get()) as [Lock];
    assert.equal(held.locked(), true);
    held.release();
    await queue.put(queue);
    assert.equal(await queue.get(), queue);
    using block = SharedMemory.create(8);
    await queue.put(block.buf);
    ((await queue.get()) as Uint8Array)[3] = 9;
    assert.equal(block.buf[3], 9);
  });

  test('an object in an item that has been disposed of: the item is lost, the next one is not', async () => {
    const queue = new Queue();
    for (const lease of [false, true]) {
      const lock = new Lock();
      await queue.put({ lock });
      await queue.put(1);
      lock.dispose();
      if (lease) await assert.rejects(queue.get({ lease }), isStale);
      else await assert.rejects(queue.get(), isStale);
      assert.equal(await queue.get(), 1);
      assert.equal(queue.qsize(), 0);
    }
  });

  test('waiting gets are served in their order, and aborted ones leave no trace', async () => {
    const queue = new Queue();
    const reason = new Error('enough');
    const controller = new AbortController();
    const [first, aborted, third, late] = [
      queue.get(),
      queue.get({ signal: controller.signal }),
      queue.get(),
      queue.get({ timeout: 30 }),
    ];
    controller.abort(reason);
    await assert.rejects(aborted, reason);
    assert.equal(getEventListeners(controller.signal, 'abort').length, 0);
    await assert.rejects(late, isEmpty);
    await queue.put('a');
    await queue.put('b');
    assert.deepEqual(await Promise.all([first, third]), ['a', 'b']);
    await assert.rejects(queue.get({ signal: controller.signal }), reason);
    await queue.put('c');
    await assert.rejects(queue.get({ signal: controller.signal }), reason);
    assert.equal(await queue.get({ signal: new AbortController().signal }), 'c');
  });

  test('waiting puts are served in their order', async () => {
    const queue = new Queue<number>(1);
    const puts = [0, 1, 2, 3, 4].map((number) => queue.put(number));
    const reason = new Error('enough');
    const aborted = queue.put(9, { signal: AbortSignal.abort(reason) });
    await assert.rejects(aborted, reason);
    for (let number = 0; number < 5; number++) assert.equal(await queue.get(), number);
    await Promise.all(puts);
    assert.equal(queue.empty(), true);
  });

  test('what a put has been given is what it was when it was called', async () => {
    const queue = new Queue<number[]>(1);
    const bytes = new Uint8Array([1]);
    const list = [1];
    await queue.put(list);
    const [later, larger] = [queue.put(list), (queue as Queue).put(bytes)];
    list[0] = 2;
    bytes[0] = 2;
    assert.deepEqual(await queue.get(), [1]);
    assert.deepEqual(await queue.get(), [1]);
    assert.deepEqual(await queue.get(), new Uint8Array([1]));
    await Promise.all([later, larger]);
  });

  test('a loop of gets and puts that need not wait leaves the event loop its turns', async () => {
    const queue = new Queue();
    let turns = 0;
    let over = false;
    const turn = () => {
      turns += 1;
      if (!over) setImmediate(turn);
    };
    setImmediate(turn);
    for (let i = 0; i < 5000; i++) {
      await queue.put(i);
      assert.equal(await queue.get(), i);
    }
    over = true;
    assert.ok(turns > 10, `${turns} turns`);
  });

  for (const what of ['get', 'getSync'] as const) {
    test(`a process that waits (${what}) is woken within a second`, async () => {
      const [queue, started] = [new Queue(), new Queue()];
      const child = begin(targets.outcomeOf, queue, started, what);
      await started.get();
      await delay(150);
      const since = targets.clock();
      await queue.put(1);
      const { outcome, at } = await child.result();
      assert.equal(outcome, 'done');
      assert.ok(at - since < 1000, `${at - since} ms`);
    });
  }

  for (const what of ['put', 'putSync'] as const) {
    test(`a process that waits for room (${what}) is woken within a second`, async () => {
      const [queue, started] = [new Queue(1), new Queue()];
      await queue.put(0);
      const child = begin(targets.outcomeOf, queue, started, what);
      await started.get();
      await delay(150);
      const since = targets.clock();
      assert.equal(await queue.get(), 0);
      const { outcome, at } = await child.result();
      assert.equal(outcome, 'done');
      assert.ok(at - since < 1000, `${at - since} ms`);
    });
  }

  for (const how of ['end', 'dispose'] as const) {
    for (const what of ['get', 'getSync', 'put', 'putSync'] as const) {
      test(`${how} tells a process that waits (${what})`, async () => {
        const [queue, started] = [new Queue(1), new Queue()];
        if (what.startsWith('put')) await queue.put(0);
        const child = begin(targets.outcomeOf, queue, started, what);
        await started.get();
        await delay(100);
        const since = targets.clock();
        queue[how]();
        const { outcome, at } = await child.result();
        const code = how === 'end' ? 'ERR_MULTIPROCESS_QUEUE_CLOSED' : 'ERR_MULTIPROCESS_STALE_HANDLE';
        assert.equal(outcome, code);
        assert.ok(at - since < 1000, `${at - since} ms`);
      });
    }
  }

  test('ended: what is there is drained, then it is over', async () => {
    const queue = new Queue(2);
    await queue.put(1);
    await queue.put(2);
    const waiting = queue.put(3);
    queue.end();
    queue.end();
    await assert.rejects(waiting, isClosed);
    await assert.rejects(queue.put(4), isClosed);
    assert.throws(() => queue.tryPut(4), isClosed);
    assert.match(inspect(queue), /^Queue \{ 2 of 2, ended \}$/);
    assert.equal(queue.getSync(), 1);
    const seen: unknown[] = [];
    for await (const item of queue) seen.push(item);
    assert.deepEqual(seen, [2]);
    await assert.rejects(queue.get(), isClosed);
    assert.throws(() => queue.getSync(), isClosed);
    assert.throws(() => queue.tryGet(), isClosed);
    assert.throws(() => queue.tryGet({ lease: true }), isClosed);
  });

  test('closed while others in this process wait for it', async () => {
    const [empty, full] = [new Queue(), new Queue(1)];
    await full.put(1);
    const waiting = [empty.get(), full.put(2)];
    await delay(30);
    const { handle } = full;
    empty.close();
    for (const wait of waiting.slice(0, 1)) await assert.rejects(wait, isClosed);
    const other = full.put(3);
    full.close();
    for (const wait of [waiting[1]!, other]) await assert.rejects(wait, isClosed);
    // Nobody else had it.
    assert.throws(() => open(handle), isStale);
  });

  test('closed here, it works on elsewhere', async () => {
    const queue = new Queue();
    const answers = new Queue();
    const child = begin(targets.echo, queue, answers);
    await queue.put(1);
    assert.equal(await answers.get(), 1);
    const { handle } = queue;
    queue.close();
    const again = open(handle, Queue);
    assert.notEqual(again, queue);
    await again.put(2);
    assert.equal(await answers.get(), 2);
    await again.put(null);
    await child.join();
  });

  test('disposed: every use throws', async () => {
    const queue = new Queue();
    await queue.put({ some: 'thing' });
    const lease = await queue.get({ lease: true });
    const waiting = queue.get();
    await delay(5);
    queue.dispose();
    await assert.rejects(waiting, isStale);
    await assert.rejects(queue.put(1), isStale);
    await assert.rejects(queue.get(), isStale);
    assert.throws(() => queue.tryGet(), isStale);
    assert.throws(() => queue.qsize(), isStale);
    assert.throws(() => queue.end(), isStale);
    assert.throws(() => queue.dispose(), isStale);
    assert.match(inspect(queue), /disposed/);
    // The item is gone with its queue.
    lease.ack();
    lease.giveBack();
    queue.close();
  });

  test('bad input is an error before anything is changed', async () => {
    for (const wrong of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31]) {
      assert.throws(() => new Queue(wrong), RangeError);
      assert.throws(() => JoinableQueue(wrong), RangeError);
    }
    for (const wrong of ['1', null, {}, 5n]) assert.throws(() => new Queue(wrong as never), TypeError);
    const queue = new Queue(1);
    for (const timeout of [Number.NaN, '5', null] as never[]) {
      const kind = Number.isNaN(timeout) ? RangeError : TypeError;
      await assert.rejects(queue.put(1, { timeout }), kind);
      await assert.rejects(queue.get({ timeout }), kind);
      assert.throws(() => queue.putSync(1, { timeout }), kind);
      assert.throws(() => queue.getSync({ timeout }), kind);
    }
    for (const wrong of [5, null, 'x'] as never[]) {
      await assert.rejects(queue.put(1, wrong), TypeError);
      await assert.rejects(queue.get(wrong), TypeError);
    }
    await assert.rejects(queue.get({ signal: {} as never }), TypeError);
    await assert.rejects(queue.get({ lease: 1 as never }), TypeError);
    assert.throws(() => queue.getSync({ lease: 'yes' as never }), TypeError);
    assert.throws(() => queue.tryGet({ lease: {} as never }), TypeError);
    assert.equal(queue.qsize(), 0);
  });

  test('is made with and without new, extended, shown, and neither cloned nor written as JSON', async () => {
    class Own extends Queue<number> {
      async putTwice(item: number) {
        await this.put(item);
        await this.put(item);
      }
    }
    const own = new Own(5);
    await own.putTwice(1);
    assert.equal(own.qsize(), 2);
    assert.ok(own instanceof Own && own instanceof Queue);
    assert.ok(Queue() instanceof Queue && !(Queue() instanceof JoinableQueue));
    assert.ok(JoinableQueue(3) instanceof JoinableQueue && new JoinableQueue() instanceof Queue);
    assert.ok(SimpleQueue() instanceof SimpleQueue && !(SimpleQueue() instanceof Queue));
    assert.match(inspect(own), /2 of 5/);
    assert.match(inspect(new Queue()), /^Queue \{ 0 \}$/);
    assert.match(inspect(new JoinableQueue(1)), /^JoinableQueue \{ 0 of 1 \}$/);
    assert.match(inspect(new SimpleQueue()), /^SimpleQueue \{ 0 \}$/);
    assert.throws(() => JSON.stringify({ own }), TypeError);
  });

  test('handles open the same queue, and nothing else', () => {
    const [queue, joinable, simple] = [new Queue(), new JoinableQueue(), new SimpleQueue()];
    for (const any of [queue, joinable, simple]) {
      assert.equal(open(handleOf(any)), any);
      assert.equal((fromMessage(toMessage({ any })) as { any: unknown }).any, any);
    }
    assert.equal(open(queue.handle, Queue), queue);
    assert.equal(open(joinable.handle, JoinableQueue as never), joinable);
    assert.throws(() => open(queue.handle, JoinableQueue as never), TypeError);
    assert.throws(() => open(queue.handle, Lock as never), TypeError);
    assert.throws(() => open(`${queue.handle}7`), isStale);
    assert.throws(() => open(queue.handle.replace('mp:queue:', 'mp:lock:')), hasCode('ERR_MULTIPROCESS_VALUE'));
    const other = new Lock().handle.replace('mp:lock:', 'mp:queue:');
    assert.throws(() => open(other), hasCode('ERR_MULTIPROCESS_VALUE'));
  });

  test('each kind travels to a child as what it is, and back', async () => {
    assert.deepEqual(await begin(targets.kinds, new Queue()).result(), ['Queue']);
    assert.deepEqual(await begin(targets.kinds, new JoinableQueue()).result(), ['Queue', 'JoinableQueue']);
    assert.deepEqual(await begin(targets.kinds, new SimpleQueue()).result(), ['SimpleQueue']);
    const made = (await begin(targets.makesAndReturns).result()) as Queue;
    assert.equal(await made.get(), 'made by a child');
  });

  test('many producers and consumers, blocking and not: nothing lost, nothing twice, each producer in order', async () => {
    for (const maxsize of [0, 7]) {
      const queue = new Queue(maxsize);
      const [producers, items] = [4, 2000];
      const consumers = [targets.consume, targets.consumeBlocking, targets.consume].map((target) =>
        begin(target, queue),
      );
      const all = Array.from({ length: producers }, (_, who) =>
        begin<[Queue, number, number], void>(
          who % 2 === 0 ? targets.produce : targets.produceAwaiting,
          queue,
          who,
          items,
        ),
      );
      for (const producer of all) assert.equal((await producer.join()) && producer.exitCode, 0);
      queue.end();
      const taken = await Promise.all(consumers.map((child) => child.result() as Promise<[number, number][]>));
      for (const one of taken) {
        const last = new Array(producers).fill(-1);
        for (const [who, number] of one) {
          assert.ok(number > last[who], 'a producer’s items are out of order');
          last[who] = number;
        }
      }
      const seen = new Set(taken.flat().map(([who, number]) => who * items + number));
      assert.equal(taken.flat().length, producers * items);
      assert.equal(seen.size, producers * items);
    }
  });

  test('100 MiB in one item', async () => {
    const queue = new Queue();
    const large = new Uint8Array(100 * 1024 * 1024);
    for (let i = 0; i < large.length; i += 4096) large[i] = i >> 12;
    await queue.put(large);
    const arrived = (await queue.get()) as Uint8Array;
    assert.equal(arrived.length, large.length);
    assert.ok(Buffer.from(arrived.buffer, arrived.byteOffset, arrived.length).equals(large));
  });

  test('nothing is left of a queue that nobody has any more', async () => {
    new Queue(); // there is a heap
    await leavesNothing(async () => {
      const queue = new Queue();
      for (let i = 0; i < 3000; i++) await queue.put({ i, text: 'x'.repeat(i) });
      await queue.put(new Lock());
      await queue.put(new Uint8Array(9_000_000));
      for (let i = 0; i < 100; i++) await queue.get();
    });
  });
});

describe('leases', () => {
  test('are acknowledged, or given back to the head, and count their deliveries', async () => {
    const queue = new Queue<string>(2);
    await queue.put('a');
    await queue.put('b');
    const lease = await queue.get({ lease: true });
    assert.deepEqual([lease.value, lease.deliveries, queue.qsize()], ['a', 1, 1]);
    await queue.put('c');
    lease.giveBack();
    lease.ack();
    assert.equal(queue.qsize(), 3);
    const again = queue.getSync({ lease: true });
    assert.deepEqual([again.value, again.deliveries], ['a', 2]);
    again.ack();
    again.giveBack();
    again[Symbol.dispose]();
    const other = queue.tryGet({ lease: true })!;
    assert.deepEqual([other.value, other.deliveries], ['b', 1]);
    other[Symbol.dispose]();
    other[Symbol.dispose]();
    assert.deepEqual([await queue.get(), await queue.get(), queue.tryGet()], ['b', 'c', undefined]);
    assert.match(inspect(other), /settled/);
  });

  for (const kind of ['Queue', 'JoinableQueue'] as const) {
    test(`of a holder that is killed go back in order, to ${kind}`, async () => {
      const queue = kind === 'Queue' ? new Queue() : new JoinableQueue();
      for (const item of ['a', 'b', 'c', 'd']) await queue.put(item);
      const told = new Queue();
      const child = begin(targets.leaseAndStay, queue, 3, told);
      assert.deepEqual(await told.get(), [1, 1, 1]);
      assert.equal(queue.qsize(), 1);
      const since = performance.now();
      child.kill();
      await eventually('they are back', () => queue.qsize() === 4);
      assert.ok(performance.now() - since < 2000);
      for (const [item, deliveries] of [
        ['a', 2],
        ['b', 2],
        ['c', 2],
        ['d', 1],
      ]) {
        const lease = await queue.get({ lease: true });
        assert.deepEqual([lease.value, lease.deliveries], [item, deliveries]);
        lease.ack();
      }
    });
  }

  test('of a holder that exits go back', async () => {
    const queue = new Queue();
    await queue.put('a');
    await begin(targets.leaseAndExit, queue).join();
    await eventually('it is back', () => queue.qsize() === 1);
    assert.equal(await queue.get(), 'a');
  });

  test('wake somebody who waits when their holder is killed', async () => {
    const [queue, told] = [new Queue(), new Queue()];
    await queue.put('a');
    const child = begin(targets.leaseAndStay, queue, 1, told);
    await told.get();
    const waiting = queue.get();
    await delay(50);
    child.kill();
    const since = performance.now();
    assert.equal(await waiting, 'a');
    assert.ok(performance.now() - since < 2000);
  });

  test('that nobody can reach any more go back', async () => {
    const queue = new Queue();
    await queue.put('a');
    (() => {
      queue.getSync({ lease: true });
    })();
    await eventually('it is back', async () => {
      await collectGarbage();
      return queue.qsize() === 1;
    });
  });

  test('keep an ended queue open for those who wait, until they are settled', async () => {
    const [queue, told] = [new Queue(), new Queue()];
    await queue.put('a');
    const child = begin(targets.leaseAndStay, queue, 1, told);
    await told.get();
    queue.end();
    const waiting = queue.get();
    await assert.rejects(queue.get({ timeout: 30 }), isEmpty);
    child.kill();
    assert.equal(await waiting, 'a');
    await assert.rejects(queue.get(), isClosed);
    // Whoever waits must not wait for himself.
    const own = new Queue();
    await own.put(1);
    const lease = await own.get({ lease: true });
    own.end();
    await assert.rejects(own.get(), isClosed);
    lease.giveBack();
    assert.equal(await own.get(), 1);
  });
});
