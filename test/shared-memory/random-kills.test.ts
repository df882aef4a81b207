import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Process, SharedMemory } from 'multiprocess';
import { writeUntilKilled } from '../programs/targets.js';
import { orphans } from '../support/orphans.js';
import { program } from '../support/paths.js';
import { startNode } from '../support/run.js';
import { eventually } from '../support/shm.js';

const ROUNDS = Number(process.env['ROUNDS'] ?? 200);
const AT_ONCE = 4;

test(`${ROUNDS} workers that attach, write and are killed at random leave nothing`, {
  timeout: 300_000,
}, async (context) => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
  context.diagnostic(`SEED=${seed}`);
  const random = randomNumbers(seed);
  const main = startNode(program('kill-workers'), [String(ROUNDS), String(AT_ONCE), String(seed)], {
    timeoutMs: 280_000,
  });
  const { code, stdout, stderr } = await main.finished;
  assert.equal(code, 0, stderr);
  assert.match(stdout, new RegExp(`killed ${ROUNDS}`));
  await eventually('no entry is left in /dev/shm', () => orphans().length === 0);
  assert.deepEqual(childrenOf(main.pid), []);

  // The same from within this process: one block survives all of it.
  using block = SharedMemory.create(64);
  const words = block.view(Int32Array);
  for (let round = 0; round < 8; round++) {
    const child = new Process({ target: writeUntilKilled, args: [block.name, words, 1], stdio: 'ignore' });
    child.start();
    await delay(30 + random() * 150);
    child.kill();
    assert.equal(await child.join({ timeout: 5000 }), true);
    assert.equal(child.exitCode, -9);
    assert.equal(child.signalCode, 'SIGKILL');
  }
  words[0] = 5;
  assert.equal(block.buf[0], 5);
});

function childrenOf(pid: number): string[] {
  return readdirSync('/proc').filter((entry) => {
    if (!/^\d+$/.test(entry)) return false;
    try {
      return readFileSync(`/proc/${entry}/stat`, 'utf8').split(') ')[1]?.split(' ')[1] === String(pid);
    } catch {
      return false;
    }
  });
}

function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state / 0x80000000;
  };
}
