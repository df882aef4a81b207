// A named manager in the foreground.
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, test } from 'node:test';
import { connect, Manager } from 'multiprocess';
import { MarkedManager } from '../programs/manager-targets.js';
import { cli, startCli } from '../support/cli.js';
import { program } from '../support/paths.js';
import { startNode } from '../support/run.js';
import { ownRuntimeDirectory } from '../support/runtime-directory.js';
import { eventually, isAlive } from '../support/shm.js';

const directory = ownRuntimeDirectory();
beforeEach(() => rmSync(directory, { recursive: true, force: true }));

async function serverOf(name: string): Promise<{ manager: MarkedManager; pid: number }> {
  const manager = new MarkedManager({ name, linger: 0 });
  await manager.start();
  return { manager, pid: await (await manager.Marked()).pid() };
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`serves clients that come and go, until ${signal}`, async () => {
    const serving = startCli(['serve', 'orders']);
    await serving.line(/^serving 'orders' at .*orders\.named$/);
    let server = 0;
    for (const expected of [1, 2]) {
      const { manager, pid } = await serverOf('orders');
      server ||= pid;
      assert.equal(pid, server);
      assert.equal(manager.Value('i', 0, { name: 'count' }).add(1), expected - 1);
      await manager.close();
    }
    assert.ok(isAlive(server), 'it does not end with its clients');
    const { manager } = await serverOf('orders');
    const list = manager.list([1]);
    serving.child.kill(signal);
    const { code, stderr } = await serving.finished;
    assert.deepEqual([code, stderr], [0, '']);
    await manager.closed;
    list.append(2); // what a client has goes on working
    assert.deepEqual([...list], [1, 2]);
    await eventually('the server has ended', () => !isAlive(server));
    assert.deepEqual(readdirSync(directory), []);
  });
}

test('meets one that is there, and ends with it', async () => {
  const manager = await Manager({ name: 'met', linger: 0 });
  const text = manager.Namespace({ text: 'made before' }, { name: 'state' });
  const serving = startCli(['serve', 'met']);
  await serving.line(/^serving 'met'/);
  await manager.close();
  const { manager: again } = await serverOf('met');
  assert.equal(again.Namespace({}, { name: 'state' }), text);
  await again.shutdown();
  const { code, stderr } = await serving.finished;
  assert.equal(code, 0, stderr);
  assert.match(stderr, /shut down by a client/);
});

test('fails when its server is killed, and starts again', async () => {
  for (let round = 0; round < 2; round++) {
    const serving = startCli(['serve', 'killed']);
    await serving.line(/^serving 'killed'/);
    const { manager, pid } = await serverOf('killed');
    process.kill(pid, 'SIGKILL');
    const { code, stderr } = await serving.finished;
    assert.equal(code, 1, stderr);
    assert.match(stderr, /was killed/);
    await manager.close();
  }
});

test('killed itself, it leaves a server that ends with its last client', async () => {
  const serving = startCli(['serve', 'orphan']);
  await serving.line(/^serving 'orphan'/);
  const { manager, pid } = await serverOf('orphan');
  await serving.kill();
  assert.equal(await (await manager.Marked()).pid(), pid);
  await manager.close();
  await eventually('the server has ended', () => !isAlive(pid));
  assert.deepEqual(readdirSync(directory), []);
});

test('serves remote clients who know the key, until it ends', { timeout: 60_000 }, async () => {
  mkdirSync(directory, { mode: 0o700 });
  const keyFile = join(directory, '..', 'key');
  writeFileSync(keyFile, 'what both know\r\n', { mode: 0o600 });
  const serving = startCli(['serve', 'open', '--tcp', '127.0.0.1:0', '--authkey-file', keyFile]);
  const [, address] = await serving.line(/^serving (tcp:\/\/127\.0\.0\.1:[1-9]\d*)$/);
  await serving.line(/^serving 'open' at .*open\.named$/);
  const client = (key: string, action: string) => startNode(program('remote-client'), [address!, key, action]);
  const refused = await client('what both know\r\n', 'holdLock').finished;
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /AuthenticationError.*authkey is another one/s);
  const holder = client('what both know', 'holdLock');
  await holder.line(/^done true$/);
  // The same objects as those of programs of this machine.
  const manager = await Manager({ name: 'open', linger: 0 });
  const lock = manager.Lock({ name: 'lock' });
  assert.equal(lock.tryAcquire(), false);
  const waiting = lock.acquire({ timeout: 20_000 });
  await holder.kill();
  assert.equal(await waiting, true);
  lock.release();
  await manager.close();
  await using here = await connect(address!, { authkey: 'what both know' });
  const queue = await here.Queue();
  const pending = assert.rejects(queue.get(), { code: 'ERR_MULTIPROCESS_MANAGER_CLOSED' });
  serving.child.kill('SIGTERM');
  const { code, stderr } = await serving.finished;
  assert.deepEqual([code, stderr], [0, '']);
  await pending;
  await here.closed;
  assert.deepEqual(readdirSync(directory), []);
  rmSync(keyFile);
});

test('a key that others may read, none, and a missing one are refused before anything is started', async () => {
  mkdirSync(directory, { mode: 0o700 });
  const key = join(directory, '..', 'key');
  const attempt = () => cli(['serve', 'remote', '--tcp', '127.0.0.1:0', '--authkey-file', key]);
  assert.match((await attempt()).stderr, /ENOENT/);
  writeFileSync(key, 'secret\n');
  chmodSync(key, 0o640);
  const { code, stderr } = await attempt();
  assert.equal(code, 1);
  assert.match(stderr, /chmod 600/);
  chmodSync(key, 0o600);
  writeFileSync(key, '\n');
  assert.match((await attempt()).stderr, /is empty/);
  rmSync(key);
  assert.deepEqual(readdirSync(directory), []);
});

test('a directory of sockets that is not this user alone is refused', async () => {
  mkdirSync(directory, { mode: 0o700 });
  chmodSync(directory, 0o755);
  for (const args of [['serve', 'x'], ['ls'], ['clean']]) {
    const { code, stderr } = await cli(args);
    assert.equal(code, 1);
    assert.match(stderr, /EACCES.*mode 0700/);
  }
  assert.ok(existsSync(directory));
});
