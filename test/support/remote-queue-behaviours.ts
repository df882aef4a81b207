// What the queues of every manager on another machine do alike.
import assert from 'node:assert/strict';
import { Lock } from 'multiprocess';
import type { Check } from './remote-behaviours.js';
import { eventually, testName } from './shm.js';

const closed = { code: 'ERR_MULTIPROCESS_QUEUE_CLOSED' };
const empty = { code: 'ERR_MULTIPROCESS_QUEUE_EMPTY' };
const full = { code: 'ERR_MULTIPROCESS_QUEUE_FULL' };
const notShareable = { code: 'ERR_MULTIPROCESS_NOT_SHAREABLE' };
const stale = { code: 'ERR_MULTIPROCESS_STALE_HANDLE' };

export function queueBehaviours(check: Check): void {
  check('queues: first in, first out', async (one, other) => {
    const name = testName('queue');
    const queue = await one.Queue<any>(0, { name });
    const theirs = await other.Queue<any>(0, { name });
    const items = [1, 'two', { three: [3n, new Date(0)] }, null, undefined, new Uint8Array(2000)];
    for (const item of items) assert.equal(await queue.put(item), undefined);
    assert.deepEqual([await theirs.qsize(), await theirs.empty(), await theirs.full()], [6, false, false]);
    for (const item of items) assert.deepEqual(await theirs.get(), item);
    assert.deepEqual([await queue.qsize(), await queue.empty(), await queue.tryGet()], [0, true, undefined]);
    assert.equal(await theirs.tryPut(undefined), true);
    assert.deepEqual(await queue.tryGet(), { value: undefined });
    // What is asked for without waiting for each other keeps its order.
    await Promise.all(Array.from({ length: 50 }, (_, i) => queue.put(i)));
    const got = await Promise.all(Array.from({ length: 50 }, () => theirs.get()));
    assert.deepEqual(
      got,
      Array.from({ length: 50 }, (_, i) => i),
    );
  });

  check('queues: bad input', async (one) => {
    await assert.rejects(one.Queue('1' as never), TypeError);
    await assert.rejects(one.Queue(-1), RangeError);
    await assert.rejects(one.JoinableQueue(0.5), RangeError);
    await assert.rejects(one.Queue(Number.NaN), RangeError);
    const queue = await one.Queue<any>(1);
    await assert.rejects(queue.put({ f: () => 1 }), { ...notShareable, message: /^(args\[0\]|item)\.f is a function/ });
    await assert.rejects(queue.put(1, { timeout: Number.NaN }), RangeError);
    await assert.rejects(queue.put(1, { signal: 5 as never }), TypeError);
    await assert.rejects(queue.get({ timeout: '1' as never }), TypeError);
    await assert.rejects(queue.get({ lease: 1 as never } as never), TypeError);
    await assert.rejects(queue.tryGet({ lease: 'x' as never } as never), TypeError);
    assert.equal(await queue.qsize(), 0);
    const plain = await one.Queue();
    assert.equal('taskDone' in plain, false);
    const name = testName('a queue');
    await one.Queue(0, { name });
    await assert.rejects(one.JoinableQueue(0, { name }), { code: 'ERR_MULTIPROCESS_NAME_CONFLICT' });
  });

  check('queues: waiting for an item', async (one, other) => {
    const name = testName('waiting');
    const queue = await one.Queue<number>(0, { name });
    const theirs = await other.Queue<number>(0, { name });
    await assert.rejects(queue.get({ timeout: 0 }), empty);
    await assert.rejects(queue.get({ timeout: 10 }), empty);
    await assert.rejects(queue.get({ signal: AbortSignal.timeout(10) }), { name: 'TimeoutError' });
    await assert.rejects(queue.get({ signal: AbortSignal.abort(new Error('no')) }), { message: 'no' });
    await assert.rejects(queue.get({ lease: true, timeout: 10 }), empty);
    const waits = [queue.get(), theirs.get(), queue.get(), theirs.get()];
    for (let i = 0; i < 4; i++) await theirs.put(i);
    assert.deepEqual((await Promise.all(waits)).sort(), [0, 1, 2, 3]);
    // Those that have given up have taken nothing.
    await queue.put(7);
    assert.equal(await queue.get({ timeout: 0 }), 7);
    await queue.put(8);
    assert.equal(await queue.get({ timeout: 0.01 }), 8, 'one that is there is got, however soon it is to be');
  });

  check('queues: waiting for room', async (one, other) => {
    const name = testName('bounded');
    const queue = await one.Queue<number>(2, { name });
    const theirs = await other.Queue<number>(99, { name });
    await queue.put(1);
    await theirs.put(2);
    assert.deepEqual([await queue.full(), await theirs.full()], [true, true]);
    assert.equal(await queue.tryPut(3), false);
    await assert.rejects(queue.put(3, { timeout: 0 }), full);
    await assert.rejects(theirs.put(3, { timeout: 10 }), full);
    await assert.rejects(queue.put(3, { signal: AbortSignal.timeout(10) }), { name: 'TimeoutError' });
    await assert.rejects(queue.put(3, { signal: AbortSignal.abort(new Error('no')) }), { message: 'no' });
    const waits = [queue.put(4), queue.put(4), theirs.put(4)];
    const got: number[] = [];
    for (let i = 0; i < 5; i++) got.push(await theirs.get());
    await Promise.all(waits);
    assert.deepEqual(got, [1, 2, 4, 4, 4]);
    assert.deepEqual([await queue.qsize(), await queue.full()], [0, false]);
  });

  check('queues: end', async (one, other) => {
    const name = testName('ended');
    const queue = await one.Queue<number>(2, { name });
    const theirs = await other.Queue<number>(2, { name });
    await queue.put(1);
    await queue.put(2);
    const putting = assert.rejects(theirs.put(3), closed);
    await theirs.qsize();
    await queue.end();
    await putting;
    await queue.end();
    await assert.rejects(queue.put(3), closed);
    await assert.rejects(theirs.tryPut(3), closed);
    const found: number[] = [];
    for await (const item of theirs) found.push(item);
    assert.deepEqual(found, [1, 2]);
    await assert.rejects(queue.get(), closed);
    await assert.rejects(queue.get({ lease: true }), closed);
    await assert.rejects(queue.tryGet(), closed);
    const idle = await one.Queue();
    const getting = assert.rejects(idle.get(), closed);
    await idle.qsize();
    await idle.end();
    await getting;
  });

  check('queues: leases', async (one, other) => {
    const name = testName('leased');
    const queue = await one.Queue<string>(0, { name });
    const theirs = await other.Queue<string>(0, { name });
    for (const item of 'abc') await queue.put(item);
    const lease = await queue.get({ lease: true });
    assert.deepEqual([lease.value, lease.deliveries, await queue.qsize()], ['a', 1, 2]);
    assert.equal(await lease.giveBack(), undefined);
    await lease.giveBack();
    await lease.ack(); // the first decision counts
    assert.equal(await queue.qsize(), 3);
    const again = await theirs.tryGet({ lease: true });
    assert.deepEqual([again!.value, again!.deliveries], ['a', 2], 'before all others');
    assert.equal(await again!.ack(), undefined);
    await again!.giveBack();
    assert.deepEqual([await theirs.get(), await queue.get()], ['b', 'c']);
    assert.equal(await queue.tryGet({ lease: true }), undefined);
    // What is given back is got by who waits.
    await queue.put('d');
    const held = await queue.get({ lease: true });
    const waiting = theirs.get();
    await held.giveBack();
    assert.equal(await waiting, 'd');
  });

  check('queues: what others have leased may come back, after the end too', async (one, other) => {
    const name = testName('ended and leased');
    const queue = await one.Queue<number>(0, { name });
    const theirs = await other.Queue<number>(0, { name });
    await queue.put(1);
    await queue.put(2);
    const [first, second] = [await queue.get({ lease: true }), await queue.get({ lease: true })];
    await queue.end();
    await assert.rejects(queue.get(), closed); // what it has leased itself does not come back while it waits
    const waiting = theirs.get();
    const last = (async () => {
      await waiting;
      return theirs.get();
    })();
    const over = assert.rejects(last, closed);
    await first.giveBack();
    assert.equal(await waiting, 1);
    await second.ack();
    await over;
  });

  check('joinable queues', async (one, other) => {
    const name = testName('joinable');
    const queue = await one.JoinableQueue<number>(0, { name });
    const theirs = await other.JoinableQueue<number>(0, { name });
    assert.equal(await queue.join(), true);
    await assert.rejects(queue.taskDone(), { code: 'ERR_MULTIPROCESS_VALUE' });
    for (let i = 0; i < 4; i++) await queue.put(i);
    assert.equal(await queue.join({ timeout: 5 }), false);
    assert.equal(await queue.join({ timeout: 0 }), false);
    await assert.rejects(queue.join({ signal: AbortSignal.timeout(5) }), { name: 'TimeoutError' });
    const joining = queue.join();
    await theirs.get();
    await queue.get();
    await theirs.taskDone();
    await theirs.taskDone(); // of one that somebody else has taken
    await assert.rejects(theirs.taskDone(), { code: 'ERR_MULTIPROCESS_VALUE' });
    const lease = await theirs.get({ lease: true });
    assert.equal(await queue.join({ timeout: 5 }), false);
    await lease.giveBack();
    for (const from of [queue, theirs]) await (await from.get({ lease: true })).ack(); // done with it
    assert.equal(await joining, true);
    await queue.taskDone(); // of its own, of which the other one has said so already
    await assert.rejects(queue.taskDone(), { code: 'ERR_MULTIPROCESS_VALUE' });
    assert.equal(await theirs.join({ timeout: 0 }), true);
  });

  check('queues: objects in them, and what is disposed of', async (one, other) => {
    const name = testName('objects');
    const queue = await one.Queue<any>(1, { name });
    const theirs = await other.Queue<any>(1, { name });
    const dict = await one.dict<string, any>({ a: 1 });
    await queue.put({ dict, queue });
    const found = await theirs.get();
    assert.equal(found.queue, theirs);
    await found.dict.set('a', 2);
    assert.equal(await dict.get('a'), 2);
    await dict.set('queue', queue);
    assert.equal(await dict.get('queue'), queue);
    await assert.rejects(queue.tryPut(Lock()), notShareable);
    await assert.rejects(queue.put(await other.list()), { ...notShareable, message: /another connection/ });
    const joinable = await one.JoinableQueue<number>();
    await joinable.put(1);
    const waits = [assert.rejects(theirs.get(), stale), assert.rejects(joinable.join(), stale)];
    await theirs.qsize();
    await joinable.qsize();
    await queue.dispose();
    await joinable.dispose();
    await Promise.all(waits);
    const calls = [queue.put(1), queue.tryGet(), theirs.qsize(), theirs.end()];
    await Promise.all(calls.map((call: Promise<unknown>) => assert.rejects(call, stale)));
  });

  check('queues: what has given up takes and puts nothing', async (one, other) => {
    const name = testName('given up');
    const queue = await one.Queue<number>(1, { name });
    const theirs = await other.Queue<number>(1, { name });
    const ending = new AbortController();
    const getting = assert.rejects(theirs.get({ signal: ending.signal }), { message: 'enough' });
    const others = theirs.get();
    await theirs.qsize();
    ending.abort(new Error('enough'));
    await getting;
    await queue.put(1);
    assert.equal(await others, 1);
    await queue.put(2);
    const again = new AbortController();
    const putting = assert.rejects(theirs.put(3, { signal: again.signal }), { message: 'enough' });
    const behind = theirs.put(4);
    await theirs.qsize();
    again.abort(new Error('enough'));
    await putting;
    assert.equal(await queue.get(), 2);
    await behind;
    assert.equal(await queue.get(), 4);
    // However it falls, each item is got once.
    const bounded = await one.Queue<number>(3);
    let put = 0;
    const got: number[] = [];
    for (let i = 0; i < 30; i++) {
      const late = AbortSignal.timeout(Math.floor(Math.random() * 5));
      const [stored, taken] = await Promise.allSettled([
        bounded.put(i, { signal: late }),
        bounded.get({ signal: late }),
      ]);
      if (stored.status === 'fulfilled') put += 1;
      if (taken.status === 'fulfilled') got.push(taken.value);
    }
    await eventually('the rest is there', async () => {
      for (let left = await bounded.tryGet(); left !== undefined; left = await bounded.tryGet()) got.push(left.value);
      return got.length === put;
    });
    assert.deepEqual(
      [...got].sort((a, b) => a - b),
      [...new Set(got)].sort((a, b) => a - b),
    );
  });
}
