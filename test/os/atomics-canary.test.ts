// The ground under everything: JavaScript's Atomics on mapped memory are atomic between processes. Engines do it, the
// specification does not promise it, so each runtime that we support has to prove it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Process, SharedMemory } from 'multiprocess';
import { addMany } from '../programs/targets.js';

const ADDS = 5_000_000;

test('2 processes × 5 million Atomics.add on one word lose none', { timeout: 120_000 }, async () => {
  using block = SharedMemory.create(128);
  const words = block.view(Int32Array);
  const children = [0, 1].map(() => new Process({ target: addMany, args: [words, ADDS] }));
  for (const child of children) child.start();
  const started = await Promise.all(children.map((child) => child.result()));
  assert.equal(Atomics.load(words, 0), 2 * ADDS);
  assert.deepEqual(started, ['together', 'together'], 'the two must have run at the same time');
});
