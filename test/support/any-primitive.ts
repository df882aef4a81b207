// What holds for every object with which processes wait for each other: how it is made, how it travels, how it ends.
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { inspect } from 'node:util';
import {
  type Barrier,
  type BoundedSemaphore,
  type Condition,
  Event,
  fromMessage,
  handleOf,
  Lock,
  open,
  RawArray,
  type Semaphore,
  SharedMemory,
  toMessage,
} from 'multiprocess';
import { hasCode } from './errors.js';
import { allWait, clockOfRolls, hows, lastEnd, places, roll, start, startAll } from './parties.js';
import { program } from './paths.js';
import { eventually } from './shm.js';

type Any = Semaphore | BoundedSemaphore | Condition | Event | Barrier;
type AnyKind<T> = { (): T; new (): T; readonly prototype: T };

export interface Tested<T extends Any> {
  readonly Kind: unknown;
  /** What it takes to make one. */
  readonly args: readonly unknown[];
  /** What `inspect` says of a new one. */
  readonly shown: RegExp;
  /** Whether another has used it, as `touch` in synchronize-targets.ts does. */
  touched(object: T): boolean;
  /** Each way to use it, after it has been disposed of: those that throw. */
  uses: Record<string, (object: T) => unknown>;
}

const stale = hasCode('ERR_MULTIPROCESS_STALE_HANDLE');

/** @param waitable one at which whoever comes next has to wait. */
export function testsOfAnyPrimitive<T extends Any>(tested: Tested<T>, waitable: () => T): void {
  const { args, shown, touched, uses } = tested;
  const Kind = tested.Kind as AnyKind<T>;
  const make = () => Reflect.construct(Kind, args) as T;

  test('is made with and without new, and can be extended', () => {
    class Own extends (Kind as unknown as new (...all: unknown[]) => object) {
      twice() {
        return 2;
      }
    }
    assert.ok(Reflect.apply(Kind, undefined, args) instanceof Kind);
    assert.ok(make() instanceof Kind);
    assert.ok(!((make() as object) instanceof Lock));
    const own = new Own(...args);
    assert.equal(own.twice(), 2);
    assert.ok(own instanceof Kind);
    assert.equal(own.constructor, Own);
    assert.equal(handleOf(own), (own as T).handle);
  });

  test('is shown, and neither cloned nor written as JSON', () => {
    const object = make();
    assert.match(inspect(object), shown);
    assert.throws(() => JSON.stringify({ object }), TypeError);
    const marks = 'markAsUncloneable' in process.getBuiltinModule('node:worker_threads');
    if (marks) {
      assert.throws(() => structuredClone(object), { name: 'DataCloneError' });
      assert.throws(() => new MessageChannel().port1.postMessage({ object }), { name: 'DataCloneError' });
    }
  });

  test('handles open the same one, and no other kind', () => {
    const object = make();
    assert.equal(open(handleOf(object)), object);
    assert.equal(open(object.handle, Kind), object);
    assert.equal((fromMessage(toMessage({ object })) as { object: T }).object, object);
    assert.throws(() => open(object.handle, Lock as never), TypeError);
    assert.throws(() => open(object.handle, SharedMemory as never), TypeError);
    assert.throws(() => open(new Lock().handle, Kind as never), TypeError);
    assert.throws(() => open(object.handle.replace(/:[^:]*$/, ':!')), hasCode('ERR_MULTIPROCESS_VALUE'));
    assert.throws(() => open(`${object.handle}7`), stale);
  });

  test('a handle whose kind has been changed', () => {
    const object = make();
    const asLock = object.handle.replace(/^mp:[a-z]+:/, 'mp:lock:');
    const error = (() => {
      try {
        return open(asLock);
      } catch (error) {
        return error;
      }
    })();
    assert.ok(hasCode('ERR_MULTIPROCESS_VALUE')(error), `opened as ${inspect(error)}`);
  });

  for (const where of places) {
    test(`travels to ${where} and back as the same object`, async () => {
      const object = make();
      const { shared, name } = (await start(where, 'giveBack', object).result) as { shared: T; name: string };
      assert.equal(shared, object);
      assert.equal(name, (Kind as { name: string }).name);
    });

    test(`used by others, in ${where}, it is the same`, async () => {
      const [object, done, end] = [make(), RawArray('i', 1), new Event()];
      assert.equal(touched(object), false);
      const other = start(where, 'touchAndStay', object, done, end);
      await eventually('it has been used', () => Atomics.load(done, 0) === 1);
      assert.equal(touched(object), true);
      end.set();
      await other.result;
    });

    test(`dispose ends it for all who wait, in ${where}`, async () => {
      const object = waitable();
      const signed = roll(2);
      const waiting = startAll(where, 2, 'outcomeOf', (number) => [object, signed, number, hows[number]!]);
      await allWait(signed);
      const since = clockOfRolls();
      object.dispose();
      const outcomes = await Promise.all(waiting.map(({ result }) => result));
      const took = lastEnd(signed, since);
      assert.deepEqual(outcomes, Array(2).fill('ERR_MULTIPROCESS_STALE_HANDLE'));
      assert.ok(took < 1000, `${took} ms`);
    });
  }

  test('goes to a program of the tree by an environment variable and as a message', async () => {
    const object = make();
    const env = { ...process.env, SHARED_HANDLE: object.handle };
    const child = fork(program('open-handles'), { env, execArgv: [] });
    child.send({ handle: object.handle, message: toMessage({ shared: object }) });
    const [same] = (await once(child, 'message')) as [boolean];
    assert.equal(same, true);
    assert.equal(touched(object), true);
    child.kill('SIGKILL');
    await once(child, 'exit');
  });

  test('disposed, it throws at every use', async () => {
    const object = make();
    const { handle } = object;
    object.dispose();
    for (const [name, use] of Object.entries(uses)) {
      await assert.rejects(async () => await use(object), stale, name);
    }
    assert.throws(() => open(handle), stale);
    assert.throws(() => object.dispose(), stale);
    assert.match(inspect(object), /disposed/);
  });

  test('a use in this very process that waits is ended by dispose', async () => {
    const object = waitable();
    const wait = () => {
      if ('notify' in object) return object.run(() => object.wait());
      return 'acquire' in object ? object.acquire() : (object as Event | Barrier).wait();
    };
    const ended = assert.rejects(wait(), stale);
    await new Promise((resolve) => setImmediate(resolve));
    object.dispose();
    await ended;
  });
}
