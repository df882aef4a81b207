import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { Process, SharedMemory } from 'multiprocess';
import { decode, encode } from '../../src/codec/internal.js';
import { MultiprocessError, ValueError } from '../../src/errors/index.js';
import { scribble } from '../programs/codec-targets.js';
import { seedOf } from '../support/random.js';
import { eventually } from '../support/shm.js';

/** Something of everything that is copied. */
const everything = () => ({
  id: 7,
  'a key that is longer than those which are remembered': 'text that is longer than a loop would read',
  short: 'é',
  wide: '€ and more',
  numbers: [1, -1, 300, 0.5, -0, Number.NaN],
  big: [5n, -(2n ** 63n), 2n ** 200n],
  bytes: Uint8Array.from({ length: 100 }, (_, i) => i),
  small: new Uint8Array([1, 2, 3]),
  buffer: Buffer.from('a Buffer'),
  doubles: new Float64Array([0.1, 0.2]),
  memory: new Uint8Array([9, 8, 7]).buffer,
  // biome-ignore lint/suspicious/noSparseArray: holes are part of everything
  sparse: [1, , 3],
  map: new Map<unknown, unknown>([['key', new Set([1, 'two'])]]),
  date: new Date(5),
  regexp: /x+/g,
  boxed: Object('boxed'),
  error: new RangeError('out'),
});

/** All memory that a value shows. */
function buffersOf(value: unknown, found = new Set<ArrayBufferLike>()): Set<ArrayBufferLike> {
  if (ArrayBuffer.isView(value)) found.add(value.buffer);
  else if (value instanceof ArrayBuffer) found.add(value);
  else if (value instanceof Map || value instanceof Set) for (const item of value.values()) buffersOf(item, found);
  else if (typeof value === 'object' && value !== null) for (const item of Object.values(value)) buffersOf(item, found);
  return found;
}

/** What comes of decoding, in a form that can be compared. */
function outcome(bytes: Uint8Array): string {
  try {
    return inspect(decode(bytes), { depth: null, maxArrayLength: null, maxStringLength: null });
  } catch (error) {
    assert.ok(error instanceof MultiprocessError, `${error}`);
    return error.message;
  }
}

describe('bytes in shared memory', () => {
  test('are copied: what they gave stays when they change', () => {
    const value = everything();
    const { bytes } = encode(value);
    using block = SharedMemory.create(4096);
    for (const at of [0, 1, 2, 3, 5, 1001]) {
      block.buf.set(bytes, at);
      const back = decode(block.buf.subarray(at, at + bytes.length));
      block.buf.fill(0xff);
      assert.deepStrictEqual(back, value);
      for (const buffer of buffersOf(back)) assert.notEqual(buffer, block.buf.buffer);
    }
  });

  test('give byte arrays with memory of their own and no more', () => {
    for (const length of [0, 1, 63, 64, 65, 4096, 100_000]) {
      const bytes = new Uint8Array(length).fill(3);
      for (const value of [bytes, Buffer.from(bytes), new Int8Array(bytes.buffer), bytes.buffer]) {
        const encoded = encode(value).bytes;
        using block = SharedMemory.create(encoded.length);
        block.buf.set(encoded);
        const back = decode(block.buf.subarray(0, encoded.length)) as typeof value;
        assert.deepStrictEqual(back, value);
        assert.deepEqual(
          [...buffersOf(back)].map((buffer) => buffer.byteLength),
          [length],
        );
      }
    }
  });

  test('that another process changes meanwhile give a value or a typed error', async () => {
    const seed = seedOf();
    console.log(`SEED=${seed}`);
    const { bytes } = encode([everything(), everything()]);
    using block = SharedMemory.create(8 + bytes.length);
    block.buf.set(bytes, 8);
    const memory = block.buf.subarray(0, 8 + bytes.length);
    const words = block.view(Int32Array, 0, 2);
    const child = new Process({ target: scribble, args: [memory, seed] });
    child.start();
    await eventually('the other process writes', () => Atomics.load(words, 0) === 1);
    let values = 0;
    for (let i = 0; i < 20_000; i++) {
      try {
        decode(memory.subarray(8));
        values += 1;
      } catch (error) {
        assert.ok(error instanceof MultiprocessError, `${error}`);
      }
    }
    Atomics.store(words, 1, 1);
    const changes = (await child.result()) as number;
    assert.ok(values > 0 && values < 20_000 && changes > 1000, `${values} values, ${changes} changes`);
  });
});

