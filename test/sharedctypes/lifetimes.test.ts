// How long values live, and that they leave nothing: CPython's _TestHeap, and more.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { treeHeap } from '../../src/heap/current-heap.js';
import { checkHeap } from '../../src/heap/fsck.js';
import { copy, open, RawValue, SharedArray, Struct, Value } from '../../src/index.js';
import { hasCode } from '../support/errors.js';
import { collectGarbage } from '../support/gc.js';
import { eventually } from '../support/shm.js';

// The library's own modules, not the package: the heap that is looked at is the one that they use.

test('a million values, made and dropped, leave the heap as it was', { timeout: 240_000 }, async (context) => {
  const heap = treeHeap();
  const Point = Struct({ x: 'd', id: 'q' });
  const kept = Value('i', 5);
  const makeMany = (count: number) => {
    for (let i = 0; i < count; i++) {
      const value = Value('d', i);
      if (i % 16 === 0) value.runSync(() => value.add(1));
      if (i % 64 === 0) copy(RawValue('u', 'x'));
      if (i % 256 === 0) SharedArray(Point, [{ x: 1 }]).getLock();
    }
  };
  const asBefore = async (objects: number) =>
    eventually(
      'all is let go of',
      async () => {
        await collectGarbage();
        return checkHeap(heap).roots <= objects;
      },
      30_000,
    );
  await collectGarbage();
  const before = checkHeap(heap).roots;
  let most = 0;
  const start = performance.now();
  for (let chunk = 0; chunk < 100; chunk++) {
    makeMany(10_000);
    if (chunk === 3) most = heap.memory.extentCount;
    await collectGarbage();
  }
  context.diagnostic(`${((performance.now() - start) / 1000).toFixed(1)} s`);
  await asBefore(before);
  const report = checkHeap(heap);
  assert.deepEqual(report.problems, []);
  assert.ok(heap.memory.extentCount <= most + 4, `${heap.memory.extentCount} extents, ${most} at first`);
  assert.equal(kept.value, 5);
});

test('what can be reached is held: by the value, its raw object, its lock, a view of its structure', async () => {
  const gone = (handle: string) => {
    try {
      open(handle);
      return false;
    } catch (error) {
      return hasCode('ERR_MULTIPROCESS_STALE_HANDLE')(error);
    }
  };
  const Point = Struct({ x: 'd', inner: Struct({ y: 'i' }) });
  for (const keep of ['value', 'raw', 'lock', 'view', 'inner', 'items'] as const) {
    let handle = '';
    let kept: unknown = (() => {
      const value = Value(Point, { x: 1, inner: { y: 5 } });
      const array = SharedArray(Point, [{ inner: { y: 5 } }]);
      handle = keep === 'items' ? array.handle : value.handle;
      return {
        value,
        raw: value.getObj(),
        lock: value.getLock(),
        view: value.value,
        inner: value.value.inner,
        items: array.get(0).inner,
      }[keep];
    })();
    await collectGarbage();
    // Others' objects, which must not come to lie there.
    const others = Array.from({ length: 100 }, () => Value('q', -1n));
    if (keep === 'inner' || keep === 'items') assert.deepEqual(kept, { y: 5 });
    assert.ok(!gone(handle), keep);
    await collectGarbage();
    kept = undefined;
    await eventually(`${keep}: it is gone`, async () => {
      await collectGarbage();
      return gone(handle);
    });
    assert.ok(others.every(({ value }) => value === -1n));
  }
});

test('arrays of random sizes, kept and dropped at random, never overlap', async () => {
  let random = 12345;
  const next = (below: number) => {
    random = (random * 1103515245 + 12345) % 2 ** 31;
    return Math.floor((random / 2 ** 31) * below);
  };
  const kept = new Map<number, { array: { readonly length: number; [index: number]: number }; mark: number }>();
  for (let round = 0; round < 4000; round++) {
    const slot = next(200);
    const known = kept.get(slot);
    if (known !== undefined) {
      for (const index of [0, known.array.length - 1]) assert.equal(known.array[index], known.mark);
      kept.delete(slot);
    } else {
      const array = SharedArray('i', 1 + next(round % 50 === 0 ? 20_000 : 200))
        .getObj()
        .fill(round);
      kept.set(slot, { array, mark: round });
    }
    if (round % 1000 === 999) await collectGarbage();
  }
  for (const { array, mark } of kept.values()) {
    for (let i = 0; i < array.length; i++) assert.equal(array[i], mark);
  }
  assert.deepEqual(checkHeap(treeHeap()).problems, []);
});
