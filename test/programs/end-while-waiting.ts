// node end-while-waiting.js <handle of a lock that another holds> <main|worker> <how> [ms]: waits for the lock without
// blocking, in the main thread or in a worker, and ends in the way that is said: so many ms later, or else when the thread
// that waits for it sleeps.
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { Lock, open } from 'multiprocess';

const [handle = '', where, how, ms] = (workerData as string[] | null) ?? process.argv.slice(2);
const inWorker = where === 'worker';
const FUTEX_WAITV = '449 ';

function helperSleeps(): boolean {
  return readdirSync('/proc/self/task').some((thread) => {
    try {
      return readFileSync(`/proc/self/task/${thread}/syscall`, 'latin1').startsWith(FUTEX_WAITV);
    } catch {
      return false; // it has ended
    }
  });
}

async function itsTime(): Promise<void> {
  if (ms !== undefined) return void (await delay(Number(ms)));
  for (let i = 0; i < 1000 && !helperSleeps(); i++) await delay(5);
}

function wait(): void {
  globalThis.kept = new Lock(); // so that there is a heap of its own, too
  const lock = open(handle, Lock);
  lock.acquire().then(
    () => {
      lock.release();
      console.log('acquired');
    },
    (error) => console.log(`rejected ${error}`),
  );
}
declare global {
  var kept: unknown;
}

function end(): void {
  console.log(`ending ${process.env['MULTIPROCESS_TREE']}`);
  if (how?.startsWith('exit')) process.exit(3);
  if (how?.startsWith('throw')) throw new Error('on purpose');
  if (how?.startsWith('reject')) Promise.reject(new Error('on purpose'));
}

if (!isMainThread) {
  wait();
  parentPort!.postMessage('waiting');
  if (how?.endsWith('within')) {
    await itsTime();
    end();
  }
} else if (inWorker) {
  globalThis.kept = new Lock();
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: process.argv.slice(2) });
  if (how?.endsWith('within')) {
    worker.on('error', (error) => console.log(`error ${error.message}`));
    worker.on('exit', (code) => console.log(`exit ${code}`));
  } else {
    await new Promise((resolve) => worker.once('message', resolve));
    await itsTime();
    end();
  }
} else {
  wait();
  if (how === 'nothing') {
    // From here on there is nothing pending but the lock.
    console.log(`ending ${process.env['MULTIPROCESS_TREE']}`);
  } else {
    await itsTime();
    end();
  }
}
