// Another machine that is gone from one moment to the next, without a goodbye: neither side waits for the other for ever.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Manager } from 'multiprocess';
import { OtherMachine } from '../support/other-machine.js';
import { program } from '../support/paths.js';

const other = await OtherMachine.plugIn();
after(() => other?.remove());
const skip = other === undefined ? 'takes the right to make networks' : false;
/** watched-connection.ts: 15 s for those who say nothing, 20 s for those who do. */
const noticed = { timeout: 40_000 };

test('a remote client whose cable is pulled', { skip, timeout: 120_000 }, async () => {
  await using manager = await Manager();
  const authkey = 'a key';
  const address = await manager.serve(`tcp://${other!.here}:0`, { authkey });
  const holder = other!.start(program('remote-client'), [address, authkey, 'holdLock']);
  await holder.line(/^done true$/);
  const waiter = other!.start(program('remote-client'), [address, authkey, 'waitForItem']);
  await waiter.line(/^done true$/);
  const lock = manager.Lock({ name: 'lock' });
  const queue = manager.Queue<string>(0, { name: 'queue' });
  assert.equal(lock.tryAcquire(), false);
  await other!.pull();
  const start = performance.now();
  // Nobody knows yet that it is gone; what it was waiting for is in its name, and is given back when that is known.
  queue.putSync('an item');
  const [acquired] = await Promise.all([lock.acquire(noticed), holder.line(/^lost$/)]);
  assert.equal(acquired, true);
  assert.equal(lock.ownerDied, true);
  assert.ok(performance.now() - start > 1000, 'not by being told');
  lock.release();
  await Promise.all([holder.kill(), waiter.kill()]);
});
