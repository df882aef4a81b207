// node kill-workers.js <rounds> <at once> <seed>: starts workers on shared memory and kills each at a random moment.
import { setTimeout as delay } from 'node:timers/promises';
import { activeChildren, Process, SharedMemory } from 'multiprocess';
import { writeUntilKilled } from './targets.js';

const [rounds = 0, atOnce = 1, seed = 1] = process.argv.slice(2).map(Number);
let state = seed;
const random = () => {
  state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
  return state / 0x80000000;
};

let killed = 0;
{
  using block = SharedMemory.create(4096);
  const words = block.view(Int32Array);
  const lane = async (slot: number) => {
    while (killed < rounds) {
      killed += 1;
      const child = new Process({ target: writeUntilKilled, args: [block.name, words, slot], stdio: 'ignore' });
      child.start();
      // From before the child's first instruction to well within its work.
      await delay(random() * 250);
      child.kill();
      await child.join();
      await child.result().then(
        () => Promise.reject(new Error('a killed child has no result')),
        (error) => {
          if (error.code !== 'ERR_MULTIPROCESS_PROCESS_DIED' || error.signalCode !== 'SIGKILL') throw error;
        },
      );
    }
  };
  await Promise.all(Array.from({ length: atOnce }, (_, i) => lane(i)));
}
if (activeChildren().length > 0) throw new Error('children are left');
console.log(`killed ${killed}`);
