import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { Event } from 'multiprocess';
import { testsOfAnyPrimitive } from '../support/any-primitive.js';
import { leavesNothing } from '../support/leaves-nothing.js';
import { allWait, clockOfRolls, hows, lastEnd, places, results, roll, start, startAll } from '../support/parties.js';

describe('Event', () => {
  testsOfAnyPrimitive<Event>(
    {
      Kind: Event,
      args: [],
      shown: /^Event \{ clear \}$/,
      touched: (event) => event.isSet(),
      uses: {
        isSet: (event) => event.isSet(),
        set: (event) => event.set(),
        clear: (event) => event.clear(),
        wait: (event) => event.wait(),
        'wait with options': (event) => event.wait({ timeout: 5 }),
        waitSync: (event) => event.waitSync(),
      },
    },
    () => new Event(),
  );

  test('is set, and waited for, and cleared', async () => {
    const event = new Event();
    assert.equal(event.isSet(), false);
    assert.equal(await event.wait({ timeout: 0 }), false);
    assert.equal(event.waitSync({ timeout: 0 }), false);
    let since = performance.now();
    assert.equal(await event.wait({ timeout: 60 }), false);
    assert.ok(performance.now() - since >= 59);
    since = performance.now();
    assert.equal(event.waitSync({ timeout: 60 }), false);
    assert.ok(performance.now() - since >= 59);
    event.set();
    event.set();
    assert.equal(event.isSet(), true);
    assert.match(inspect(event), /^Event \{ set \}$/);
    for (const options of [undefined, { timeout: 0 }, { timeout: -1 }, { timeout: Number.POSITIVE_INFINITY }]) {
      assert.equal(await event.wait(options!), true);
      assert.equal(event.waitSync(options!), true);
    }
    event.clear();
    event.clear();
    assert.equal(event.isSet(), false);
    assert.equal(event.waitSync({ timeout: -1 }), false);
  });

  test('options that are wrong throw, set or not', async () => {
    const event = new Event();
    for (let i = 0; i < 2; i++, event.set()) {
      for (const wrong of [Number.NaN, '5', null] as unknown[]) {
        const kind = Number.isNaN(wrong) ? RangeError : TypeError;
        assert.throws(() => event.waitSync({ timeout: wrong as number }), kind);
        await assert.rejects(event.wait({ timeout: wrong as number }), kind);
      }
      assert.throws(() => event.waitSync(5 as never), TypeError);
      await assert.rejects(event.wait(null as never), TypeError);
      await assert.rejects(event.wait({ signal: {} as never }), TypeError);
    }
  });

  test('a signal: aborted already, while waiting, and too late', async () => {
    const event = new Event();
    const reason = new Error('enough');
    await assert.rejects(event.wait({ signal: AbortSignal.abort(reason) }), reason);
    const controller = new AbortController();
    const waiting = event.wait({ signal: controller.signal });
    const other = event.wait();
    controller.abort(reason);
    await assert.rejects(waiting, reason);
    event.set();
    assert.equal(await other, true);
    await assert.rejects(event.wait({ signal: AbortSignal.abort(reason) }), reason);
    const late = new AbortController();
    const won = event.wait({ signal: late.signal });
    late.abort();
    assert.equal(await won, true);
  });

  test('waits in vain leave no listener, and nothing in the heap', async () => {
    const event = new Event();
    const { signal } = new AbortController();
    await leavesNothing(async () => {
      const waits = Array.from({ length: 1000 }, () => event.wait({ timeout: 1, signal }));
      assert.ok((await Promise.all(waits)).every((set) => !set));
    });
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  });

  test('a pulse is not missed by one who has begun to wait in this very turn', async () => {
    const event = new Event();
    for (let round = 0; round < 100; round++) {
      const waiting = event.wait();
      for (let turn = 0; turn < round % 5; turn++) await new Promise((resolve) => setImmediate(resolve));
      event.set();
      event.clear();
      assert.equal(await waiting, true);
      assert.equal(event.isSet(), false);
    }
  });

  for (const where of places) {
    test(`lets all go, in ${where}`, async () => {
      const event = new Event();
      const signed = roll(2);
      const waiting = startAll(where, 2, 'outcomeOf', (number) => [event, signed, number, hows[number % 2]!]);
      await allWait(signed);
      event.set();
      assert.deepEqual(await results(waiting), ['true', 'true']);
    });

    test(`a pulse lets all go who wait, and nobody afterwards, in ${where}`, { timeout: 30_000 }, async () => {
      const event = new Event();
      const signed = roll(4);
      const waiting = startAll(where, 4, 'outcomeOf', (number) => [event, signed, number, hows[number % 2]!]);
      const here = event.wait();
      await allWait(signed);
      event.set();
      event.clear();
      assert.equal(await here, true);
      assert.deepEqual(await results(waiting), ['true', 'true', 'true', 'true']);
      assert.equal(await start(where, 'outcomeOf', event, signed, 0, 'sync', 20).result, 'false');
    });

    test(`others go on when one who waits is killed, in ${where}`, async () => {
      const event = new Event();
      const signed = roll(4);
      const waiting = startAll(where, 4, 'outcomeOf', (number) => [event, signed, number, hows[number % 2]!]);
      await allWait(signed);
      await Promise.all([waiting[0]!.kill(), waiting[1]!.kill()]);
      const since = clockOfRolls();
      event.set();
      assert.deepEqual(await results(waiting.slice(2)), ['true', 'true']);
      assert.ok(lastEnd(signed, since) < 1000);
    });
  }
});
