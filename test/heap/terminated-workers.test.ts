// Worker threads that are terminated at random instants while they hold locks or change the heap: each is a death of its own,
// its process lives on. In a process apart, which an abort would end. More: SECONDS=60.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { program } from '../support/paths.js';
import { seedOf } from '../support/random.js';
import { runNode } from '../support/run.js';

const SECONDS = Number(process.env['SECONDS'] ?? 3);

for (const kind of ['plain', 'nested'] as const) {
  test(`terminated at random, ${kind}`, { timeout: (SECONDS + 60) * 1000 }, async (context) => {
    const seed = seedOf();
    context.diagnostic(`SEED=${seed}`);
    const args = [String(SECONDS * 1000), String(seed), kind];
    const { code, signal, stdout, stderr } = await runNode(program('terminate-workers'), args, {
      timeoutMs: (SECONDS + 50) * 1000,
    });
    assert.deepEqual({ code, signal }, { code: 0, signal: null }, stderr);
    const seen = JSON.parse(stdout) as Record<string, number> & { unfinished: number[]; problems: string[] };
    context.diagnostic(
      `${seen['deaths']} deaths, ${seen['inherited']} locks of the dead handed on, ${seen['sections']} sections, ` +
        `all locks free within ${Math.round(seen['slowest']!)} ms`,
    );
    assert.ok(seen['deaths']! >= 3 && seen['sections']! > 50);
    assert.ok(seen['slowest']! < 1000, `a lock was handed on after ${seen['slowest']} ms`);
    assert.equal(seen['wrong'], 0, 'two were in one lock together');
    // The thread that never died keeps what it holds, and the process is not taken for dead.
    assert.deepEqual([seen['robbed'], seen['stillMine']], [0, true]);
    // Exact but for sections that died between the two counts: each is met as the lock of a dead one.
    const unfinished = seen.unfinished.reduce((sum, count) => sum + count, 0);
    assert.ok(seen.unfinished.every((count) => count >= 0));
    assert.ok(unfinished <= seen['deaths']!, `${unfinished} sections are lost`);
    assert.deepEqual(seen.problems, []);
    assert.deepEqual([seen['others'], seen['roots'], seen['holds']], [0, 0, 0], 'the dead have left something');
  });
}
