// Every file protocol, killed by SIGKILL at step 1, 2, 3 … until it survives. After each kill: what is visible is whole
// or absent, and once another process has come and gone nothing is left that should not be.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ShareableList, SharedMemory } from 'multiprocess';
import { orphans } from '../support/orphans.js';
import { program } from '../support/paths.js';
import { runNode, startNode } from '../support/run.js';
import { eventually, shmEntries, testName } from '../support/shm.js';

interface Case {
  readonly operation: string;
  /** Fewer steps than this would mean that the hook has come off. */
  readonly atLeast: number;
  /** Before the kill; returns what must be true after the sweep. */
  readonly prepare?: (name: string) => Promise<() => void | Promise<void>>;
  /** What may be found under the name right after the kill. */
  readonly visible?: (name: string) => void;
}

const wholeBlock = (name: string) => {
  using block = SharedMemory.attach(name);
  assert.equal(block.size, 5000);
};

/** A block of this tree, which nobody's death may harm. */
const withOurBlock = async (name: string) => {
  const block = SharedMemory.create(100, { name });
  return () => {
    using same = SharedMemory.attach(name);
    assert.equal(same.size, 100);
    block.unlink();
    block.close();
  };
};

/** Blocks of a tree that has been killed, for the operation to find. */
const withOrphans = async () => {
  const maker = startNode(program('make-and'), ['wait']);
  const names = (await maker.line(/made (\S+) (\S+)/)).slice(1);
  await maker.kill();
  return () => {
    for (const name of names) assert.equal(shmEntries().has(name), false, `${name} is left`);
  };
};

const cases: Case[] = [
  { operation: 'create-unnamed', atLeast: 7 },
  { operation: 'create-named', atLeast: 7, visible: wholeBlock },
  { operation: 'create-second', atLeast: 5, visible: wholeBlock },
  {
    operation: 'create-list',
    atLeast: 7,
    visible: (name) => {
      using list = new ShareableList(null, { name });
      assert.deepEqual(list.copy(), ['a', 1, 2.5]);
    },
  },
  { operation: 'create-persistent', atLeast: 7, visible: wholeBlock },
  { operation: 'unlink', atLeast: 2, visible: wholeBlock },
  { operation: 'attach-and-close', atLeast: 4, prepare: withOurBlock },
  { operation: 'attach-and-exit', atLeast: 1, prepare: withOurBlock },
  { operation: 'exit-with-blocks', atLeast: 6 },
  { operation: 'sweep', atLeast: 10, prepare: withOrphans },
  { operation: 'start-process', atLeast: 3 },
];

for (const { operation, atLeast, prepare, visible } of cases) {
  test(`${operation}, killed at each step`, { timeout: 120_000 }, async (context) => {
    let step = 0;
    for (;;) {
      step += 1;
      const name = testName(operation.replaceAll('-', '_'));
      const verify = await prepare?.(name);
      const { signal, code, stdout, stderr } = await runNode(program('crash-at'), [operation, String(step), name]);
      const where = `step ${step}: ${stdout.trim() || 'survived'}`;
      assert.ok(signal === 'SIGKILL' || code === 0, `${where}\n${stderr}`);
      try {
        visible?.(name);
      } catch (error) {
        // Not there, or swept just now by some other process of this machine.
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
      const settled = await runNode(program('start-and-stop'));
      assert.equal(settled.code, 0, settled.stderr);
      await verify?.();
      if (operation === 'create-persistent' && shmEntries().has(name)) {
        // Killed before the constructor returned it may be kept or not; afterwards it is kept.
        using block = SharedMemory.attach(name);
        block.unlink();
      }
      // Children of a killed process may take a moment to end, and sweep themselves.
      const leftover = () => [...orphans(), ...(shmEntries().has(name) ? [name] : [])];
      if (leftover().length > 0) await runNode(program('start-and-stop'));
      await eventually(`${where} leaves nothing, but: ${leftover().join(' ')}`, () => leftover().length === 0);
      if (signal === null) break;
    }
    context.diagnostic(`${operation}: ${step - 1} steps`);
    assert.ok(step - 1 >= atLeast, `only ${step - 1} steps were met`);
  });
}
