// Managers whose memory is limited: what goes beyond is ENOSPC, changes nothing, and succeeds once there is room.
import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { describe, test } from 'node:test';
import { connect, Manager, type ManagerOptions, Process, RawArray, SyncManager, transact } from 'multiprocess';
import '../../src/collections/index.js';
import { checkHeap } from '../../src/heap/fsck.js';
import { Heap } from '../../src/heap/heap.js';
import '../../src/queues/index.js';
import { fillDict, workAtLimit } from '../programs/limit-targets.js';
import { osError } from '../support/errors.js';
import { collectGarbage } from '../support/gc.js';
import { heapOf, leavesNothingIn } from '../support/manager-heap.js';
import { randomFrom, seedOf } from '../support/random.js';
import { eventually } from '../support/shm.js';

const MIB = 2 ** 20;
const LEAST = 4 * MIB;
const noRoom = osError('ENOSPC');

function bytesInFiles(manager: SyncManager): number {
  return readdirSync('/dev/shm')
    .filter((file) => file.startsWith(`mp-heap-${heapOf(manager)}`))
    .reduce((sum, file) => sum + statSync(`/dev/shm/${file}`).size, 0);
}

/** With a manager that may take so much, and never takes more. */
async function limited(maxBytes: number, work: (manager: SyncManager, check: () => void) => unknown): Promise<void> {
  await using manager = await Manager({ maxBytes });
  const heap = Heap.join(heapOf(manager), false)!;
  const check = () => {
    assert.deepEqual(checkHeap(heap).problems, []);
    assert.ok(bytesInFiles(manager) <= maxBytes, `${bytesInFiles(manager)} bytes`);
  };
  try {
    await work(manager, check);
    check();
  } finally {
    heap.leave();
  }
}

/** Calls until there is no room. @returns how often it could. */
function untilFull(call: (i: number) => unknown): number {
  for (let i = 0; ; i++) {
    try {
      call(i);
    } catch (error) {
      assert.ok(noRoom(error), String((error as Error).stack));
      return i;
    }
  }
}

test('wrong limits', async () => {
  for (const maxBytes of ['8000000', 8_000_000n, null, {}]) {
    assert.throws(() => new SyncManager({ maxBytes } as unknown as ManagerOptions), TypeError);
  }
  for (const maxBytes of [0, -1, 5e6 + 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 1000, LEAST - 1]) {
    assert.throws(() => new SyncManager({ maxBytes }), { name: 'RangeError', message: /4194304/ });
  }
  await assert.rejects(Manager({ maxBytes: 1 }), RangeError);
});

test('the least is enough for each kind of object', async () => {
  await limited(LEAST, (manager) => {
    const all = [
      manager.dict({ a: 1 }),
      manager.list([1]),
      manager.Namespace({ a: 1 }),
      manager.Lock(),
      manager.Condition(),
      manager.Barrier(2),
      manager.Queue(),
      manager.Value('i', 1),
      manager.Array('d', 1000),
      manager.dict(null, { name: 'named' }),
    ];
    assert.equal(manager.list(all).length, all.length);
  });
});

