// The other side of test/synchronize/without-helper.test.ts: one answer for each time it is asked.
import { setTimeout as delay } from 'node:timers/promises';
import { Barrier, Condition, Event, Lock, open, Semaphore } from 'multiprocess';

/** Answers a little later than asked, so that the one who asks is waiting by then. */
export async function answerAll(handles: readonly string[]): Promise<void> {
  const lock = open(handles[0]!, Lock);
  const event = open(handles[1]!, Event);
  const asked = open(handles[2]!, Event);
  const permit = open(handles[3]!, Semaphore);
  const changed = open(handles[4]!, Condition);
  const barrier = open(handles[5]!, Barrier);
  const nextQuestion = async () => {
    await asked.wait();
    asked.clear();
    await delay(30);
  };
  lock.acquireSync();
  event.set();
  await nextQuestion();
  lock.release();
  await nextQuestion();
  permit.release();
  await nextQuestion();
  await changed.run(() => changed.notify());
  await nextQuestion();
  await barrier.wait();
}
