// What several processes do to a dict at the same time, written down, can have happened one after the other, key by key; also
// when one of them is killed in the middle. And the checker finds what a broken dict would do.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type DictProxy, Process, RawArray, SharedDict } from 'multiprocess';
import { recordHistory } from '../programs/dict-targets.js';
import { History, historySize } from '../support/history.js';
import { checkEachKey } from '../support/linearizability.js';
import { registerModel } from '../support/models.js';
import { seedOf } from '../support/random.js';
import { eventually } from '../support/shm.js';

const module = new URL('../programs/dict-targets.js', import.meta.url).href;
const PARTIES = 3;
const OPERATIONS = 400;
const ROUNDS = Number(process.env['ROUNDS'] ?? 6);

async function record(dict: DictProxy, seed: number, victim: boolean) {
  const ready = RawArray('i', 1);
  const logs = Array.from({ length: PARTIES }, () => RawArray('d', historySize(OPERATIONS)));
  const children = logs.map((log, i) => {
    const args = [dict, log, seed + i, ready, PARTIES];
    const child = new Process({ target: { module, export: 'recordHistory' }, args } as never);
    child.start();
    return child;
  });
  if (victim) {
    await eventually('it is in the middle of it', () => logs[0]![0]! > OPERATIONS / 8);
    children[0]!.kill();
  }
  for (const child of children) assert.equal(await child.join({ timeout: 60_000 }), true);
  return logs.flatMap((log, i) => History.read(log, i));
}

describe('histories of concurrent operations', () => {
  for (let round = 0; round < ROUNDS; round++) {
    const victim = round % 2 === 1;
    test(`round ${round}${victim ? ', with one that is killed' : ''}`, { timeout: 120_000 }, async (context) => {
      const seed = seedOf() + round * PARTIES;
      context.diagnostic(`SEED=${seed}`);
      const dict = SharedDict();
      const calls = await record(dict, seed, victim);
      assert.ok(calls.length >= (victim ? 2 : PARTIES) * OPERATIONS);
      assert.equal(checkEachKey(calls, registerModel), undefined);
    });
  }

  test('a dict that loses a write is found out', () => {
    const dict = SharedDict();
    let writes = 0;
    const losing = new Proxy(dict, {
      get(target, name) {
        const value = Reflect.get(target, name, target) as unknown;
        if (typeof value !== 'function') return value;
        if (name === 'increment') {
          return (key: unknown, by: number) => {
            writes += 1;
            // Every so often as two processes would that read, add, and write without a lock.
            return writes % 50 === 0 ? (target.get(key, 0) as number) + by : target.increment(key, by);
          };
        }
        return value.bind(target) as unknown;
      },
    });
    const log = new Float64Array(historySize(OPERATIONS));
    recordHistory(losing, log, 5, new Int32Array(1), 1);
    assert.notEqual(checkEachKey(History.read(log, 0), registerModel), undefined);
  });
});
