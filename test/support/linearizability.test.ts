// The checker itself: it must find what cannot be, and let pass what can.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { History, historySize } from './history.js';
import { type Call, checkEachKey, checkLinearizable } from './linearizability.js';
import { line, lineModel, register, registerModel } from './models.js';
import { checkQueue } from './queue-linearizability.js';

const call = (start: number, end: number, operation: number, argument: number, result: number, key = 0): Call => ({
  process: 0,
  start,
  end,
  operation,
  key,
  argument,
  result,
});
const NEVER = Number.POSITIVE_INFINITY;

describe('histories that can be', () => {
  for (const [name, calls] of Object.entries({
    'nothing at all': [],
    'one after the other': [call(0, 1, register.set, 5, 0), call(2, 3, register.get, 0, 5)],
    'a read that overlaps the write, before it': [call(0, 9, register.set, 5, 0), call(1, 2, register.get, 0, 0)],
    'and after it': [call(0, 9, register.set, 5, 0), call(1, 2, register.get, 0, 5)],
    'a write that never returned, seen': [call(0, NEVER, register.set, 5, Number.NaN), call(3, 4, register.get, 0, 5)],
    'and not seen': [call(0, NEVER, register.set, 5, Number.NaN), call(3, 4, register.get, 0, 0)],
    'seen late': [
      call(0, NEVER, register.set, 5, Number.NaN),
      call(1, 2, register.get, 0, 0),
      call(3, 4, register.get, 0, 5),
    ],
    'one of two swaps wins': [
      call(0, 5, register.compareAndSet, 1, 1),
      call(0, 5, register.compareAndSet, 1, 0),
      call(6, 7, register.get, 0, 1),
    ],
  })) {
    test(name, () => assert.equal(checkLinearizable(calls, registerModel), undefined));
  }
});

describe('histories that cannot be', () => {
  for (const [name, calls] of Object.entries({
    'a value from nowhere': [call(0, 1, register.get, 0, 7)],
    'an old value after the new one was written': [
      call(0, 1, register.set, 5, 0),
      call(2, 3, register.set, 6, 0),
      call(4, 5, register.get, 0, 5),
    ],
    'a new value, and then an old one again': [
      call(0, 9, register.set, 5, 0),
      call(1, 2, register.get, 0, 5),
      call(3, 4, register.get, 0, 0),
    ],
    'two additions, of which one is lost': [call(0, 5, register.increment, 1, 1), call(0, 5, register.increment, 1, 1)],
    'both of two swaps win': [call(0, 5, register.compareAndSet, 1, 1), call(0, 5, register.compareAndSet, 1, 1)],
  })) {
    test(name, () => assert.notEqual(checkLinearizable(calls, registerModel), undefined));
  }

  test('an item taken twice, and one out of turn', () => {
    const items = [call(0, 1, line.append, 1, 0), call(2, 3, line.append, 2, 0)];
    const taken = (first: number, second: number) => [
      ...items,
      call(4, 6, line.takeFirst, 0, first),
      call(7, 8, line.takeFirst, 0, second),
    ];
    assert.equal(checkLinearizable(taken(1, 2), lineModel), undefined);
    assert.notEqual(checkLinearizable(taken(1, 1), lineModel), undefined);
    assert.notEqual(checkLinearizable(taken(2, 1), lineModel), undefined);
  });

  test('keys are looked at one by one', () => {
    const calls = [call(0, 1, register.set, 5, 0, 1), call(2, 3, register.get, 0, 5, 2)];
    assert.equal(checkLinearizable(calls, registerModel), undefined);
    assert.notEqual(checkEachKey(calls, registerModel), undefined);
  });
});

/** Random operations that take effect one at a time, and whose calls and returns lie around those instants. */
const run = fc
  .array(
    fc.record({
      operation: fc.constantFrom(...Object.values(register)),
      argument: fc.integer({ min: 1, max: 4 }),
      before: fc.integer({ min: 0, max: 40 }),
      after: fc.integer({ min: 0, max: 40 }),
      killed: fc.integer({ min: 0, max: 9 }),
    }),
    { minLength: 1, maxLength: 40 },
  )
  .map((steps) => {
    let state = 0;
    return steps.map(({ operation, argument, before, after, killed }, i): Call => {
      const planned = call(10 * i - before, 10 * i + 1 + after, operation, argument, Number.NaN);
      for (const result of [0, 1, ...Array.from({ length: 200 }, (_, n) => n)]) {
        const next = registerModel.step(state, { ...planned, result });
        if (next === undefined) continue;
        state = next;
        return killed === 0 ? { ...planned, end: NEVER } : { ...planned, result };
      }
      throw new Error('No result is possible.');
    });
  });

test('whatever has taken effect one at a time is let pass', () => {
  fc.assert(fc.property(run, (calls) => checkLinearizable(calls, registerModel) === undefined));
});

