import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { NotShareableError, Process } from 'multiprocess';
import { add } from '../programs/targets.js';
import { fixture, projectRoot } from '../support/paths.js';
import { run, runNode } from '../support/run.js';

const require = createRequire(import.meta.url);
const esm = await import(pathToFileURL(fixture('esm/targets.mjs')).href);
const cjs = require(fixture('cjs/targets.cjs'));

async function resultOf(target: unknown, ...args: unknown[]): Promise<unknown> {
  const child = new Process({ target: target as never, args: args as never, stdio: 'ignore', allowSource: false });
  child.start();
  return child.result();
}

describe('a function is found by where it is defined', () => {
  for (const [how, target, expected] of [
    ['a default export', esm.default, 'default 1'],
    ['an arrow function', esm.arrow, 'arrow 1'],
    ['exported under another name', esm.outer, 'renamed 1'],
    ['imported from elsewhere and exported again', esm.helper, 'helper 1'],
    ['a property of module.exports', cjs.triple, 3],
    ['one that Node cannot see by name', cjs.viaLoop, 'loop 1'],
    ['module.exports itself', require(fixture('cjs/single.cjs')), 'single 1'],
  ] as const) {
    test(how, async () => assert.equal(await resultOf(target, 1), expected));
  }

  test('many of one module, and one many times', async () => {
    const results = await Promise.all([esm.arrow, esm.arrow, esm.default].map((target) => resultOf(target, 2)));
    assert.deepEqual(results, ['arrow 2', 'arrow 2', 'default 2']);
  });
});

describe('a module and the name of an export', () => {
  test('by URL, by path, by package name', async () => {
    const url = pathToFileURL(fixture('esm/targets.mjs'));
    assert.equal(await resultOf({ module: url, export: 'arrow' }, 3), 'arrow 3');
    assert.equal(await resultOf({ module: url.href }, 3), 'default 3');
    assert.equal(await resultOf({ module: fixture('cjs/targets.cjs'), export: 'triple' }, 3), 9);
    assert.equal(await resultOf({ module: fixture('esm/targets.mjs'), export: 'plusTwo' }, 3), 5);
    assert.equal(
      await resultOf({ module: 'multiprocess', export: 'cpuCount' }),
      require('node:os').availableParallelism(),
    );
    assert.equal(await resultOf({ module: 'node:path', export: 'basename' }, '/a/b'), 'b');
  });

  test('that does not exist, cannot be imported, or exports no such function', async () => {
    await assert.rejects(resultOf({ module: fixture('esm/nowhere.mjs') }), { code: 'ERR_MODULE_NOT_FOUND' });
    await assert.rejects(resultOf({ module: fixture('esm/broken.mjs') }), /cannot be imported/);
    await assert.rejects(resultOf({ module: fixture('esm/targets.mjs'), export: 'nothing' }), NotShareableError);
    assert.throws(() => new Process({ target: { module: 'no-such-package-at-all' } }).start(), {
      code: 'MODULE_NOT_FOUND',
    });
  });
});

describe('functions that no other process can find, where none may travel as its source', () => {
  test('are refused at start() where that is known, else by result()', async () => {
    const refused = (target: unknown) =>
      assert.throws(() => new Process({ target: target as never, allowSource: false }).start(), NotShareableError);
    refused(add.bind(null, 1));
    refused(Math.max);
    refused(new Function('return 1'));
    refused(runInNewContext('(function inContext() {})'));
    refused(cjs.getHidden());
    for (const target of [esm.hiddenOnes.hidden, () => 1, function local() {}]) {
      await assert.rejects(resultOf(target), (error: Error) => {
        assert.ok(error instanceof NotShareableError);
        assert.match(error.message, /not exported by file:.*Export it there/);
        return true;
      });
    }
  });

  test('as are those that another function has made: their text says nothing of their variables', async () => {
    for (const target of [esm.plusOne, esm.make(100)]) {
      assert.throws(
        () => new Process({ target: target as never, args: [1] as never, allowSource: false }).start(),
        /uses variables of the function in which it was made/,
      );
    }
    assert.equal(await resultOf({ module: fixture('esm/targets.mjs'), export: 'plusOne' }, 1), 2);
  });
});

