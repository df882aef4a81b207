// Buffers into which V8 itself moves the memory of a block outlive the ArrayBuffer that we know of. A crash would end
// this process by a signal.
import { SharedMemory } from 'multiprocess';
import { collectGarbage } from '../support/gc.js';

const kept: Uint8Array[] = [];
for (let round = 0; round < 20; round++) {
  const block = SharedMemory.create(64 * 1024);
  block.buf.fill(round);
  const stream = new ReadableStream({
    type: 'bytes',
    pull(controller) {
      controller.byobRequest!.respond(10);
    },
  });
  const { value } = await stream.getReader({ mode: 'byob' }).read(block.buf);
  kept.push(value as Uint8Array);
  if (round % 2) block.close();
  block.unlink();
}
for (let i = 0; i < 5; i++) await collectGarbage();
let sum = 0;
for (const bytes of kept) {
  bytes[0] = 1;
  sum += bytes[0]! + new Uint8Array(bytes.buffer).length;
}
console.log(sum > 0 ? 'alive' : 'empty');