test('a result that no order explains is found, wherever it is planted', () => {
  fc.assert(
    fc.property(run, fc.nat(), (calls, at) => {
      const planted = calls.map((one, i) =>
        i === at % calls.length ? { ...one, end: one.start + 1, operation: register.get, result: 999 } : one,
      );
      return checkLinearizable(planted, registerModel) !== undefined;
    }),
  );
});

/** Puts and takes of a queue that take effect one at a time, with some of the results swapped or changed afterwards. */
const queueHistory = fc
  .record({
    steps: fc.array(
      fc.record({
        puts: fc.boolean(),
        before: fc.integer({ min: 0, max: 25 }),
        after: fc.integer({ min: 0, max: 25 }),
        killed: fc.integer({ min: 0, max: 11 }),
      }),
      { minLength: 1, maxLength: 12 },
    ),
    swaps: fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 2 }),
  })
  .map(({ steps, swaps }) => {
    const items: number[] = [];
    const calls = steps.map(({ puts, before, after, killed }, i): Call => {
      const times = [10 * i - before, killed === 0 ? NEVER : 10 * i + 1 + after] as const;
      if (puts) items.push(i + 1);
      const result = puts ? 0 : (items.shift() ?? 0);
      return call(...times, puts ? line.append : line.takeFirst, puts ? i + 1 : 0, killed === 0 ? Number.NaN : result);
    });
    const takes = calls.flatMap(({ operation, result }, i) =>
      operation === line.takeFirst && !Number.isNaN(result) ? [i] : [],
    );
    for (const [a, b] of swaps) {
      if (takes.length === 0) break;
      const [i, j] = [takes[a % takes.length]!, takes[b % takes.length]!];
      // With itself: it finds nothing.
      const [one, other] = i === j ? [0, 0] : [calls[i]!.result, calls[j]!.result];
      calls[i] = { ...calls[i]!, result: other };
      calls[j] = { ...calls[j]!, result: one };
    }
    return calls;
  });

describe('histories of queues', () => {
  test('the check by patterns says of each what the search says', (context) => {
    const found = { possible: 0, impossible: 0 };
    fc.assert(
      fc.property(queueHistory, (calls) => {
        const isPossible = checkLinearizable(calls, lineModel) === undefined;
        found[isPossible ? 'possible' : 'impossible'] += 1;
        return (checkQueue(calls) === undefined) === isPossible;
      }),
      { numRuns: 3000 },
    );
    context.diagnostic(JSON.stringify(found));
    assert.ok(found.possible > 300 && found.impossible > 300, JSON.stringify(found));
  });

  const puts = [call(0, 1, line.append, 1, 0), call(2, 3, line.append, 2, 0)];
  const take = (start: number, end: number, result: number) => call(start, end, line.takeFirst, 0, result);
  for (const [what, takes] of Object.entries({
    'two swapped takes': [take(4, 5, 2), take(6, 7, 1)],
    'an item taken twice': [take(4, 5, 1), take(4, 6, 1)],
    'an item from nowhere': [take(4, 5, 9)],
    'an item taken before it was put': [take(-2, -1, 1)],
    'an item that is passed over': [take(4, 5, 2)],
    'nothing, while there was one all the time': [take(1.5, 4, 0)],
    'nothing, while there was one after the other': [take(2.5, 5, 0), take(3.5, 6, 1), take(7, 8, 2)],
  })) {
    test(`${what}: found out`, () => assert.notEqual(checkQueue([...puts, ...takes]), undefined));
  }

  test('an item that one has taken who was killed may be missing; two may not', () => {
    const killed = call(3, NEVER, line.takeFirst, 0, Number.NaN);
    assert.equal(checkQueue([...puts, killed, take(4, 5, 2), take(6, 7, 0)]), undefined);
    assert.notEqual(checkQueue([...puts, killed, take(4, 5, 0)]), undefined);
    assert.notEqual(checkQueue([...puts, take(2, 3, 2), { ...killed, start: 5 }, take(4, 5, 0)]), undefined);
  });
});

test('what is written down can be read, also when it was never finished', () => {
  const log = new Float64Array(historySize(2));
  const history = new History(log);
  assert.equal(
    history.record(register.set, 3, 5, () => 0),
    0,
  );
  assert.throws(() =>
    history.record(register.get, 3, 0, () => {
      throw new Error('killed');
    }),
  );
  assert.equal(history.isFull, true);
  const [set, get] = History.read(log, 4);
  assert.deepEqual([set!.process, set!.operation, set!.key, set!.argument, set!.result], [4, register.set, 3, 5, 0]);
  assert.ok(set!.end >= set!.start && get!.start >= set!.end);
  assert.deepEqual([get!.end, get!.result], [NEVER, Number.NaN]);
});
