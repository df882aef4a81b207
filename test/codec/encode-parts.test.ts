import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { registerType } from '../../src/codec/index.js';
import { decode, type EncodedParts, encode, encodeParts, packLatin1, unpackLatin1 } from '../../src/codec/internal.js';
import { NotShareableError } from '../../src/errors/index.js';

const KIB = 1024;

/** The bytes, copied out as whoever sends them does. */
const gather = ({ pieces, byteLength }: EncodedParts): Uint8Array => {
  const bytes = new Uint8Array(byteLength);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  assert.equal(at, byteLength);
  return bytes;
};
const trip = (value: unknown): any => decode(gather(encodeParts(value)));
const filled = (bytes: number) => Uint8Array.from({ length: bytes }, (_, i) => i % 251);

/** An instance travels as what its `encode` gives, and that may do anything. */
class Busy {
  constructor(readonly encoding: () => unknown) {}
}
registerType(Busy, { encode: (busy) => busy.encoding(), decode: (value) => value as Busy });

describe('the pieces', () => {
  test('are one, at a multiple of four bytes, in memory that is used again', () => {
    const first = encodeParts({ id: 7, name: 'x', done: true });
    assert.equal(first.pieces.length, 1);
    assert.equal(first.pieces[0].byteOffset % 4, 0);
    assert.equal(first.pieces[0].buffer.byteLength % 4, 0);
    assert.equal(first.pieces[0].length, first.byteLength);
    const second = encodeParts(['other']);
    assert.equal(second.pieces[0].buffer, first.pieces[0].buffer);
    assert.ok(first.blocks === second.blocks && first.blocks.size === 0);
    assert.ok(first.places === second.places && first.places.size === 0);
  });

  test('give the same bytes as encode(), whose bytes stay', () => {
    const value = { list: [1, 'two', new Map([[3, filled(20 * KIB)]])], big: filled(9 * KIB) };
    const { bytes } = encode(value);
    encodeParts('something else that would lie there');
    assert.deepEqual(gather(encodeParts(value)), new Uint8Array(bytes));
    assert.deepEqual(decode(bytes), value);
  });

  test('show large byte arrays where they are, and copy small ones', () => {
    const large = filled(8 * KIB);
    const part = filled(20 * KIB).subarray(3, 9 * KIB);
    const doubles = new Float64Array(2000).fill(0.5);
    const buffer = filled(10 * KIB).buffer;
    const small = filled(8 * KIB - 1);
    const value = { large, small, part, deep: [{ doubles }, 'between', buffer], again: large };
    const parts = encodeParts(value);
    const own = parts.pieces.filter((piece) => piece.byteLength >= 8 * KIB && piece.buffer !== parts.pieces[0].buffer);
    assert.deepEqual(
      own.map((piece) => [piece.buffer, piece.byteOffset, piece.byteLength]),
      [large, part, doubles, new Uint8Array(buffer)].map((view) => [view.buffer, view.byteOffset, view.byteLength]),
    );
    const back = decode(gather(parts)) as typeof value;
    assert.deepEqual(back, value);
    assert.equal(back.again, back.large);
  });

  test('of what an error cannot take along are left out with it', () => {
    const error = Object.assign(new Error('e'), {
      kept: filled(9 * KIB),
      lost: { bytes: filled(10 * KIB), fn() {} },
      alsoKept: filled(11 * KIB),
    });
    const back = trip([filled(12 * KIB), error, 'end']);
    assert.deepEqual(Object.keys(back[1]), ['kept', 'alsoKept']);
    assert.deepEqual(
      [back[0], back[1].kept, back[1].alsoKept, back[2]],
      [filled(12 * KIB), error.kept, error.alsoKept, 'end'],
    );
  });

  test('whose memory is taken away on the way are refused', () => {
    const large = filled(9 * KIB);
    const value = {
      large,
      get thief() {
        structuredClone(large.buffer, { transfer: [large.buffer] });
        return 1;
      },
    };
    assert.throws(() => encodeParts(value, 'args'), {
      name: 'NotShareableError',
      message: /^args is a value whose memory was taken away while it was encoded/,
    });
    assert.deepEqual(trip({ fine: filled(9 * KIB) }), { fine: filled(9 * KIB) });
  });
});

