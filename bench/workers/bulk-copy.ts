import { SharedMemory } from 'multiprocess';
import { check, secondsSince, serve } from '../harness/serve.js';

const bytes = Number(process.argv[2]);
// Filled, because pages never written to are all the same page, which stays in the processor's cache.
const source = new Uint8Array(bytes).fill(7);
const block = new SharedMemory({ create: true, size: bytes });
block.buf.set(source);
let mark = 0;

await serve((count) => {
  mark = (mark + 1) % 256;
  source[0] = mark;
  source[bytes - 1] = mark;
  const start = performance.now();
  for (let i = 0; i < count; i++) block.buf.set(source);
  const seconds = secondsSince(start);
  check(block.buf[0] === mark && block.buf[bytes - 1] === mark, 'the copy differs');
  return seconds;
});

block.close();
block.unlink();
