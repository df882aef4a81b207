// Closes blocks while zlib and fs work on them. A crash would end this process by a signal.
import { open, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
import { SharedMemory } from 'multiprocess';
import { collectGarbage } from '../support/gc.js';

const deflated = promisify(deflate);
const path = join(tmpdir(), `close-in-flight-${process.pid}`);
const file = await open(path, 'w');
for (let round = 0; round < 20; round++) {
  const block = SharedMemory.create(8 * 1024 * 1024);
  block.buf.fill(round);
  const work = [deflated(block.buf), file.write(block.buf, 0, block.size, 0), deflated(block.buf.subarray(1000))];
  block.close();
  block.unlink();
  await collectGarbage();
  await Promise.allSettled(work);
  await collectGarbage();
}
await file.close();
await unlink(path);
console.log('alive');