describe('nothing beyond the end is read', () => {
  const { bytes: valid } = encode([everything(), 'last']);

  /** The bytes in the midst of others that would be mistaken for more of them. */
  function amidst(bytes: Uint8Array, others: Uint8Array): Uint8Array {
    const memory = new Uint8Array(bytes.length + 2 * others.length);
    memory.set(others);
    memory.set(bytes, others.length);
    memory.set(others, others.length + bytes.length);
    return memory.subarray(others.length, others.length + bytes.length);
  }

  test('of bytes cut off anywhere, with the rest still behind them', () => {
    for (let length = 0; length < valid.length; length++) {
      assert.throws(() => decode(valid.subarray(0, length)), ValueError, `${length}`);
    }
    assert.deepEqual(decode(amidst(valid, valid)), decode(valid));
  });

  test('of changed bytes: whatever lies around makes no difference', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        fc.uint8Array({ minLength: 1, maxLength: 300 }),
        (changes, others) => {
          const bytes = new Uint8Array(valid);
          for (const [at, value] of changes) bytes[at] = value;
          const alone = outcome(bytes);
          assert.equal(outcome(amidst(bytes, others)), alone);
          assert.equal(outcome(Buffer.from(amidst(bytes, others).buffer, others.length, bytes.length)), alone);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('of random bytes', () => {
    // The tags that are of use most often, and short lengths, so that it gets further than a byte or two.
    const byte = fc.oneof(fc.integer({ min: 0, max: 24 }), fc.nat(255));
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 60 }), fc.uint8Array({ minLength: 1, maxLength: 60 }), (rest, others) => {
        const bytes = Uint8Array.from([1, ...rest]);
        assert.equal(outcome(amidst(bytes, others)), outcome(bytes));
      }),
      { numRuns: 5000 },
    );
  });

  test('of text that claims to be longer than what is left', () => {
    const text = [...Buffer.from('key')];
    for (const bytes of [
      [1, 7, 4, ...text],
      [1, 7, 255, ...text],
      [1, 8, 4, 0, 0, 0, ...text],
      [1, 9, 4, 0, 0, 0, ...text],
      [1, 12, 1, 0, 0, 0, 7, 4, ...text],
      [1, 12, 1, 0, 0, 0, 7, 33, ...text],
      [1, 12, 1, 0, 0, 0, 7],
      [1, 12, 1, 0, 0, 0, 5, ...text],
      [1, 6, 0, 8, 0, 0, 0, ...text],
      [1, 18, 4, 0, 0, 0, ...text],
      [1, 19, 0, 4, 0, 0, 0, ...text],
      [1, 19, 1, 4, 0, 0, 0, ...text],
    ]) {
      assert.throws(() => decode(amidst(Uint8Array.from(bytes), new Uint8Array(50).fill(97))), ValueError, `${bytes}`);
    }
  });

  test('keys that were there before are not taken for those that are now', () => {
    // One hash for all of them: 'Aa' and 'BB' differ, and are the same to a polynomial of 31.
    const keys = ['AaAa', 'AaBB', 'BBAa', 'BBBB', 'AaAaAa', 'BBBBBB', 'AaBBAa'];
    for (let round = 0; round < 3; round++) {
      for (const key of keys) assert.deepEqual(Object.keys(decode(encode({ [key]: 1 }).bytes) as object), [key]);
    }
  });
});
