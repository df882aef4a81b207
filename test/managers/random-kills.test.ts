// Unrelated programs over a named manager, while clients, or the server, are killed at random. More: SECONDS=60 PROCESSES=20.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { MarkedManager } from '../programs/manager-targets.js';
import { leavesNothingIn } from '../support/manager-heap.js';
import { program } from '../support/paths.js';
import { randomFrom, seedOf } from '../support/random.js';
import { type Running, startNode } from '../support/run.js';
import { ownRuntimeDirectory } from '../support/runtime-directory.js';
import { eventually, isAlive, shmEntries } from '../support/shm.js';

const SECONDS = Number(process.env['SECONDS'] ?? 4);
const PROCESSES = Number(process.env['PROCESSES'] ?? 10);
const directory = ownRuntimeDirectory();
const TIMEOUT = (SECONDS + 120) * 1000;

function startClients(name: string): { clients: Running[]; start: (index: number) => void } {
  const clients: Running[] = [];
  let ids = 0;
  const start = (index: number) => {
    ids += 1;
    clients[index] = startNode(program('manager-stress'), [name, `client ${ids}`], { timeoutMs: TIMEOUT });
  };
  for (let index = 0; index < PROCESSES; index++) start(index);
  return { clients, start };
}

async function endWell(clients: readonly Running[]): Promise<number> {
  for (const client of clients) client.say('stop');
  let servers = 0;
  for (const client of clients) {
    const { code, signal, stdout, stderr } = await client.finished;
    assert.deepEqual([code, signal, stderr], [0, null, '']);
    servers = Math.max(servers, Number(/^well, after (\d+) servers$/m.exec(stdout)![1]));
  }
  return servers;
}

test(`clients are killed at random for ${SECONDS} s`, { timeout: TIMEOUT }, async (context) => {
  const seed = seedOf();
  const random = randomFrom(seed);
  context.diagnostic(`SEED=${seed}`);
  const manager = new MarkedManager({ name: 'stressed', linger: 0 });
  await manager.start();
  const server = await (await manager.Marked()).pid();
  const counts = manager.dict<string, number>(null, { name: 'counts' });
  const both = manager.Namespace<{ a: number; b: number }>({ a: 0, b: 0 }, { name: 'both' });
  const lock = manager.Lock({ name: 'lock' });
  manager.Value('i', 0, { name: 'inside' });
  const nests = manager.dict<number, unknown>(null, { name: 'nests', maxEntries: 50 });
  const items = manager.Queue<number>(100, { name: 'items' });
  let kills = 0;
  await leavesNothingIn(manager, async () => {
    const { clients, start } = startClients('stressed');
    await Promise.all(clients.map((client) => client.line(/^met$/)));
    const end = performance.now() + SECONDS * 1000;
    while (performance.now() < end) {
      await delay(random() * 200);
      const index = Math.floor(random() * PROCESSES);
      await clients[index]!.kill();
      kills += 1;
      start(index);
    }
    assert.equal(await endWell(clients), 1, 'all have met one server');
    const { total = 0, ...each } = Object.fromEntries(counts);
    context.diagnostic(`${kills} kills, ${total} rounds`);
    assert.ok(kills > 0 && total > 10 * PROCESSES);
    assert.equal(
      Object.values(each).reduce((sum, count) => sum + count, 0),
      total,
    );
    assert.equal(both.a, both.b);
    // A killed one may have died between the two.
    assert.ok(Math.abs(both.a - total) <= kills, `${both.a} and ${total}`);
    assert.equal(lock.acquireSync({ timeout: 1000 }), true);
    lock.release();
    counts.clear();
    nests.clear();
    while (items.tryGet() !== undefined);
  });
  assert.ok(isAlive(server));
  const heap = manager.handle.split(':')[3]!;
  await manager.shutdown();
  assert.deepEqual(readdirSync(directory), []);
  assert.ok(
    [...shmEntries()].some((entry) => entry.includes(heap)),
    'this process has it',
  );
});

test(`the server is killed again and again for ${SECONDS} s`, { timeout: TIMEOUT }, async (context) => {
  const seed = seedOf();
  const random = randomFrom(seed);
  context.diagnostic(`SEED=${seed}`);
  const { clients } = startClients('mortal');
  await Promise.all(clients.map((client) => client.line(/^met$/)));
  const heaps: string[] = [];
  const end = performance.now() + SECONDS * 1000;
  while (performance.now() < end) {
    const manager = new MarkedManager({ name: 'mortal', linger: 0 });
    await manager.start();
    const pid = await (await manager.Marked()).pid();
    heaps.push(manager.handle.split(':')[3]!);
    await delay(500 + random() * 1000);
    process.kill(pid, 'SIGKILL');
    await manager.closed;
  }
  const servers = await endWell(clients);
  context.diagnostic(`${heaps.length} servers killed, of which one client has met ${servers}`);
  assert.equal(new Set(heaps).size, heaps.length);
  assert.ok(servers >= heaps.length / 2, `${servers} of ${heaps.length}`);
  // A last one, if clients have started it: it lingers for two seconds.
  await eventually(
    'the last server has ended',
    () => !readdirSync(directory).some((file) => file.endsWith('.lock')),
    10_000,
  );
});
