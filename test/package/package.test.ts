// The package as its users get it.
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import * as multiprocess from 'multiprocess';
import { projectRoot } from '../support/paths.js';
import { cleanEnvironment, Running, run } from '../support/run.js';

const bin = (name: string) => `${projectRoot}node_modules/.bin/${name}`;

test('what is exported has the name under which it is exported, in errors and when it is printed', () => {
  for (const [name, value] of Object.entries(multiprocess)) {
    // `Array` is there for `import * as multiprocess`; by itself it goes by its other name.
    if (typeof value === 'function') assert.equal(value.name, name === 'Array' ? 'SharedArray' : name);
  }
});

describe('npm pack', () => {
  const folder = mkdtempSync(join(tmpdir(), 'multiprocess-pack-'));
  const project = mkdtempSync(join(tmpdir(), 'multiprocess-user-'));
  let tarball = '';

  before(async () => {
    // The build that is tested is the one that is packed.
    const { code, stdout, stderr } = await run(
      'npm',
      ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder],
      {
        cwd: projectRoot,
      },
    );
    assert.equal(code, 0, stderr);
    tarball = join(folder, stdout.trim().split('\n').at(-1)!);
    assert.ok(existsSync(tarball));
  });
  after(() => {
    for (const path of [folder, project]) rmSync(path, { recursive: true, force: true });
  });

  test('publint and attw find nothing to object to', { timeout: 120_000 }, async () => {
    const lint = await run(bin('publint'), ['--strict', tarball]);
    assert.equal(lint.code, 0, lint.stdout + lint.stderr);
    const types = await run(bin('attw'), ['--profile', 'esm-only', tarball], { timeoutMs: 120_000 });
    assert.equal(types.code, 0, types.stdout + types.stderr);
  });

  test("installed without scripts into an empty project, runs the README's first example", {
    timeout: 240_000,
  }, async () => {
    writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'user', private: true, type: 'module' }));
    const install = await run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', tarball], {
      cwd: project,
      timeoutMs: 200_000,
    });
    assert.equal(install.code, 0, install.stderr);
    const installed = readdirSync(join(project, 'node_modules')).filter((name) => !name.startsWith('.'));
    assert.deepEqual(installed.sort(), ['@koromix', 'koffi', 'multiprocess'], 'koffi is the only dependency');

    const example = /^```ts\n(.*?)^```/ms.exec(readFileSync(`${projectRoot}README.md`, 'utf8'))![1]!;
    writeFileSync(join(project, 'example.ts'), example);
    const options = {
      target: 'es2022',
      lib: ['es2023', 'esnext.disposable'],
      module: 'nodenext',
      strict: true,
      types: ['node'],
    };
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, include: ['*.ts'] }));
    // Their own TypeScript and @types/node; here, this project's.
    cpSync(`${projectRoot}node_modules/@types`, join(project, 'node_modules/@types'), { recursive: true });
    cpSync(`${projectRoot}node_modules/undici-types`, join(project, 'node_modules/undici-types'), { recursive: true });
    const compiled = await run(process.execPath, [`${projectRoot}node_modules/typescript/bin/tsc`], { cwd: project });
    assert.equal(compiled.code, 0, compiled.stdout);
    const { code, stdout, stderr } = await run(process.execPath, ['example.js'], { cwd: project });
    assert.equal(stderr, '');
    assert.equal(code, 0);
    const expected = [...example.matchAll(/console\.log\(.*\);\s*\/\/ (.*)$/gm)].map((match) => match[1]!.trim());
    assert.deepEqual(stdout.trimEnd().split('\n'), expected);
  });

  test('its command-line program runs by npx, in the project into which it was installed', async () => {
    const env = cleanEnvironment({ XDG_RUNTIME_DIR: project });
    const options = { cwd: project, env };
    const { version } = JSON.parse(readFileSync(`${projectRoot}package.json`, 'utf8'));
    const npx = (...args: string[]) => run('npx', ['--no-install', 'multiprocess', ...args], options);
    assert.equal((await npx('--version')).stdout, `${version}\n`);
    const serving = new Running(join(project, 'node_modules/.bin/multiprocess'), ['serve', 'installed'], options);
    await serving.line(/^serving 'installed'/);
    const { managers } = JSON.parse((await npx('ls', '--json')).stdout);
    assert.deepEqual([managers[0].name, managers[0].state], ['installed', 'serving']);
    serving.child.kill('SIGTERM');
    const { code, stderr } = await serving.finished;
    assert.deepEqual([code, stderr], [0, '']);
    assert.equal((await npx('nonsense')).code, 2);
  });
});

describe('package.json', () => {
  const manifest = JSON.parse(readFileSync(`${projectRoot}package.json`, 'utf8'));

  test('has no install script, one dependency, and types first', () => {
    for (const script of ['preinstall', 'install', 'postinstall', 'prepare'])
      assert.equal(manifest.scripts[script], undefined);
    assert.deepEqual(Object.keys(manifest.dependencies), ['koffi']);
    for (const [path, conditions] of Object.entries(manifest.exports)) {
      if (typeof conditions === 'object') assert.equal(Object.keys(conditions!)[0], 'types', path);
    }
    assert.equal(manifest.type, 'module');
  });

  test('every export loads by import and by require', async () => {
    for (const path of Object.keys(manifest.exports).filter((key) => key !== './package.json')) {
      const name = `multiprocess${path.slice(1)}`;
      for (const load of [`import('${name}')`, `Promise.resolve(require('${name}'))`]) {
        const { code, stdout, stderr } = await run(
          process.execPath,
          ['--no-warnings', '-e', `${load}.then((m) => console.log(Object.keys(m).length > 0))`],
          {
            cwd: projectRoot,
          },
        );
        assert.deepEqual([code, stdout, stderr], [0, 'true\n', ''], load);
      }
    }
  });
});
