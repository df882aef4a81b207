// node attach-and-wait.js <name>: attaches, then does what each line of its input says: close, read, exit.
import { createInterface } from 'node:readline';
import { SharedMemory } from 'multiprocess';

const block = SharedMemory.attach(process.argv[2]!);
block.buf[0] = block.buf[0]! + 1;
console.log('attached');
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'close') block.close();
  if (line === 'read') console.log(`byte ${block.buf[0]}`);
  if (line === 'exit') process.exit(0);
  console.log(`done ${line}`);
}