describe('a value that is larger than its memory may become', () => {
  const sizes = { 'in a block': 5 * MIB, 'in a file': 20 * MIB };
  for (const [where, bytes] of Object.entries(sizes)) {
    const large = new Uint8Array(bytes);

    test(`${where}: in a dict`, () =>
      limited(LEAST, (manager, check) => {
        const dict = manager.dict<string, unknown>([
          ['a', 1],
          ['b', 'two'],
        ]);
        for (const use of [
          () => dict.set('a', large),
          () => dict.set('c', large),
          () => dict.setdefault('c', large),
          () => dict.compute('a', () => large),
          () => dict.compareAndSet('a', 1, large),
          () => transact(dict, (d) => [d.set('b', 3), d.set('c', large)]),
          () => manager.dict({ large }),
        ]) {
          assert.throws(use, noRoom, String(use));
          assert.deepEqual(dict.toObject(), { a: 1, b: 'two' });
          check();
        }
        dict.set('c', new Uint8Array(MIB));
        assert.equal(dict.size, 3);
      }));

    test(`${where}: in a list`, () =>
      limited(LEAST, (manager, check) => {
        const list = manager.list<unknown>([1, 'two']);
        for (const use of [
          () => list.append(large),
          () => list.push(large),
          () => list.insert(0, large),
          () => list.extend([3, large, 4]),
          () => list.set(0, large),
          () => list.splice(0, 1, large),
          () => list.compute(1, () => large),
          () => transact(list, (l) => [l.append(3), l.append(large)]),
          () => manager.list([large]),
        ]) {
          assert.throws(use, noRoom, String(use));
          assert.deepEqual(list.copy(), [1, 'two']);
          check();
        }
        list.append(new Uint8Array(MIB));
        assert.equal(list.length, 3);
      }));

    test(`${where}: in a namespace`, () =>
      limited(LEAST, (manager, check) => {
        const space = manager.Namespace<Record<string, unknown>>({ a: 1 });
        for (const use of [
          () => {
            space['a'] = large;
          },
          () => Object.assign(space, { b: large }),
          () => transact(space, (s) => Object.assign(s, { a: 2, b: large })),
          () => manager.Namespace({ large }),
        ]) {
          assert.throws(use, noRoom, String(use));
          assert.deepEqual({ ...space }, { a: 1 });
          check();
        }
        space['b'] = new Uint8Array(MIB);
        assert.deepEqual(Object.keys(space), ['a', 'b']);
      }));

    test(`${where}: in queues`, () =>
      limited(LEAST, async (manager, check) => {
        for (const queue of [manager.Queue<unknown>(), manager.JoinableQueue<unknown>()]) {
          queue.putSync('first');
          assert.throws(() => queue.putSync(large), noRoom);
          assert.throws(() => queue.tryPut(large), noRoom);
          await assert.rejects(queue.put(large), noRoom);
          check();
          assert.equal(queue.qsize(), 1);
          queue.putSync(new Uint8Array(MIB));
          assert.equal(queue.getSync(), 'first');
          assert.equal((queue.getSync() as Uint8Array).length, MIB);
        }
      }));

    test(`${where}: an array`, () =>
      limited(LEAST, async (manager, check) => {
        assert.throws(() => manager.Array('b', bytes), noRoom);
        assert.throws(() => manager.Array('d', bytes / 8), noRoom);
        check();
        const array = manager.Array('b', MIB);
        array.set(5, 7);
        assert.equal(array.get(5), 7);
      }));
  }
});

