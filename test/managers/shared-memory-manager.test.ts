// Blocks and lists that a manager unlinks when it ends.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Process, SharedMemoryManager } from 'multiprocess';
import { fillBlocks } from '../programs/manager-targets.js';
import { shmEntries } from '../support/shm.js';

test('makes blocks and lists, in children too, and unlinks them', async () => {
  const manager = new SharedMemoryManager();
  assert.throws(() => manager.SharedMemory(8), { code: 'ERR_MULTIPROCESS_MANAGER_NOT_STARTED' });
  await manager.start();
  const block = manager.SharedMemory(100);
  assert.equal(block.size, 100);
  assert.deepEqual([...block.buf], new Array(100).fill(0));
  const list = manager.ShareableList([1, 2.5, 'three', true, null, 4n]);
  assert.deepEqual(list.toArray(), [1, 2.5, 'three', true, null, 4]);
  const child = new Process({ target: fillBlocks, args: [manager, block, list] });
  child.start();
  const made = await child.result();
  assert.deepEqual([block.buf[0], list.get(0), made.buf[1]], [7, 'x', 9]);
  const names = [block.name, list.shm.name, made.name];
  for (const name of names) assert.ok(shmEntries().has(name));
  block.unlink(); // one that is gone already stops nobody
  await manager.shutdown();
  for (const name of names) assert.equal(shmEntries().has(name), false, name);
  assert.equal(made.buf[1], 9, 'who has it keeps it');
  assert.throws(() => manager.SharedMemory(8), { code: 'ERR_MULTIPROCESS_MANAGER_CLOSED' });
  assert.throws(() => manager.ShareableList([1]), { code: 'ERR_MULTIPROCESS_MANAGER_CLOSED' });
});

test('wrong sizes and items', async () => {
  await using manager = new SharedMemoryManager();
  await manager.start();
  assert.throws(() => manager.SharedMemory(0), RangeError);
  assert.throws(() => manager.SharedMemory('5' as never), TypeError);
  assert.throws(() => manager.SharedMemory(2 ** 50), RangeError);
  assert.throws(() => manager.ShareableList(5 as never), TypeError);
  assert.throws(() => manager.ShareableList([{}] as never), TypeError);
  assert.equal(manager.SharedMemory(1).size, 1);
});
