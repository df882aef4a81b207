// How long it takes to count to ten thousand in shared memory: with a Value's own lock, with a lock beside a raw value, and
// atomically without any lock.
import { isMainProcess, Lock, Process, RawValue, type RawValueOf, type Synchronized, Value } from 'multiprocess';

const ITERATIONS = 10_000;

export function countSynchronized(value: Synchronized<'i'>): number {
  return timed(() => {
    value.runSync(() => {
      value.value += 1;
    });
  });
}

export function countRaw(value: RawValueOf<'i'>, lock: Lock): number {
  return timed(() => {
    lock.runSync(() => {
      value.value += 1;
    });
  });
}

export function countAtomically(value: Synchronized<'i'>): number {
  return timed(() => value.add(1));
}

/** Milliseconds that it takes to do it so many times. */
function timed(step: () => void): number {
  const start = performance.now();
  for (let i = 0; i < ITERATIONS; i++) step();
  return performance.now() - start;
}

if (isMainProcess) {
  console.log('Testing synchronized Value...');
  const synchronizedValue = Value('i', 0);
  const first = new Process({ target: countSynchronized, args: [synchronizedValue] });
  first.start();
  console.log(`synchronized test completed in ${(await first.result()).toFixed(3)} ms`);
  console.log(`Synchronized final value: ${synchronizedValue.value}`);

  console.log('\nTesting raw Value with manual lock...');
  const rawValue = RawValue('i', 0);
  const lock = new Lock();
  const second = new Process({ target: countRaw, args: [rawValue, lock] });
  second.start();
  console.log(`raw test completed in ${(await second.result()).toFixed(3)} ms`);
  console.log(`Raw final value: ${rawValue.value}`);

  console.log('\nTesting atomic addition...');
  const atomicValue = Value('i', 0);
  const third = new Process({ target: countAtomically, args: [atomicValue] });
  third.start();
  console.log(`atomic test completed in ${(await third.result()).toFixed(3)} ms`);
  console.log(`Atomic final value: ${atomicValue.value}`);
}
