// Functions that no module exports travel as their source, with what they use.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import path, { join as joined } from 'node:path';
import { describe, test } from 'node:test';
import * as url from 'node:url';
import { runInNewContext } from 'node:vm';
import { Lock, NotShareableError, Pool, Process, RawArray, SharedDict, Value } from 'multiprocess';
import { add, Counter as Exported } from '../programs/source-targets.js';
import { fixture, projectRoot } from '../support/paths.js';
import { run, runNode } from '../support/run.js';

const factor = 3;
const table = { list: [1, 2], map: new Map([['a', 1n]]) };
const { max } = Math;
const triple = (n: number) => n * factor;
const even = (n: number): boolean => n === 0 || odd(n - 1);
const odd = (n: number): boolean => n !== 0 && even(n - 1);
const factorial = (n: number): number => (n <= 1 ? 1 : n * factorial(n - 1));
class Hidden {
  #secret = 1;
  read = () => this.#secret;
}
const bound = triple.bind(null);
const handlers = { run: triple };
function makeAdder(k: number) {
  return (n: number) => n + k;
}

async function resultOf<A extends unknown[], R>(target: (...args: A) => R, ...args: A): Promise<Awaited<R>> {
  const child = new Process({ target, args, stdio: 'ignore' } as never) as Process<A, R>;
  child.start();
  return child.result();
}

function refused(target: (...args: never[]) => unknown, message: RegExp): void {
  assert.throws(
    () => new Process({ target: target as never }).start(),
    (error: Error) => {
      assert.ok(error instanceof NotShareableError, error.stack);
      assert.match(error.message, message);
      return true;
    },
  );
}

