// node make-and.js <exit|throw|wait|persist|children|worker> : makes blocks and ends in the way that is said.

import { openSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { Process, ShareableList, SharedMemory } from 'multiprocess';
import { runForever } from './targets.js';

const how = process.argv[2];
if (how === 'late') process.once('exit', () => SharedMemory.create(10));
if (how === 'unprivileged') {
  process.setgid?.(65534);
  process.setuid?.(65534);
  console.log(`as ${process.getuid?.()}`);
}
const block = SharedMemory.create(1000, { persist: how === 'persist' });
block.buf[0] = 1;
const list = new ShareableList([1, 'two'], { persist: how === 'persist' });
console.log(`made ${block.name} ${list.shm.name}`);
switch (how) {
  case 'throw':
    throw new Error('on purpose');
  case 'wait':
    setInterval(() => {}, 1000);
    break;
  case 'clean':
    for (const made of [block, list]) {
      made.close();
      made.unlink();
    }
    break;
  case 'handlers': {
    const attached = SharedMemory.attach(block.name);
    process.on('exit', () => {
      attached.buf[1] = 7; // mapped only now
      if (block.buf[1] !== 7) throw new Error('another memory');
      attached.close();
      block.unlink();
      list.unlink();
      console.log('handlers done');
    });
    await new Promise((resolve) => setImmediate(resolve));
    break;
  }
  case 'late':
    process.on('exit', () => console.log(`late ${SharedMemory.create(10).name}`));
    break;
  case 'daemon':
    new Process({ target: runForever, daemon: true, stdio: 'ignore' }).start();
    break;
  case 'no-descriptors':
    // More than the program may open: run with a limit it cannot reach otherwise.
    try {
      for (;;) openSync('/dev/null', 'r');
    } catch {}
    break;
  case 'children': {
    const ready = block.view(Int32Array, 4, 1);
    const child = new Process({ target: runForever, args: [ready], stdio: 'ignore' });
    child.start();
    while (Atomics.load(ready, 0) === 0) await new Promise((resolve) => setImmediate(resolve));
    console.log(`child ${child.pid}`);
    break;
  }
  case 'worker':
    // The block stays attached in a thread that still runs when the process exits.
    await new Promise((resolve) => {
      const source = `
        import('multiprocess').then(({ SharedMemory }) => {
          globalThis.kept = SharedMemory.attach('${block.name}');
          globalThis.kept.buf[0] = 2;
          require('node:worker_threads').parentPort.postMessage('attached');
          setInterval(() => {}, 1000);
        });`;
      new Worker(source, { eval: true }).once('message', resolve);
    });
    process.exit(0);
}
