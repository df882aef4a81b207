import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { CorruptSegmentError, MultiprocessError, type ShareableItem, ShareableList, SharedMemory } from 'multiprocess';
import { testName } from '../support/shm.js';

/** Uses every operation on whatever the bytes say; the only accepted failures are typed errors. */
function exercise(bytes: Uint8Array): 'opened' | 'refused' {
  using block = SharedMemory.create(Math.max(1, bytes.length));
  block.buf.set(bytes);
  let list: ShareableList<ShareableItem>;
  try {
    list = new ShareableList<ShareableItem>(null, { name: block.name });
  } catch (error) {
    assert.ok(error instanceof CorruptSegmentError, String(error));
    return 'refused';
  }
  const { length } = list;
  assert.ok(length * 25 + 16 <= bytes.length);
  for (let i = -length; i < Math.min(length, 50); i++) {
    for (const call of [() => list.get(i), () => list.set(i, 'x'), () => list.set(i, 1), () => list.get(i)]) {
      try {
        call();
      } catch (error) {
        assert.ok(error instanceof MultiprocessError, String(error));
      }
    }
  }
  for (const call of [() => list.format, () => list.copy(), () => list.count(1), () => list.indexOf('x')]) {
    try {
      call();
    } catch (error) {
      assert.ok(error instanceof CorruptSegmentError, String(error));
    }
  }
  list.close();
  return 'opened';
}

function validList(): Buffer {
  const { readFileSync } = process.getBuiltinModule('node:fs');
  using list = new ShareableList<ShareableItem>([
    'howdy',
    new Uint8Array([1, 2]),
    -1.5,
    100,
    null,
    true,
    'x'.repeat(30),
  ]);
  return readFileSync(`/dev/shm/${list.shm.name}`);
}

describe('hostile bytes in a list', () => {
  const valid = validList();

  test('the bytes that are mutated below are valid', () => assert.equal(exercise(valid), 'opened'));

  test('random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (bytes) => void exercise(bytes)),
      { numRuns: 300 },
    );
  });

  test('a valid list with some bytes changed', () => {
    let opened = 0;
    const change = fc.tuple(fc.nat(valid.length - 1), fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff)));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
        const bytes = Buffer.from(valid);
        for (const [at, value] of changes) bytes[at] = value;
        if (exercise(bytes) === 'opened') opened += 1;
      }),
      { numRuns: 1000 },
    );
    assert.ok(opened > 50, 'too few got as far as the items');
  });

  test('a valid list with a word changed to an extreme', () => {
    for (let at = 0; at + 8 <= valid.length; at += 8) {
      for (const value of [-1n, 2n ** 63n - 1n, -(2n ** 63n), 1n << 32n, 8n, 7n, 0n, 2n ** 53n]) {
        const bytes = Buffer.from(valid);
        bytes.writeBigInt64LE(value, at);
        exercise(bytes);
      }
    }
  });

  test('a valid list cut off anywhere', () => {
    for (let length = 1; length < valid.length; length++) assert.equal(exercise(valid.subarray(0, length)), 'refused');
  });

  test('formats and codes that no list has', () => {
    for (const format of ['s', '99999999', '0s', '-1s', '8 s', 'qq', 'd\0q', 'x', '9999999s', '1e1s']) {
      for (let code = 0; code < 256; code += code < 6 ? 1 : 50) {
        const bytes = Buffer.from(valid);
        const count = Number(bytes.readBigInt64LE(0));
        const formats = 8 * (count + 2) + Number(bytes.readBigInt64LE(8 + 8 * count));
        bytes.fill(0, formats, formats + 8);
        bytes.write(format, formats, 8, 'latin1');
        bytes[formats + 8 * count] = code;
        exercise(bytes);
      }
    }
  });
});

test('a block that somebody makes longer stays readable', () => {
  const name = testName('grown');
  using list = new ShareableList([1, 2], { name });
  writeFileSync(`/dev/shm/${name}`, Buffer.alloc(4096), { flag: 'a' });
  assert.deepEqual(list.copy(), [1, 2]);
  using same = new ShareableList(null, { name });
  assert.deepEqual(same.copy(), [1, 2]);
});
