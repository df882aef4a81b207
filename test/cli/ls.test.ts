// What the command-line program lists, and that looking changes nothing.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { beforeEach, test } from 'node:test';
import { SharedMemory } from 'multiprocess';
import type { Inventory } from '../../src/cli/inventory.js';
import { MarkedManager } from '../programs/manager-targets.js';
import { cli } from '../support/cli.js';
import { program } from '../support/paths.js';
import { startNode } from '../support/run.js';
import { ownRuntimeDirectory } from '../support/runtime-directory.js';
import { eventually, isAlive } from '../support/shm.js';

const directory = ownRuntimeDirectory();
beforeEach(() => rmSync(directory, { recursive: true, force: true }));

async function inventory(): Promise<Inventory> {
  const { code, stdout, stderr } = await cli(['ls', '--json']);
  assert.deepEqual([code, stderr], [0, '']);
  return JSON.parse(stdout) as Inventory;
}

test('managers, private and named, with their heaps and clients', async () => {
  assert.deepEqual((await inventory()).managers, []);
  await using own = new MarkedManager();
  await own.start();
  await using named = new MarkedManager({ name: 'listed', linger: 0 });
  await named.start();
  named.list(new Array(50_000).fill('a large one'));
  const other = startNode(program('named-manager'), ['listed', '0', 'forever']);
  const server = Number((await other.line(/^server (\d+)$/))[1]);
  const { managers, heaps } = await inventory();
  assert.equal(managers.length, 2);
  for (const { name, socket, state, pid, heap } of managers) {
    const manager = name === 'listed' ? named : own;
    assert.equal(name, manager === own ? undefined : 'listed');
    assert.equal(socket, manager.address);
    assert.equal(state, 'serving');
    assert.equal(pid, await (await manager.Marked()).pid());
    assert.equal(manager.handle.split(':')[3], heap);
    const facts = heaps.find(({ id }) => id === heap)!;
    const attached = manager === own ? [process.pid, pid!] : [process.pid, server, other.pid];
    assert.deepEqual(
      facts.participants,
      attached.sort((a, b) => a - b),
    );
    assert.equal(facts.dead, 0);
    assert.ok(facts.bytes > 1_000_000 && facts.extents >= 1);
  }
  const { stdout } = await cli(['ls']);
  assert.match(stdout, new RegExp(`^ +listed +serving +${server} +[0-9a-f]{16} +2 +/.*listed.named$`, 'm'));
  assert.match(stdout, /^Heaps:\n +Heap +Size +Extents +Attached/m);
  await other.kill();
});

test('blocks, whoever has them open', async () => {
  using block = SharedMemory.create(5000);
  using kept = SharedMemory.create(3000, { persist: true });
  const child = startNode(program('attach-and-wait'), [block.name]);
  await child.line(/^attached$/);
  const { blocks, trees } = await inventory();
  const found = blocks.find(({ name }) => name === block.name)!;
  assert.deepEqual([found.bytes, found.pids], [5000, [process.pid, child.pid].sort((a, b) => a - b)]);
  const tree = trees.find(({ id }) => id === found.tree)!;
  assert.equal(tree.alive, true);
  assert.ok(tree.pids.includes(process.pid));
  const persistent = blocks.find(({ name }) => name === kept.name)!;
  assert.deepEqual([persistent.bytes, persistent.tree], [3000, undefined]);
  const { stdout } = await cli(['ls']);
  assert.match(stdout, new RegExp(`^ +${block.name} +4.9 KiB +${found.tree} +\\d+ \\d+$`, 'm'));
  kept.unlink();
  await child.kill();
});

test('looking keeps no manager alive', async () => {
  const manager = new MarkedManager({ name: 'lingering', linger: 700 });
  await manager.start();
  const pid = await (await manager.Marked()).pid();
  await manager.close();
  const start = performance.now();
  while (isAlive(pid) && performance.now() - start < 10_000) await inventory();
  assert.equal(isAlive(pid), false);
});

test('a manager that is stopped holds nobody up, and one that was killed is seen to be dead', async () => {
  const manager = new MarkedManager({ name: 'stopped', linger: 0 });
  await manager.start();
  const pid = await (await manager.Marked()).pid();
  const heap = manager.handle.split(':')[3];
  process.kill(pid, 'SIGSTOP');
  try {
    assert.deepEqual(
      (await inventory()).managers.map(({ state }) => state),
      ['silent'],
    );
  } finally {
    process.kill(pid, 'SIGKILL');
  }
  await eventually('it has ended', () => !isAlive(pid));
  const { managers, heaps } = await inventory();
  assert.deepEqual(
    managers.map(({ name, state }) => [name, state]),
    [['stopped', 'dead']],
  );
  const { participants, dead } = heaps.find(({ id }) => id === heap)!;
  assert.ok(participants.includes(process.pid) && participants.length + dead <= 2);
  await manager.close();
});
