// node threads.js <what>: threads of one process that join, make blocks and end at awkward moments.
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { Process, SharedMemory } from 'multiprocess';
import { nothing } from './targets.js';

const what = process.argv[2];

function thread(body: string): Worker {
  const source = `
    const { parentPort, workerData } = require('node:worker_threads');
    const trees = () => require('node:fs').readdirSync('/proc/self/fd').flatMap((fd) => {
      try { return /mp-tree-\\w+/.exec(require('node:fs').readlinkSync('/proc/self/fd/' + fd))?.[0] ?? []; } catch { return []; }
    });
    import('multiprocess').then(async (mp) => { ${body} });`;
  return new Worker(source, { eval: true });
}

// Listened for from the start: a last message and the exit may come in one turn of the loop.
const message = (worker: Worker) => new Promise((resolve) => worker.once('message', resolve));
const exit = (worker: Worker) => new Promise((resolve) => worker.once('exit', resolve));

if (what === 'found-at-once') {
  // Four threads join a process that has no tree yet: one tree.
  const workers = Array.from({ length: 4 }, () =>
    thread(
      `globalThis.kept = mp.SharedMemory.create(8); parentPort.postMessage(process.env.MULTIPROCESS_TREE); setInterval(() => {}, 1000);`,
    ),
  );
  const ids = await Promise.all(workers.map(message));
  console.log(new Set(ids).size);
  process.exit(0);
}
if (what === 'join-while-starting') {
  // A thread that joins while the main thread hands memberships to children must not take one of those for its own.
  const block = SharedMemory.create(8);
  const path = join(tmpdir(), `multiprocess-threads-${process.pid}`);
  writeFileSync(path, 'the user’s own file');
  const failures: unknown[] = [];
  for (let round = 0; round < 5; round++) {
    const worker = thread(`
      for (let i = 0; i < 20; i++) { const block = mp.SharedMemory.create(8); block.buf[0] = i; block.close(); block.unlink(); }
      parentPort.postMessage('made');`);
    const made = message(worker);
    worker.once('error', (error) => failures.push(error));
    const children = Array.from({ length: 4 }, () => new Process({ target: nothing, stdio: 'ignore' }));
    for (const child of children) {
      child.start();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await made;
    await Promise.all(children.map((child) => child.join()));
  }
  console.log(failures.length, readFileSync(path, 'utf8') === 'the user’s own file', block.size);
  block.unlink();
  process.getBuiltinModule('node:fs').unlinkSync(path);
}
if (what === 'exit-while-making') {
  // The process exits while a thread makes blocks in a loop.
  const worker = thread(`
    parentPort.postMessage('running');
    for (;;) { const block = mp.SharedMemory.create(8); block.close(); block.unlink(); }`);
  await message(worker);
  SharedMemory.create(8);
  await new Promise((resolve) => setTimeout(resolve, 20));
  process.exit(0);
}
if (what === 'worker-first') {
  // A worker makes a block and ends; the process goes on, so the block stays.
  const worker = thread(`parentPort.postMessage(mp.SharedMemory.create(8).name);`);
  const [name] = (await Promise.all([message(worker), exit(worker)])) as [string, unknown];
  console.log(`made ${name}`);
  process.stdin.once('data', () => {
    const block = SharedMemory.attach(name);
    console.log(`still ${block.size}`);
    process.exit(0);
  });
}
if (what === 'map-and-end') {
  const worker = thread(`
    const block = mp.SharedMemory.create(1024 * 1024);
    block.buf.fill(1);
    block.unlink();
    parentPort.postMessage(block.name);`);
  const [name] = (await Promise.all([message(worker), exit(worker)])) as [string, unknown];
  console.log(`mapped ${readFileSync('/proc/self/maps', 'utf8').split(name).length - 1}`);
}
if (what === 'exit-handler') {
  // A thread's own exit handler, registered after the library's, still writes into the shared memory.
  const block = SharedMemory.create(8);
  const worker = thread(`
    globalThis.view = mp.open('${block.handle}').buf;
    process.on('exit', () => { globalThis.view[0] = 5; });
    parentPort.postMessage('ready');`);
  await exit(worker);
  console.log(`written ${block.buf[0]}`);
  block.unlink();
}