describe('memory kept between calls', () => {
  test('grows with what is written, and is let go of above a mebibyte', () => {
    const kept = encodeParts('é'.repeat(600 * KIB)).pieces[0].buffer;
    assert.equal(encodeParts(1).pieces[0].buffer, kept);
    const text = 'x'.repeat(5 * KIB * KIB);
    const large = encodeParts(text);
    assert.ok(large.pieces[0].buffer.byteLength > text.length);
    const after = encodeParts(2);
    assert.ok(after.pieces[0].buffer.byteLength <= KIB * KIB);
    assert.equal(decode(gather(large)), text); // nobody has written there since
  });

  test('is bounded after a failure too', () => {
    assert.throws(() => encodeParts(['x'.repeat(5 * KIB * KIB), () => {}]), NotShareableError);
    assert.ok(encodeParts(3).pieces[0].buffer.byteLength <= KIB * KIB);
  });
});

describe('encoding while something is encoded', () => {
  test('by the codec of a registered class', () => {
    const inner = { inner: ['x'.repeat(10 * KIB), filled(9 * KIB)] };
    const value = ['before', new Busy(() => [trip(inner), gather(encodeParts(inner)).length, 'result']), 'after'];
    assert.deepEqual(trip(value), ['before', [inner, gather(encodeParts(inner)).length, 'result'], 'after']);
  });

  test('by getters, by toString of a message, and one within the other', () => {
    const value = {
      before: 1.5,
      get getter() {
        return trip({ nested: new Busy(() => trip({ deeper: [encode('x').bytes.length] })) });
      },
      error: Object.assign(new Error('e'), { message: { toString: () => trip('text') } }),
      after: 'end',
    };
    const back = trip(value);
    assert.deepEqual([back.before, back.getter, back.after], [1.5, { nested: { deeper: [4] } }, 'end']);
    assert.equal(back.error.message, 'text');
  });

  test('that fails leaves the outer one as it was', () => {
    const value = [
      'before',
      new Busy(() => {
        assert.throws(() => encodeParts({ large: filled(9 * KIB), fn: () => {} }), NotShareableError);
        return 'result';
      }),
      filled(9 * KIB),
    ];
    assert.deepEqual(trip(value), ['before', 'result', filled(9 * KIB)]);
    const failing = new Busy(() => {
      throw new RangeError('mine');
    });
    assert.throws(() => encodeParts([failing]), RangeError);
    assert.deepEqual(trip(value), ['before', 'result', filled(9 * KIB)]);
  });

  test('decoding within decoding', () => {
    class Twice {
      constructor(readonly value: unknown) {}
    }
    registerType(Twice, { encode: (twice) => encode(twice.value).bytes, decode: (bytes) => new Twice(decode(bytes)) });
    const value = [{ a: 1 }, new Twice([{ a: 2 }, new Twice({ a: [3] })]), { a: 4 }];
    assert.deepEqual(trip(value), value);
  });

  test('of anything, at any depth', () => {
    const plain = fc.anything({ withBigInt: true, withMap: true, withSet: true, withTypedArray: true, maxDepth: 2 });
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof({ depthSize: 'small' }, plain, fc.array(tie('value'), { maxLength: 4 }), tie('busy')),
      busy: tie('value').map((inside) => new Busy(() => trip(inside))),
    }));
    const unwrapped = (given: unknown): unknown => {
      if (given instanceof Busy) return given.encoding();
      return Array.isArray(given) && Object.getPrototypeOf(given) === Array.prototype
        ? Array.from(given, unwrapped)
        : given;
    };
    fc.assert(
      fc.property(value, (given) => assert.deepStrictEqual(trip(given), unwrapped(given))),
      { numRuns: 300 },
    );
  });
});

