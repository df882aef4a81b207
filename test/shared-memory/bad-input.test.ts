import assert from 'node:assert/strict';
import { constants } from 'node:buffer';
import { mkdirSync, rmdirSync, statfsSync, symlinkSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { ShareableList, SharedMemory, ValueError } from 'multiprocess';
import { osError } from '../support/errors.js';
import { shmEntries, testName } from '../support/shm.js';

/** The call must fail as `expected` says and leave /dev/shm as it was. */
function refuses(call: () => unknown, expected: Parameters<typeof assert.throws>[1]): void {
  const before = shmEntries();
  assert.throws(call, expected as never);
  const left = [...shmEntries()].filter((entry) => !before.has(entry) && !entry.startsWith('mptest_'));
  assert.deepEqual(left, [], 'left behind');
}

describe('sizes', () => {
  using first = SharedMemory.create(1); // the process tree's own file exists from here on
  assert.equal(first.size, 1);

  for (const size of [0, -0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
    test(`${size} is a RangeError`, () => refuses(() => SharedMemory.create(size), RangeError));
  }

  for (const size of ['5', 5n, null, undefined, {}, [], true]) {
    test(`${typeof size} ${String(size)} is a TypeError`, () =>
      refuses(() => SharedMemory.create(size as never), TypeError));
  }

  test('more than the runtime can show is a RangeError', () => {
    if (constants.MAX_LENGTH < Number.MAX_SAFE_INTEGER) {
      refuses(() => SharedMemory.create(constants.MAX_LENGTH + 1), RangeError);
    }
  });

  test('more than there is room for is ENOSPC at once, and the process lives', () => {
    const { bavail, bsize } = statfsSync('/dev/shm');
    const size = bavail * bsize + 2 ** 20;
    if (size < constants.MAX_LENGTH) refuses(() => SharedMemory.create(size), osError('ENOSPC'));
    else refuses(() => SharedMemory.create(constants.MAX_LENGTH + 1), RangeError);
    using block = SharedMemory.create(16);
    assert.equal(block.size, 16);
  });
});

describe('names', () => {
  for (const name of ['', '/', 'a/b', '/a/b', '.', '..', 'a/']) {
    test(`'${name}' is EINVAL, to create and to open`, () => {
      refuses(() => SharedMemory.create(1, { name }), osError('EINVAL'));
      refuses(() => SharedMemory.attach(name), osError('EINVAL'));
    });
  }

  test('with NUL or half a surrogate pair: ValueError', () => {
    for (const name of ['a\0b', '\0', 'x\ud800']) {
      refuses(() => SharedMemory.create(1, { name }), ValueError);
      refuses(() => SharedMemory.attach(name), ValueError);
      refuses(() => new ShareableList([1], { name }), ValueError);
    }
  });

  test('of 255 bytes work, of 256 are ENAMETOOLONG; bytes count, not characters', () => {
    const long = testName('long').padEnd(255, 'x');
    {
      using block = SharedMemory.create(1, { name: long });
      using same = SharedMemory.attach(block.name);
      assert.equal(same.name, long);
    }
    refuses(() => SharedMemory.create(1, { name: `${long}x` }), osError('ENAMETOOLONG'));
    refuses(() => SharedMemory.attach('é'.repeat(128)), osError('ENAMETOOLONG'));
    using block = SharedMemory.create(1, { name: `${testName('umlaut')}-é:%` });
    using same = SharedMemory.attach(block.name);
    assert.equal(same.size, 1);
  });

  test('of a wrong type: TypeError', () => {
    for (const name of [5, null, {}, Buffer.from('x')]) {
      refuses(() => SharedMemory.create(1, { name: name as never }), TypeError);
      refuses(() => SharedMemory.attach(name as never), TypeError);
    }
    refuses(() => new SharedMemory({} as never), TypeError);
    refuses(() => new SharedMemory({ name: undefined } as never), TypeError);
    refuses(() => new SharedMemory(undefined as never), TypeError);
    refuses(() => new SharedMemory('name' as never), TypeError);
    refuses(() => SharedMemory.create(1, { persist: 1 as never }), TypeError);
  });

  test('missing: ENOENT; taken: EEXIST, and the block there is left alone', () => {
    refuses(() => SharedMemory.attach(testName('missing')), osError('ENOENT'));
    const name = testName('taken');
    using block = SharedMemory.create(4, { name });
    block.buf.fill(8);
    refuses(() => SharedMemory.create(4, { name }), osError('EEXIST'));
    refuses(() => new ShareableList([1], { name }), osError('EEXIST'));
    assert.deepEqual([...block.buf], [8, 8, 8, 8]);
  });
});

describe('what is no block', () => {
  test('an empty file: ValueError, and it stays', () => {
    const name = testName('empty');
    writeFileSync(`/dev/shm/${name}`, '');
    try {
      refuses(() => SharedMemory.attach(name), ValueError);
      refuses(() => new ShareableList(null, { name }), ValueError);
      assert.ok(shmEntries().has(name));
    } finally {
      unlinkSync(`/dev/shm/${name}`);
    }
  });

  test('a directory or a symbolic link is refused', () => {
    const name = testName('directory');
    mkdirSync(`/dev/shm/${name}`);
    refuses(() => SharedMemory.attach(name), osError('EISDIR'));
    rmdirSync(`/dev/shm/${name}`);
    using block = SharedMemory.create(1);
    symlinkSync(`/dev/shm/${block.name}`, `/dev/shm/${name}`);
    refuses(() => SharedMemory.attach(name), osError('ELOOP'));
    refuses(() => SharedMemory.create(1, { name }), osError('EEXIST'));
    unlinkSync(`/dev/shm/${name}`);
  });

  test('a file larger than the runtime can show: RangeError, not an abort', () => {
    if (constants.MAX_LENGTH > 2 ** 40) return; // nothing that tmpfs can hold is too large there
    const name = testName('huge');
    writeFileSync(`/dev/shm/${name}`, '');
    truncateSync(`/dev/shm/${name}`, constants.MAX_LENGTH + 4096); // sparse: takes no memory
    try {
      refuses(() => SharedMemory.attach(name), RangeError);
    } finally {
      unlinkSync(`/dev/shm/${name}`);
    }
  });
});
