import { openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { futexWake, mapShared, tryLockFile } from '../../src/os/index.js';

export async function wakeLater(path: string, index: number): Promise<void> {
  const { address, buffer } = mapShared(openSync(path, 'r+'), 4096);
  await delay(20);
  Atomics.store(new Int32Array(buffer), index, 1);
  futexWake(address + BigInt(4 * index), 1);
}

export function holdLock(path: string): Promise<never> {
  if (!tryLockFile(openSync(path, 'r+'), 'exclusive', 7n)) throw new Error('taken');
  return new Promise(() => setInterval(() => {}, 1000));
}
