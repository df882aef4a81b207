// A client of a server of Redis, on "another machine".
//   node redis-client.js URL LEASE ACTION
// Says `done …` when it has done that much of the action which does not wait, and stays.
import { writeFileSync } from 'node:fs';
import { connect, type EngineManager, type EngineUrl } from 'multiprocess';

const [url, lease, action] = process.argv.slice(2);
const manager = await connect(url as EngineUrl, { lease: Number(lease) });

const actions: Record<string, (manager: EngineManager) => Promise<unknown>> = {
  async holdLock() {
    const lock = await manager.Lock({ name: 'lock' });
    await lock.acquire();
    return String(lock.token);
  },
  async waitForLock() {
    const lock = await manager.Lock({ name: 'lock' });
    void lock.acquire().then(() => console.log('won'));
    return lock.locked();
  },
  /** Holds, and does not let its event loop turn. */
  async holdBusily() {
    const lock = await manager.Lock({ name: 'lock' });
    await lock.acquire();
    setImmediate(() => {
      for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
    });
    return String(lock.token);
  },
  /** The clock of this machine jumps about. */
  async holdWithJumpingClock() {
    const real = Date.now;
    let jump = 0;
    Date.now = () => real() + jump;
    setInterval(() => {
      jump = jump === 0 ? 1e9 : jump > 0 ? -1e9 : 0;
    }, 5);
    const lock = await manager.Lock({ name: 'lock' });
    await lock.acquire();
    return String(lock.token);
  },
  /** Once it has been stopped for too long, goes on as if it had the lock: with the token that it was given. */
  async holdAndTell() {
    const lock = await manager.Lock({ name: 'lock' });
    await lock.acquire();
    const token = String(lock.token);
    void lock.lost.then(async () => {
      const released = await lock.release().then(
        () => 'released',
        ({ code }) => code,
      );
      console.log(`lost ${token} ${lock.token} ${released}`);
    });
    return token;
  },
  async waitForChange() {
    const dict = await manager.dict(null, { name: 'dict' });
    void dict.changed('n');
    return dict.size();
  },
  /** Counts up, under the lock and with its token, until it is killed. */
  async count() {
    const lock = await manager.Lock({ name: 'lock' });
    const dict = await manager.dict<string, any>(null, { name: 'counted' });
    void (async () => {
      for (;;) {
        await lock.acquire();
        const { token } = lock;
        const before = await dict.get('highest', 0n);
        if (token !== undefined && before >= token) await dict.set('wrong', `${before} before ${token}`);
        await dict.set('highest', token);
        await dict.set('inside', (await dict.get('inside', 0)) + 1);
        await dict.increment('rounds');
        await lock.release();
      }
    })().catch((error) => {
      writeFileSync(2, `${error.stack}\n`);
      process.exit(1);
    });
    return true;
  },
};

if (action === 'exit') {
  const lock = await manager.Lock({ name: 'exit' });
  await lock.acquire();
  await (await manager.dict(null)).changed('x', { timeout: 5 });
  console.log('done "and nothing keeps it"');
} else {
  console.log(`done ${JSON.stringify(await actions[action!]!(manager))}`);
  setInterval(() => {}, 1000);
}
