// CPython's _TestProcess, as far as it has a meaning here, and what this library promises beyond.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';
import {
  activeChildren,
  ClosedError,
  cpuCount,
  currentProcess,
  isMainProcess,
  NotShareableError,
  Process,
  ProcessDiedError,
  parentProcess,
  SharedMemory,
  StaleHandleError,
} from 'multiprocess';
import * as targets from '../programs/targets.js';
import { eventually, isAlive } from '../support/shm.js';

function started<A extends readonly unknown[], R>(process: Process<A, R>): Process<A, R> {
  process.start();
  return process;
}

/** A word in shared memory in which a child says that it has come so far. */
async function whenReady(ready: Int32Array): Promise<void> {
  await eventually('the child runs', () => Atomics.load(ready, 0) !== 0);
}

describe('this process', () => {
  test('is the main one, has no parent, and knows its processors', () => {
    assert.equal(isMainProcess, true);
    assert.deepEqual(currentProcess(), { pid: process.pid, name: 'MainProcess', daemon: false });
    assert.equal(parentProcess(), null);
    assert.ok(cpuCount() >= 1);
  });
});

describe('a life', () => {
  test('initial, started, stopped', async () => {
    const child = new Process({ target: targets.add, args: [2, 3], name: 'adder' });
    assert.equal(inspect(child), "Process('adder', initial)");
    assert.deepEqual([child.pid, child.exitCode, child.signalCode, child.isAlive()], [undefined, null, null, false]);
    child.start();
    assert.equal(child.isAlive(), true);
    assert.equal(child.exitCode, null);
    assert.ok(activeChildren().includes(child));
    assert.equal(inspect(child), `Process('adder', pid=${child.pid}, started)`);
    assert.equal(await child.join(), true);
    assert.deepEqual([child.exitCode, child.signalCode, child.isAlive()], [0, null, false]);
    assert.equal(activeChildren().includes(child), false);
    assert.equal(await child.result(), 5);
    assert.equal(await child.join({ timeout: 0 }), true);
    assert.equal(inspect(child), `Process('adder', pid=${child.pid}, stopped, exitCode=0)`);
    child.close();
    child.close();
    for (const use of [() => child.start(), () => child.terminate(), () => child.kill(), () => child.isAlive()]) {
      assert.throws(use, ClosedError);
    }
    await assert.rejects(child.join(), ClosedError);
    await assert.rejects(child.result(), ClosedError);
  });

  test('names count up and are told to the child, with its parent', async () => {
    const first = new Process({ target: targets.who });
    const second = new Process({ target: targets.who });
    const [, a] = /^Process-(\d+)$/.exec(first.name)!;
    const [, b] = /^Process-(\d+)$/.exec(second.name)!;
    assert.equal(Number(b), Number(a) + 1);
    first.start();
    assert.deepEqual(await first.result(), {
      current: { pid: first.pid, name: first.name, daemon: false },
      parent: { pid: process.pid, name: 'MainProcess', daemon: false },
      isMainProcess: false,
      pid: first.pid,
      ppid: process.pid,
    });
  });

  test('children have children', async () => {
    const child = started(new Process({ target: targets.grandchild, name: 'parent' }));
    const { mine, active, theirs } = (await child.result()) as any;
    assert.equal(active, 1);
    assert.equal(theirs.parent.pid, mine.pid);
    assert.equal(theirs.parent.name, 'parent');
    assert.match(theirs.current.name, /^parent:\d+$/);
  });

  test('started twice, joined before start, closed while running: errors that say so', async () => {
    const child = new Process({ target: targets.runForever });
    await assert.rejects(child.join(), { code: 'ERR_MULTIPROCESS_PROCESS_NOT_STARTED' });
    await assert.rejects(child.result(), { code: 'ERR_MULTIPROCESS_PROCESS_NOT_STARTED' });
    assert.throws(() => child.terminate(), { code: 'ERR_MULTIPROCESS_PROCESS_NOT_STARTED' });
    child.start();
    assert.throws(() => child.start(), { code: 'ERR_MULTIPROCESS_PROCESS_STARTED' });
    assert.throws(() => child.close(), { code: 'ERR_MULTIPROCESS_PROCESS_RUNNING' });
    child.kill();
    await child.join();
    child.kill();
    child.terminate();
    assert.throws(() => child.start(), { code: 'ERR_MULTIPROCESS_PROCESS_STARTED' });
    child.close();
  });

  test('a result that has been asked for survives close()', async () => {
    const child = started(new Process({ target: targets.add, args: [1, 2] }));
    await child.join();
    const result = child.result();
    child.close();
    assert.equal(await result, 3);
  });

  test('many at once', async () => {
    const children = Array.from({ length: 12 }, (_, i) =>
      started(new Process({ target: targets.add, args: [i, 100] })),
    );
    assert.ok(activeChildren().length <= 12);
    assert.deepEqual(
      await Promise.all(children.map((child) => child.result())),
      children.map((_, i) => i + 100),
    );
    assert.equal(activeChildren().length, 0);
  });
});

