// More remote clients than a heap has places for owners.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect, Manager, type RemoteLock, type RemoteManager, TooManyParticipantsError } from 'multiprocess';
import { eventually } from '../support/shm.js';

const CLIENTS = 560;
const PLACES = 512;

test(`${CLIENTS} remote clients, each with a lock`, { timeout: 120_000 }, async () => {
  await using manager = await Manager();
  const authkey = 'a key';
  const address = await manager.serve('tcp://127.0.0.1:0', { authkey });
  const counts = manager.dict<string, number>(null, { name: 'counts' });
  const clients: RemoteManager[] = [];
  try {
    for (let i = 0; i < CLIENTS; i++) clients.push(await connect(address, { authkey }));
    const outcomes = await Promise.all(
      clients.map(async (client, i): Promise<RemoteLock | Error> => {
        try {
          const lock = await client.Lock({ name: `lock ${i}` });
          assert.equal(await lock.acquire({ timeout: 60_000 }), true);
          return lock;
        } catch (error) {
          return error as Error;
        }
      }),
    );
    const refused = outcomes.flatMap((outcome, i) => (outcome instanceof Error ? [i] : []));
    assert.ok(
      CLIENTS - refused.length <= PLACES && CLIENTS - refused.length > PLACES - 10,
      `${refused.length} refused`,
    );
    for (const i of refused) {
      const error = outcomes[i] as TooManyParticipantsError;
      assert.ok(error instanceof TooManyParticipantsError, String(error));
      assert.equal(error.code, 'ERR_MULTIPROCESS_TOO_MANY_PARTICIPANTS');
      assert.match(error.message, /All 512 places/);
    }
    // Who owns nothing needs no place: all of them go on.
    await Promise.all(
      clients.map(async (client) => (await client.dict<string, number>(null, { name: 'counts' })).increment('all')),
    );
    assert.equal(counts.get('all'), CLIENTS);
    // Those who have one are not disturbed, and hold what they hold.
    const held = outcomes.findIndex((outcome) => !(outcome instanceof Error));
    assert.equal(manager.Lock({ name: `lock ${held}` }).tryAcquire(), false);
    // A place that becomes free is another's.
    await clients[held]!.close();
    const late = clients[refused[0]!]!;
    await eventually('the place is free', () => late.Lock({ name: `lock ${held}` }).then(Boolean, () => false));
    const lock = await late.Lock({ name: `lock ${held}` });
    assert.equal(await lock.acquire({ timeout: 10_000 }), true);
  } finally {
    await Promise.all(clients.map((client) => client.close()));
  }
  // Their places become free as the server hears of their ends.
  const after = await connect(address, { authkey });
  await eventually('there are places', () => after.Lock({ name: 'lock 0' }).then(Boolean, () => false));
  const lock = await after.Lock({ name: 'lock 0' });
  assert.equal(await lock.acquire({ timeout: 10_000 }), true);
  await after.close();
});
