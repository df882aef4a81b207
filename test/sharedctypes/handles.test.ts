// Handles of typed values: one wrapper for each object, the right kind, and hostile text.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as mp from 'multiprocess';
import {
  handleOf,
  Lock,
  open,
  RawArray,
  RawValue,
  RLock,
  SharedArray,
  SharedMemory,
  Struct,
  Value,
} from 'multiprocess';
import { hasCode } from '../support/errors.js';

const Point = Struct({ x: 'd', inner: Struct({ y: 'h', flag: '?' }) });
const lock = new Lock();
const all: Record<string, object> = {
  value: Value('i', 1),
  'value of a structure': Value(Point),
  'value with a lock': Value('u', 'x', { lock }),
  'value with a recursive lock': Value('?', true, { lock: new RLock() }),
  'raw value': RawValue('d', 1),
  'raw structure': RawValue(Point),
  array: SharedArray('q', [1, 2]),
  'array with a lock': SharedArray('f', [1, 2], { lock }),
  'array of structures': SharedArray(Point, 2),
  'empty array': SharedArray('d', 0),
  'large array': SharedArray('d', 100_000),
  text: SharedArray('c', 5),
  part: mp.synchronized(RawArray('h', [1, 2, 3, 4]).subarray(1, 3)),
  characters: RawArray('c', 5),
  items: RawArray('u', 'abc'),
  structures: RawArray(Point, 3),
};

for (const [name, shared] of Object.entries(all)) {
  test(`${name}: opens as the same object`, () => {
    const handle = handleOf(shared);
    assert.match(handle, /^mp:[a-z]+:[!-~]+$/);
    assert.equal(open(handle), shared);
    assert.equal(handleOf(open(handle) as object), handle);
    const message = mp.fromMessage(mp.toMessage({ shared, again: [shared] })) as { shared: object; again: object[] };
    assert.equal(message.shared, shared);
    assert.equal(message.again[0], shared);
    assert.throws(() => open(handle, SharedMemory), TypeError);
    assert.throws(() => open(handle, Lock), TypeError);
  });
}

test('open checks the kind', () => {
  const value = all['value'] as mp.Synchronized<'i'>;
  assert.equal(open(value.handle, Value), value);
  assert.throws(() => open(value.handle, SharedArray as never), TypeError);
  assert.throws(() => open(value.handle, RawValue as never), TypeError);
  assert.equal(open(handleOf(all['text']!), SharedArray as never), all['text']);
  assert.throws(() => open(handleOf(all['array']!), Value as never), TypeError);
  assert.equal(open(handleOf(all['raw value']!), RawValue as never), all['raw value']);
});

test('the lock of a value is a shared object of its own', () => {
  const value = Value('i', 1);
  const own = value.getLock();
  assert.equal(open(own.handle), own);
  assert.equal(open(own.handle, RLock), own);
  const other = open(value.handle) as mp.Synchronized<'i'>;
  assert.equal(other.getLock(), own);
});

/** Opens hostile text; whatever comes of it, it is no crash and no error of another kind. */
function attempt(text: string): unknown {
  try {
    return open(text);
  } catch (error) {
    assert.ok(
      hasCode('ERR_MULTIPROCESS_VALUE')(error) || hasCode('ERR_MULTIPROCESS_STALE_HANDLE')(error),
      `${text}: ${error}`,
    );
    return undefined;
  }
}

test('text that means something else is refused', () => {
  const { handle } = all['value'] as mp.Synchronized<'i'>;
  const place = handle.slice('mp:value:i:'.length);
  const plain = (all['raw value'] as mp.RawValueOf<'d'>).handle.slice('mp:rawvalue:d:'.length);
  const locked = place.replace(/:[^:]*:[^:]*$/, ':100:0');
  for (const text of [
    'mp:value:',
    'mp:value:i:',
    `mp:value:x:${place}`,
    `mp:value:${'A'.repeat(100)}:${place}`,
    `mp:value::${place}`,
    `mp:value:i:${plain}`, // has no lock of its own
    `mp:value:i:${place}:`,
    `mp:value:i:${place}:shm:x`,
    `mp:value:i:${place}:value:i:${place}`,
    `mp:value:i:${place}:lock:${plain}`,
    `mp:value:i:${place}:lock:${place}`,
    `mp:rlock:${plain}`,
    `mp:lock:${place}`,
    `mp:rawvalue:i:${handleOf(lock).slice('mp:lock:'.length)}`,
    `mp:value:${Buffer.from('[["a","i"],["a","i"]]').toString('base64url')}:${place}`,
    `mp:value:${Buffer.from('[]').toString('base64url')}:${place}`,
    `mp:value:${Buffer.from('{}').toString('base64url')}:${place}`,
    `mp:value:${Buffer.from('['.repeat(50_000)).toString('base64url')}:${place}`,
    `mp:value:${Buffer.from('[["a","d"],["b","d"],["c","d"]]').toString('base64url')}:${place}`, // too large
    `mp:array:i:0:99:${place}`,
    `mp:array:i:2:0:${place}`,
    `mp:array:i:9999999999999999:9999999999:${place}`,
    `mp:array:c:0:1:${place}`,
    `mp:string:i:0:1:${place}`,
    `mp:array:u:4:0:${place}`,
    `mp:items:i:1:${place}`,
    `mp:items:c:1:${place}`,
    `mp:chars:u:1:${place}`,
    `mp:chars:c:9999:${place}`,
    `mp:items:?:-1:${place}`,
  ]) {
    assert.throws(() => open(text), hasCode('ERR_MULTIPROCESS_VALUE'), text);
  }
  for (const text of [
    `mp:value:i:${locked}`,
    `mp:value:i:${place}7`,
    `mp:value:i:${place}:rlock:${locked}`,
    `mp:array:i:0:1:${place}7`,
    `mp:items:?:1:${place}7`,
    `mp:rawvalue:i:${'0'.repeat(16)}:0:0:0`,
  ]) {
    assert.throws(() => open(text), hasCode('ERR_MULTIPROCESS_STALE_HANDLE'), text);
  }
});

test('fuzzed handles', () => {
  const handles = Object.values(all).map((shared) => handleOf(shared));
  const place = handles[0]!.slice('mp:value:i:'.length);
  const pieces = [
    'mp',
    'value',
    'array',
    'string',
    'items',
    'chars',
    'rawvalue',
    'lock',
    'rlock',
    'raw',
    'i',
    'd',
    'c',
    '?',
    place,
  ];
  const edited = fc
    .tuple(fc.constantFrom(...handles), fc.nat(), fc.nat(4), fc.string({ maxLength: 4 }))
    .map(([handle, at, drop, put]) => {
      const index = at % handle.length;
      return handle.slice(0, index) + put + handle.slice(index + drop);
    });
  const joined = fc
    .array(fc.oneof(fc.constantFrom(...pieces), fc.nat(99).map(String), fc.string({ maxLength: 5 })), { maxLength: 12 })
    .map((parts) => `mp:${parts.join(':')}`);
  fc.assert(
    fc.property(fc.oneof(edited, joined), (text) => {
      const found = attempt(text) as { get?: (index: number) => unknown; length?: number; value?: unknown } | undefined;
      // What opened all the same can be read.
      if (typeof found?.get === 'function' && (found.length ?? 0) > 0) found.get(found.length! - 1);
      else void found?.value;
    }),
    { numRuns: 3000 },
  );
  assert.equal((all['value'] as mp.Synchronized<'i'>).value, 1);
});
