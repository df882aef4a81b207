// Handles of other managers, of none, and of other users.
import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { after, before, test } from 'node:test';
import { handleOf, Manager, open, type Remote, type SyncManager } from 'multiprocess';
import { type Counter, CounterManager } from '../programs/manager-targets.js';
import { program } from '../support/paths.js';
import { runNode } from '../support/run.js';
import { ownRuntimeDirectory } from '../support/runtime-directory.js';

const directory = ownRuntimeDirectory();
const one = new CounterManager();
const other = new CounterManager();
let ofOne: Remote<Counter>;
before(async () => {
  await Promise.all([one.start(), other.start()]);
  ofOne = await one.Counter(3);
});
after(() => Promise.all([one.shutdown(), other.shutdown()]));
const isRoot = process.geteuid!() === 0;

test('objects of one manager go through another one', async () => {
  const ofOther = await other.Counter(8);
  assert.equal(await ofOther.echo(ofOne), ofOne);
  const list = other.list<unknown>([ofOne, one, one.Lock()]);
  assert.equal(list.at(0), ofOne);
  assert.equal(list.at(1), one);
  assert.equal(await (list.at(0) as Remote<Counter>).increment(), 4);
});

test('the place of another kind of object is none of a registered type', () => {
  const fields = handleOf(ofOne).split(':');
  for (const shared of [other.Lock(), one.dict()]) {
    const elsewhere = handleOf(shared).split(':').slice(2, 6);
    assert.throws(() => open([...fields.slice(0, 2), ...elsewhere, ...fields.slice(6)].join(':')));
  }
});

test('handles of managers that are none', async () => {
  const [mp, kind, types, heap, nonce, , , path] = one.handle.split(':');
  const lock = handleOf(one.Lock()).split(':').slice(2);
  assert.throws(() => open([mp, kind, types, ...lock, path].join(':')), { code: 'ERR_MULTIPROCESS_STALE_HANDLE' });
  assert.throws(() => open([mp, kind, types, heap, nonce, 'zzzz', '1', path].join(':')), {
    code: 'ERR_MULTIPROCESS_STALE_HANDLE',
  });
  assert.throws(() => open([mp, kind, types, '0123456789abcdef', nonce, '1', '1', path].join(':')), {
    code: 'ERR_MULTIPROCESS_STALE_HANDLE',
  });
  for (const text of ['mp:manager:', 'mp:manager::', `mp:manager:${types}`, 'mp:nothing:x']) {
    assert.throws(() => open(text), { code: 'ERR_MULTIPROCESS_VALUE' }, text);
  }
});

test('handles of a manager that has ended', async () => {
  const ended: SyncManager = await Manager();
  const { handle } = ended;
  await ended.shutdown();
  const again = open(handle) as SyncManager; // its heap is there for as long as somebody has part in it
  assert.throws(() => again.Lock(), { code: 'ERR_MULTIPROCESS_MANAGER_CLOSED' });
});

test('another user opens nothing, and meets nobody', { skip: isRoot ? false : 'takes root' }, async () => {
  const ours = await Manager({ name: 'ours', linger: 0 });
  chmodSync(dirname(directory), 0o755); // so that it is the sockets' own directory that keeps others out
  const { code, stdout, stderr } = await runNode(program('open-as-other-user'), [ours.handle]);
  assert.deepEqual([code, stdout], [0, 'EACCES\nEACCES\n'], stderr);
  await ours.shutdown();
});

test("another user's directory of sockets is refused", { skip: isRoot ? false : 'takes root' }, async () => {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { mode: 0o700 });
  chownSync(directory, 65534, 65534);
  try {
    await assert.rejects(Manager(), { code: 'EACCES' });
    await assert.rejects(Manager({ name: 'theirs' }), { code: 'EACCES' });
  } finally {
    rmSync(directory, { recursive: true });
  }
});
