// The room that talks to libc, by itself.
import assert from 'node:assert/strict';
import { closeSync, constants, ftruncateSync, openSync, readdirSync, readFileSync, statSync, writeSync } from 'node:fs';
import { describe, test } from 'node:test';
import { Process } from 'multiprocess';
import { UnsupportedPlatformError } from '../../src/errors/index.js';
import {
  fileFacts,
  futexWait,
  futexWaitAny,
  futexWake,
  isLockedByOther,
  MAX_MAP_BYTES,
  MAX_WAIT_WORDS,
  mapShared,
  openFileFacts,
  peekChildStatus,
  publish,
  removeFile,
  requireLinux,
  reserve,
  sameFile,
  systemError,
  tryLockFile,
  unlockFile,
} from '../../src/os/index.js';
import { holdLock, wakeLater } from '../programs/os-targets.js';
import { osError } from '../support/errors.js';
import { projectRoot } from '../support/paths.js';
import { run } from '../support/run.js';
import { eventually, testName } from '../support/shm.js';

function temporaryFile(bytes: number): { path: string; fd: number; [Symbol.dispose](): void } {
  const path = `/dev/shm/${testName('os')}`;
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
  ftruncateSync(fd, bytes);
  return {
    path,
    fd,
    [Symbol.dispose]() {
      closeSync(fd);
      removeFile(path);
    },
  };
}

const soon = (ms: number) => process.hrtime.bigint() + BigInt(Math.round(ms * 1e6));

