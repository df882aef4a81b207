// Targets whose arguments and results are shared objects that nobody else holds.
import { Lock, Process, RawArray, RawValue, type RLock } from 'multiprocess';

export function makeAndReturn(): { lock: Lock; numbers: Float64Array; large: Uint8Array } {
  const lock = new Lock();
  const large = RawArray('B', 200_000);
  large[199_999] = 7;
  return { lock, numbers: RawArray('d', [1.5, 2.5]), large };
}

export function makeAndThrow(): never {
  throw Object.assign(new Error('with something'), { total: RawValue('i', 5) });
}

/** Says that it has started, then waits for `go` before it returns what it was given. */
export function giveBack(lock: RLock, numbers: Int32Array): string {
  return `${lock.tryAcquire()} ${numbers.join(' ')}`;
}

/** Starts a child with objects of its own, and is killed before the child has looked at them. */
export function startAndDie(answer: Int32Array): void {
  const numbers = RawArray('i', [3, 4]);
  const child = new Process({ target: answerLater, args: [new Lock(), numbers, answer] });
  child.start();
  process.kill(process.pid, 'SIGKILL');
}

export function answerLater(lock: Lock, numbers: Int32Array, answer: Int32Array): void {
  Atomics.store(answer, 0, lock.tryAcquire() ? numbers[0]! + numbers[1]! : -1);
}

/** Makes an object, returns it, and is killed after the outcome has been left. */
export function returnAndDie(): Int32Array {
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), 20);
  return RawArray('i', [9]);
}
