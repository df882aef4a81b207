// Very many small objects, nested in each other, made in a manager and dropped by four processes of which some are killed in
// the middle, leave its heap as it was. All of the million: OBJECTS=1000000.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DictProxy, Manager, Process, RawArray } from 'multiprocess';
import { makeNests, NEST } from '../programs/nested-objects.js';
import { leavesNothingIn } from '../support/manager-heap.js';
import { eventually } from '../support/shm.js';

const OBJECTS = Number(process.env['OBJECTS'] ?? 60_000);
const PROCESSES = 4;
const EACH = Math.ceil(OBJECTS / PROCESSES / NEST) * NEST;

test(`${OBJECTS} nested objects`, { timeout: 60_000 + OBJECTS }, async (context) => {
  await using manager = await Manager();
  const board = manager.dict<number, DictProxy<string, unknown>>();
  const start = performance.now();
  await leavesNothingIn(
    manager,
    async () => {
      const made = RawArray('i', PROCESSES);
      const lookedInto = RawArray('i', 1);
      const begin = (number: number) => {
        const child = new Process({ target: makeNests, args: [manager, board, EACH, number, made, lookedInto] });
        child.start();
        return child;
      };
      const children = Array.from({ length: PROCESSES }, (_, number) => begin(number));
      // Three are killed, and others go on where they were.
      for (const [number, part] of [
        [0, 1 / 4],
        [1, 1 / 2],
        [2, 3 / 4],
      ] as const) {
        await eventually('it is that far', () => Atomics.load(made, number) >= EACH * part, 30_000 + OBJECTS / 2);
        children[number]!.kill();
        await children[number]!.join();
        children[number] = begin(number);
      }
      for (const child of children) await child.result();
      assert.deepEqual([...made], new Array(PROCESSES).fill(EACH));
      assert.ok(lookedInto[0]! > EACH / NEST / 20, `${lookedInto[0]} were looked into`);
      board.clear();
    },
    20_000,
  );
  context.diagnostic(`${EACH * PROCESSES} objects in ${Math.round(performance.now() - start)} ms`);
});