describe('join', () => {
  test('gives up after its timeout, and its signal', async () => {
    const child = started(new Process({ target: targets.runForever }));
    for (const timeout of [0, -5, 20]) assert.equal(await child.join({ timeout }), false);
    const reason = new Error('enough');
    await assert.rejects(child.join({ signal: AbortSignal.abort(reason) }), reason);
    const controller = new AbortController();
    const joining = child.join({ signal: controller.signal });
    controller.abort(reason);
    await assert.rejects(joining, reason);
    await assert.rejects(child.join({ timeout: Number.NaN }), RangeError);
    await assert.rejects(child.join({ timeout: '5' as never }), TypeError);
    assert.equal(child.isAlive(), true);
    child.kill();
    assert.equal(await child.join({ timeout: Infinity }), true);
  });
});

test('waiting for what has ended leaves no timer that keeps the program running', async () => {
  const child = started(new Process({ target: targets.nothing }));
  await child.join();
  const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
  const before = timers();
  assert.equal(await child.join({ timeout: 600_000 }), true);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(timers(), before);
});

describe('exit codes', () => {
  for (const [code, expected] of [
    [0, 0],
    [3, 3],
    [300, 44],
    [-1, 255],
  ] as const) {
    test(`process.exit(${code}) is ${expected}, and no result`, async () => {
      const child = started(new Process({ target: targets.exit, args: [code] }));
      await assert.rejects(child.result(), (error: ProcessDiedError) => {
        assert.ok(error instanceof ProcessDiedError);
        assert.deepEqual([error.exitCode, error.signalCode], [expected, null]);
        return true;
      });
      assert.equal(child.exitCode, expected);
    });
  }

  test('process.exitCode leaves the result', async () => {
    const child = started(new Process({ target: targets.setExitCode, args: [7] }));
    assert.equal(await child.result(), 'returned');
    assert.equal(child.exitCode, 7);
  });

  for (const [signal, code] of [
    ['SIGKILL', -9],
    ['SIGTERM', -15],
    ['SIGABRT', -6],
  ] as const) {
    test(`${signal} is ${code}`, async () => {
      const child = started(new Process({ target: targets.dieBySignal, args: [signal] }));
      await child.join();
      assert.deepEqual([child.exitCode, child.signalCode], [code, signal]);
      await assert.rejects(child.result(), {
        code: 'ERR_MULTIPROCESS_PROCESS_DIED',
        exitCode: code,
        signalCode: signal,
      });
      assert.match(inspect(child), new RegExp(`exitCode=-${signal}`));
    });
  }

  test('a target that never settles ends with the event loop, without a result', async () => {
    const child = started(new Process({ target: targets.neverSettles }));
    await assert.rejects(child.result(), { code: 'ERR_MULTIPROCESS_PROCESS_DIED', exitCode: 0 });
  });

  test('what the target left to do is done before the process ends', async () => {
    using block = SharedMemory.create(4);
    const words = block.view(Int32Array);
    const child = started(new Process({ target: targets.finishTimers, args: [words] }));
    assert.equal(await child.result(), 'returned before the timer');
    assert.equal(words[0], 1);
  });
});

