// What processes did to one queue at the same time, some of them killed meanwhile, can have happened one after the other: first in,
// first out, nothing twice, and nothing lost but what a process had just taken when it was killed. More: ROUNDS=200. Again: SEED=.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Process, Queue, RawArray } from 'multiprocess';
import { recordHistory } from '../programs/queue-targets.js';
import { History, historySize } from '../support/history.js';
import type { Call } from '../support/linearizability.js';
import { line } from '../support/models.js';
import { checkQueue } from '../support/queue-linearizability.js';
import { randomFrom, seedOf } from '../support/random.js';
import { eventually } from '../support/shm.js';

const ROUNDS = Number(process.env['ROUNDS'] ?? 6);
const PARTIES = 4;
const OPERATIONS = 2000;

/** What was not put for want of room has not happened. */
const happened = ({ operation, result }: Call) => operation !== line.append || result !== 1;

describe('histories of concurrent operations', () => {
  for (let round = 0; round < ROUNDS; round++) {
    const victims = round % 3;
    const maxsize = round % 2 === 0 ? 0 : 5;
    const what = `round ${round}, ${maxsize === 0 ? 'unbounded' : `of ${maxsize}`}, ${victims} of them killed`;
    test(what, { timeout: 120_000 }, async (context) => {
      const seed = seedOf() + 1000 * round;
      const random = randomFrom(seed);
      context.diagnostic(`SEED=${seed - 1000 * round}`);
      const queue = new Queue<number>(maxsize);
      const ready = RawArray('i', 1);
      const logs = Array.from({ length: PARTIES }, () => RawArray('d', historySize(OPERATIONS)));
      const children = logs.map((log, i) => {
        const args = [queue, log, (seed + i) % 100_000, ready, PARTIES];
        const child = new Process({ target: recordHistory, args, daemon: true } as never);
        child.start();
        return child;
      });
      for (let victim = 0; victim < victims; victim++) {
        await eventually('it is in the middle of it', () => logs[victim]![0]! > (OPERATIONS / 8) * random(), 30_000);
        await delay(random() * 5);
        children[victim]!.kill();
      }
      for (const child of children) assert.equal(await child.join({ timeout: 90_000 }), true);
      for (const child of children.slice(victims)) assert.equal(child.exitCode, 0);
      // What is left is taken, until there is nothing.
      const last = new Float64Array(historySize(PARTIES * OPERATIONS + 1));
      const drain = new History(last);
      while (drain.record(line.takeFirst, 0, 0, () => queue.tryGet()?.value ?? 0) !== 0);
      const calls = [...logs, last].flatMap((log, i) => History.read(log, i));
      const never = calls.filter(({ end }) => end === Number.POSITIVE_INFINITY).length;
      context.diagnostic(`${calls.length} calls, ${never} that never returned`);
      assert.ok(calls.length >= (PARTIES - victims) * OPERATIONS && never <= victims);
      assert.equal(checkQueue(calls.filter(happened)), undefined);
    });
  }

  test('a queue that swaps two items, loses one, or gives one twice, is found out', async () => {
    for (const broken of ['swaps', 'loses', 'repeats'] as const) {
      const queue = new Queue<number>();
      let takes = 0;
      const take = (): { value: number } | undefined => {
        takes += Number(queue.qsize() > 1);
        if (takes !== 50) return queue.tryGet();
        if (broken === 'repeats') {
          const first = queue.getSync({ lease: true });
          first.giveBack();
          return { value: first.value };
        }
        const first = queue.tryGet();
        const second = queue.tryGet();
        if (broken === 'swaps' && first !== undefined) queue.putSync(first.value);
        return second;
      };
      const worse = new Proxy(queue, {
        get(target, name) {
          if (name === 'tryGet') return take;
          const value = Reflect.get(target, name, target) as unknown;
          return typeof value === 'function' ? (value.bind(target) as unknown) : value;
        },
      });
      for (let i = 1; i <= 3; i++) queue.putSync(i);
      const log = new Float64Array(historySize(OPERATIONS));
      const history = new History(log);
      for (let i = 1; i <= 3; i++) history.record(line.append, 0, i, () => 0);
      await recordHistory(worse, log, 7, new Int32Array(1), 1);
      assert.notEqual(checkQueue(History.read(log, 0).filter(happened)), undefined, broken);
    }
  });
});
