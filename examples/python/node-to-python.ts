// Node makes a block of shared memory, a Python process opens it by its name and changes the numbers in it.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { SharedMemory } from 'multiprocess';

// Seen from build/examples/python, where this file lies once compiled.
const script = fileURLToPath(new URL('../../../examples/python/change-in-place.py', import.meta.url));

using memory = SharedMemory.create(5 * Float64Array.BYTES_PER_ELEMENT);
const numbers = memory.view(Float64Array);
numbers.set([1, 1.5, 2, 2.5, 3]);
console.log(`Node wrote:         [${numbers.join(', ')}]`);

const { error, status } = spawnSync('python3', [script, memory.name], { stdio: 'inherit' });
if (error) throw new Error('This example needs Python 3.8 or later as `python3`.', { cause: error });
if (status !== 0) throw new Error(`Python ended with exit code ${status}.`);

console.log(`Node, after Python: [${numbers.join(', ')}]`);