describe('terminate and kill', () => {
  test('terminate lets the child tidy up', async () => {
    using block = SharedMemory.create(8);
    const ready = block.view(Int32Array);
    const child = started(new Process({ target: targets.catchTerm, args: [ready] }));
    await whenReady(ready);
    child.terminate();
    assert.equal(await child.result(), 'tidied up');
  });

  test('kill ends one that does not listen, and the kernel tells before the event loop does', async () => {
    using block = SharedMemory.create(8);
    const ready = block.view(Int32Array);
    const child = started(new Process({ target: targets.spinForever, args: [ready] }));
    await whenReady(ready);
    assert.equal(child.isAlive(), true);
    child.kill();
    const deadline = performance.now() + 5000;
    while (child.isAlive() && performance.now() < deadline); // the event loop does not turn here
    assert.equal(child.isAlive(), false);
    assert.equal(child.exitCode, -9);
    assert.equal(child.signalCode, 'SIGKILL');
    assert.equal(activeChildren().includes(child), false);
    assert.equal(await child.join(), true);
  });

  test('a child that dies before it has come to its target', async () => {
    const child = started(new Process({ target: targets.nothing }));
    child.kill();
    await assert.rejects(child.result(), { exitCode: -9 });
  });
});

describe('what a target throws', () => {
  const quiet = { stdio: 'pipe' } as const;

  test('is what result() rejects with; the child has exit code 1 and the stack on stderr', async () => {
    const child = started(
      new Process({ target: targets.throwRangeError, args: ['too far'], name: 'thrower', ...quiet }),
    );
    let stderr = '';
    child.stderr!.on('data', (text) => {
      stderr += text;
    });
    await assert.rejects(child.result(), (error: any) => {
      assert.ok(error instanceof RangeError);
      const { message, code, detail, cause, stack } = error as any;
      assert.deepEqual([message, code, detail], ['too far', 'ERR_TEST', [1]]);
      assert.ok(cause instanceof TypeError);
      assert.match(stack, /throwRangeError/);
      return true;
    });
    assert.equal(child.exitCode, 1);
    await eventually('stderr has arrived', () => stderr.includes('throwRangeError'));
    assert.match(stderr, /Process 'thrower' \(\d+\) failed:\nRangeError: too far/);
  });

  test('asynchronously, from a timer, as a value, or with things that cannot travel', async () => {
    await assert.rejects(started(new Process({ target: targets.rejectLater, ...quiet })).result(), /later/);
    await assert.rejects(started(new Process({ target: targets.throwFromTimer, ...quiet })).result(), {
      name: 'SyntaxError',
      message: 'from a timer',
    });
    const value = started(new Process({ target: targets.throwValue, args: [{ reason: 5 }], ...quiet }));
    await assert.rejects(value.result(), { reason: 5 });
    assert.equal(value.exitCode, 1);
    const fn = started(new Process({ target: targets.throwFunction, ...quiet }));
    await assert.rejects(fn.result(), /The target threw \[Function: thrown\], which cannot travel/);
    const unsendable = started(new Process({ target: targets.throwUnsendable, ...quiet }));
    await assert.rejects(unsendable.result(), { message: 'has a socket' });
  });

  test('arrives whatever hangs on it: closed blocks, getters that throw', async () => {
    await assert.rejects(started(new Process({ target: targets.throwWithClosedBlock, ...quiet })).result(), {
      message: 'the real reason',
    });
  });

  test('after the target has returned does not take its result away', async () => {
    const child = started(new Process({ target: targets.returnThenThrow, ...quiet }));
    assert.equal(await child.result(), 'returned');
    assert.equal(child.exitCode, 1);
  });

  test('nobody has to ask for a result', async () => {
    const child = started(new Process({ target: targets.rejectLater, ...quiet }));
    await child.join();
    await delay(5); // an unhandled rejection would fail this test
  });
});

