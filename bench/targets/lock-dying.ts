import type { Lock } from 'multiprocess';
import { Baton, type BatonParts } from './baton.js';

/** Takes the lock, tells so, keeps it for a while, and dies with it. */
export function dieHolding(lock: Lock, held: Int32Array, died: BigInt64Array, milliseconds: number): void {
  lock.acquireSync();
  Atomics.store(held, 0, 1);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
  died[0] = process.hrtime.bigint();
  process.kill(process.pid, 'SIGKILL');
}

/** On its turns, waits for the lock of one who dies, and tells when it has it, until it is told to end. */
export function replaceDead(parts: BatonParts, lock: Lock, ended: Int32Array, replaced: BigInt64Array): void {
  const baton = Baton.join(parts);
  for (;;) {
    baton.take();
    if (Atomics.load(ended, 0) === 1) return;
    lock.acquireSync();
    replaced[0] = lock.ownerDied ? process.hrtime.bigint() : 0n;
    lock.release();
    baton.pass();
  }
}
