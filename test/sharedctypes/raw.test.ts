import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { fromMessage, handleOf, type NumericCode, open, Process, RawArray, RawValue, toMessage } from 'multiprocess';
import * as targets from '../programs/lock-targets.js';
import { hasCode } from '../support/errors.js';
import { collectGarbage } from '../support/gc.js';
import { eventually, shmEntries } from '../support/shm.js';

describe('RawArray', () => {
  const classes = {
    b: Int8Array,
    B: Uint8Array,
    h: Int16Array,
    H: Uint16Array,
    i: Int32Array,
    I: Uint32Array,
    l: BigInt64Array,
    L: BigUint64Array,
    q: BigInt64Array,
    Q: BigUint64Array,
    f: Float32Array,
    d: Float64Array,
  };

  test('of each code is a typed array on an ArrayBuffer of its own', () => {
    for (const [code, type] of Object.entries(classes)) {
      const array = RawArray(code as NumericCode, 3);
      assert.ok(array instanceof type, code);
      assert.equal(array.length, 3);
      assert.equal(array.byteOffset, 0);
      assert.equal(array.buffer.byteLength, array.byteLength);
      assert.ok(array.every((item) => Number(item) === 0));
      assert.deepEqual([...RawArray(code as NumericCode, [1, 2])].map(Number), [1, 2]);
    }
    assert.ok(new RawArray('i', 1) instanceof Int32Array);
    assert.equal(RawArray('q', 0).length, 0);
  });

  test('is the same memory in other processes, by argument, result, handle and message', {
    timeout: 30_000,
  }, async () => {
    for (const length of [4, 100_000]) {
      const numbers = RawArray('d', length);
      const value = RawValue('i', 1);
      const child = new Process({ target: targets.fill, args: [numbers, value] });
      child.start();
      const part = await child.result();
      assert.equal(numbers[length - 1], 4);
      assert.equal(value.value, 2);
      assert.equal(part.length, length - 1);
      part[0] = 9;
      assert.equal(numbers[1], 9);
      assert.equal(open(handleOf(numbers)).buffer, numbers.buffer);
      assert.equal((fromMessage(toMessage({ numbers })) as { numbers: Float64Array }).numbers.buffer, numbers.buffer);
      assert.equal((open(value.handle) as { value: number }).value, 2);
    }
  });

  test('Atomics work on it', () => {
    const array = RawArray('i', 2);
    assert.equal(Atomics.add(array, 1, 5), 0);
    assert.equal(Atomics.load(array, 1), 5);
  });

  test('bad input', () => {
    assert.throws(() => RawArray('x' as never, 1), TypeError);
    assert.throws(() => RawArray('toString' as never, 1), TypeError);
    assert.throws(() => RawArray('i', -1), RangeError);
    assert.throws(() => RawArray('i', 1.5), TypeError);
    assert.throws(() => RawArray('i', 2 ** 40), RangeError);
    assert.throws(() => RawArray('i', null as never), TypeError);
    assert.throws(() => RawArray('i', ['1'] as never), TypeError);
    for (const [code, items] of Object.entries({
      b: [128, -129],
      B: [-1, 256, 1.5],
      h: [32768],
      I: [-1, Number.NaN],
    })) {
      for (const item of items) assert.throws(() => RawArray(code as 'b', [item]), RangeError, `${code} ${item}`);
    }
    for (const item of [1n << 63n, 2 ** 60, 1.5]) assert.throws(() => RawArray('q', [item]), RangeError);
    assert.throws(() => RawArray('L', [-1n]), RangeError);
    assert.throws(() => (RawArray('d', 1).buffer as { transfer?: () => void }).transfer?.() ?? assert.fail(), Error);
  });

  test('lives as long as a view of it can be reached, and no longer', async () => {
    for (const length of [10, 100_000]) {
      let handle = '';
      let view: Float64Array | undefined;
      (() => {
        const array = RawArray('d', length).fill(7);
        handle = handleOf(array);
        view = array.subarray(5, 7);
      })();
      await collectGarbage();
      assert.deepEqual([...view!], [7, 7]);
      assert.equal((open(handle) as Float64Array)[5], 7);
      view = undefined;
      await eventually('it is gone', async () => {
        await collectGarbage();
        try {
          open(handle);
          return false;
        } catch (error) {
          return hasCode('ERR_MULTIPROCESS_STALE_HANDLE')(error);
        }
      });
    }
    assert.equal(
      [...shmEntries()].filter(
        (entry) => entry.includes(`${process.env['MULTIPROCESS_TREE']}.`) && entry.includes('raw-'),
      ).length,
      0,
    );
  });
});

describe('RawValue', () => {
  test('reads and writes', () => {
    const value = new RawValue('h', -3);
    assert.equal(value.value, -3);
    value.value = 300;
    assert.equal(value.value, 300);
    assert.equal(inspect(value), "RawValue('h', 300)");
    assert.equal(RawValue('Q', 5).value, 5n);
    assert.equal(RawValue('d').value, 0);
    assert.ok(value instanceof RawValue);
  });

  test('bad input', () => {
    const value = RawValue('h', 1);
    assert.throws(() => (value.value = 40_000), RangeError);
    assert.throws(() => (value.value = Number.NaN), RangeError);
    assert.throws(() => (value.value = '1' as never), TypeError);
    assert.throws(() => RawValue('q', 1.5), RangeError);
    assert.throws(() => RawValue('?' as never, 1 as never), TypeError);
    assert.throws(() => JSON.stringify(value), TypeError);
    assert.equal(value.value, 1);
  });
});