describe('a function that no module exports', () => {
  // One pool for all: a process for each function would take long.
  const pool = new Pool(1);
  test.after(() => pool.terminate());

  test('in each shape that functions have', async () => {
    assert.equal(await pool.apply((a: number, b?: number) => a + (b ?? 2), [1]), 3);
    assert.equal(
      await pool.apply(
        function named(n: number): number {
          return n <= 0 ? 0 : n + named(n - 1);
        },
        [3],
      ),
      6,
    );
    assert.equal(await pool.apply(async (n: number) => n + 1, [1]), 2);
    assert.equal(await pool.apply(({ a: [b] }: { a: number[] }) => b, [{ a: [7] }]), 7);
    const object = {
      method(n: number) {
        return n * 2;
      },
      async later(n: number) {
        return n * factor;
      },
    };
    assert.equal(await pool.apply(object.method, [4]), 8);
    assert.equal(await pool.apply(object.later, [4]), 12);
    assert.equal(await pool.apply(new Function('a', 'return a + 1') as (a: number) => number, [1]), 2);
    assert.equal(
      await pool.apply(runInNewContext('(function other(n) { return n * 5; })') as (n: number) => number, [2]),
      10,
    );
  });

  test('with plain values, from each scope around it, as they are at that moment', async () => {
    const local = new Set([5]);
    let changing = 1;
    const get = () => [factor, table.list, table.map.get('a'), [...local], changing];
    assert.deepEqual(await pool.apply(get), [3, [1, 2], 1n, [5], 1]);
    changing = 2;
    assert.deepEqual((await pool.apply(get))[4], 2);
    assert.equal(await pool.apply(makeAdder(100), [1]), 101);
    assert.equal(await pool.apply(makeAdder(200), [1]), 201);
  });

  test('with only what it uses: names of properties and its own variables are none of that', async () => {
    const unused = () => Hidden;
    assert.equal(
      await pool.apply((o: { Hidden: number; bound: number }) => o.Hidden + o.bound, [{ Hidden: 1, bound: 2 }]),
      3,
    );
    assert.equal(await pool.apply((Hidden: number) => `${Hidden} bound`, [1]), '1 bound');
    assert.ok(unused);
  });

  test('with other such functions, and itself', async () => {
    assert.deepEqual(await pool.map((n) => triple(n) + 1, [1, 2]), [4, 7]);
    assert.equal(await pool.apply(even, [10]), true);
    assert.equal(await pool.apply(factorial, [5]), 120);
  });

  test('with what its module imports, and exports', async () => {
    assert.equal(await pool.apply(() => path.basename(joined('/a', 'b')) + url.pathToFileURL('/x').href), 'bfile:///x');
    assert.equal(await pool.apply((n: number) => add(n, 1), [1]), 2);
    assert.equal(await pool.apply(() => new Exported(4).value), 4);
    assert.equal(await pool.apply(() => max(1, 2) + Math.min(1, 2)), 3);
    assert.equal(await pool.apply(async () => (await import('node:os')).EOL), '\n');
    assert.equal(await pool.apply(() => typeof Lock), 'function');
  });

  test('with shared objects, as the same', async () => {
    const [count, dict, numbers, lock] = [Value('i', 0), SharedDict<string, number>(), RawArray('d', 2), new Lock()];
    await pool.map(
      (n: number) =>
        lock.run(() => {
          count.value += n;
          dict.set(`${n}`, n);
          numbers[1]! += n;
        }),
      [1, 2, 3],
    );
    assert.deepEqual([count.value, dict.size, numbers[1]], [6, 3, 6]);
  });

  test('of CommonJS', async () => {
    const { getHidden, makeHidden } = createRequire(import.meta.url)(fixture('cjs/closures.cjs'));
    assert.equal(await pool.apply(getHidden(), ['/a/b']), 'b of closures.cjs');
    assert.equal(await pool.apply(makeHidden(3), [2]), 6);
  });

  test('is a target, whose arguments and result are what those of others are', async () => {
    const dict = SharedDict([['a', 1]]);
    assert.deepEqual(
      await resultOf((d: typeof dict, n: number) => [d.get('a'), n * factor, d] as const, dict, 2).then(([a, n, d]) => [
        a,
        n,
        d === dict,
      ]),
      [1, 6, true],
    );
    await assert.rejects(
      resultOf(() => {
        throw new RangeError('of the target');
      }),
      RangeError,
    );
  });

  test('that cannot travel is refused, naming what cannot', async () => {
    refused(() => new Hidden(), /uses the variable 'Hidden', which is a class \(Hidden\); export it/);
    refused(() => bound(1), /uses the variable 'bound', which is a native or bound function/);
    refused(() => handlers, /uses the variable 'handlers', which cannot travel: handlers\.run is a function/);
    refused(() => pool, /uses the variable 'pool', which cannot travel: pool is an instance of Pool/);
    refused(() => even(1) && bound, /uses the variable 'bound'/);
    refused(new Hidden().read, /#secret/);
    refused(triple.bind(null), /native or bound/);
    function outer(this: unknown) {
      return () => this;
    }
    refused(outer.call({ a: 1 }), /uses `this` of the function around it/);
    const withSuper = {
      f() {
        return super.toString();
      },
    };
    await assert.rejects(
      pool.apply(() => import.meta.url),
      /import\.meta/,
    );
    assert.ok(withSuper);
  });

  test('does not travel where that is turned off', async () => {
    const strict = new Pool({ processes: 1, allowSource: false });
    await assert.rejects(
      strict.map((n) => n, [1]),
      NotShareableError,
    );
    await assert.rejects(strict.map(makeAdder(1), [1]), /allowSource|uses variables of the function/);
    assert.equal(await strict.apply(add, [1, 2]), 3);
    await strict.terminate();
    assert.throws(() => new Process({ target: () => 1, allowSource: 1 as never }), TypeError);
  });
});

describe('programs', () => {
  test('need no guard for functions that travel as their source', async () => {
    const { code, stdout, stderr } = await runNode(fixture('esm/unguarded-source.mjs'));
    assert.deepEqual([stdout, stderr, code], ['[ 2, 4 ] 3\n', '', 0]);
  });

  test('of TypeScript, under tsx', async () => {
    const { stdout, stderr } = await run(process.execPath, ['--import', 'tsx', fixture('ts/closures.ts')], {
      cwd: projectRoot,
    });
    assert.deepEqual([stdout, stderr], ['[ 4, 7 ] b\n', '']);
  });

  test('given on the command line', async () => {
    const program = `import { Pool } from 'multiprocess'; const k = 2; const pool = new Pool(1);
      console.log(await pool.map((n) => n * k, [1, 2])); await pool.terminate();`;
    const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '--eval', program], {
      cwd: projectRoot,
    });
    assert.deepEqual([stdout, stderr], ['[ 2, 4 ]\n', '']);
  });
});
