// Named managers whose server does not answer: whoever wants to meet it does not wait for ever.
import assert from 'node:assert/strict';
import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { beforeEach, test } from 'node:test';
import { Manager, type SyncManager, TimeoutError } from 'multiprocess';
import { tryLockFile } from '../../src/os/index.js';
import { MarkedManager } from '../programs/manager-targets.js';
import { withFullQueue } from '../support/full-queue.js';
import { ownRuntimeDirectory } from '../support/runtime-directory.js';
import { eventually, isAlive } from '../support/shm.js';

const directory = ownRuntimeDirectory();
beforeEach(() => {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { mode: 0o700 });
});

async function whileStopped(name: string, work: (manager: SyncManager, pid: number) => Promise<void>): Promise<void> {
  const manager = new MarkedManager({ name, linger: 0 });
  await manager.start();
  const pid = await (await manager.Marked()).pid();
  process.kill(pid, 'SIGSTOP');
  try {
    await work(manager, pid);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  // It is as it was.
  const again = await Manager({ name, linger: 0 });
  assert.equal(again.address, manager.address);
  await manager.shutdown();
}

async function isLate(promise: Promise<unknown>, within: number): Promise<void> {
  const start = performance.now();
  await assert.rejects(promise, (error: TimeoutError) => {
    assert.ok(error instanceof TimeoutError, String(error));
    assert.match(error.message, /does not answer.*SIGSTOP/);
    return true;
  });
  const took = performance.now() - start;
  assert.ok(took < within, `${took} ms`);
}

test('a server that is stopped', { timeout: 60_000 }, async () => {
  await whileStopped('stopped', async (manager) => {
    const list = manager.list([1]); // for who has it, the data plane works on
    assert.deepEqual([...list], [1]);
    await isLate(Manager({ name: 'stopped', timeout: 300 }), 5000);
    await isLate(Manager({ name: 'stopped', timeout: 0 }), 5000);
    await isLate(Manager({ name: 'stopped', timeout: -1 }), 5000);
  });
});

test('a wait can be aborted', { timeout: 60_000 }, async () => {
  await whileStopped('aborted', async () => {
    const reason = new Error('enough');
    const waiting = Manager({ name: 'aborted', signal: AbortSignal.timeout(200) });
    await assert.rejects(waiting, { name: 'TimeoutError', code: 23 });
    await assert.rejects(Manager({ name: 'aborted', signal: AbortSignal.abort(reason) }), reason);
  });
});

test('one that goes on in time is met', { timeout: 60_000 }, async () => {
  await whileStopped('continued', async (manager, pid) => {
    const waiting = Manager({ name: 'continued', linger: 0 });
    setTimeout(() => process.kill(pid, 'SIGCONT'), 300);
    assert.equal((await waiting).address, manager.address);
  });
});

test('more clients than the kernel queues for a stopped one block nobody', { timeout: 60_000 }, async () => {
  await whileStopped('queued', async (manager) => {
    await withFullQueue(manager.address, async () => {
      let ticks = 0;
      const ticking = setInterval(() => ticks++, 10);
      await isLate(Manager({ name: 'queued', timeout: 500 }), 5000);
      clearInterval(ticking);
      assert.ok(ticks > 10, `the event loop turned ${ticks} times`);
    });
  });
});

test('somebody who is about to start it, and stopped', async () => {
  const fd = openSync(join(directory, 'starting.lock'), 'w+', 0o600);
  try {
    assert.ok(tryLockFile(fd, 'exclusive', 0n));
    await isLate(Manager({ name: 'starting', timeout: 200 }), 5000);
  } finally {
    closeSync(fd);
  }
  await (await Manager({ name: 'starting', timeout: 0, linger: 0 })).shutdown(); // one's own start takes its time
});

async function impostor(name: string, accept: (socket: Socket) => void): Promise<Server> {
  const server = createServer(accept);
  await new Promise<void>((resolve) => server.listen(join(directory, `${name}.named`), resolve));
  return server;
}

test('what listens there and is no manager', async () => {
  const sockets: Socket[] = [];
  const greeting = (text: string) => {
    const frame = Buffer.alloc(9 + text.length);
    frame.writeUInt32LE(5 + text.length, 0);
    frame[8] = 1;
    frame.write(text, 9);
    return frame;
  };
  for (const [bytes, expected] of [
    [Buffer.from('HTTP/1.1 400 Bad Request\r\n'), { code: 'ERR_MULTIPROCESS', message: /no manager/ }],
    [greeting('{"protocol":0}'), { message: /another version/ }],
    [greeting('no JSON'), { code: 'ERR_MULTIPROCESS', message: /no manager/ }],
  ] as const) {
    const server = await impostor('other', (socket) => {
      sockets.push(socket.on('error', () => {}));
      socket.write(bytes);
    });
    await assert.rejects(Manager({ name: 'other', timeout: 300 }), expected);
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
});

test('what listens there, says nothing and has no lock is replaced', async () => {
  const sockets: Socket[] = [];
  const server = await impostor('silent', (socket) => sockets.push(socket.on('error', () => {})));
  const manager = await Manager({ name: 'silent', timeout: 300, linger: 0 });
  manager.Lock();
  await manager.shutdown();
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

test('wrong timeouts and signals', () => {
  assert.throws(() => new MarkedManager({ timeout: '1' as never }), TypeError);
  assert.throws(() => new MarkedManager({ timeout: Number.NaN }), RangeError);
  assert.throws(() => new MarkedManager({ signal: 1 as never }), TypeError);
});

test('a server that is killed while it is stopped is replaced', { timeout: 60_000 }, async () => {
  const first = new MarkedManager({ name: 'replaced', linger: 0 });
  await first.start();
  const pid = await (await first.Marked()).pid();
  process.kill(pid, 'SIGSTOP');
  const waiting = Manager({ name: 'replaced', linger: 0 });
  process.kill(pid, 'SIGKILL');
  const second = await waiting;
  await eventually('it is dead', () => !isAlive(pid));
  second.Lock();
  await second.shutdown();
});
