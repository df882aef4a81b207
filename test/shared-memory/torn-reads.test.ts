import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { test } from 'node:test';
import { Process, type ShareableItem, ShareableList, SharedMemory, TimeoutError } from 'multiprocess';
import { tryLockFile } from '../../src/os/index.js';
import { flip, flipped, readForever, watch } from '../programs/flip-items.js';
import { eventually } from '../support/shm.js';

test('readers never see a value that was not written, whatever its type changes to', { timeout: 60_000 }, async () => {
  using list = new ShareableList<ShareableItem>(['x'.repeat(24)]);
  list.set(0, flipped[0]!);
  using block = SharedMemory.create(4);
  const stop = block.view(Int32Array);
  const writer = new Process({ target: flip, args: [list, stop], daemon: true });
  const reader = new Process({ target: watch, args: [list, 300_000], daemon: true });
  writer.start();
  reader.start();
  const { torn, kinds } = await reader.result();
  Atomics.store(stop, 0, 1);
  const writes = await writer.result();
  assert.deepEqual(torn, []);
  assert.ok(kinds >= flipped.length - 1, `only ${kinds} different values were seen`);
  assert.ok(writes > 1000);
});

test('readers who come one after another do not keep a writer out', { timeout: 60_000 }, async () => {
  using list = new ShareableList<ShareableItem>(['x'.repeat(200_000)]);
  const readers = Array.from({ length: 3 }, () => new Process({ target: readForever, args: [list], daemon: true }));
  for (const reader of readers) reader.start();
  await new Promise((resolve) => setTimeout(resolve, 300)); // their start; nothing to await that would not be a read
  for (let i = 0; i < 50; i++) list.set(0, `${i}`.repeat(1000));
  assert.equal(list.get(0), '49'.repeat(1000));
  for (const reader of readers) reader.kill();
  await Promise.all(readers.map((reader) => reader.join()));
});

test('a lock that nobody lets go of is an error after 5 s; numbers need none', { timeout: 60_000 }, () => {
  using list = new ShareableList<ShareableItem>(['text', 1]);
  const fd = openSync(`/dev/shm/${list.shm.name}`, 'r+');
  // As a writer that has been stopped in the middle holds it.
  assert.ok(tryLockFile(fd, 'exclusive', (1n << 62n) + 3n, 2n));
  for (const use of [() => list.get(0), () => list.set(0, 'x')]) {
    const start = performance.now();
    assert.throws(use, TimeoutError);
    assert.ok(performance.now() - start >= 4900);
  }
  list.set(1, 2);
  assert.equal(list.get(1), 2);
  closeSync(fd);
  assert.equal(list.get(0), 'text');
});

test('a writer that is killed leaves null or the whole value, and no lock', { timeout: 120_000 }, async () => {
  using block = SharedMemory.create(4);
  const stop = block.view(Int32Array);
  const whole = new Set(flipped.map((value) => `${typeof value} ${value}`));
  for (let round = 0; round < 20; round++) {
    using list = new ShareableList<ShareableItem>(['x'.repeat(24)]);
    list.set(0, 'a string of 24 bytes!!!!');
    const writer = new Process({ target: flip, args: [list, stop], daemon: true });
    writer.start();
    await eventually('the writer writes', () => list.get(0) !== 'a string of 24 bytes!!!!');
    writer.kill();
    await writer.join();
    const start = performance.now();
    const value = list.get(0);
    assert.ok(performance.now() - start < 1000);
    assert.ok(whole.has(`${typeof value} ${value}`), `${value}`);
    list.set(0, 'written again');
    assert.equal(list.get(0), 'written again');
  }
});
