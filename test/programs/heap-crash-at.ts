// node heap-crash-at.js <operation> <step> <heap> <facts>: does one operation and is killed at that step of it. Says when it is
// ready, and awaits a line.
import { readSync } from 'node:fs';
import { onStep } from '../../src/heap/doors.js';
import { Heap } from '../../src/heap/heap.js';
import type { Facts } from './heap-operations.js';
import { operations } from './operations.js';

const [name, step, id = '', facts = '{}'] = process.argv.slice(2);
const operation = operations.find((candidate) => candidate.name === name)!;
const heap = Heap.join(id, false)!;
const known = JSON.parse(facts) as Facts;
operation.arm?.(heap, known);
console.log('ready');
readSync(0, Buffer.alloc(1));
let left = Number(step);
onStep(() => {
  left -= 1;
  if (left === 0) process.kill(process.pid, 'SIGKILL');
});
operation.act(heap, known);
process.exit(7); // it survived
