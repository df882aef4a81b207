// What CPython's own tests of managers look at (Lib/test/_test_multiprocessing.py of 3.11), method by method.
//
//   _TestMyManager
//     test_mymanager                    here: 'a class of its own', 'how its server ends'; types: 'methods, and their blocking
//                                       twins', 'generators', 'errors', 'which methods are exposed can be said'
//     test_mymanager_context            here: 'how its server ends'
//     test_mymanager_context_prestarted here: 'how its server ends'
//   _TestRemoteManager
//     test_remote                       remote-owners: 'restarted on the same address' (the values); here: 'what one remote
//                                       client puts in another one gets'; remote: 'what cannot travel'
//   _TestManagerRestart
//     test_rapid_restart                remote-owners: 'restarted on the same address'; named: 'a name is used again after a
//                                       shutdown, and after the server was killed'
//   _TestListener
//     test_multiple_bind                remote-owners: 'restarted on the same address' (EADDRINUSE)
//     test_context                      remote-handshake, remote-owners: whoever connects after the end is refused
//     test_abstract_socket              does not translate: sockets lie in a directory that is this user's alone
//   _TestListenerClient
//     test_listener_client              every test that connects
//     test_issue14725                   here: 'a client that has come and gone before it was let in'
//     test_issue16955                   remote-handshake: 'truncated handshakes, garbage, and more than is due'
//   OtherTest
//     test_deliver_challenge_auth_failure  remote-handshake: 'keys that differ, are empty, or are missing'
//     test_answer_challenge_auth_failure   remote-handshake: 'a server that does not know the key'
//     (empty keys, which CPython takes)    remote-handshake: 'keys that differ, are empty, or are missing': refused
//   TestInitializers
//     test_manager_initializer          here: 'an initializer'; manager: 'the initializer runs in the server before it serves',
//                                       'initializers that fail, or are none'
//     test_pool_initializer             pool/
//   TestSyncManagerTypes                each-type has what each type does between parent and child; the methods that the
//     test_event … test_namespace       children of CPython's test call besides are here: 'each type, as a child sees it'
//     test_pool                         pool/
import assert from 'node:assert/strict';
import { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectTo } from 'node:net';
import { test } from 'node:test';
import { BaseManager, connect, handleOf, Manager, Process, RemoteError } from 'multiprocess';
import { encode } from '../../src/codec/internal.js';
import { makeFrame } from '../../src/managers/frames.js';
import { ask } from '../../src/managers/protocol.js';
import { FooManager, lookAt, putValues, raise } from '../programs/cpython-targets.js';
import { MarkedManager, PidManager } from '../programs/manager-targets.js';
import { eventually } from '../support/shm.js';

/** How children of this process have ended, by PID: nobody else is told of a manager's server. */
const ended = new Map<number, number | NodeJS.Signals>();
const { emit } = ChildProcess.prototype as { emit(...args: unknown[]): boolean };
ChildProcess.prototype.emit = function (this: ChildProcess, ...args: unknown[]) {
  const [event, code, signal] = args;
  if (event === 'exit') ended.set(this.pid!, (code ?? signal) as number | NodeJS.Signals);
  return emit.apply(this, args);
};

type Methods = Record<string, (...args: unknown[]) => Promise<unknown>>;

test('a class of its own', async () => {
  await using manager = new FooManager();
  await manager.start();
  const foo = (await manager.Foo()) as unknown as Methods;
  const bar = (await (manager as unknown as Methods)['Bar']!()) as Methods;
  const has = (object: Methods) => ['f', 'g', '_h'].filter((name) => name in object);
  assert.deepEqual(
    [has(foo), has(bar)],
    [
      ['f', 'g'],
      ['f', '_h'],
    ],
  );
  assert.equal(await foo['f']!(), 'f()');
  await assert.rejects(foo['g']!(), (error) => {
    assert.ok(error instanceof RemoteError && error.remoteName === 'RangeError');
    return error.cause instanceof RangeError;
  });
  assert.deepEqual([await bar['f']!(), await bar['_h']!()], ['f()', '_h()']);
  const squares: number[] = [];
  for await (const n of (await manager.Foo()).squares()) squares.push(n);
  assert.deepEqual(squares, [0, 1, 4, 9, 16, 25, 36, 49, 64, 81]);
});

