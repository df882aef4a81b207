// node heap-crash-at.js <operation> <step> <heap> <facts>: does one operation of the heap and is killed at that step of it.
import { onStep } from '../../src/heap/doors.js';
import { Heap } from '../../src/heap/heap.js';
import { type Facts, operations } from './heap-operations.js';

const [name, step, id = '', facts = '{}'] = process.argv.slice(2);
const operation = operations.find((candidate) => candidate.name === name)!;
const heap = Heap.join(id, false)!;
const known = JSON.parse(facts) as Facts;
operation.arm?.(heap, known);
let left = Number(step);
onStep(() => {
  left -= 1;
  if (left === 0) process.kill(process.pid, 'SIGKILL');
});
operation.act(heap, known);
process.exit(7); // it survived