describe('platforms', () => {
  test('anything but Linux on x64 or arm64 is told what is missing', () => {
    assert.throws(
      () => requireLinux('darwin', 'arm64'),
      (e: Error) => e instanceof UnsupportedPlatformError && /darwin/.test(e.message),
    );
    assert.throws(() => requireLinux('win32', 'x64'), UnsupportedPlatformError);
    assert.throws(() => requireLinux('linux', 'ia32'), UnsupportedPlatformError);
    assert.equal(requireLinux('linux', 'arm64').futex, 98);
  });

  test('elsewhere the import works and the first use throws', async () => {
    const source = `
      Object.defineProperty(process, 'platform', { value: 'darwin' });
      const mp = await import('multiprocess');
      for (const use of [() => mp.SharedMemory.create(8), () => new mp.ShareableList([1]), () => mp.SharedMemory.attach('x')]) {
        try { use(); console.log('no error'); } catch (error) { console.log(error.code); }
      }
      console.log(mp.fromMessage(mp.toMessage([1])));`;
    const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '-e', source], { cwd: projectRoot });
    assert.equal(stderr, '');
    assert.equal(stdout, `${'ERR_MULTIPROCESS_UNSUPPORTED_PLATFORM\n'.repeat(3)}[ 1 ]\n`);
  });

  test('importing loads no native code', async () => {
    const source = `
      await import('multiprocess');
      console.log(require('node:fs').readFileSync('/proc/self/maps', 'utf8').includes('koffi'));`;
    const { stdout } = await run(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { createRequire } from 'node:module'; const require = createRequire('${projectRoot}');${source}`,
      ],
      { cwd: projectRoot },
    );
    assert.equal(stdout, 'false\n');
  });
});

test("errors have Node's shape", () => {
  const error = systemError(2, 'open', '/nowhere');
  let real: NodeJS.ErrnoException | undefined;
  try {
    openSync('/nowhere', 'r');
  } catch (caught) {
    real = caught as NodeJS.ErrnoException;
  }
  assert.deepEqual({ ...error }, { ...real });
  assert.equal(error.message, real!.message);
  assert.equal(
    systemError(28, 'write', undefined, 'Make room.').message,
    'ENOSPC: no space left on device, write. Make room.',
  );
});

describe('futex', () => {
  test('returns at once when the word has changed, and at its deadline otherwise', () => {
    using file = temporaryFile(4096);
    const { address, buffer } = mapShared(file.fd, 4096);
    new Int32Array(buffer)[0] = 5;
    assert.equal(futexWait(address, 4, undefined), 'changed');
    const start = performance.now();
    assert.equal(futexWait(address, 5, soon(30)), 'timeout');
    assert.ok(performance.now() - start >= 29);
    assert.equal(futexWait(address, 5, soon(-1000)), 'timeout');
    assert.equal(futexWake(address, 10), 0);
    new Int32Array(buffer)[0] = -1;
    assert.equal(futexWait(address, -1, soon(1)), 'timeout', 'negative words compare as the kernel sees them');
  });

  test('wakes across processes, on one word and on many', async () => {
    using file = temporaryFile(4096);
    const { address, buffer } = mapShared(file.fd, 4096);
    const words = new Int32Array(buffer);
    for (const many of [false, true]) {
      words.fill(0);
      const child = new Process({ target: wakeLater, args: [file.path, 3] });
      child.start();
      let woken = 0;
      while (Atomics.load(words, 3) === 0) {
        const outcome = many
          ? futexWaitAny(
              [0, 1, 2, 3].map((i) => ({ address: address + BigInt(4 * i), expected: 0 })),
              soon(10_000),
            )
          : futexWait(address + 12n, 0, soon(10_000));
        assert.ok(outcome === 'woken' || outcome === 'changed' || outcome === 'interrupted', outcome);
        woken += 1;
      }
      assert.ok(woken <= 3);
      await child.result();
    }
  });

  test('many words: the bounds, a changed word, the deadline', () => {
    using file = temporaryFile(4096);
    const { address } = mapShared(file.fd, 4096);
    assert.throws(() => futexWaitAny([], undefined), RangeError);
    const words = Array.from({ length: MAX_WAIT_WORDS + 1 }, (_, i) => ({
      address: address + BigInt(4 * i),
      expected: 0,
    }));
    assert.throws(() => futexWaitAny(words, undefined), RangeError);
    const outcome = futexWaitAny(words.slice(1), soon(10));
    if (outcome === 'unavailable') return; // before Linux 5.16
    assert.equal(outcome, 'timeout');
    assert.equal(futexWaitAny([{ address, expected: 1 }], soon(1000)), 'changed');
  });
});

describe('locks of open files', () => {
  test('shared beside shared, exclusive alone, seen through another open file only', () => {
    using file = temporaryFile(0);
    const other = openSync(file.path, 'r+');
    const at = 1n << 61n;
    assert.equal(tryLockFile(file.fd, 'shared', at), true);
    assert.equal(tryLockFile(other, 'shared', at), true);
    assert.equal(tryLockFile(other, 'exclusive', at), false);
    assert.equal(tryLockFile(other, 'exclusive', at + 1n), true);
    assert.equal(isLockedByOther(file.fd, at), true);
    assert.equal(isLockedByOther(file.fd, at + 2n), false);
    unlockFile(other, at);
    assert.equal(isLockedByOther(file.fd, at), false, 'its own lock does not show');
    assert.equal(isLockedByOther(other, at), true);
    closeSync(other);
    assert.equal(tryLockFile(file.fd, 'exclusive', at, 10n), true);
  });

  test('are let go of by the kernel when their holder is killed, and not before', async () => {
    using file = temporaryFile(0);
    const child = new Process({ target: holdLock, args: [file.path], stdio: 'ignore' });
    child.start();
    await eventually('the child holds the lock', () => isLockedByOther(file.fd, 7n));
    process.kill(child.pid!, 'SIGSTOP');
    assert.equal(tryLockFile(file.fd, 'exclusive', 7n), false);
    process.kill(child.pid!, 'SIGKILL');
    await eventually('the lock is free', () => tryLockFile(file.fd, 'exclusive', 7n));
    await child.join();
  });

  test('go when their descriptor is closed although the file is still mapped', () => {
    using file = temporaryFile(4096);
    const fd = openSync(file.path, 'r+');
    const { buffer } = mapShared(fd, 4096);
    assert.equal(tryLockFile(fd, 'shared', 0n), true);
    closeSync(fd);
    assert.equal(isLockedByOther(file.fd, 0n), false);
    assert.equal(buffer.byteLength, 4096);
  });

  test('need a descriptor', () => {
    assert.throws(() => tryLockFile(9999, 'shared', 0n), osError('EBADF'));
    assert.throws(() => isLockedByOther(9999, 0n), osError('EBADF'));
    assert.throws(() => unlockFile(9999, 0n), osError('EBADF'));
  });
});

describe('files', () => {
  test('facts are those that fs knows', () => {
    using file = temporaryFile(123);
    const { ino, uid } = statSync(file.path, { bigint: true });
    const facts = openFileFacts(file.fd);
    assert.deepEqual([facts.inode, BigInt(facts.uid), facts.bytes, facts.regular], [ino, uid, 123, true]);
    assert.ok(sameFile(facts, fileFacts(file.path)));
    assert.equal(fileFacts('/dev/shm')!.regular, false);
    assert.equal(fileFacts(`${file.path}x`), undefined);
    assert.equal(sameFile(facts, undefined), false);
    assert.throws(() => openFileFacts(9999), osError('EBADF'));
  });

  test('are published in one step, never over another', () => {
    using file = temporaryFile(1);
    using taken = temporaryFile(1);
    assert.throws(() => publish(file.path, taken.path), osError('EEXIST'));
    publish(file.path, `${file.path}_new`);
    assert.ok(sameFile(openFileFacts(file.fd), fileFacts(`${file.path}_new`)));
    assert.equal(removeFile(`${file.path}_new`), true);
    assert.equal(removeFile(`${file.path}_new`), false);
    assert.throws(() => publish(file.path, '/dev/shm/x'), osError('ENOENT'));
  });

  test('are reserved whole: every page is there', () => {
    using file = temporaryFile(0);
    reserve(file.fd, 3 * 1024 * 1024, file.path);
    const { size, blocks } = statSync(file.path);
    assert.equal(size, 3 * 1024 * 1024);
    assert.equal(blocks * 512, size);
    writeSync(file.fd, 'kept');
    reserve(file.fd, 4 * 1024 * 1024, file.path);
    assert.equal(readFileSync(file.path).toString('latin1', 0, 4), 'kept');
    assert.throws(() => reserve(file.fd, 2 ** 50, file.path), osError('ENOSPC'));
    assert.throws(() => reserve(9999, 10, file.path), osError('EBADF'));
  });
});

describe('maps', () => {
  test('more than the runtime can show, or a bad descriptor, is an error', () => {
    using file = temporaryFile(10);
    assert.throws(() => mapShared(file.fd, MAX_MAP_BYTES + 1), RangeError);
    assert.throws(() => mapShared(9999, 10), osError('ENOENT'));
  });

  test('leave no descriptor open', () => {
    using file = temporaryFile(4096);
    const before = readdirSync('/proc/self/fd').length;
    mapShared(file.fd, 4096);
    assert.equal(readdirSync('/proc/self/fd').length, before);
  });
});

test('a child is asked about without taking the news from Node', async () => {
  const child = new Process({ target: holdLock, args: ['/nowhere'], stdio: 'ignore' });
  child.start();
  assert.equal(peekChildStatus(child.pid!), 'running');
  const deadline = performance.now() + 20_000;
  while (peekChildStatus(child.pid!) === 'running' && performance.now() < deadline);
  assert.deepEqual(peekChildStatus(child.pid!), { code: 1 });
  assert.equal(child.exitCode, 1);
  await assert.rejects(child.result(), osError('ENOENT'));
  assert.equal(peekChildStatus(child.pid!), 'reaped');
});
