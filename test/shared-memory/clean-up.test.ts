// Who removes what: design 2.3. Each program below is a process tree of its own.
import assert from 'node:assert/strict';
import { readFileSync, readlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { SharedMemory } from 'multiprocess';
import { program } from '../support/paths.js';
import { cleanEnvironment, runNode, runPython, startNode } from '../support/run.js';
import { eventually, isAlive, shmEntries, testName } from '../support/shm.js';

const exists = (names: readonly string[]) => names.map((name) => shmEntries().has(name));
const madeBy = (stdout: string) => /made (\S+) (\S+)/.exec(stdout)!.slice(1);

/** Another process of the library starts and stops, which sweeps what belongs to nobody. */
async function someoneStartsAndStops(): Promise<void> {
  const { code, stderr } = await runNode(program('start-and-stop'));
  assert.equal(code, 0, stderr);
}

describe('when the process tree that made a block is gone', () => {
  test('a normal exit removes what was never unlinked, with a warning', async () => {
    const { code, stdout, stderr } = await runNode(program('make-and'), ['exit']);
    const names = madeBy(stdout);
    assert.equal(code, 0);
    assert.deepEqual(exists(names), [false, false]);
    for (const name of names)
      assert.match(stderr, new RegExp(`Warning: 2 shared memory blocks never unlinked.*${name}`));
  });

  test('so does an uncaught exception', async () => {
    const { code, stdout, stderr } = await runNode(program('make-and'), ['throw']);
    assert.equal(code, 1);
    assert.match(stderr, /on purpose/);
    assert.deepEqual(exists(madeBy(stdout)), [false, false]);
  });

  test('nothing is said where nothing was left', async () => {
    const { stdout, stderr } = await runNode(program('make-and'), ['clean']);
    assert.equal(stderr, '');
    assert.deepEqual(exists(madeBy(stdout)), [false, false]);
  });

  test('NODE_NO_WARNINGS is heeded', async () => {
    const env = { ...process.env, NODE_NO_WARNINGS: '1', MULTIPROCESS_TREE: '' };
    const { stderr } = await runNode(program('make-and'), ['exit'], { env });
    assert.equal(stderr, '');
  });

  test('a thread that still runs when its process exits may be making blocks, so the next process cleans up', async () => {
    const { code, stdout, stderr } = await runNode(program('make-and'), ['worker']);
    assert.equal(code, 0, stderr);
    await someoneStartsAndStops();
    assert.deepEqual(exists(madeBy(stdout)), [false, false]);
  });

  test('blocks made in exit handlers, before and after our own, are found by the next process', async () => {
    const { code, stdout, stderr } = await runNode(program('make-and'), ['late']);
    assert.equal(code, 0, stderr);
    await someoneStartsAndStops();
    const [, late = ''] = /late (\S+)/.exec(stdout)!;
    assert.deepEqual(exists([...madeBy(stdout), late]), [false, false, false]);
  });

  test('exit handlers of the program may unlink, close and use what it made', async () => {
    const { code, stdout, stderr } = await runNode(program('make-and'), ['handlers']);
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /handlers done/);
    assert.deepEqual(exists(madeBy(stdout)), [false, false]);
  });

  test('daemons end first, so that they do not keep the tree from being cleaned up', async () => {
    const { stdout, stderr } = await runNode(program('make-and'), ['daemon']);
    assert.match(stderr, /2 shared memory blocks never unlinked/);
    assert.deepEqual(exists(madeBy(stdout)), [false, false]);
  });

  test('with no descriptor left to do it, the process still ends as it should', async () => {
    // Without what a coverage run would write, for which it needs a descriptor.
    const env = cleanEnvironment({ NODE_V8_COVERAGE: undefined });
    const { code, stdout, stderr } = await runNode(program('make-and'), ['no-descriptors'], { env });
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stderr, /Error|EMFILE/);
    await someoneStartsAndStops();
    assert.deepEqual(exists(madeBy(stdout)), [false, false]);
  });

  test('after SIGKILL the next process of the library removes them', async () => {
    const maker = startNode(program('make-and'), ['wait']);
    const names = (await maker.line(/made (\S+) (\S+)/)).slice(1);
    assert.deepEqual(exists(names), [true, true]);
    await maker.kill();
    await someoneStartsAndStops();
    assert.deepEqual(exists(names), [false, false]);
  });

  test('persistent ones stay', async () => {
    const { stdout, stderr } = await runNode(program('make-and'), ['persist']);
    const names = madeBy(stdout);
    assert.equal(stderr, '');
    await someoneStartsAndStops();
    assert.deepEqual(exists(names), [true, true]);
    for (const name of names) {
      using block = SharedMemory.attach(name);
      block.unlink();
    }
  });
});