test('how its server ends', async () => {
  const shutDown = new MarkedManager();
  await shutDown.start();
  const pids = [await (await shutDown.Marked()).pid()];
  await shutDown.shutdown();
  {
    await using disposed = new MarkedManager();
    await disposed.start();
    pids.push(await (await disposed.Marked()).pid());
  }
  const startedBefore = new MarkedManager();
  await startedBefore.start();
  {
    await using disposed = startedBefore;
    pids.push(await (await disposed.Marked()).pid());
  }
  await eventually('the exits are known', () => pids.every((pid) => ended.has(pid)));
  assert.deepEqual(
    pids.map((pid) => ended.get(pid)),
    [0, 0, 0],
  );
  const busy = new MarkedManager();
  await busy.start();
  const marked = await busy.Marked();
  const pid = await marked.pid();
  void marked.block(60_000).catch(() => {});
  await busy.shutdown();
  assert.match(String(ended.get(pid)), /^SIG(TERM|KILL)$/);
});

test('what one remote client puts in another one gets', async () => {
  const authkey = new Uint8Array(32).map((_, i) => i * 7);
  await using manager = await Manager();
  const address = await manager.serve('tcp://127.0.0.1:0', { authkey });
  const child = new Process({ target: putValues, args: [address, authkey] });
  child.start();
  await using remote = await connect(address, { authkey });
  const queue = await remote.Queue(0, { name: 'queue' });
  const got = await queue.get({ timeout: 20_000 });
  assert.deepEqual(got, await child.result());
  await assert.rejects(
    queue.put(() => 1),
    { code: 'ERR_MULTIPROCESS_NOT_SHAREABLE' },
  );
});

test('a client that has come and gone before it was let in', { timeout: 60_000 }, async () => {
  await using manager = new PidManager();
  await manager.start();
  const counter = await manager.Counter();
  const pid = await (await manager.Marked()).pid();
  const [address, serial] = handleOf(counter)
    .split(':')
    .slice(4, 6)
    .map((text) => Number.parseInt(text, 36));
  const frame = makeFrame({ id: 1, kind: ask.call, payload: encode([address, serial, 'increment', [5]]).bytes });
  process.kill(pid, 'SIGSTOP');
  // One says all it has to say, and listens; the other has gone altogether, and nobody waits for what it has asked.
  const [listening, gone] = await Promise.all(
    [0, 1].map(async () => {
      const socket = connectTo(manager.address).on('error', () => {});
      await once(socket, 'connect');
      await new Promise<void>((resolve) => socket.end(frame, resolve));
      return socket;
    }),
  );
  gone!.destroy();
  process.kill(pid, 'SIGCONT');
  await once(listening!.resume(), 'close');
  assert.ok([5, 10].includes(await counter.increment(0)), 'what the one has said is done');
});

test('an initializer', async () => {
  await using holder = await Manager();
  const namespace = holder.Namespace({ test: 0 });
  const manager = new BaseManager();
  await assert.rejects(manager.start(1 as never), TypeError);
  await manager.start(raise, [namespace]);
  assert.equal(namespace.test, 1);
  await manager.shutdown();
});

test('each type, as a child sees it', async () => {
  await using manager = await Manager();
  const look = async (kind: Parameters<typeof lookAt>[0], shared: object) => {
    const child = new Process({ target: lookAt, args: [kind, shared] });
    child.start();
    await child.result();
    assert.equal(child.exitCode, 0);
  };
  const event = manager.Event();
  event.set();
  await look('event', event);
  assert.equal(event.isSet(), false);
  assert.equal(await event.wait({ timeout: 1 }), false);
  const lock = manager.Lock();
  await look('lock', lock); // ends with it: it is the next one's, who is told
  assert.equal(await lock.acquire({ timeout: 20_000 }), true);
  lock.release();
  assert.throws(() => lock.release(), { code: 'ERR_MULTIPROCESS_NOT_OWNER' });
  const rlock = manager.RLock();
  await look('rlock', rlock);
  assert.equal(rlock.locked(), false);
  const semaphore = manager.Semaphore();
  await look('semaphore', semaphore);
  semaphore.release();
  assert.equal(semaphore.value, 1);
  await look('condition', manager.Condition());
  const barrier = manager.Barrier(5);
  await look('barrier', barrier);
  assert.equal(barrier.broken, false);
  for (const kind of ['Queue', 'JoinableQueue'] as const) {
    const queue = manager[kind]<number>(2);
    await queue.put(5);
    await queue.put(6);
    await look('queue', queue);
    assert.deepEqual([queue.empty(), queue.full()], [true, false]);
  }
  const list = manager.list<number>();
  list.append(5);
  await look('list', list);
  assert.equal(list.length, 0);
  const dict = manager.dict<string, number>();
  dict.set('foo', 5);
  await look('dict', dict);
  assert.equal(dict.size, 0);
  const value = manager.Value('i', 1);
  await look('value', value);
  assert.equal(value.value, 2);
  await look('array', manager.Array('i', [0, 1]));
  await look('namespace', manager.Namespace({ x: 0, y: 1 }));
});