describe('arguments and results', () => {
  test('are copied, with everything that structured clone knows', async () => {
    const value = {
      map: new Map<unknown, unknown>([[1, { two: [3n, undefined, null] }]]),
      set: new Set(['é', '😀', '\ud800']),
      date: new Date(5),
      regexp: /x+/giu,
      bytes: new Uint8Array([1, 2]),
      buffer: Buffer.from('b'),
      error: new RangeError('e'),
    };
    const child = started(new Process({ target: targets.echo, args: [value] }));
    assert.deepEqual(await child.result(), value);
  });

  test('5 MB arrive although this process blocks from start() on', () => {
    using block = SharedMemory.create(8);
    const words = block.view(Int32Array);
    const bulk = 'x'.repeat(5_000_000);
    const child = new Process({ target: targets.storeLength, args: [words, bulk] });
    child.start();
    const deadline = performance.now() + 20_000;
    while (Atomics.load(words, 0) === 0 && performance.now() < deadline); // blocks the event loop
    assert.equal(words[0], bulk.length);
  });

  test('shared memory passed along is there even if it is unlinked and closed right after start()', async () => {
    const block = SharedMemory.create(8);
    const observer = SharedMemory.attach(block.name);
    const child = new Process({ target: targets.fillView, args: [block.buf.subarray(2, 4), 9] });
    child.start();
    block.unlink();
    block.close();
    assert.equal(await child.result(), 2);
    assert.deepEqual([...observer.buf], [0, 0, 9, 9, 0, 0, 0, 0]);
    observer.close();
  });

  test('descriptors handed over are closed once the arguments have been taken', async () => {
    using block = SharedMemory.create(8);
    const child = started(
      new Process({ target: targets.sharedDescriptors, args: [block.buf, block.view(Int8Array)] as never }),
    );
    const open = await child.result();
    assert.equal(open.filter((path) => path.endsWith(block.name)).length, 1, open.join(' '));
  });

  test('one block passed twice is one memory, and views keep their type and place', async () => {
    using block = SharedMemory.create(64);
    const child = started(
      new Process({
        target: targets.echo,
        args: [[block.view(Float64Array, 8, 2), block.buf, Buffer.from(block.buf.buffer, 4, 4), block]],
      }),
    );
    const [doubles, all, buffer, same] = (await child.result()) as any;
    assert.ok(doubles instanceof Float64Array && Buffer.isBuffer(buffer) && same instanceof SharedMemory);
    assert.deepEqual([doubles.byteOffset, doubles.length, buffer.byteOffset, buffer.length], [8, 2, 4, 4]);
    assert.equal(all.buffer, doubles.buffer);
    block.view(Float64Array)[1] = 2.5;
    assert.equal(doubles[0], 2.5);
    same.close();
  });

  test('a block that the child made is there for who asks, and stale when it is gone', async () => {
    const child = started(new Process({ target: targets.makeBlock, args: [16, 6] }));
    const block = await child.result();
    assert.deepEqual([...block.buf], Array(16).fill(6));
    const another = started(new Process({ target: targets.makeBlock, args: [16, 6] }));
    await another.join();
    const second = await another.result();
    second.unlink();
    second.close();
    block.unlink();
    block.close();
    assert.throws(() => SharedMemory.attach(block.name), { code: 'ENOENT' });
    void StaleHandleError;
  });

  test('what cannot travel is named, before anything is started', () => {
    const before = activeChildren().length;
    const cases: [unknown[], RegExp][] = [
      [[1, { onDone() {} }], /^args\[1\]\.onDone is a function \(onDone\)/],
      [[[new (class Custom {})()]], /^args\[0\]\[0\] is an instance of Custom/],
      [[{ 'a b': { c: Symbol('s') } }], /^args\[0\]\["a b"\]\.c is a symbol/],
      [[new WeakMap()], /^args\[0\] is an instance of WeakMap/],
      [[Promise.resolve()], /^args\[0\] is an instance of Promise/],
    ];
    for (const [args, message] of cases) {
      const child = new Process({ target: targets.echo, args: args as never });
      assert.throws(
        () => child.start(),
        (error: Error) => error instanceof NotShareableError && message.test(error.message),
      );
    }
    assert.equal(activeChildren().length, before);
    const closed = SharedMemory.create(4);
    const { buf } = closed;
    closed.unlink();
    closed.close();
    for (const argument of [closed, buf]) {
      const child = new Process({ target: targets.echo, args: [argument] as never });
      if (argument === buf && buf.length === 0) continue; // detached: an empty array of its own
      assert.throws(() => child.start(), ClosedError);
    }
  });

  test('a result that cannot travel is the error', async () => {
    const child = started(new Process({ target: targets.returnFunction, stdio: 'pipe' }));
    await assert.rejects(child.result(), (error: Error) => {
      assert.ok(error instanceof NotShareableError);
      assert.match(error.message, /^result\.nested\[0\] is a function/);
      return true;
    });
    assert.equal(child.exitCode, 1);
  });
});