describe('filled to the brim, it works on when something has gone', () => {
  const text = (i: number) => `${i} ${'.'.repeat(i % 3000)}`;

  test('a dict', () =>
    limited(LEAST, (manager, check) => {
      const dict = manager.dict<number, string>();
      for (let round = 0; round < 3; round++) {
        const count = untilFull((i) => dict.set(i, text(i)));
        check();
        assert.equal(dict.size, count);
        for (let i = 0; i < count; i++) assert.equal(dict.get(i), text(i));
        assert.ok(count > 200);
        // What takes no more room works at the limit, too.
        assert.equal(dict.pop(0), text(0));
        assert.equal(dict.delete(1), true);
        assert.deepEqual(dict.popitem(), [count - 1, text(count - 1)]);
        for (let i = 2; i < 100; i++) assert.equal(dict.delete(i), true);
        dict.set(0, text(50));
        assert.throws(() => dict.set(0, 'x'.repeat(4 * MIB)), noRoom);
        assert.equal(dict.get(0), text(50));
        check();
        dict.clear();
      }
    }));

  test('a list', () =>
    limited(LEAST, (manager, check) => {
      const list = manager.list<string>();
      for (let round = 0; round < 3; round++) {
        const count = untilFull((i) => list.append(text(i)));
        check();
        assert.ok(count > 200);
        assert.deepEqual(
          list.copy(),
          Array.from({ length: count }, (_, i) => text(i)),
        );
        assert.throws(() => list.extend(Array.from({ length: 100 }, () => 'x'.repeat(60_000))), noRoom);
        assert.equal(list.length, count);
        assert.equal(list.pop(), text(count - 1));
        assert.equal(list.pop(0), text(0));
        for (let i = 1; i < 100; i++) assert.equal(list.pop(0), text(i));
        list.insert(3, text(60));
        assert.equal(list.get(3), text(60));
        check();
        list.clear();
      }
    }));

  test('a namespace', () =>
    limited(LEAST, (manager, check) => {
      const space = manager.Namespace<Record<string, string>>();
      for (let round = 0; round < 3; round++) {
        const count = untilFull((i) => {
          space[`name ${i}`] = text(i);
        });
        check();
        assert.equal(Object.keys(space).length, count);
        assert.equal(space[`name ${count - 1}`], text(count - 1));
        for (let i = 0; i < 100; i++) delete space[`name ${i}`];
        space['another'] = text(60);
        check();
        for (const name of Object.keys(space)) delete space[name];
      }
    }));

  test('a queue', () =>
    limited(LEAST, (manager, check) => {
      const queue = manager.Queue<string>();
      for (let round = 0; round < 3; round++) {
        const count = untilFull((i) => queue.putSync(text(i)));
        check();
        assert.equal(queue.qsize(), count);
        let next = 0;
        for (; next < 10; next++) assert.equal(queue.getSync(), text(next));
        // A lease takes a few words of its own.
        for (let leased = false; !leased; next++) {
          assert.ok(next < count);
          try {
            const lease = queue.tryGet({ lease: true })!;
            assert.equal(lease.value, text(next));
            lease.ack();
            leased = true;
          } catch (error) {
            assert.ok(noRoom(error));
            assert.equal(queue.getSync(), text(next));
          }
        }
        queue.putSync('one more');
        check();
        for (; next < count; next++) assert.equal(queue.getSync(), text(next));
        assert.equal(queue.getSync(), 'one more');
      }
    }));

  test('arrays, small ones and large ones', () =>
    limited(2 * LEAST, async (manager, check) => {
      for (const length of [100, 40_000]) {
        let arrays: { get(index: number): number }[] = [];
        const count = untilFull((i) => {
          const array = manager.Array('d', length);
          array.set(length - 1, i);
          arrays.push(array);
        });
        check();
        assert.ok(count > 10);
        for (const [i, array] of arrays.entries()) assert.equal(array.get(length - 1), i);
        arrays = [];
        await eventually('there is room again', async () => {
          await collectGarbage();
          try {
            manager.Array('d', length);
            return true;
          } catch (error) {
            assert.ok(noRoom(error));
            return false;
          }
        });
        await collectGarbage();
      }
    }));

  test('objects in objects', () =>
    limited(LEAST, async (manager, check) => {
      const list = manager.list<unknown>();
      const count = untilFull(() => list.append(manager.list(['nested'])));
      check();
      assert.equal(list.length, count);
      list.clear();
      await collectGarbage();
      list.append(manager.dict({ a: 1 }));
      assert.equal((list.get(0) as { get(key: string): number }).get('a'), 1);
    }));
});

test('several processes at the limit at once: what each was told is true', { timeout: 60_000 }, () =>
  limited(2 * LEAST, async (manager, check) => {
    const dict = manager.dict<string, string>();
    for (let round = 0; round < 3; round++) {
      const text = 'x'.repeat([300, 10_000, 70_000][round]!);
      const missing = RawArray('i', [3]) as unknown as Int32Array;
      const children = ['a', 'b', 'c'].map(
        (who) => new Process({ target: fillDict, args: [dict, who, text, missing] }),
      );
      for (const child of children) child.start();
      const counts = (await Promise.all(children.map((child) => child.result()))) as number[];
      check();
      const all = counts.reduce((a, b) => a + b, 0);
      assert.equal(dict.size, all);
      assert.ok(all * text.length > LEAST / 2, `${counts}`);
      for (const [who, count] of counts.entries()) {
        for (let i = 0; i < count; i++) assert.equal(dict.get(`${'abc'[who]} ${i}`), text);
      }
      dict.clear();
    }
  }),
);

