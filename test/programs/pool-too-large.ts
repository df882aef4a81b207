// Makes a pool of more workers than this process has descriptors for, and says which processes had been started.
import { readFileSync } from 'node:fs';
import { isMainProcess, Pool } from 'multiprocess';

const children = () =>
  readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8')
    .split(' ')
    .flatMap((pid) => (pid === '' ? [] : [Number(pid)]));

if (isMainProcess) {
  let error = 'none';
  let started: number[] = [];
  try {
    new Pool(100);
  } catch (thrown) {
    started = children();
    error = String(thrown);
  }
  // It ends by itself, when they have ended.
  process.on('exit', () => console.log(JSON.stringify({ started, error })));
}