describe('objects', () => {
  test('what a getter takes away or adds on the way', () => {
    const shrinking: unknown[] = [
      {
        get now() {
          shrinking.length = 2;
          return 1;
        },
      },
      2,
      3,
    ];
    const back = trip(shrinking);
    assert.deepEqual([back.length, back[0], back[1], 2 in back], [3, { now: 1 }, 2, false]);
    const losing: Record<string, unknown> = {
      get now() {
        delete losing['later'];
        losing['late'] = 1;
        return 1;
      },
      later: 2,
      last: 3,
    };
    assert.deepEqual(trip([losing, 'end']), [{ now: 1, last: 3 }, 'end']);
  });

  test('only their own properties travel, of another realm too', () => {
    const pollute = (prototype: object) =>
      Object.defineProperty(prototype, 'everywhere', { value: 1, enumerable: true, configurable: true });
    const foreign = runInNewContext('({ a: { b: 1 } })') as object;
    pollute(Object.prototype);
    pollute(Object.getPrototypeOf(foreign) as object);
    try {
      assert.deepEqual(Object.keys(trip({ a: 1 })), ['a']);
      assert.deepEqual(JSON.stringify(trip(foreign)), '{"a":{"b":1}}');
    } finally {
      delete (Object.prototype as { everywhere?: number }).everywhere;
    }
  });

  test('many of them keep their identity, whatever an error between them loses', () => {
    for (const count of [0, 1, 14, 15, 16, 17, 18, 40]) {
      const objects = Array.from({ length: count }, (_, i) => ({ i }));
      const last = { last: true };
      const error = Object.assign(new Error('e'), { lost: [...objects, { a: {}, last }, [[]], () => {}], last });
      const back = trip([objects, error, [...objects, last]]);
      assert.deepEqual(back[0], objects);
      for (let i = 0; i < count; i++) assert.equal(back[2][i], back[0][i]);
      assert.equal(back[2][count], back[1].last);
      assert.deepEqual(back[1].last, last);
    }
  });

  test('keys of a Map that cannot be made strings are no hindrance, and are told of somehow', () => {
    const key = Object.create(null) as object;
    const back = trip(new Map<unknown, unknown>([[key, [1]]])) as Map<object, unknown>;
    assert.deepEqual(
      [...back.entries()].map(([k, v]) => [{ ...k }, v]),
      [[{}, [1]]],
    );
    assert.throws(() => encodeParts(new Map([[key, () => {}]])), /^NotShareableError: value\["<key>"\] is a function/);
    for (const [other, path] of [
      [[1, 2], '\\["1,2"\\]'],
      [1, '\\["1"\\]'],
      [null, '\\.null'],
      [5n, '\\["5"\\]'],
    ] as const) {
      assert.throws(
        () => encodeParts(new Map([[other, [() => {}]]]), 'x'),
        new RegExp(`: x${path}\\[0\\] is a function`),
      );
    }
  });
});

describe('text', () => {
  test('of every length, as value and as key', () => {
    for (const unit of ['a', 'é', '\0', '\xff', '\u0100', '€', '\ud83d']) {
      for (let length = 0; length <= 70; length++) {
        const text = unit.repeat(length);
        const mixed = `${'a'.repeat(length)}${unit}`;
        assert.deepEqual(trip([text, mixed, { [text]: mixed, [mixed]: 1 }]), [
          text,
          mixed,
          { [text]: mixed, [mixed]: 1 },
        ]);
      }
    }
  });

  test('keys keep their order, whatever is remembered of others', () => {
    for (let round = 0; round < 3; round++) {
      const object: Record<string, number> = {};
      for (let i = 0; i < 5000; i++) object[`key ${i * 7}`] = i;
      assert.deepEqual(Object.entries(trip(object)), Object.entries(object));
    }
    const odd = JSON.parse('{"b":1,"":2,"10":3,"4294967295":4,"-1":5,"__proto__":{"x":1},"toString":6}');
    const back = trip([odd, odd, { ...odd }])[2];
    assert.deepEqual(Object.keys(back), Object.keys(odd));
    assert.equal(Object.getPrototypeOf(back), Object.prototype);
  });

  test('packing it one byte a character', () => {
    const bytes = new Uint8Array(300);
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), fc.nat(200), (text, at) => {
        bytes.fill(1);
        const fits = [...text].every((character) => character.codePointAt(0)! <= 0xff);
        assert.equal(packLatin1(text, bytes, at), fits);
        if (!fits) return;
        assert.deepEqual(Buffer.from(bytes.subarray(at, at + text.length)), Buffer.from(text, 'latin1'));
        assert.equal(unpackLatin1(bytes, at, text.length), text);
        assert.ok(bytes[at + text.length] === 1);
      }),
      { numRuns: 500 },
    );
    for (let length = 0; length < 100; length++) {
      const text = '\xfe'.repeat(length);
      assert.ok(packLatin1(text, bytes, 1));
      assert.equal(unpackLatin1(bytes, 1, length), text);
      assert.equal(packLatin1(`${text}\u0101`, bytes, 1), false);
    }
  });

  test('bigints around what a processor can hold', () => {
    for (const power of [0n, 1n, 8n, 31n, 32n, 33n, 63n, 64n, 65n, 128n]) {
      for (const more of [-2n, -1n, 0n, 1n]) {
        const value = 2n ** power + more;
        assert.deepEqual(trip([value, -value]), [value, -value]);
      }
    }
  });
});