test('processes that work at the limit and are killed leave it whole', { timeout: 120_000 }, (context) =>
  limited(2 * LEAST, async (manager, check) => {
    const seed = seedOf();
    context.diagnostic(`SEED=${seed}`);
    const random = randomFrom(seed);
    let [did, refused] = [0, 0];
    await leavesNothingIn(manager, async (heap) => {
      const all = {
        dict: manager.dict<string, unknown>(),
        list: manager.list<unknown>(),
        queue: manager.Queue<unknown>(),
      };
      const done = RawArray('i', 6) as unknown as Int32Array;
      let lives = 0;
      const start = (place: number) => {
        const child = new Process({ target: workAtLimit, args: [all, done, place, seed + lives++] });
        child.start();
        return child;
      };
      const children = [0, 1, 2].map(start);
      const counts = (which: number) => [0, 1, 2].map((place) => Atomics.load(done, 2 * place + which));
      for (let kill = 0; kill < 12; kill++) {
        const [before, place] = [counts(0), kill % 3];
        await eventually(
          'all get on, and one is refused',
          () => {
            assert.ok(children.every((child) => child.isAlive()));
            return counts(0).every((count, i) => count > before[i]! + 50 * random()) && counts(1).some((n) => n > kill);
          },
          30_000,
        );
        children[place]!.kill();
        await children[place]!.join();
        heap.lookAround(512);
        children[place] = start(place);
        await eventually('it gets on', () => counts(0)[place]! > before[place]! + 50, 30_000);
      }
      for (const child of children) child.kill();
      for (const child of children) await child.join();
      await eventually('the dead are reaped', () => {
        heap.lookAround(512);
        return [...heap.participant.others(512)].length === 3; // the server, and this process by the package and in limited()
      });
      check();
      [did, refused] = [0, 1].map((which) => counts(which).reduce((a, b) => a + b, 0)) as [number, number];
      all.list.clear();
      all.dict.clear();
      all.queue.dispose();
      all.list.dispose();
      all.dict.dispose();
    });
    context.diagnostic(`${did} operations, and ${refused} refused`);
  }),
);

test('remote clients meet the same limit', { timeout: 60_000 }, () =>
  limited(2 * LEAST, async (manager, check) => {
    const address = await manager.serve('tcp://127.0.0.1:0', { authkey: 'of this test' });
    const remote = await connect(address, { authkey: 'of this test' });
    const large = new Uint8Array(9 * MIB);
    const dict = await remote.dict<string, unknown>({ a: 1 });
    const list = await remote.list<unknown>([1]);
    const queue = await remote.Queue<unknown>();
    const space = await remote.Namespace<Record<string, unknown>>({ a: 1 });
    for (const use of [
      () => dict.set('a', large),
      () => dict.compute('a', () => large),
      () => list.append(large),
      () => list.extend([1, large]),
      () => queue.put(large),
      () => queue.tryPut(large),
      () => space.set('a', large),
      () => remote.dict({ large }),
      () => remote.Array('b', 9 * MIB),
    ]) {
      await assert.rejects(async () => use(), noRoom, String(use));
      check();
    }
    assert.deepEqual([await dict.get('a'), await list.copy(), await queue.qsize()], [1, [1], 0]);
    let count = 0;
    const fill = async () => {
      for (; ; count++) await dict.set(`key ${count}`, 'x'.repeat(100_000));
    };
    await assert.rejects(fill(), noRoom);
    assert.equal(await dict.size(), count + 1);
    await dict.delete('key 0');
    await dict.set('key 0', 'x'.repeat(100_000));
    // Another client comes in all the same, and the server serves it.
    const other = await connect(address, { authkey: 'of this test' });
    await dict.clear();
    assert.equal(await (await other.dict()).size(), 0);
    await other.close();
    await remote.close();
  }),
);

test('a named manager has the limit with which it was started', async () => {
  const name = `limit-${process.pid}`;
  await using first = await Manager({ name, maxBytes: LEAST, linger: 0 });
  await using second = await Manager({ name, maxBytes: 100 * LEAST, linger: 0 });
  assert.throws(() => second.list([new Uint8Array(2 * LEAST)]), noRoom);
  second.list(null as never, { name: 'small' }).append(1);
  assert.deepEqual(first.list(null as never, { name: 'small' }).copy(), [1]);
  await first.shutdown();
});

test('objects of registered types are made, or refused, and the server lives', async () => {
  const { CounterManager } = await import('../programs/manager-targets.js');
  await using manager = new CounterManager({ maxBytes: LEAST });
  await manager.start();
  const dict = manager.dict<string, string>();
  const count = untilFull((i) => dict.set(`key ${i}`, 'x'));
  untilFull((i) => manager.list([i]));
  for (;;) {
    try {
      await manager.Counter();
    } catch (error) {
      assert.ok(noRoom(error), String((error as Error).stack));
      break;
    }
  }
  dict.clear();
  const counter = await manager.Counter();
  assert.equal(await counter.increment(), 1);
  assert.ok(count > 1000);
});
