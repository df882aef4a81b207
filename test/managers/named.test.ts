// Managers that unrelated processes meet by a name.
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { Manager, open, type SyncManager } from 'multiprocess';
import { Counter, CounterManager, MarkedManager } from '../programs/manager-targets.js';
import { program } from '../support/paths.js';
import { type Running, startNode } from '../support/run.js';
import { eventually, isAlive } from '../support/shm.js';

const runtime = mkdtempSync(join(tmpdir(), 'mpt-'));
process.env['XDG_RUNTIME_DIR'] = runtime;
const directory = join(runtime, 'multiprocess');
beforeEach(() => rmSync(directory, { recursive: true, force: true }));
after(() => rmSync(runtime, { recursive: true, force: true }));

let names = 0;
const newName = () => `name-${process.pid}-${++names}`;
const client = (name: string, ...rest: string[]) => startNode(program('named-manager'), [name, ...rest]);
const serverOf = async (running: Running) => Number((await running.line(/^server (\d+)$/))[1]);

test('twenty unrelated processes that start at the same instant meet one server', { timeout: 120_000 }, async () => {
  const name = newName();
  const clients = Array.from({ length: 20 }, () => client(name, '200', 'forever'));
  const servers = new Set(await Promise.all(clients.map(serverOf)));
  assert.equal(servers.size, 1);
  const [server] = servers;
  await Promise.all(clients.slice(1).map((running) => running.kill()));
  assert.ok(isAlive(server!), 'one client is left');
  await clients[0]!.kill();
  await eventually('it ends when its last client has gone', () => !isAlive(server!));
  assert.deepEqual(readdirSync(directory), []);
});

test('it outlives who started it, for as long as it is asked to linger', async () => {
  const name = newName();
  const starter = client(name, '60000');
  const server = await serverOf(starter);
  assert.equal((await starter.finished).code, 0);
  const second = client(name, '50', 'forever');
  assert.equal(await serverOf(second), server);
  await second.kill();
  const manager = await Manager({ name });
  const started = performance.now();
  await manager.shutdown();
  assert.ok(performance.now() - started < 5000);
  await eventually('it has ended', () => !isAlive(server));
  assert.deepEqual(readdirSync(directory), []);
});

test('a name is used again after a shutdown, and after the server was killed', async () => {
  const name = newName();
  for (const how of ['shutdown', 'SIGKILL', 'shutdown'] as const) {
    const manager = new MarkedManager({ name });
    await manager.start();
    const server = await (await manager.Marked()).pid();
    if (how === 'shutdown') await manager.shutdown();
    else {
      process.kill(server, 'SIGKILL');
      await manager.closed;
      assert.ok(existsSync(manager.address), 'the socket of a dead server');
    }
  }
  assert.deepEqual(readdirSync(directory), []);
});

test('a starter that is killed while it starts the server holds nobody up', { timeout: 60_000 }, async () => {
  const name = newName();
  for (const after of [50, 150, 300]) {
    const starter = client(name, '50', 'forever');
    await new Promise((resolve) => setTimeout(resolve, after));
    await starter.kill();
    const other = client(name, '50', 'forever');
    assert.ok(isAlive(await serverOf(other)));
    await other.kill();
  }
  await eventually('all have ended', () => readdirSync(directory).length === 0, 10_000);
});

test('types that a client brings are known from then on; another of that name is refused', async () => {
  const name = newName();
  const first = await Manager({ name, linger: 50 });
  const second = new CounterManager({ name, linger: 50 });
  await second.start();
  assert.equal(await (await second.Counter(3)).increment(), 4);
  class Other extends MarkedManager {}
  Other.register('Counter', Counter, { exposed: ['increment'] });
  await assert.rejects(new Other({ name, linger: 50 }).start(), { code: 'ERR_MULTIPROCESS_NAME_CONFLICT' });
  assert.equal(second.address, first.address);
  assert.equal((open(first.handle) as SyncManager).address, first.address);
  await second.shutdown();
  await first.closed;
});

test('a server that was told of its own objects ends all the same', async () => {
  const manager = new CounterManager({ name: newName(), linger: 50 });
  await manager.start();
  const counter = await manager.Counter();
  assert.equal(await counter.echo(counter), counter);
  const { closed } = manager;
  await manager.close();
  await closed;
  await eventually('it has ended', () => readdirSync(directory).length === 0);
});

test('bad names', async () => {
  for (const name of ['', '.', '..', '.x', '-x', 'a/b', 'a b', 'ä', 'x\0', 'x'.repeat(65)]) {
    await assert.rejects(Manager({ name }), { code: 'ERR_MULTIPROCESS_VALUE' }, name);
  }
});

test('directories that are not this user alone are refused', async () => {
  mkdirSync(directory, { mode: 0o700 });
  chmodSync(directory, 0o755);
  for (const options of [{}, { name: newName() }]) await assert.rejects(Manager(options), { code: 'EACCES' });
  rmSync(directory, { recursive: true });
  symlinkSync(tmpdir(), directory);
  await assert.rejects(Manager(), { code: 'EACCES' });
  rmSync(directory);
  writeFileSync(directory, '');
  await assert.rejects(Manager(), { code: 'EACCES' });
  rmSync(directory);
});

test('a path that is too long for a socket', async () => {
  process.env['XDG_RUNTIME_DIR'] = join(runtime, 'x'.repeat(90));
  mkdirSync(process.env['XDG_RUNTIME_DIR']);
  try {
    await assert.rejects(Manager(), { code: 'ENAMETOOLONG' });
    await assert.rejects(Manager({ name: newName() }), { code: 'ENAMETOOLONG' });
  } finally {
    process.env['XDG_RUNTIME_DIR'] = runtime;
  }
});