test('a child that damages its own record counts as one that left nothing', async () => {
  const child = started(new Process({ target: targets.damageRecord }));
  await assert.rejects(child.result(), ProcessDiedError);
});

describe('daemons', () => {
  test('do not keep their parent waiting; asked for, they do', async () => {
    const child = started(new Process({ target: targets.addLater, args: [1, 2], daemon: true }));
    assert.equal(child.daemon, true);
    assert.equal(await child.result(), 3);
  });
});

describe('environment and streams', () => {
  test('env replaces the environment, execArgv the flags', async () => {
    const env = { ...process.env, GREETING: 'hello' };
    const child = started(new Process({ target: targets.environment, args: ['GREETING'], env }));
    assert.equal(await child.result(), 'hello');
    const flags = started(new Process({ target: targets.execArguments, execArgv: ['--no-deprecation'] }));
    assert.deepEqual(await flags.result(), ['--no-deprecation']);
  });

  test("stdio 'pipe' gives the streams, 'ignore' and 'inherit' do not", async () => {
    const piped = started(new Process({ target: targets.nothing, stdio: 'pipe' }));
    assert.ok(piped.stdin && piped.stdout && piped.stderr);
    piped.stdin.end();
    await piped.join();
    const ignored = started(new Process({ target: targets.nothing, stdio: 'ignore' }));
    assert.deepEqual([ignored.stdin, ignored.stdout, ignored.stderr], [null, null, null]);
    await ignored.join();
  });
});

describe('options of a wrong type', () => {
  for (const [what, options] of Object.entries({
    'no options': undefined,
    'no target': {},
    'a number as target': { target: 5 },
    'a class as target': { target: class {} },
    'a module that is no path': { target: { module: 5 } },
    'args that are no array': { target: targets.nothing, args: 'x' },
    'a name that is no string': { target: targets.nothing, name: 5 },
    'a daemon that is no boolean': { target: targets.nothing, daemon: 1 },
    'unknown stdio': { target: targets.nothing, stdio: 'tty' },
    'execArgv that are no array': { target: targets.nothing, execArgv: '--x' },
  })) {
    test(what, () => assert.throws(() => new Process(options as never), TypeError));
  }
});

test('a killed child leaves its blocks to the tree, not to its siblings', async () => {
  using block = SharedMemory.create(4);
  const words = block.view(Int32Array);
  const child = started(new Process({ target: targets.makeBlockAndDie, args: [words, false], stdio: 'ignore' }));
  await child.join();
  assert.equal(words[0], 1);
  assert.equal(isAlive(child.pid!), false);
});