test('a process that has given up the rights of root goes on working', { skip: process.getuid?.() !== 0 }, async () => {
  const { code, stdout, stderr } = await runNode(program('make-and'), ['unprivileged']);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /as 65534/);
  assert.deepEqual(exists(madeBy(stdout)), [false, false]);
});

describe('as long as somebody is there', () => {
  test('a child of the killed process keeps the tree, and its end cleans up', async () => {
    const main = startNode(program('make-and'), ['children']);
    const names = (await main.line(/made (\S+) (\S+)/)).slice(1);
    const child = Number((await main.line(/child (\d+)/))[1]);
    await main.kill();
    await someoneStartsAndStops();
    assert.ok(isAlive(child));
    assert.deepEqual(exists(names), [true, true]);
    process.kill(child, 'SIGKILL');
    await eventually('the child is gone', () => !isRunning(child));
    await someoneStartsAndStops();
    assert.deepEqual(exists(names), [false, false]);
  });

  for (const how of ['close', 'exit'] as const) {
    test(`a block attached from another tree stays until that one's ${how}`, async () => {
      const maker = startNode(program('make-and'), ['wait']);
      const [name, other] = (await maker.line(/made (\S+) (\S+)/)).slice(1) as [string, string];
      const attached = startNode(program('attach-and-wait'), [name]);
      await attached.line(/attached/);
      await maker.kill();
      await someoneStartsAndStops();
      // Some other process of this machine may be sweeping just now instead.
      await eventually('what nobody holds is gone', () => !exists([other])[0]);
      assert.deepEqual(exists([name]), [true]);
      attached.say('read');
      await attached.line(/byte 2/);
      attached.say(how);
      if (how === 'close') await attached.line(/done close/);
      else await attached.finished;
      await eventually('it is gone', () => !exists([name])[0]);
      await attached.kill();
    });
  }

  for (const round of [1, 2]) {
    test(`a block that its last user closes while somebody sweeps (${round}) is removed by that one`, async () => {
      const maker = startNode(program('make-and'), ['wait']);
      const [name] = (await maker.line(/made (\S+)/)).slice(1) as [string];
      const attached = startNode(program('attach-and-wait'), [name]);
      await attached.line(/attached/);
      await maker.kill();
      const sweeper = startNode(program('sweep-and-stop'));
      let closed = false;
      const closeHere = async () => {
        closed = true;
        attached.say('close');
        await attached.line(/done close/);
      };
      for (let stop = 1; ; stop++) {
        const [, found] = await sweeper.line(new RegExp(`(stopped ${stop}|swept)$`));
        if (found === 'swept') break;
        await eventually('it is stopped', () =>
          /^State:\s+T/m.test(readFileSync(`/proc/${sweeper.pid}/status`, 'utf8')),
        );
        if (stop === round) await closeHere();
        process.kill(sweeper.pid, 'SIGCONT');
      }
      if (!closed) await closeHere();
      await eventually('it is gone', () => !exists([name])[0]);
      sweeper.child.stdin!.end();
      assert.equal((await sweeper.finished).code, 0);
      await attached.kill();
    });
  }

  test('a killed attacher does not keep a block', async () => {
    const maker = startNode(program('make-and'), ['wait']);
    const [name] = (await maker.line(/made (\S+)/)).slice(1) as [string];
    const attached = startNode(program('attach-and-wait'), [name]);
    await attached.line(/attached/);
    await maker.kill();
    await attached.kill();
    await someoneStartsAndStops();
    assert.deepEqual(exists([name]), [false]);
  });

  test('an attacher that leaves does not take the block of a living tree along', async () => {
    using block = SharedMemory.create(8);
    for (const how of ['close', 'exit']) {
      const attached = startNode(program('attach-and-wait'), [block.name]);
      await attached.line(/attached/);
      attached.say(how);
      if (how === 'close') await attached.line(/done close/);
      await attached.kill();
    }
    assert.deepEqual(exists([block.name]), [true]);
    assert.equal(block.buf[0], 2);
  });
});

