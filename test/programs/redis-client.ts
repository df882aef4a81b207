// A client of a server of Redis, on "another machine".
//   node redis-client.js URL LEASE ACTION
// Says `done …` when it has done that much of the action which does not wait, and stays.
import { writeFileSync } from 'node:fs';
import { connect, type EngineManager, type EngineUrl } from 'multiprocess';

const [url, lease, action] = process.argv.slice(2);
const manager = await connect(url as EngineUrl, { lease: Number(lease) });

/** What it resolves to, or the code of its error. */
function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(String, ({ code }) => code);
}

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
  async holdPermits() {
    const semaphore = await manager.BoundedSemaphore(2, { name: 'bounded' });
    await semaphore.acquire();
    await semaphore.acquire();
    return String(semaphore.token);
  },
  /** Once it has been stopped for too long, says what has become of its permits. */
  async holdPermitsAndTell() {
    const semaphore = await manager.BoundedSemaphore(2, { name: 'bounded' });
    await semaphore.acquire();
    await semaphore.acquire();
    const token = String(semaphore.token);
    void semaphore.lost.then(async () => {
      const released = await codeOf(semaphore.release(2));
      console.log(`lost ${token} ${released}`);
    });
    return token;
  },
  async waitForBounded() {
    const semaphore = await manager.BoundedSemaphore(2, { name: 'bounded' });
    void semaphore.acquire().then(() => console.log('won'));
    return semaphore.value();
  },
  async waitForPermit() {
    const semaphore = await manager.Semaphore(0, { name: 'semaphore' });
    void semaphore.acquire().then(() => console.log('won'));
    return semaphore.value();
  },
  async holdCondition() {
    const condition = await manager.Condition(undefined, { name: 'condition' });
    return condition.acquire();
  },
  async waitForCondition() {
    const condition = await manager.Condition(undefined, { name: 'condition' });
    await condition.acquire();
    void condition.wait().then(async (notified) => {
      console.log(`woken ${notified}`);
      await condition.release();
    });
    // The lock is let go of only when it stands in the line.
    await condition.acquire();
    await condition.release();
    return true;
  },
  /** Has the lock of the condition, is stopped for too long, and says what it may do with it. */
  async holdConditionAndTell() {
    const condition = await manager.Condition(undefined, { name: 'condition' });
    await condition.acquire();
    const lock = await condition.getLock();
    void lock.lost.then(async () => {
      const codes = [
        await codeOf(condition.notify()),
        await codeOf(condition.wait()),
        await codeOf(condition.release()),
      ];
      console.log(`lost ${codes.join()}`);
    });
    return true;
  },
  async waitAtBarrier() {
    const barrier = await manager.Barrier(2, { name: 'barrier' });
    void codeOf(barrier.wait()).then((outcome) => console.log(`passed ${outcome}`));
    return barrier.parties();
  },
  async waitAtThree() {
    const barrier = await manager.Barrier(3, { name: 'of three' });
    void codeOf(barrier.wait()).then((outcome) => console.log(`passed ${outcome}`));
    return barrier.parties();
  },
  /** Comes to the barrier, and does not let its event loop turn for long. */
  async waitAtBarrierBusily() {
    const barrier = await manager.Barrier(2, { name: 'barrier' });
    void codeOf(barrier.wait()).then((outcome) => console.log(`passed ${outcome}`));
    await barrier.parties();
    while ((await barrier.nWaiting()) !== 1);
    setTimeout(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 4 * Number(lease)), 50);
    return true;
  },
  /** Has passed once, and does not wait: it is a member all the same. */
  async passBarrier() {
    const barrier = await manager.Barrier(2, { name: 'barrier' });
    const passed = await barrier.wait();
    Object.assign(globalThis, { barrier }); // it has it still
    return typeof passed;
  },
  async holdValue() {
    const value = await manager.Value('q', 0n, { name: 'value' });
    return value.acquire();
  },
  /** Uses all kinds, round after round, until it is killed. What others have broken it makes as new. */
  async useAll() {
    const bounded = await manager.BoundedSemaphore(2, { name: 'all bounded' });
    const condition = await manager.Condition(undefined, { name: 'all condition' });
    const barrier = await manager.Barrier(2, { name: 'all barrier' });
    const array = await manager.Array('q', 4, { name: 'all rounds' });
    const tokens = await manager.Array('Q', 2, { name: 'all tokens' });
    const loop = async (kind: number, round: () => Promise<unknown>) => {
      for (;;) {
        await round();
        await array.add(kind, 1n);
      }
    };
    const loops = [
      loop(0, () => bounded.run(async () => tokens.exchange(0, bounded.token ?? 0n))),
      loop(1, () => condition.run(() => condition.wait({ timeout: 2 * Number(lease) }))),
      loop(2, () => condition.run(() => condition.notify())),
      loop(3, async () => {
        if (/BROKEN/.test(await codeOf(barrier.wait({ timeout: 10 * Number(lease) })))) await barrier.reset();
      }),
    ];
    Promise.all(loops).catch((error) => {
      writeFileSync(2, `${error.stack}\n`);
      process.exit(1);
    });
    return true;
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
