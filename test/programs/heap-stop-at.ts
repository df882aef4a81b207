// node heap-stop-at.js <operation> <step> <heap> <facts>: does one operation of the heap, and stops itself (SIGSTOP) before
// that step of it, until somebody lets it go on. Step 0: does not stop.
import { writeSync } from 'node:fs';
import { onStep } from '../../src/heap/doors.js';
import { Heap } from '../../src/heap/heap.js';
import { type Facts, heapOperations } from './heap-operations.js';

const [name, step, id = '', facts = '{}'] = process.argv.slice(2);
const operation = heapOperations.find((candidate) => candidate.name === name)!;
const heap = Heap.join(id, false)!;
const known = JSON.parse(facts) as Facts;
operation.arm?.(heap, known);
let left = Number(step);
onStep(() => {
  left -= 1;
  if (left !== 0) return;
  writeSync(1, `stops ${heap.participant.slot}\n`);
  process.kill(process.pid, 'SIGSTOP');
});
writeSync(1, 'begins\n');
operation.act(heap, known);
writeSync(1, 'done\n');
onStep(undefined);
heap.leave();
