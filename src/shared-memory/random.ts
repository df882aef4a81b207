import { readFileSync } from 'node:fs';

/** Random hexadecimal digits from the kernel, at most 32; loading `node:crypto` would take every process 3 ms. */
export function randomHex(digits: number): string {
  return readFileSync('/proc/sys/kernel/random/uuid', 'latin1').replaceAll('-', '').slice(0, digits);
}
