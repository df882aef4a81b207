// One that waits against one that acquires and releases without a pause: the promise is that nobody waits for long.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lock, Process, RawArray } from 'multiprocess';
import * as targets from '../programs/lock-targets.js';
import { eventually } from '../support/shm.js';

const TIMES = 300;
const P99_MS = 50;
// A hand-over takes three threads that must get a processor: who lets go, who is told of it, who takes. On a machine that has
// more to run than processors each of them waits for that, lock or no lock; how long is measured in the same minute.
const TURNS = 3;

const idle = new Int32Array(new SharedArrayBuffer(4));
/** How much later than asked for a sleep of 1 ms ends. */
function lateness(): number {
  const start = performance.now();
  Atomics.wait(idle, 0, 0, 1);
  return performance.now() - start - 1;
}

/** The part of sorted values below which so many of them lie. */
const percentile = (values: readonly number[], part: number) => values[Math.ceil(values.length * part) - 1]!;

for (const how of ['acquire', 'acquireSync'] as const) {
  test(`${how} against a tight loop, ${TIMES} times`, { timeout: 60_000 }, async (context) => {
    const lock = new Lock();
    const flags = RawArray('i', 3);
    const loop = new Process({ target: targets.tightLoop, args: [lock, flags] });
    loop.start();
    await eventually('it loops', () => Atomics.load(flags, 0) === 1);
    const waits: number[] = [];
    const late: number[] = [];
    for (let i = 0; i < TIMES; i++) {
      const start = performance.now();
      if (how === 'acquire') assert.equal(await lock.acquire({ timeout: 5000 }), true);
      else assert.equal(lock.acquireSync({ timeout: 5000 }), true);
      waits.push(performance.now() - start);
      const rounds = Atomics.load(flags, 2);
      lock.release();
      late.push(lateness());
      // Until the other is at it again: else this one would have the lock for itself.
      while (Atomics.load(flags, 2) === rounds) await new Promise((resolve) => setImmediate(resolve));
    }
    Atomics.store(flags, 1, 1);
    assert.ok((await loop.result()) >= TIMES);
    waits.sort((a, b) => a - b);
    late.sort((a, b) => a - b);
    const shown = [0.5, 0.9, 0.99, 1].map((part) => `p${part * 100} ${percentile(waits, part).toFixed(2)} ms`);
    const machine = percentile(late, 0.99);
    context.diagnostic(`${shown.join(', ')}; the machine's own: p99 ${machine.toFixed(2)} ms`);
    const found = percentile(waits, 0.99);
    assert.ok(found <= P99_MS + TURNS * machine, `the 99th percentile is ${found} ms`);
  });
}