describe('programs', () => {
  const expectOutput = async (file: string, expected: string, args: string[] = [], flags: string[] = []) => {
    const { code, stdout, stderr } = await run(process.execPath, [...flags, file, ...args], { cwd: projectRoot });
    assert.equal(stderr, '');
    assert.equal(stdout, expected);
    assert.equal(code, 0);
  };

  test('with await at the top level', () => expectOutput(fixture('esm/main-with-await.mjs'), '49\n'));

  test('of TypeScript, under tsx', () =>
    expectOutput(fixture('ts/main.ts'), 'HELLO!\nhello here\n', [], ['--import', 'tsx']));

  test(
    'of TypeScript, where Node strips types',
    { skip: !(process.features as { typescript?: string }).typescript },
    () => expectOutput(fixture('ts/main.ts'), 'HELLO!\nhello here\n', [], ['--no-warnings']),
  );

  test('of CommonJS', () => expectOutput(fixture('cjs/main.cjs'), '42\n', [], ['--no-warnings']));

  test('given on the command line', () =>
    expectOutput(
      '--eval',
      'HELLO\n',
      [
        `import { Process } from 'multiprocess';
         const child = new Process({ target: { module: '${fixture('esm/targets.mjs')}', export: 'arrow' }, args: ['x'] });
         child.start(); const r = await child.result(); console.log(r === 'arrow x' ? 'HELLO' : r);`,
      ],
      ['--input-type=module'],
    ));

  test('with flags that are for them alone, in one word or two', async () => {
    await expectOutput(fixture('esm/main-with-await.mjs'), '49\n', [], ['--inspect-port', '0']);
    await expectOutput(fixture('esm/main-with-await.mjs'), '49\n', [], ['--inspect-port=0', '--no-deprecation']);
  });

  test('that start a process while their child imports them are told so', async () => {
    const { code, stdout, stderr } = await runNode(fixture('esm/unguarded.mjs'));
    assert.equal(stdout, 'ERR_MULTIPROCESS_PROCESS_IMPORTING\n');
    assert.match(stderr, /isMainProcess/);
    assert.equal(code, 0);
  });

  test('whose children make unnamed shared objects while importing are warned, once', async () => {
    const { stdout, stderr } = await runNode(fixture('esm/unshared.mjs'));
    assert.equal(stdout, '1\n');
    assert.equal(stderr.match(/MULTIPROCESS_UNSHARED/g)?.length, 1, stderr);
    assert.match(stderr, /unshared\.mjs:4/);
  });

  test('and so are those that make typed values', async () => {
    const { stdout, stderr } = await runNode(fixture('esm/unshared-values.mjs'));
    assert.equal(stdout, 'object\n');
    assert.deepEqual(
      [...stderr.matchAll(/unshared-values\.mjs:(\d+)/g)].map((match) => match[1]),
      ['5', '6', '7', '8'],
      stderr,
    );
  });
});

test('a worker thread is a main process like any other, and starts processes', async () => {
  const source = `
    import('multiprocess').then(async ({ Process, isMainProcess }) => {
      const { parentPort } = require('node:worker_threads');
      const { default: target } = await import(${JSON.stringify(pathToFileURL(fixture('esm/targets.mjs')).href)});
      const child = new Process({ target, args: [5] });
      child.start();
      parentPort.postMessage([isMainProcess, await child.result(), child.exitCode]);
    });`;
  const answer = await new Promise((resolve, reject) => {
    const worker = new Worker(source, { eval: true });
    worker.once('message', resolve).once('error', reject);
  });
  assert.deepEqual(answer, [true, 'default 5', 0]);
});
