import { existsSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { SharedMemory } from 'multiprocess';
import { check, secondsSince, serve } from '../harness/serve.js';

const BYTES = 4096;
// Memory is unmapped when its buffer has been collected and the event loop turns. Without turns that would not happen
// within the time that is measured.
const OPERATIONS_PER_TURN = 256;

const write = process.argv[2] === 'written';

await serve(async (count) => {
  const start = performance.now();
  for (let i = 1; i <= count; i++) {
    const block = new SharedMemory({ create: true, size: BYTES });
    if (write) block.buf[0] = 1;
    block.close();
    block.unlink();
    if (i % OPERATIONS_PER_TURN === 0) await setImmediate();
  }
  const seconds = secondsSince(start);
  checkOnce();
  return seconds;
});

function checkOnce(): void {
  const block = new SharedMemory({ create: true, size: BYTES });
  const path = `/dev/shm/${block.name}`;
  check(block.buf.length === BYTES && existsSync(path), 'the block is not there');
  block.close();
  block.unlink();
  check(!existsSync(path), 'the block is still there');
}
