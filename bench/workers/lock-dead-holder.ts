import { setTimeout } from 'node:timers/promises';
import { Lock, Process, RawArray } from 'multiprocess';
import { check, serve } from '../harness/serve.js';
import { summarize } from '../harness/statistics.js';
import { Baton } from '../targets/baton.js';
import { dieHolding, replaceDead } from '../targets/lock-dying.js';

// How long one who waits for a lock goes without it after its holder was killed. Who waits is not the holder's parent, which
// its death would wake. Those who wait look now and then whether the holder lives, so the deaths come at different moments
// between two looks.
const FIRST_MS = 120;
const STEP_MS = 17;
const STEPS_END_MS = 50;

const lock = new Lock();
const ended = RawArray('i', 1);
const replaced = RawArray('q', 1);
const held = RawArray('i', 1);
const died = RawArray('q', 1);
const { baton, partner } = await Baton.start(replaceDead, lock, ended, replaced);
let step = 0;

await serve(async (count) => {
  const delays = [];
  for (let i = 0; i < count; i++) delays.push(await replaceHolder());
  return summarize(delays).median * count;
});

async function replaceHolder(): Promise<number> {
  step = (step + STEP_MS) % STEPS_END_MS;
  Atomics.store(held, 0, 0);
  const holder = new Process({ target: dieHolding, args: [lock, held, died, FIRST_MS + step] });
  holder.start();
  while (Atomics.load(held, 0) === 0) {
    check(holder.isAlive(), `the holder ended with exit code ${holder.exitCode}`);
    await setTimeout(1);
  }
  baton.pass();
  await holder.join();
  check(holder.signalCode === 'SIGKILL', `exit code ${holder.exitCode}`);
  holder.close();
  await baton.takeAsync();
  const seconds = Number(replaced[0]! - died[0]!) / 1e9;
  check(seconds > 0, 'the holder did not die with the lock');
  return seconds;
}

Atomics.store(ended, 0, 1);
baton.pass();
await partner.join();
