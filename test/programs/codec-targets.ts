// Targets of the processes that the tests of the codec start.
import { randomFrom } from '../support/random.js';

/** Changes single bytes behind the two words that say it has begun (0) and may end (1), and puts them right again. */
export function scribble(memory: Uint8Array, seed: number): number {
  const random = randomFrom(seed);
  const words = new Int32Array(memory.buffer, memory.byteOffset, 2);
  const bytes = memory.subarray(8);
  const right = bytes.slice();
  let changes = 0;
  for (let at = 0; Atomics.load(words, 1) === 0; changes++) {
    bytes[at] = right[at]!;
    at = Math.floor(random() * bytes.length);
    bytes[at] = Math.floor(random() * 256);
    Atomics.store(words, 0, 1);
  }
  return changes;
}
