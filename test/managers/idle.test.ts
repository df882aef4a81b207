// A server that has nothing to do keeps nothing of what has come by.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { RawArray, SharedMemory } from 'multiprocess';
import { SteadyManager } from '../programs/unanswered-targets.js';
import { leavesNothingIn } from '../support/manager-heap.js';
import { eventually } from '../support/shm.js';

test('blocks, arrays and objects that pass through an idle server', { timeout: 60_000 }, async () => {
  await using manager = new SteadyManager();
  await manager.start();
  const steady = await manager.Steady();
  const pid = await steady.pid();
  using block = SharedMemory.create(64 * 1024);
  const mapped = () => readFileSync(`/proc/${pid}/maps`, 'utf8').includes(block.name);
  await leavesNothingIn(manager, async () => {
    const view = new Uint8Array(block.buf.buffer, 0, 8);
    assert.equal(((await steady.echo(view)) as Uint8Array).length, 8);
    assert.ok(mapped(), 'it was opened there');
    const own = RawArray('i', 16);
    const [same] = (await steady.echo([own, block])) as [Int32Array];
    same[0] = 7;
    assert.equal(own[0], 7);
    await steady.make();
    await steady.echo(manager.dict([[1, manager.list()]]));
  });
  await eventually('it is mapped no more', () => !mapped());
});
