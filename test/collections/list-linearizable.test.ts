// What processes did to one list at the same time, some of them killed meanwhile, can have happened one after the other. More:
// ROUNDS=200. Again: SEED=.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Process, RawArray, SharedList } from 'multiprocess';
import '../../src/collections/index.js';
import { checkHeap } from '../../src/heap/fsck.js';
import { Heap } from '../../src/heap/heap.js';
import { record } from '../programs/list-targets.js';
import { History, historySize } from '../support/history.js';
import { checkLinearizable } from '../support/linearizability.js';
import { lineModel } from '../support/models.js';
import { randomFrom, seedOf } from '../support/random.js';
import { eventually } from '../support/shm.js';

const ROUNDS = Number(process.env['ROUNDS'] ?? 6);
const OPERATIONS = 120;

test(`histories of a list, ${ROUNDS} rounds`, { timeout: 600_000 }, async (context) => {
  const first = seedOf();
  context.diagnostic(`SEED=${first}`);
  const random = randomFrom(first);
  let deaths = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const list = SharedList<number>();
    const parties = [1, 2, 3].map((i) => {
      const log = RawArray('d', historySize(OPERATIONS));
      const seed = first + 10 * round + i;
      const child = new Process({ target: record, args: [list, log, seed % 10_000] });
      child.start();
      return { log, child };
    });
    if (round % 2 === 1) {
      const { log, child } = parties[Math.floor(random() * 3)]!;
      await eventually('it has begun', () => log[0]! > 0, 20_000);
      await delay(random() * 3);
      child.kill();
    }
    for (const { child } of parties) await child.join();
    const calls = parties.flatMap(({ log }, i) => History.read(log, i));
    deaths += parties.filter(({ child }) => child.exitCode !== 0).length;
    const unexplained = checkLinearizable(calls, lineModel);
    assert.equal(unexplained, undefined, `round ${round}: ${JSON.stringify(unexplained)}`);
    const heap = Heap.join(list.handle.split(':')[2]!, false)!;
    heap.lookAround(512);
    assert.deepEqual(checkHeap(heap).problems, []);
    heap.leave();
  }
  context.diagnostic(`${deaths} deaths`);
});
