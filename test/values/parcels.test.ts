// Values that are too large for one transaction, or refer to many objects, or to objects of other heaps.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StaleHandleError } from '../../src/errors/index.js';
import { Heap, Place, rootKind } from '../../src/heap/internal.js';
import { header, root } from '../../src/heap/layout.js';
import { randomHex } from '../../src/shared-memory/internal.js';
import { makeParcel, parcelBytes } from '../../src/values/parcel.js';
import { usage } from '../support/heap-usage.js';
import { endHeap } from '../support/killing.js';
import { eventually } from '../support/shm.js';

const newHeap = () => Heap.join(randomHex(16), true)!;
const references = (heap: Heap, address: number) => heap.memory.load(address + root.references);

for (const bytes of [0, 1, 70_000, 8 * 1024 * 1024, 9 * 1024 * 1024]) {
  test(`a parcel of ${bytes} bytes`, async () => {
    const heap = newHeap();
    const before = usage(heap);
    const parcel = makeParcel(heap, bytes, [], (memory) => {
      assert.equal(memory.length, bytes);
      memory.fill(3);
    });
    const read = parcelBytes(heap, parcel);
    assert.equal(read.length, bytes);
    assert.ok(read.every((byte) => byte === 3));
    heap.release(parcel.address);
    assert.deepEqual(usage(heap), before);
    await endHeap(heap);
  });
}

test('a parcel keeps what it refers to, in this heap and in others', async () => {
  const [heap, other] = [newHeap(), newHeap()];
  const near = heap.create(rootKind.lock);
  const far = other.create(rootKind.lock);
  const places = [new Place(heap, near), new Place(other, far), new Place(other, far)];
  const parcel = makeParcel(heap, 8, places, () => {});
  heap.release(near.address);
  other.release(far.address);
  assert.deepEqual([references(heap, near.address), references(other, far.address)], [1, 2]);
  heap.release(parcel.address);
  assert.deepEqual(usage(heap), { ...usage(heap), roots: 0, holds: 0 });
  assert.deepEqual(usage(other), { ...usage(other), roots: 0, holds: 0 });
  await endHeap(heap);
  // It has been joined once more, to let go of what lies there.
  other.leave();
});

test('a parcel cannot refer to what has been disposed of, and leaves nothing behind', async () => {
  const heap = newHeap();
  const [one, gone] = [heap.create(rootKind.lock), heap.create(rootKind.lock)];
  heap.dispose(gone);
  const places = [new Place(heap, one), new Place(heap, gone)];
  assert.throws(() => makeParcel(heap, 8, places, () => {}), StaleHandleError);
  assert.equal(references(heap, one.address), 0);
  for (const { address } of [one, gone]) heap.release(address);
  assert.deepEqual(usage(heap), { ...usage(heap), roots: 0, holds: 0 });
  await endHeap(heap);
});

test('what takes long to let go of is let go of in later turns, or by those who need room', async () => {
  const heap = newHeap();
  const lock = heap.create(rootKind.lock);
  const many = new Array<Place>(20_000).fill(new Place(heap, lock));
  const parcel = makeParcel(heap, 0, many, () => {});
  heap.release(parcel.address);
  assert.notEqual(heap.memory.segment[header.dying], 0);
  assert.ok(references(heap, lock.address) > 0);
  await eventually('it is gone', () => heap.memory.segment[header.dying] === 0);
  assert.equal(references(heap, lock.address), 0);
  heap.release(lock.address);
  await endHeap(heap);
});
