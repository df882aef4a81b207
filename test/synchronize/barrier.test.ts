import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { Barrier, Event, handleOf, open, Process, RawArray } from 'multiprocess';
import { countAction, failingAction } from '../programs/synchronize-targets.js';
import { testsOfAnyPrimitive } from '../support/any-primitive.js';
import { hasCode } from '../support/errors.js';
import { leavesNothing } from '../support/leaves-nothing.js';
import { allWait, clockOfRolls, hows, lastEnd, places, results, roll, start, startAll } from '../support/parties.js';
import { eventually } from '../support/shm.js';

const broken = hasCode('ERR_MULTIPROCESS_BROKEN_BARRIER');
const BROKEN = 'ERR_MULTIPROCESS_BROKEN_BARRIER';

describe('Barrier', () => {
  testsOfAnyPrimitive<Barrier>(
    {
      Kind: Barrier,
      args: [3],
      shown: /^Barrier \{ parties: 3, waiting: 0 \}$/,
      touched: (barrier) => barrier.broken,
      uses: {
        wait: (barrier) => barrier.wait(),
        'wait with options': (barrier) => barrier.wait({ timeout: 5 }),
        waitSync: (barrier) => barrier.waitSync(),
        reset: (barrier) => barrier.reset(),
        abort: (barrier) => barrier.abort(),
        parties: (barrier) => barrier.parties,
        nWaiting: (barrier) => barrier.nWaiting,
        broken: (barrier) => barrier.broken,
      },
    },
    () => new Barrier(9),
  );

  test('refuses parties, actions and timeouts that are none', () => {
    for (const parties of [1.5, Number.NaN, '1', undefined, null, 1n, {}]) {
      assert.throws(() => new Barrier(parties as number), TypeError, String(parties));
    }
    for (const parties of [0, -1, 2 ** 30]) assert.throws(() => new Barrier(parties), RangeError, String(parties));
    for (const action of [5, 'f', null, {}])
      assert.throws(() => new Barrier(1, { action: action as never }), TypeError);
    for (const timeout of ['5', null]) assert.throws(() => new Barrier(1, { timeout: timeout as never }), TypeError);
    assert.throws(() => new Barrier(1, { timeout: Number.NaN }), RangeError);
    for (const options of [5, null]) assert.throws(() => new Barrier(1, options as never), TypeError);
  });

  test('of one party lets it pass at once', async () => {
    const barrier = new Barrier(1);
    assert.equal(await barrier.wait(), 0);
    assert.equal(barrier.waitSync(), 0);
    assert.equal(await barrier.wait({ timeout: 0 }), 0);
    assert.equal(barrier.waitSync({ timeout: -1 }), 0);
    assert.equal(barrier.broken, false);
  });

  test('of several parties in this process', async () => {
    const barrier = new Barrier(3);
    for (let round = 0; round < 10; round++) {
      const waiting = [barrier.wait(), barrier.wait()];
      assert.equal(barrier.nWaiting, 2);
      assert.match(inspect(barrier), /^Barrier \{ parties: 3, waiting: 2 \}$/);
      waiting.push(barrier.wait());
      assert.deepEqual((await Promise.all(waiting)).sort(), [0, 1, 2]);
      assert.equal(barrier.nWaiting, 0);
    }
    const waiting = [barrier.wait(), barrier.wait()];
    assert.equal(barrier.waitSync(), 2);
    assert.deepEqual((await Promise.all(waiting)).sort(), [0, 1]);
  });

  test('options that are wrong throw, and nobody has come', async () => {
    const barrier = new Barrier(1);
    for (const wrong of [Number.NaN, '5', null] as unknown[]) {
      const kind = Number.isNaN(wrong) ? RangeError : TypeError;
      assert.throws(() => barrier.waitSync({ timeout: wrong as number }), kind);
      await assert.rejects(barrier.wait({ timeout: wrong as number }), kind);
    }
    assert.throws(() => barrier.waitSync(5 as never), TypeError);
    await assert.rejects(barrier.wait(null as never), TypeError);
    await assert.rejects(barrier.wait({ signal: {} as never }), TypeError);
    assert.equal(barrier.broken, false);
  });

  test('abort breaks it until reset', async () => {
    const barrier = new Barrier(2);
    const waiting = assert.rejects(barrier.wait(), broken);
    barrier.abort();
    await waiting;
    assert.equal(barrier.broken, true);
    assert.match(inspect(barrier), /broken/);
    await assert.rejects(barrier.wait(), broken);
    assert.throws(() => barrier.waitSync({ timeout: 0 }), broken);
    barrier.abort();
    barrier.reset();
    assert.equal(barrier.broken, false);
    assert.deepEqual((await Promise.all([barrier.wait(), barrier.wait()])).sort(), [0, 1]);
  });

  test('reset sends those who wait away, and leaves it as new', async () => {
    const barrier = new Barrier(2);
    barrier.reset();
    const waiting = assert.rejects(barrier.wait(), broken);
    barrier.reset();
    assert.equal(barrier.broken, false);
    assert.deepEqual((await Promise.all([barrier.wait(), barrier.wait()])).sort(), [0, 1]);
    await waiting;
  });

  test('one who is too late breaks it for all', async () => {
    for (const timeout of [20, 0, -1]) {
      const barrier = new Barrier(3);
      const other = assert.rejects(barrier.wait(), broken);
      await assert.rejects(barrier.wait({ timeout }), broken);
      assert.equal(barrier.broken, true);
      await other;
    }
    const barrier = new Barrier(3);
    const other = assert.rejects(barrier.wait(), broken);
    const since = performance.now();
    assert.throws(() => barrier.waitSync({ timeout: 60 }), broken);
    assert.ok(performance.now() - since >= 59);
    await other;
  });

  test('its own timeout is the usual one, in other processes too', async () => {
    const barrier = new Barrier(2, { timeout: 60 });
    const since = performance.now();
    await assert.rejects(barrier.wait(), broken);
    assert.ok(performance.now() - since >= 59);
    barrier.reset();
    assert.throws(() => barrier.waitSync(), broken);
    for (const where of places) {
      barrier.reset();
      assert.equal(await start(where, 'outcomeOf', barrier, roll(1), 0, 'async').result, BROKEN);
    }
    barrier.reset();
    const patient = barrier.wait({ timeout: 5000 });
    await new Promise((resolve) => setTimeout(resolve, 100)); // longer than the usual
    assert.deepEqual((await Promise.all([patient, barrier.wait()])).sort(), [0, 1]);
  });

  test('a signal: one who is aborted has not come', async () => {
    const barrier = new Barrier(2);
    const reason = new Error('enough');
    await assert.rejects(barrier.wait({ signal: AbortSignal.abort(reason) }), reason);
    assert.equal(barrier.nWaiting, 0);
    for (let round = 0; round < 10; round++) {
      const controller = new AbortController();
      const waiting = assert.rejects(barrier.wait({ signal: controller.signal }), reason);
      for (let turn = 0; turn < round; turn++) await new Promise((resolve) => setImmediate(resolve));
      assert.equal(barrier.nWaiting, 1);
      controller.abort(reason);
      await waiting;
      assert.equal(barrier.nWaiting, 0);
      assert.equal(barrier.broken, false);
      assert.deepEqual((await Promise.all([barrier.wait(), barrier.wait()])).sort(), [0, 1]);
    }
  });

  test('a signal that comes when all have come is too late', async () => {
    const barrier = new Barrier(2);
    for (let round = 0; round < 4; round++) {
      const controller = new AbortController();
      const first = barrier.wait({ signal: controller.signal });
      for (let turn = 0; turn < round; turn++) await new Promise((resolve) => setImmediate(resolve));
      const second = barrier.wait({ signal: controller.signal });
      controller.abort();
      assert.deepEqual((await Promise.all([first, second])).sort(), [0, 1]);
    }
  });

  test('a signal that comes while the action runs is too late', async () => {
    let finish: () => void = () => {};
    const action = () => new Promise<void>((resolve) => (finish = resolve));
    const barrier = new Barrier(2, { action: action as () => void });
    const controller = new AbortController();
    const both = [barrier.wait({ signal: controller.signal }), barrier.wait({ signal: controller.signal })];
    await new Promise((resolve) => setTimeout(resolve, 20));
    controller.abort();
    finish();
    assert.deepEqual((await Promise.all(both)).sort(), [0, 1]);
    assert.equal(barrier.nWaiting, 0);
  });

  test('waits in vain leave no listener, and nothing in the heap', async () => {
    const barrier = new Barrier(2000);
    const controller = new AbortController();
    const { signal } = controller;
    barrier.wait({ timeout: 0 }).catch(() => {}); // a member from now on
    barrier.reset();
    await leavesNothing(async () => {
      for (let round = 0; round < 10; round++) {
        const waits = Array.from({ length: 100 }, () => barrier.wait({ timeout: 1, signal }));
        for (const { status } of await Promise.allSettled(waits)) assert.equal(status, 'rejected');
        barrier.reset();
      }
      assert.equal(getEventListeners(signal, 'abort').length, 0);
      const waits = Array.from({ length: 100 }, () => barrier.wait({ signal }));
      controller.abort();
      for (const { status } of await Promise.allSettled(waits)) assert.equal(status, 'rejected');
      assert.equal(barrier.nWaiting, 0);
    });
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  });

  test('an action runs once in each round, before anybody goes on', async () => {
    const order: string[] = [];
    const barrier = new Barrier(3, { action: () => order.push('action') });
    const come = async () => {
      await barrier.wait();
      order.push('on');
    };
    for (let round = 0; round < 2; round++) await Promise.all([come(), come(), come()]);
    assert.deepEqual(order, ['action', 'on', 'on', 'on', 'action', 'on', 'on', 'on']);
  });

  test('one that is async is awaited, and refused by waitSync', async () => {
    let over = false;
    const action = async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      over = true;
    };
    const barrier = new Barrier(2, { action });
    const waiting = [barrier.wait(), barrier.wait()];
    await Promise.all(waiting);
    assert.equal(over, true);
    const other = assert.rejects(barrier.wait(), broken);
    assert.throws(() => barrier.waitSync(), TypeError);
    await other;
    assert.equal(barrier.broken, true);
  });

  test('what it throws reaches the last to come, and breaks the barrier for the others', async () => {
    const barrier = new Barrier(2, { action: failingAction });
    let other = assert.rejects(barrier.wait(), broken);
    await assert.rejects(barrier.wait(), RangeError);
    await other;
    assert.equal(barrier.broken, true);
    barrier.reset();
    other = assert.rejects(barrier.wait(), broken);
    assert.throws(() => barrier.waitSync(), RangeError);
    await other;
  });

  test('nobody holds anything while it runs', async () => {
    const seen: unknown[] = [];
    const barrier: Barrier = new Barrier(1, {
      action: () => seen.push(barrier.parties, barrier.broken, barrier.nWaiting),
    });
    assert.equal(await barrier.wait(), 0);
    assert.deepEqual(seen.slice(0, 2), [1, false]);
  });

  test('a barrier that is reset or broken while it runs', async () => {
    for (const meddle of ['reset', 'abort'] as const) {
      const barrier: Barrier = new Barrier(2, { action: () => barrier[meddle]() });
      const both = await Promise.allSettled([barrier.wait(), barrier.wait()]);
      for (const outcome of both) assert.ok(outcome.status === 'rejected' && broken(outcome.reason));
      assert.equal(barrier.broken, meddle === 'abort');
    }
  });

  test('one who comes while it runs belongs to the next round', async () => {
    let finish: () => void = () => {};
    const action = () => new Promise<void>((resolve) => (finish = resolve));
    const barrier = new Barrier(2, { action: action as () => void });
    const first = [barrier.wait(), barrier.wait()];
    await null;
    const next = [barrier.wait(), barrier.wait()];
    await new Promise((resolve) => setTimeout(resolve, 20));
    finish();
    assert.deepEqual((await Promise.all(first)).sort(), [0, 1]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    finish();
    assert.deepEqual((await Promise.all(next)).sort(), [0, 1]);
  });

  test('an action that no module exports keeps the barrier here', () => {
    let ran = 0;
    const barrier = new Barrier(1, {
      action: () => {
        ran += 1;
      },
    });
    assert.equal(barrier.waitSync(), 0);
    assert.equal(ran, 1);
    const refused = hasCode('ERR_MULTIPROCESS_NOT_SHAREABLE');
    assert.throws(() => barrier.handle, refused);
    assert.throws(() => handleOf(barrier), refused);
    const child = new Process({ target: (given: Barrier) => given.parties, args: [barrier] });
    assert.throws(() => child.start(), refused);
    assert.equal(barrier.waitSync(), 0);
  });

  for (const where of places) {
    for (const how of hows) {
      test(`in lockstep, ${how}, in ${where}`, { timeout: 60_000 }, async () => {
        const barrier = new Barrier(3);
        const steps = RawArray('i', 200);
        const all = startAll(where, 3, 'inLockstep', () => [barrier, steps, how]);
        assert.deepEqual(await results(all), ['well', 'well', 'well']);
        assert.equal(barrier.broken, false);
        assert.equal(barrier.nWaiting, 0);
      });

      test(`an exported action, ${how}, in ${where}: once a round`, async () => {
        const barrier = new Barrier(2, { action: countAction });
        const counter = RawArray('i', 2);
        const all = startAll(where, 2, 'waitWithCounter', () => [barrier, handleOf(counter), 10, how]);
        const indices = (await results(all)).map((text) => text.split(' ').map(Number));
        for (let round = 0; round < 10; round++) assert.equal(indices[0]![round]! + indices[1]![round]!, 1);
        assert.equal(counter[0], 10);
      });

      test(`an action in a module with an odd path, ${how}, in ${where}`, async () => {
        const folder = mkdtempSync(join(tmpdir(), 'multiprocess a%20b '));
        try {
          const file = join(folder, 'its action.mjs');
          writeFileSync(file, "export function act() { globalThis.actionRan = 'it ran'; }");
          const { act } = (await import(pathToFileURL(file).href)) as { act: () => void };
          const barrier = new Barrier(1, { action: act });
          assert.equal(await start(where, 'passBarrierOf', barrier, how).result, 'it ran');
        } finally {
          rmSync(folder, { recursive: true });
        }
      });

      test(`an exported action that throws, ${how}, in ${where}`, async () => {
        const barrier = new Barrier(2, { action: failingAction });
        const all = startAll(where, 2, 'waitWithCounter', () => [barrier, '', 1, how]);
        assert.deepEqual((await results(all)).sort(), [BROKEN, 'RangeError']);
        assert.equal(barrier.broken, true);
      });
    }

    test(`each gets another number, in ${where}`, async () => {
      const barrier = new Barrier(3);
      const all = startAll(where, 3, 'roundIndices', (number) => [barrier, 20, hows[number % 2]!]);
      const indices = await results(all);
      for (let round = 0; round < 20; round++) {
        assert.deepEqual(indices.map((own) => own[round]).sort(), [0, 1, 2], `round ${round}`);
      }
    });

    for (const [meddle, isBroken] of [
      ['abort', true],
      ['reset', false],
    ] as const) {
      test(`${meddle} by one in ${where}`, async () => {
        const barrier = new Barrier(4);
        const signed = roll(3);
        const all = startAll(where, 3, 'outcomeOf', (number) => [barrier, signed, number, hows[number % 2]!]);
        await allWait(signed);
        assert.equal(barrier.nWaiting, 3);
        await start(where, 'meddle', barrier, meddle).result;
        assert.deepEqual(await results(all), [BROKEN, BROKEN, BROKEN]);
        assert.equal(barrier.broken, isBroken);
        assert.equal(barrier.nWaiting, 0);
        barrier.reset();
        const next = startAll(where, 3, 'outcomeOf', (number) => [barrier, signed, number, hows[number % 2]!]);
        assert.deepEqual([await barrier.wait(), ...(await results(next))].map(Number).sort(), [0, 1, 2, 3]);
      });
    }

    test(`one who is too late, in ${where}`, async () => {
      const barrier = new Barrier(4);
      const signed = roll(3);
      const patient = [0, 1].map((number) => start(where, 'outcomeOf', barrier, signed, number, hows[number]!));
      await allWait(signed.subarray(0, 6));
      const late = start(where, 'outcomeOf', barrier, signed, 2, 'sync', 20);
      assert.deepEqual(await results([...patient, late]), [BROKEN, BROKEN, BROKEN]);
    });

    for (const how of hows) {
      test(`one who is killed while it waits, ${how}, in ${where}, breaks it`, async () => {
        const barrier = new Barrier(5);
        const signed = roll(3);
        const all = startAll(where, 3, 'outcomeOf', (number) => [
          barrier,
          signed,
          number,
          number === 0 ? how : hows[number - 1]!,
        ]);
        const here = barrier.wait();
        const refused = assert.rejects(here, broken);
        await allWait(signed);
        const since = clockOfRolls();
        await all[0]!.kill();
        await refused;
        assert.deepEqual(await results(all.slice(1)), [BROKEN, BROKEN]);
        assert.ok(lastEnd(signed, since) < 1000, `${lastEnd(signed, since)} ms`);
        assert.equal(barrier.broken, true);
      });
    }

    test(`one who is killed between rounds, in ${where}, breaks it`, async () => {
      const barrier = new Barrier(2);
      const [come, end] = [RawArray('i', 1), new Event()];
      const member = start(where, 'comeAndStay', barrier, come, end);
      await barrier.wait();
      await eventually('it has passed', () => Atomics.load(come, 0) === 1);
      const since = performance.now();
      const waiting = assert.rejects(barrier.wait(), broken);
      await member.kill();
      await waiting;
      assert.ok(performance.now() - since < 1000, `${performance.now() - since} ms`);
      // As new, it is forgotten.
      barrier.reset();
      assert.deepEqual((await Promise.all([barrier.wait(), barrier.wait()])).sort(), [0, 1]);
    });

    test(`one that exits between rounds, in ${where}, does not break it`, async () => {
      const barrier = new Barrier(2);
      const [come, end] = [RawArray('i', 1), new Event()];
      const member = start(where, 'comeAndStay', barrier, come, end);
      await barrier.wait();
      end.set();
      assert.ok((await member.result) <= 1);
      await member.ended;
      assert.equal(barrier.broken, false);
      assert.deepEqual((await Promise.all([barrier.wait(), barrier.wait()])).sort(), [0, 1]);
    });

    test(`one that exits while it waits, in ${where}, breaks it`, async () => {
      const barrier = new Barrier(3);
      const waiting = assert.rejects(barrier.wait(), broken);
      await start(where, 'comeAndExit', barrier).ended;
      const since = performance.now();
      await waiting;
      assert.ok(performance.now() - since < 1000, `${performance.now() - since} ms`);
    });
  }

  test('of ten processes, a hundred rounds', { timeout: 60_000 }, async () => {
    const barrier = new Barrier(10);
    const steps = RawArray('i', 100);
    const all = startAll('processes', 10, 'inLockstep', (number) => [barrier, steps, hows[number % 2]!]);
    assert.deepEqual(await results(all), Array(10).fill('well'));
    assert.deepEqual([...steps], Array(100).fill(10));
  });

  test('a handle opens it with its timeout and action', async () => {
    const barrier = new Barrier(1, { action: countAction, timeout: 50 });
    assert.equal(open(barrier.handle), barrier);
    const counter = RawArray('i', 2);
    process.env['ACTION_COUNTER'] = handleOf(counter);
    await barrier.wait();
    barrier.waitSync();
    assert.deepEqual([...counter], [2, process.pid]);
    delete process.env['ACTION_COUNTER'];
  });
});