describe('what is not ours', () => {
  test('is never touched, whatever it is called', async () => {
    const names = ['psm_0badcafe', 'mp_0badcafe0bad_1', testName('foreign')];
    for (const name of names) writeFileSync(`/dev/shm/${name}`, 'somebody else’s');
    await someoneStartsAndStops();
    assert.deepEqual(exists(names), [true, true, true]);
    for (const name of names) unlinkSync(`/dev/shm/${name}`);
  });

  test('a block that took the name of one of ours is left alone', async () => {
    const maker = startNode(program('make-and'), ['wait']);
    const [name] = (await maker.line(/made (\S+)/)).slice(1) as [string];
    unlinkSync(`/dev/shm/${name}`);
    writeFileSync(`/dev/shm/${name}`, 'a newer one');
    await maker.kill();
    await someoneStartsAndStops();
    assert.deepEqual(exists([name]), [true]);
    unlinkSync(`/dev/shm/${name}`);
  });

  test('a block that Python made is not removed by those who attach', async () => {
    const name = testName('python');
    const made = await runPython(
      `from multiprocessing.shared_memory import SharedMemory
from multiprocessing import resource_tracker
s = SharedMemory('${name}', create=True, size=16)
resource_tracker.unregister(s._name, 'shared_memory')
s.close()`,
    );
    assert.equal(made.code, 0, made.stderr);
    const attached = startNode(program('attach-and-wait'), [name]);
    await attached.line(/attached/);
    attached.say('exit');
    await attached.finished;
    await someoneStartsAndStops();
    assert.deepEqual(exists([name]), [true]);
    unlinkSync(`/dev/shm/${name}`);
  });

  test('a file that only looks like a tree of ours is left alone', async () => {
    const path = '/dev/shm/mp-tree-00000000cafebabe';
    writeFileSync(path, 'somebody else’s');
    await someoneStartsAndStops();
    assert.ok(shmEntries().has('mp-tree-00000000cafebabe'));
    unlinkSync(path);
    assert.throws(() => SharedMemory.create(8, { name: 'mp-tree-00000000cafebabe' }), {
      code: 'ERR_MULTIPROCESS_VALUE',
    });
  });

  test('a tree file with impossible content proves nothing, so nothing is removed', async () => {
    const name = testName('victim');
    writeFileSync(`/dev/shm/${name}`, 'precious');
    for (const content of hostileTrees(name)) {
      writeFileSync('/dev/shm/mp-tree-00000000deadbeef', content);
      await someoneStartsAndStops();
      assert.deepEqual(exists([name]), [true]);
    }
    for (const file of [name, 'mp-tree-00000000deadbeef']) if (shmEntries().has(file)) unlinkSync(`/dev/shm/${file}`);
  });
});

function hostileTrees(victim: string): Buffer[] {
  const magic = Buffer.from('multiprocess tree 1\n');
  const list = Buffer.alloc(384 * 3, 0xff);
  list.set(magic);
  const traversal = Buffer.alloc(384 * 2);
  traversal.set(magic);
  traversal.writeInt32LE(2, 384); // a block that is being created …
  traversal.writeInt32LE(`../shm/${victim}`.length, 384 + 20);
  traversal.write(`../shm/${victim}`, 384 + 40); // … elsewhere
  return [list, traversal, Buffer.alloc(1000, 3), Buffer.from('nonsense'), magic];
}

function isRunning(pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/exe`) !== '';
  } catch {
    return false;
  }
}
